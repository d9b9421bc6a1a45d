//! `torii_verifier_options_t`.

use std::ffi::{c_char, c_void};
use std::ptr;

use super::call::fallible;
use super::error::torii_error_t;
use super::panic::caught;
use super::pointer::{bytes, exclusive, free, into_raw, shared, text};
use super::requirements::torii_requirements_t;
use super::status::torii_status_t;
use crate::error::Result;
use crate::verify::VerifierOptions;

/// Options of a verifier, which copies them: options may serve several verifiers, change in between,
/// and be freed at once.
pub struct torii_verifier_options_t(pub(super) VerifierOptions);

/// == Verifier options ==
/// Every setter names the wrong value in its error and then leaves the options as they were.
///
/// Creates options with the defaults that the setters state. Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_verifier_options_new() -> *mut torii_verifier_options_t {
    caught(ptr::null_mut(), || into_raw(torii_verifier_options_t(VerifierOptions::new())))
}

/// Trusts a further issuer. A token's `iss` selects among the configured issuers, and the signature
/// must then be made by that issuer.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `issuer` is not a valid base URL. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_add_issuer(
    options: *mut torii_verifier_options_t,
    issuer: *const c_char,
    issuer_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(options, err, |options| {
            let issuer = text(issuer, issuer_len, "issuer")?;
            options.add_issuer(issuer)?;
            Ok(())
        })
    }
}

/// Trusts a further issuer with these keys, a JWK Set (RFC 7517). They do not age; nothing is fetched
/// for that issuer.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `issuer` is not a valid base URL, or `jwks` has no usable key.
/// Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_add_issuer_jwks(
    options: *mut torii_verifier_options_t,
    issuer: *const c_char,
    issuer_len: usize,
    jwks: *const c_char,
    jwks_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(options, err, |options| {
            let issuer = text(issuer, issuer_len, "issuer")?;
            let jwks = bytes(jwks, jwks_len, "jwks")?;
            options.add_issuer_jwks(issuer, jwks)?;
            Ok(())
        })
    }
}

/// Sets the keys of the verifier's own issuer, the one passed to torii_verifier_new(), instead of
/// fetching them.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `jwks` has no usable key. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_jwks_json(
    options: *mut torii_verifier_options_t,
    jwks: *const c_char,
    jwks_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(options, err, |options| {
            let jwks = bytes(jwks, jwks_len, "jwks")?;
            options.set_jwks(jwks)?;
            Ok(())
        })
    }
}

/// Requires that `aud` (RFC 7519 §4.1.3) names this audience, or another one added. Default: none, and
/// a token with `aud` is refused.
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty text. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_add_audience(
    options: *mut torii_verifier_options_t,
    audience: *const c_char,
    audience_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(options, err, |options| {
            let audience = text(audience, audience_len, "audience")?;
            options.add_audience(audience)?;
            Ok(())
        })
    }
}

/// Sets whether `aud` is ignored. Default: false. Together with an audience it is
/// TORII_ERR_INVALID_CONFIG when the verifier is created. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_ignore_audience(
    options: *mut torii_verifier_options_t,
    ignore: bool,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_ignore_audience(ignore);
            Ok(())
        })
    }
}

/// Sets the clock difference to allow between torii and this host: 0 to 300 seconds. Default: 30.
/// Errors: TORII_ERR_INVALID_ARGUMENT if out of range. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_leeway_seconds(
    options: *mut torii_verifier_options_t,
    seconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_leeway_seconds(seconds)?;
            Ok(())
        })
    }
}

/// Refuses tokens whose `exp` is more than this after `iat`, with TORII_ERR_TOKEN_LIFETIME: tokens made
/// from a template may live longer than session tokens. Default: 0, unlimited. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_max_lifetime_seconds(
    options: *mut torii_verifier_options_t,
    seconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_max_lifetime_seconds(seconds);
            Ok(())
        })
    }
}

/// Requires TORII_REQUIRE_… flags of every token; they add up.
/// Errors: TORII_ERR_INVALID_ARGUMENT for 0 or an unknown flag. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_require(
    options: *mut torii_verifier_options_t,
    flags: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.require(flags)?;
            Ok(())
        })
    }
}

/// Sets the requirements of every token, in place of those set before. Flags of
/// torii_verifier_options_require() stay.
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_requirements(
    options: *mut torii_verifier_options_t,
    requirements: *const torii_requirements_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_requirements(&shared(requirements, "requirements")?.0);
            Ok(())
        })
    }
}

/// Sets whether `org_id` and `org_role`, the older names, are read where a token has no `o`. A token
/// whose `o` and `org_id` differ is then refused. Default: false, since a template may fill these names
/// with what a user wrote. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_legacy_organization(
    options: *mut torii_verifier_options_t,
    read: bool,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_legacy_organization(read);
            Ok(())
        })
    }
}

/// Sets the `realm` of torii_error_www_authenticate(). Default: "torii".
/// Errors: TORII_ERR_INVALID_ARGUMENT unless `realm` is visible ASCII and blanks without quotes and backslashes.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_realm(
    options: *mut torii_verifier_options_t,
    realm: *const c_char,
    realm_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(options, err, |options| {
            let realm = text(realm, realm_len, "realm")?;
            options.set_realm(realm)?;
            Ok(())
        })
    }
}

/// Sets the `resource_metadata` parameter of torii_error_www_authenticate() (RFC 9728 §5.1). Default:
/// none.
/// Errors: TORII_ERR_INVALID_ARGUMENT unless `url` is visible ASCII without quotes and backslashes.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_resource_metadata(
    options: *mut torii_verifier_options_t,
    url: *const c_char,
    url_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(options, err, |options| {
            let url = text(url, url_len, "url")?;
            options.set_resource_metadata(url)?;
            Ok(())
        })
    }
}

/// Sets the lifetime of fetched keys: 1 to 86400 seconds. Default: the `Cache-Control: max-age` of the
/// issuer, within 60 to 3600 seconds; 300 without one.
/// Errors: TORII_ERR_INVALID_ARGUMENT if out of range. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_key_lifetime_seconds(
    options: *mut torii_verifier_options_t,
    seconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_key_lifetime_seconds(seconds)?;
            Ok(())
        })
    }
}

/// Sets how long keys stay in use after the last successful fetch while the issuer is unreachable: 0 to
/// 2592000 seconds. 0: not beyond their lifetime. Default: 86400.
/// Errors: TORII_ERR_INVALID_ARGUMENT if out of range. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_max_stale_seconds(
    options: *mut torii_verifier_options_t,
    seconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_max_stale_seconds(seconds)?;
            Ok(())
        })
    }
}

/// Sets the timeout of a key fetch, from the name lookup to the last byte, and of waiting for one: 100
/// to 60000 milliseconds. Default: 5000.
/// Errors: TORII_ERR_INVALID_ARGUMENT if out of range. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_fetch_timeout_ms(
    options: *mut torii_verifier_options_t,
    milliseconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_fetch_timeout_ms(milliseconds)?;
            Ok(())
        })
    }
}

/// Sets whether short-lived threads may fetch keys before they expire. Default: true. A host that uses
/// torii_verifier_claim_fetch() or its own threads sets false. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_background_refresh(
    options: *mut torii_verifier_options_t,
    allowed: bool,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_background_refresh(allowed);
            Ok(())
        })
    }
}

/// Trusts the certificate authorities in this PEM file instead of the platform's. Reads the file now.
/// Errors: TORII_ERR_INVALID_CONFIG if the file cannot be read or has no certificate. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_ca_file(
    options: *mut torii_verifier_options_t,
    path: *const c_char,
    path_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(options, err, |options| {
            let path = text(path, path_len, "path")?;
            options.set_ca_file(path)?;
            Ok(())
        })
    }
}

/// Fetches keys through an http or https proxy, such as "http://user:password@proxy.example:3128".
/// Default: none; proxy variables of the environment are ignored. A loopback issuer is reached directly.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `url` is not the URL of a proxy. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_proxy(
    options: *mut torii_verifier_options_t,
    url: *const c_char,
    url_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(options, err, |options| {
            let url = text(url, url_len, "proxy")?;
            options.set_proxy(url)?;
            Ok(())
        })
    }
}

/// Allows plain http to hosts other than loopback. Default: false. Anyone on the path can then replace
/// the keys, and with them forge every token. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_allow_http(
    options: *mut torii_verifier_options_t,
    allowed: bool,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_allow_http(allowed);
            Ok(())
        })
    }
}

/// Sets the size of the verified token cache: 0 turns it off. Default: 8388608 bytes for each verifier.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_token_cache_bytes(
    options: *mut torii_verifier_options_t,
    bytes: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_token_cache_bytes(bytes);
            Ok(())
        })
    }
}

/// Sets whether signatures are verified with a table of multiples of each key: less than half of the
/// time for a new token, about 150 KiB of memory for each key. Default: false. Since: 0.1.0.
/// Errors: TORII_ERR_INVALID_CONFIG if the library was built with the feature `fips`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_fixed_base(
    options: *mut torii_verifier_options_t,
    on: bool,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_fixed_base(on)?;
            Ok(())
        })
    }
}

/// Keeps the key sets that the library fetches in this directory, one file for each key URL, certificate
/// authorities and proxy, so that the next process starts without a fetch, even while the issuer is
/// unreachable. Anyone who can write there can log in as any user: use one directory for each trust domain.
///
/// torii_verifier_new() creates a missing directory (mode 0700; its parent has to exist) and reads the
/// files, so no later call waits for that; a child made by fork() reads them before its first fetch. The
/// thread that fetches keys writes them, after it has woken the calls that wait for it.
///
/// Keys from a file age as if this process had fetched them. Past their lifetime they are used only after
/// a fetch has failed in this process, and never beyond torii_verifier_options_set_max_stale_seconds().
/// Keys set as JSON and keys the host fetches are not written.
///
/// The effective user or root has to own the directory and its files, and group and others must not be able
/// to write to them. Files that differ, symbolic and hard links, damaged files, files of another URL and
/// files from the future are ignored and counted in torii_verifier_stats_json(). Of `path`, only the last
/// component is checked. Default: none.
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty text. torii_verifier_new() fails with
/// TORII_ERR_INVALID_CONFIG if the directory is missing and cannot be created, and on Windows.
/// Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_key_cache_dir(
    options: *mut torii_verifier_options_t,
    path: *const c_char,
    path_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(options, err, |options| {
            let path = text(path, path_len, "path")?;
            options.set_key_cache_dir(path)?;
            Ok(())
        })
    }
}

/// Refuses the tokens that this file revokes, JSON as for torii_verifier_set_revocations_json(). A change
/// takes effect within 2 seconds, without a call. Default: none.
///
/// torii_verifier_new() reads the file. Later, calls that may block check it for changes once a second.
/// The `_nowait` functions leave that to a thread of this library or, without background refresh, to
/// torii_verifier_refresh_due(); they fail with TORII_ERR_KEYS_PENDING if the last check is more than
/// 5 seconds ago. If the file is missing or invalid by then, the last list stays in use;
/// torii_verifier_stats_json() has the reason. A child of fork() has the list and checks the file itself.
///
/// The file is a regular file, or a symbolic link to one, of at most 32 MiB. It belongs to the effective
/// user of the process or to root, and neither group nor others may write to it. Replace it with
/// rename(). A relative path is relative to the working directory during torii_verifier_new().
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty text. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_revocations_file(
    options: *mut torii_verifier_options_t,
    path: *const c_char,
    path_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(options, err, |options| {
            let path = text(path, path_len, "path")?;
            options.set_revocations_file(path)?;
            Ok(())
        })
    }
}

/// Sets whether torii_verifier_metrics() labels what belongs to an issuer with its URL. Default: false,
/// since an issuer can name a tenant. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_metrics_issuer_label(
    options: *mut torii_verifier_options_t,
    label: bool,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_metrics_issuer_label(label);
            Ok(())
        })
    }
}

/// Verifies the time claims by this clock instead of the system's: `now(userdata)` returns Unix
/// seconds. It runs on the thread that verifies, during the call, and on several threads at once; it
/// must return normally (no longjmp, no C++ exception). NULL: the system
/// clock, the default. `userdata` must outlive every verifier created with the options. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_set_clock(
    options: *mut torii_verifier_options_t,
    now: Option<unsafe extern "C" fn(userdata: *mut c_void) -> i64>,
    userdata: *mut c_void,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            set_clock(options, now, userdata);
            Ok(())
        })
    }
}

/// Frees options. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_options_free(options: *mut torii_verifier_options_t) {
    // SAFETY: NULL, or live and used by no other thread, by the caller's promise.
    unsafe { free(options) }
}

/// # Safety
///
/// `options` is NULL or live and used by no other thread, and `err` is NULL or writable.
unsafe fn change(
    options: *mut torii_verifier_options_t,
    err: *mut *mut torii_error_t,
    body: impl FnOnce(&mut VerifierOptions) -> Result<()>,
) -> torii_status_t {
    // SAFETY: the promise of this function covers both pointers.
    unsafe { fallible(err, || body(&mut exclusive(options, "options")?.0)) }
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
