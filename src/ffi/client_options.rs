//! `torii_client_options_t`.

use std::ffi::c_char;
use std::ptr;

use super::call::fallible;
use super::error::torii_error_t;
use super::panic::caught;
use super::pointer::{exclusive, free, into_raw, text};
use super::status::torii_status_t;
use crate::api::ClientOptions;
use crate::error::Result;

/// Options of a client, which copies them: options may serve several clients, change in between, and be
/// freed at once.
pub struct torii_client_options_t(pub(super) ClientOptions);

/// == Client options ==
/// A setter that fails leaves the options as they were. An invalid value is TORII_ERR_INVALID_ARGUMENT,
/// and the message names it.
///
/// Creates options with the defaults that the setters state. Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_client_options_new() -> *mut torii_client_options_t {
    caught(ptr::null_mut(), || into_raw(torii_client_options_t(ClientOptions::new())))
}

/// Sets the base URL of the API. Default: "https://api.torii.so". Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_api_url(
    options: *mut torii_client_options_t,
    url: *const c_char,
    url_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(options, err, |options| {
            let url = text(url, url_len, "api_url")?;
            options.set_api_url(url)?;
            Ok(())
        })
    }
}

/// Sets the timeout of a call, including every retry and the backoff between them: 100 to 600000
/// milliseconds. Default: 30000. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_timeout_ms(
    options: *mut torii_client_options_t,
    milliseconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_timeout_ms(milliseconds)?;
            Ok(())
        })
    }
}

/// Sets the timeout of looking up the API's name, and of connecting to it: 100 to 60000 milliseconds,
/// within the timeout of the call. Default: 5000. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_connect_timeout_ms(
    options: *mut torii_client_options_t,
    milliseconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_connect_timeout_ms(milliseconds)?;
            Ok(())
        })
    }
}

/// Sets how often a call is retried: 0 to 10 times. Default: 2. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_max_retries(
    options: *mut torii_client_options_t,
    retries: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function.
    unsafe {
        change(options, err, |options| {
            options.set_max_retries(retries)?;
            Ok(())
        })
    }
}

/// Trusts the certificate authorities in this PEM file instead of the platform's. Reads the file now.
/// Errors: TORII_ERR_INVALID_CONFIG if the file cannot be read or has no certificate. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_ca_file(
    options: *mut torii_client_options_t,
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

/// Calls the API through an http or https proxy (CONNECT), such as
/// "http://user:password@proxy.example:3128". Default: none; proxy variables of the environment are ignored.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_proxy(
    options: *mut torii_client_options_t,
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

/// Appends the name of your program to `User-Agent`, such as "shop/1.2": up to 256 characters of visible
/// ASCII and spaces. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_user_agent_suffix(
    options: *mut torii_client_options_t,
    suffix: *const c_char,
    suffix_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(options, err, |options| {
            let suffix = text(suffix, suffix_len, "user_agent_suffix")?;
            options.set_user_agent_suffix(suffix)?;
            Ok(())
        })
    }
}

/// Allows plain http to hosts other than loopback. Default: false. Anyone on the path can then read the
/// secret key. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_set_allow_http(
    options: *mut torii_client_options_t,
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

/// Frees options. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_options_free(options: *mut torii_client_options_t) {
    // SAFETY: NULL, or live and used by no other thread, by the caller's promise.
    unsafe { free(options) }
}

/// # Safety
///
/// `options` is NULL or live and used by no other thread, and `err` is NULL or writable.
unsafe fn change(
    options: *mut torii_client_options_t,
    err: *mut *mut torii_error_t,
    body: impl FnOnce(&mut ClientOptions) -> Result<()>,
) -> torii_status_t {
    // SAFETY: the promise of this function covers both pointers.
    unsafe { fallible(err, || body(&mut exclusive(options, "options")?.0)) }
}
