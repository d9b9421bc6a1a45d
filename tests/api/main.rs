//! The backend API, as a Rust program uses it, against a local torii.

mod deadlines;
mod errors;
mod faults;
mod operations;
mod options;
mod pages;
mod retries;
mod world;
