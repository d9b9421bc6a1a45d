//! `torii_patch_t`.

use std::ffi::c_char;
use std::ptr;

use super::call::fallible;
use super::error::torii_error_t;
use super::panic::caught;
use super::pointer::{borrow, exclusive, free, into_raw, shared, utf8};
use super::status::torii_status_t;
use crate::patch::Patch;

/// A JSON object made field by field, for a body that has to tell "set", "clear" and "leave alone"
/// apart: a field has a value, is null, or is not there. Fields stand in the order in which they were
/// first named; naming one again replaces what it said.
///
/// Nobody else may use a patch while it is changed; any number of threads may read one.
pub struct torii_patch_t(Patch);

/// A patch without a field: {}, which leaves everything alone.
///
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_patch_new() -> *mut torii_patch_t {
    caught(ptr::null_mut(), || into_raw(torii_patch_t(Patch::new())))
}

/// Sets a field to a text, which may hold U+0000.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty name, or text that is not UTF-8.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_set_string(
    patch: *mut torii_patch_t,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, texts and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let name = utf8(name, name_len, "name")?;
            let value = utf8(value, value_len, "value")?;
            exclusive(patch, "patch")?.0.set_string(name, value)?;
            Ok(())
        })
    }
}

/// Sets a field to true or false.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty name.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_set_bool(
    patch: *mut torii_patch_t,
    name: *const c_char,
    name_len: usize,
    value: bool,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, texts and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let name = utf8(name, name_len, "name")?;
            exclusive(patch, "patch")?.0.set_bool(name, value)?;
            Ok(())
        })
    }
}

/// Sets a field to an integer.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty name.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_set_int(
    patch: *mut torii_patch_t,
    name: *const c_char,
    name_len: usize,
    value: i64,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, texts and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let name = utf8(name, name_len, "name")?;
            exclusive(patch, "patch")?.0.set_int(name, value)?;
            Ok(())
        })
    }
}

/// Sets a field to a value given as JSON, such as an object or a list. It is passed on as it is
/// written.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty name, or what is not one JSON value.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_set_json(
    patch: *mut torii_patch_t,
    name: *const c_char,
    name_len: usize,
    json: *const c_char,
    json_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, texts and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let name = utf8(name, name_len, "name")?;
            let json = utf8(json, json_len, "json")?;
            exclusive(patch, "patch")?.0.set_json(name, json)?;
            Ok(())
        })
    }
}

/// Clears a field: it is sent as null.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty name.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_set_null(
    patch: *mut torii_patch_t,
    name: *const c_char,
    name_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, texts and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let name = utf8(name, name_len, "name")?;
            exclusive(patch, "patch")?.0.set_null(name)?;
            Ok(())
        })
    }
}

/// Leaves a field alone: it is not sent.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty name.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_unset(
    patch: *mut torii_patch_t,
    name: *const c_char,
    name_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, texts and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let name = utf8(name, name_len, "name")?;
            exclusive(patch, "patch")?.0.unset(name)?;
            Ok(())
        })
    }
}

/// The object as JSON, to be passed as a body.
///
/// Ownership: borrowed from `patch`, valid until it is changed or freed. NULL for a NULL patch.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_json(
    patch: *const torii_patch_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `patch` is NULL or live, `len` NULL or writable, by the caller's promise.
    unsafe { borrow(len, || Some(shared(patch, "patch").ok()?.0.nul_json())) }
}

/// Frees a patch, and with it the text borrowed from it. NULL is fine.
///
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_patch_free(patch: *mut torii_patch_t) {
    // SAFETY: NULL or live and of the caller's alone, by its promise.
    unsafe { free(patch) }
}
