//! The native part of the npm package `libtorii`, over the safe core.
//!
//! `lib/native.ts` declares the exports; nothing else calls them. Failures cross as JSON
//! (see [`failure`]), results of the API as the text that torii sent. [`check`] is the one call that
//! has to be fast, so it is written against Node-API itself, and so holds the only `unsafe` code.

#![deny(unsafe_code)]
#![cfg_attr(test, allow(dead_code, reason = "in a build for tests napi registers no functions"))]

#[allow(unsafe_code, reason = "calls Node-API, and is called by it")]
mod check;
mod client;
mod failure;
mod requirements;
mod threads;
mod verifier;
mod webhook;

use napi_derive::napi;

/// Returns the version, which the package compares with its own.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
