//! An Envoy dynamic module: an HTTP filter that lets requests through with a valid access token of
//! torii, and tells the upstream who the user is.
//!
//! [`abi`] declares Envoy's functions and contains the only `unsafe` code. [`filter`] decides over a
//! request; it is written against [`host`], so that it is tested without Envoy.

#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "calls Envoy, and is called by it")]
mod abi;
mod answer;
mod claims;
mod config;
mod credentials;
mod filter;
mod host;
mod identity;
mod keys;
mod requirements;
mod stats;
