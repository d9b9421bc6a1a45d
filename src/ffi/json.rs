//! `torii_json_t`.

use std::ffi::c_char;

use super::call::fallible;
use super::error::torii_error_t;
use super::panic::caught;
use super::pointer::{borrow, free, out, shared, text};
use super::status::torii_status_t;
use crate::error::Error;
use crate::json::{Json, JsonKind};

/// A JSON text, read value by value without a JSON library.
pub struct torii_json_t(pub(super) Json);

/// Types of JSON values, as torii_json_type() returns them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum torii_json_type_t {
    /// There is no value at the pointer.
    TORII_JSON_ABSENT = 0,
    TORII_JSON_NULL = 1,
    TORII_JSON_BOOL = 2,
    TORII_JSON_NUMBER = 3,
    TORII_JSON_STRING = 4,
    TORII_JSON_ARRAY = 5,
    TORII_JSON_OBJECT = 6,
}

impl From<JsonKind> for torii_json_type_t {
    fn from(kind: JsonKind) -> Self {
        match kind {
            JsonKind::Null => Self::TORII_JSON_NULL,
            JsonKind::Bool => Self::TORII_JSON_BOOL,
            JsonKind::Number => Self::TORII_JSON_NUMBER,
            JsonKind::String => Self::TORII_JSON_STRING,
            JsonKind::Array => Self::TORII_JSON_ARRAY,
            JsonKind::Object => Self::TORII_JSON_OBJECT,
        }
    }
}

/// == JSON ==
/// A `pointer` follows RFC 6901: "" is the whole text, else "/member/0/member", with "~1" for "/" and
/// "~0" for "~" in a member's name.
///
/// Returns the whole text. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_text(
    json: *const torii_json_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `json` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || Some(shared(json, "json").ok()?.0.nul_text())) }
}

/// Returns the type of the value at the pointer. TORII_JSON_ABSENT for NULL. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_type(
    json: *const torii_json_t,
    pointer: *const c_char,
    pointer_len: usize,
) -> torii_json_type_t {
    caught(torii_json_type_t::TORII_JSON_ABSENT, || {
        // SAFETY: `json` is NULL or live, and the text readable.
        let (json, pointer) =
            unsafe { (shared(json, "json"), text(pointer, pointer_len, "pointer")) };
        let kind = json.ok().zip(pointer.ok()).and_then(|(json, pointer)| json.0.kind(pointer));
        kind.map_or(torii_json_type_t::TORII_JSON_ABSENT, torii_json_type_t::from)
    })
}

/// Returns the value at the pointer exactly as it stands in the text, such as `1.50` or `"a\u0000"`.
/// NULL if there is none. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_raw(
    json: *const torii_json_t,
    pointer: *const c_char,
    pointer_len: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `json` is NULL or live, the text readable, and `len` NULL or writable.
    unsafe {
        borrow(len, || {
            let pointer = text(pointer, pointer_len, "pointer").ok()?;
            shared(json, "json").ok()?.0.nul_raw(pointer)
        })
    }
}

/// Returns the string at the pointer, unescaped. NULL if there is none, if it is not a string, or if it
/// contains U+0000; torii_json_raw() returns it then. Since: 0.1.0.
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

/// Reads the integer at the pointer.
/// Errors: TORII_ERR_INVALID_ARGUMENT if there is no integer that fits. Since: 0.1.0.
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

/// Reads the number at the pointer, rounded to the nearest double.
/// Errors: TORII_ERR_INVALID_ARGUMENT if there is no number, or none a double can hold. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_double(
    json: *const torii_json_t,
    pointer: *const c_char,
    pointer_len: usize,
    out: *mut f64,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `json` is NULL or live, the text readable, and the out-pointers NULL or writable.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let pointer = text(pointer, pointer_len, "pointer")?;
            let number = shared(json, "json")?.0.double(pointer);
            *out = number.ok_or(Error::argument("pointer", "no number there"))?;
            Ok(())
        })
    }
}

/// Reads the boolean at the pointer.
/// Errors: TORII_ERR_INVALID_ARGUMENT if there is no boolean. Since: 0.1.0.
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

/// Counts the elements of the array, or the members of the object, at the pointer.
/// Errors: TORII_ERR_INVALID_ARGUMENT if there is neither. Since: 0.1.0.
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

/// Returns whether the value at the pointer is null. An absent value is not null. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_is_null(
    json: *const torii_json_t,
    pointer: *const c_char,
    pointer_len: usize,
) -> bool {
    // SAFETY: handle and text are as the caller promises.
    caught(false, || unsafe {
        let pointer = text(pointer, pointer_len, "pointer");
        shared(json, "json").is_ok_and(|json| pointer.is_ok_and(|pointer| json.0.is_null(pointer)))
    })
}

/// Frees a JSON handle. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_json_free(json: *mut torii_json_t) {
    // SAFETY: NULL or live and of the caller's alone, by its promise.
    unsafe { free(json) }
}
