//! The backend API, as a Rust program uses it, against a local torii.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "this is a test")]

mod deadlines;
mod errors;
mod faults;
mod loopback;
mod memory;
mod operations;
mod options;
mod pages;
mod retries;
mod threads;
mod tls;
mod world;
