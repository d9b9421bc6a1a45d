//! `torii_client_options_t`.

use std::ffi::c_char;
use std::ptr;

use super::call::fallible;
use super::error::torii_error_t;
use super::panic::caught;
use super::pointer::{exclusive, free, into_raw, text};
use super::status::torii_status_t;
use crate::api::ClientOptions;

/// How a client reaches the API. A client takes a copy: options may be used for several, changed in
/// between, and freed at once.
///
/// Nobody else may use the options while one of their functions runs; torii_client_new() only reads
/// them.
pub struct torii_client_options_t(pub(super) ClientOptions);

/// The defaults: "https://api.torii.so", 30 s for a call, 5 s of these for connecting, two
/// repetitions, no proxy.
///
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_client_options_new() -> *mut torii_client_options_t {
    caught(ptr::null_mut(), || into_raw(torii_client_options_t(ClientOptions::new())))
}

/// Where the API is: "https://api.torii.so" by default.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT for what is no base URL.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_api_url(
    options: *mut torii_client_options_t,
    url: *const c_char,
    url_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let url = text(url, url_len, "api_url")?;
            exclusive(options, "options")?.0.set_api_url(url)?;
            Ok(())
        })
    }
}

/// How long a call may take in all, with every repetition and the pauses between: 100 to 600000
/// milliseconds, 30000 by default.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT out of range.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_timeout_ms(
    options: *mut torii_client_options_t,
    milliseconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            exclusive(options, "options")?.0.set_timeout_ms(milliseconds)?;
            Ok(())
        })
    }
}

/// How long looking up the name of the API may take, and connecting to it: 100 to 60000
/// milliseconds, 5000 by default.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT out of range.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_connect_timeout_ms(
    options: *mut torii_client_options_t,
    milliseconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            exclusive(options, "options")?.0.set_connect_timeout_ms(milliseconds)?;
            Ok(())
        })
    }
}

/// How often a call that may be repeated is repeated: 0 to 10 times, 2 by default.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT out of range.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_max_retries(
    options: *mut torii_client_options_t,
    retries: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            exclusive(options, "options")?.0.set_max_retries(retries)?;
            Ok(())
        })
    }
}

/// Trusts the certificate root_certificates in this PEM file instead of the platform's.
///
/// Threads: nobody else may use `options`; does not block, but for reading the file.
/// Errors: TORII_ERR_INVALID_CONFIG when the file cannot be read or holds no certificate.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_ca_file(
    options: *mut torii_client_options_t,
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

/// Goes through an http or https proxy, with CONNECT: "http://proxy.example:3128" or
/// "http://name:password@proxy.example:3128". Nothing is taken from the environment.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT for what is no such URL.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_proxy(
    options: *mut torii_client_options_t,
    url: *const c_char,
    url_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let url = text(url, url_len, "proxy")?;
            exclusive(options, "options")?.0.set_proxy(url)?;
            Ok(())
        })
    }
}

/// Names the program as well in `User-Agent`, as in "shop/1.2": up to 256 visible ASCII characters
/// and blanks.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT for anything else.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_user_agent_suffix(
    options: *mut torii_client_options_t,
    suffix: *const c_char,
    suffix_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let suffix = text(suffix, suffix_len, "user_agent_suffix")?;
            exclusive(options, "options")?.0.set_user_agent_suffix(suffix)?;
            Ok(())
        })
    }
}

/// Allows plain http to hosts other than this one; false by default. Anyone on the way then learns
/// the secret key.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL `options`.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_allow_http(
    options: *mut torii_client_options_t,
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

/// Frees options. NULL is fine.
///
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_free(options: *mut torii_client_options_t) {
    // SAFETY: NULL or live and of the caller's alone, by its promise.
    unsafe { free(options) }
}
