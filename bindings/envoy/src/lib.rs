//! An Envoy dynamic module: an HTTP filter that lets a request through when its token is a good one
//! of torii's, and tells the upstream whose it is.
//!
//! [`abi`] is the border to Envoy and the only `unsafe`; what a request goes through is in
//! [`filter`], written against [`host`], so that it is tested without an Envoy.

#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "the border to Envoy")]
mod abi;
mod answer;
mod config;
mod filter;
mod host;
mod identity;
mod keys;
mod stats;
mod token;
