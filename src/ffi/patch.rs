//! `torii_patch_t`.

use std::ffi::c_char;
use std::ptr;

use super::call::fallible;
use super::error::torii_error_t;
use super::panic::caught;
use super::pointer::{borrow, exclusive, free, into_raw, shared, text, utf8};
use super::status::torii_status_t;
use crate::error::Result;
use crate::patch::Patch;

/// A JSON object built field by field: a field has a value, is null, or is absent.
pub struct torii_patch_t(Patch);

/// == Patches ==
/// Builds a JSON object for torii_client_users_update_json(): set, clear and leave alone are three
/// different things there. Fields keep the order in which they were first named; naming one again
/// replaces its value. An empty name is TORII_ERR_INVALID_ARGUMENT.
///
/// Creates a patch without fields: {}, which changes nothing. Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_patch_new() -> *mut torii_patch_t {
    caught(ptr::null_mut(), || into_raw(torii_patch_t(Patch::new())))
}

/// Sets a field to a string, which may contain U+0000.
/// Errors: TORII_ERR_INVALID_ARGUMENT for a value that is not UTF-8. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_set_string(
    patch: *mut torii_patch_t,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(patch, err, |patch| {
            let name = text(name, name_len, "name")?;
            let value = utf8(value, value_len, "value")?;
            patch.set_string(name, value)?;
            Ok(())
        })
    }
}

/// Sets a field to a boolean. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_set_bool(
    patch: *mut torii_patch_t,
    name: *const c_char,
    name_len: usize,
    value: bool,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(patch, err, |patch| {
            let name = text(name, name_len, "name")?;
            patch.set_bool(name, value)?;
            Ok(())
        })
    }
}

/// Sets a field to an integer. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_set_int(
    patch: *mut torii_patch_t,
    name: *const c_char,
    name_len: usize,
    value: i64,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(patch, err, |patch| {
            let name = text(name, name_len, "name")?;
            patch.set_int(name, value)?;
            Ok(())
        })
    }
}

/// Sets a field to a JSON value, such as an object or an array. The value is sent as written.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `json` is not one JSON value. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_set_json(
    patch: *mut torii_patch_t,
    name: *const c_char,
    name_len: usize,
    json: *const c_char,
    json_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(patch, err, |patch| {
            let name = text(name, name_len, "name")?;
            let json = utf8(json, json_len, "json")?;
            patch.set_json(name, json)?;
            Ok(())
        })
    }
}

/// Clears a field: it is sent as null. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_set_null(
    patch: *mut torii_patch_t,
    name: *const c_char,
    name_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(patch, err, |patch| {
            let name = text(name, name_len, "name")?;
            patch.set_null(name)?;
            Ok(())
        })
    }
}

/// Leaves a field alone: it is not sent. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_unset(
    patch: *mut torii_patch_t,
    name: *const c_char,
    name_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `change` is that of this function, and the text is readable.
    unsafe {
        change(patch, err, |patch| {
            let name = text(name, name_len, "name")?;
            patch.unset(name)?;
            Ok(())
        })
    }
}

/// Returns the object as JSON, to pass as a body. Unlike other text it is valid only until the patch
/// changes or is freed. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_json(
    patch: *const torii_patch_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `patch` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || Some(shared(patch, "patch").ok()?.0.nul_json())) }
}

/// Frees a patch, and with it the text of torii_patch_json(). Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_free(patch: *mut torii_patch_t) {
    // SAFETY: NULL, or live and used by no other thread, by the caller's promise.
    unsafe { free(patch) }
}

/// # Safety
///
/// `patch` is NULL or live and used by no other thread, and `err` is NULL or writable.
unsafe fn change(
    patch: *mut torii_patch_t,
    err: *mut *mut torii_error_t,
    body: impl FnOnce(&mut Patch) -> Result<()>,
) -> torii_status_t {
    // SAFETY: the promise of this function covers both pointers.
    unsafe { fallible(err, || body(&mut exclusive(patch, "patch")?.0)) }
}
