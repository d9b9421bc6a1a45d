//! The C ABI: pointers in, pointers out, no logic. All unsafe code of the crate is here, except that of
//! `fork.rs`.
//!
//! # Safety
//!
//! Every function here relies on its caller for the same few things, which the header promises on
//! the caller's behalf:
//!
//! - a handle is NULL, or came from this library, was not freed since, and is of the right type;
//! - a `const` handle is not freed, and a mutable one not used at all, by another thread during
//!   the call;
//! - `(pointer, length)` is readable for that length during the call; a NULL pointer has length 0;
//! - an out-pointer is NULL or can be written to, with any previous value.
//!
//! NULL is checked everywhere, and named in the error.

#![allow(unsafe_code, reason = "this is where it belongs")]
#![allow(non_camel_case_types, reason = "these are the names C sees")]
#![allow(
    clippy::multiple_unsafe_ops_per_block,
    reason = "the operations of a block rest on the same promise, named in its comment"
)]

// In the order of the header.
mod version;

mod status;

mod error;

mod verifier;

mod fetch;

mod record;

mod options;

mod requirements;

mod auth;

mod webhook;

mod client_options;

mod client;

mod users;

mod sessions;

mod organizations;

mod invitations;

mod impersonation;

mod allowed_origins;

mod json;

mod patch;

mod call;
mod panic;
mod pointer;
#[cfg(feature = "test-hooks")]
mod testing;

/// The header promises: `const` handles are for any number of threads at once, and every handle
/// may go from one thread to another.
const _: () = {
    const fn any_number<T: Send + Sync>() {}
    any_number::<error::torii_error_t>();
    any_number::<options::torii_verifier_options_t>();
    any_number::<verifier::torii_verifier_t>();
    any_number::<fetch::torii_fetch_t>();
    any_number::<requirements::torii_requirements_t>();
    any_number::<webhook::torii_webhook_t>();
    any_number::<auth::torii_auth_t>();
    any_number::<client_options::torii_client_options_t>();
    any_number::<client::torii_client_t>();
    any_number::<patch::torii_patch_t>();
    any_number::<json::torii_json_t>();
};
