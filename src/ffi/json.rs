//! `torii_json_t`.

use std::ffi::c_char;

use super::error::torii_error_t;
use super::guard::{fallible, infallible};
use super::pointer::{borrow, free, out, shared, text};
use super::status::torii_status_t;
use crate::json::Json;

/// A JSON text, and a way to read single values of it without a JSON library.
///
/// A `pointer` is one of RFC 6901: "" for the whole text, else "/member/0/member", with "~1" for
/// "/" and "~0" for "~" in a member's name. A handle does not change: any number of threads may
/// read it at once.
pub struct torii_json_t(pub(super) Json);

/// The whole text, as it was read.
///
/// Ownership: borrowed from `json`, valid until torii_json_free(). NULL for a NULL handle.
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_text(
    json: *const torii_json_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `json` is NULL or live, `len` NULL or writable, by the caller's promise.
    unsafe { borrow(len, || Some(shared(json, "json").ok()?.0.terminated())) }
}

/// The string at the pointer. NULL when there is none, when it is no string, or when it holds
/// U+0000, where C would see it end too early; torii_json_text() has it then.
///
/// Ownership: borrowed from `json`, valid until torii_json_free().
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_string(
    json: *const torii_json_t,
    pointer: *const c_char,
    pointer_len: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: handle, text and `len` are as the caller promises.
    unsafe {
        borrow(len, || {
            let pointer = text(pointer, pointer_len, "pointer").ok()?;
            shared(json, "json").ok()?.0.nul_str(pointer)
        })
    }
}

/// The integer at the pointer.
///
/// Threads: any number at once; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT when there is no integer that fits; `*out` is 0 then.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_int(
    json: *const torii_json_t,
    pointer: *const c_char,
    pointer_len: usize,
    out: *mut i64,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let pointer = text(pointer, pointer_len, "pointer")?;
            *out = shared(json, "json")?.0.int(pointer)?;
            Ok(())
        })
    }
}

/// The boolean at the pointer.
///
/// Threads: any number at once; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT when there is no boolean; `*out` is false then.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_bool(
    json: *const torii_json_t,
    pointer: *const c_char,
    pointer_len: usize,
    out: *mut bool,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let pointer = text(pointer, pointer_len, "pointer")?;
            *out = shared(json, "json")?.0.bool(pointer)?;
            Ok(())
        })
    }
}

/// How many elements the array, or members the object, at the pointer has.
///
/// Threads: any number at once; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT when there is neither; `*out` is 0 then.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_length(
    json: *const torii_json_t,
    pointer: *const c_char,
    pointer_len: usize,
    out: *mut usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let pointer = text(pointer, pointer_len, "pointer")?;
            *out = shared(json, "json")?.0.len(pointer)?;
            Ok(())
        })
    }
}

/// Whether there is `null` at the pointer; nothing at all is not `null`. False for NULL handles.
///
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_is_null(
    json: *const torii_json_t,
    pointer: *const c_char,
    pointer_len: usize,
) -> bool {
    // SAFETY: handle and text are as the caller promises.
    infallible(false, || unsafe {
        let pointer = text(pointer, pointer_len, "pointer");
        shared(json, "json").is_ok_and(|json| pointer.is_ok_and(|pointer| json.0.is_null(pointer)))
    })
}

/// Frees a JSON handle, and with it every text borrowed from it. NULL is fine.
///
/// Threads: nobody else may use `json`; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_free(json: *mut torii_json_t) {
    // SAFETY: NULL or live and of the caller's alone, by its promise.
    unsafe { free(json) }
}
