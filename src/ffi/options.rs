//! `torii_verifier_options_t`.

use std::ffi::{c_char, c_void};
use std::ptr;

use super::error::torii_error_t;
use super::guard::{fallible, infallible};
use super::pointer::{bytes, exclusive, free, into_raw, text};
use super::status::torii_status_t;
use crate::verify::VerifierOptions;

/// How a verifier judges and where it gets its keys from. A verifier takes a copy: options may be
/// used for several, changed in between, and freed at once.
///
/// Nobody else may use the options while one of their functions runs; torii_verifier_new() only
/// reads them.
pub struct torii_verifier_options_t(pub(super) VerifierOptions);

/// What can be asked of every token beyond its being good: flags for
/// torii_verifier_options_require().
#[derive(Clone, Copy)]
#[repr(C)]
pub enum torii_require_t {
    /// `email_verified` is true.
    TORII_REQUIRE_EMAIL_VERIFIED = 1,
    /// `profile_complete` is not false.
    TORII_REQUIRE_PROFILE_COMPLETE = 2,
    /// `impersonating` is not true.
    TORII_REQUIRE_NOT_IMPERSONATED = 4,
}

/// The defaults: 30 s of leeway, no audience, keys fetched over https and kept as the issuer says,
/// 8 MiB of verdicts.
///
/// Ownership: the caller's, to be freed with torii_verifier_options_free().
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_verifier_options_new() -> *mut torii_verifier_options_t {
    infallible(ptr::null_mut(), || into_raw(torii_verifier_options_t(VerifierOptions::new())))
}

/// Trusts a further issuer. A token's `iss` picks among the configured issuers and can name
/// nothing else; the signature must then be that issuer's.
///
/// Threads: nobody else may use `options`; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT for what is no base URL.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_add_issuer(
    options: *mut torii_verifier_options_t,
    issuer: *const c_char,
    issuer_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let issuer = text(issuer, issuer_len, "issuer")?;
            exclusive(options, "options")?.0.add_issuer(issuer)?;
            Ok(())
        })
    }
}

/// Demands that `aud` (RFC 7519, 4.1.3) names this audience, or another one added. Without any,
/// `aud` is ignored.
///
/// Threads: nobody else may use `options`; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty text.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_add_audience(
    options: *mut torii_verifier_options_t,
    audience: *const c_char,
    audience_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let audience = text(audience, audience_len, "audience")?;
            exclusive(options, "options")?.0.add_audience(audience)?;
            Ok(())
        })
    }
}

/// How many seconds the clocks of torii and of this host may differ: 0 to 300, 30 by default.
///
/// Threads: nobody else may use `options`; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT out of range.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_leeway(
    options: *mut torii_verifier_options_t,
    seconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            exclusive(options, "options")?.0.set_leeway_seconds(seconds)?;
            Ok(())
        })
    }
}

/// Gives keys as a JWK Set (RFC 7517) instead of having them fetched: those of the issuer that was
/// named last with torii_verifier_options_add_issuer(), else of the issuer the verifier is made
/// for. They never age, and nothing is ever fetched for that issuer.
///
/// Threads: nobody else may use `options`; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT for a set without a usable key.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_jwks_json(
    options: *mut torii_verifier_options_t,
    jwks: *const c_char,
    jwks_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let jwks = bytes(jwks, jwks_len, "jwks")?;
            exclusive(options, "options")?.0.set_jwks(jwks)?;
            Ok(())
        })
    }
}

/// How long keys last, whatever the issuer's `Cache-Control` says: 1 to 86400 seconds. By default
/// the issuer says, within 60 to 3600 seconds, and 300 when it does not.
///
/// Threads: nobody else may use `options`; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT out of range.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_key_lifetime(
    options: *mut torii_verifier_options_t,
    seconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            exclusive(options, "options")?.0.set_key_lifetime_seconds(seconds)?;
            Ok(())
        })
    }
}

/// How long keys stay in use after the last time they could be fetched: 0 to 2592000 seconds,
/// 86400 by default. 0: not beyond their lifetime.
///
/// Threads: nobody else may use `options`; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT out of range.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_max_stale(
    options: *mut torii_verifier_options_t,
    seconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            exclusive(options, "options")?.0.set_max_stale_seconds(seconds)?;
            Ok(())
        })
    }
}

/// How long fetching keys may take, from looking up the name to the last byte: 100 to 60000
/// milliseconds, 5000 by default.
///
/// Threads: nobody else may use `options`; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT out of range.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_fetch_timeout_ms(
    options: *mut torii_verifier_options_t,
    milliseconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            exclusive(options, "options")?.0.set_fetch_timeout_ms(milliseconds)?;
            Ok(())
        })
    }
}

/// Trusts the certificate root_certificates in this PEM file, as it is now, instead of the platform's.
/// Verifiers share keys only with verifiers that trust the same.
///
/// Threads: nobody else may use `options`; does not block, but for reading the file.
/// Errors: TORII_ERR_INVALID_CONFIG when the file cannot be read or holds no certificate.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_ca_file(
    options: *mut torii_verifier_options_t,
    path: *const c_char,
    path_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let path = text(path, path_len, "path")?;
            exclusive(options, "options")?.0.set_ca_file(path)?;
            Ok(())
        })
    }
}

/// Refuses good tokens, with TORII_ERR_POLICY, that do not meet every requirement of `flags`: a
/// combination of TORII_REQUIRE_EMAIL_VERIFIED, TORII_REQUIRE_PROFILE_COMPLETE and
/// TORII_REQUIRE_NOT_IMPERSONATED. Requirements add up.
///
/// Threads: nobody else may use `options`; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT for flags that are none of these.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_require(
    options: *mut torii_verifier_options_t,
    flags: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            exclusive(options, "options")?.0.require(flags)?;
            Ok(())
        })
    }
}

/// Whether a short-lived thread may fetch keys before they are needed; true by default. A host
/// that fetches by itself, with torii_verifier_claim_fetch(), says false.
///
/// Threads: nobody else may use `options`; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL `options`.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_background_refresh(
    options: *mut torii_verifier_options_t,
    allowed: bool,
) -> torii_status_t {
    // SAFETY: the handle is as the caller promises, and there is no `err`.
    unsafe {
        fallible(ptr::null_mut(), || {
            exclusive(options, "options")?.0.set_background_refresh(allowed);
            Ok(())
        })
    }
}

/// How much memory verdicts on good tokens may take, for each verifier: 8388608 bytes by default,
/// 0 for none.
///
/// Threads: nobody else may use `options`; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL `options`.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_verdict_cache_bytes(
    options: *mut torii_verifier_options_t,
    bytes: usize,
) -> torii_status_t {
    // SAFETY: the handle is as the caller promises, and there is no `err`.
    unsafe {
        fallible(ptr::null_mut(), || {
            exclusive(options, "options")?.0.set_token_cache_bytes(bytes);
            Ok(())
        })
    }
}

/// Allows plain http to hosts other than this one; false by default. Anyone on the way can then
/// forge keys, and with them every login.
///
/// Threads: nobody else may use `options`; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL `options`.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_allow_http(
    options: *mut torii_verifier_options_t,
    allowed: bool,
) -> torii_status_t {
    // SAFETY: the handle is as the caller promises, and there is no `err`.
    unsafe {
        fallible(ptr::null_mut(), || {
            exclusive(options, "options")?.0.set_allow_http(allowed);
            Ok(())
        })
    }
}

/// Judges the time claims by this clock instead of the system's: `now(userdata)` gives Unix
/// seconds. It is called on the thread that verifies, during the call, from any number of threads
/// at once; it must return normally (no longjmp, no C++ exception). NULL for the system's clock.
/// `userdata` has to live as long as every verifier made with the options.
///
/// Threads: nobody else may use `options`; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL `options`.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_clock(
    options: *mut torii_verifier_options_t,
    now: Option<unsafe extern "C" fn(userdata: *mut c_void) -> i64>,
    userdata: *mut c_void,
) -> torii_status_t {
    // SAFETY: the handle is as the caller promises, and there is no `err`.
    unsafe {
        fallible(ptr::null_mut(), || {
            set_clock(&mut exclusive(options, "options")?.0, now, userdata);
            Ok(())
        })
    }
}

/// Frees options. NULL is fine.
///
/// Threads: nobody else may use `options`; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_free(options: *mut torii_verifier_options_t) {
    // SAFETY: NULL or live and of the caller's alone, by its promise.
    unsafe { free(options) }
}

fn set_clock(
    options: &mut VerifierOptions,
    now: Option<unsafe extern "C" fn(*mut c_void) -> i64>,
    userdata: *mut c_void,
) {
    struct Userdata(*mut c_void);
    // SAFETY: the caller promises that its clock can be asked from any thread.
    unsafe impl Send for Userdata {}
    // SAFETY: as above.
    unsafe impl Sync for Userdata {}
    let userdata = Userdata(userdata);
    match now {
        Some(now) => options.set_clock(move || {
            let Userdata(userdata) = &userdata;
            // SAFETY: the caller promises that both live as long as the verifier.
            unsafe { now(*userdata) }
        }),
        None => options.set_system_clock(),
    };
}
