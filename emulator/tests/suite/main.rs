//! The emulator, tested from outside: over HTTP, as a program, and through its Rust types.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod allowed_origins;
mod claims;
mod client;
mod contract;
mod control;
mod discovery;
mod faults;
mod impersonation;
mod invitations;
mod jwks;
mod log;
mod organizations;
mod program;
mod sessions;
mod templates;
mod tokens;
mod user_search;
mod users;
