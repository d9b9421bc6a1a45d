//! libtorii: verifies torii access tokens (ES256 JWTs) locally, and calls torii's backend API.
//!
//! [`Verifier`] verifies the tokens torii issues to end users, without a request per token, and
//! [`Client`] manages these users over the backend API. The C functions in `include/torii.h` wrap
//! these types.
//!
//! ```no_run
//! use torii::{Verifier, VerifierOptions};
//!
//! # fn handle(header: &str) -> torii::Result<()> {
//! let verifier = Verifier::new("https://acme.torii.so", &VerifierOptions::new())?;
//! let auth = verifier.authenticate(header)?;
//! println!("{} of {}", auth.user_id(), auth.environment_id());
//! # Ok(())
//! # }
//! ```

#![deny(unsafe_code)]
#![cfg_attr(
    not(feature = "capi"),
    allow(dead_code, unused_imports, reason = "some of it is for the C functions alone")
)]

#[cfg(panic = "abort")]
compile_error!("a defect of this library must not end its host: build with panic = \"unwind\"");

mod api;
mod clock;
mod crypto;
mod error;
#[cfg(not(feature = "fips"))]
mod es256;
#[cfg(feature = "capi")]
mod ffi;
#[allow(unsafe_code, reason = "pthread_atfork, signal masks, aws-lc's thread state, pinning")]
mod fork;
mod http;
pub mod inspect;
mod jitter;
mod json;
mod keys;
mod patch;
mod sync;
mod text;
mod token;
mod verify;
mod webhook;

pub use api::{
    AllowedOrigins, Client, ClientOptions, Impersonation, Invitations, Organizations, Paginator,
    Sessions, Users,
};
pub use error::{Error, Result, Status};
pub use json::{Json, JsonKind};
pub use keys::KeyFetch;
pub use patch::Patch;
pub use verify::{
    Auth, Check, MetricFamily, MetricKind, MetricSample, MetricSum, REQUIRE_EMAIL_VERIFIED,
    REQUIRE_NOT_IMPERSONATED, REQUIRE_ORGANIZATION, REQUIRE_PROFILE_COMPLETE, REVOKE_ALL,
    Requirements, Verifier, VerifierOptions,
};
pub use webhook::Webhook;

/// Forgets the fetched keys of every issuer, for tests. Verifiers fetch them again, and the results of
/// fetches in flight are discarded.
pub fn clear_jwks_cache() {
    keys::clear();
}

/// Moves the clock by which keys age, for the whole process.
#[cfg(feature = "test-hooks")]
#[doc(hidden)]
pub fn advance_clock(milliseconds: u64) {
    clock::hooks::advance(milliseconds);
}

/// Suspends the machine, for the clock by which keys age.
#[cfg(feature = "test-hooks")]
#[doc(hidden)]
pub fn suspend_clock(milliseconds: u64) {
    clock::hooks::suspend(milliseconds);
}
