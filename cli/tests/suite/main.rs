//! The program, run as people run it, against a local torii.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

mod api;
mod bad_input;
mod decode;
mod dev;
mod doctor;
#[cfg(unix)]
mod key_cache;
mod keys;
mod network;
mod pages;
mod readme;
mod secrets;
mod shell;
mod terminal;
mod tls;
mod verify;
mod world;
