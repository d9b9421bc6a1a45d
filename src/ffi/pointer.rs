//! Pointers from and to the host: checked on the way in, tied to their handle on the way out.

use std::ffi::{CStr, c_char};
use std::ptr;
use std::slice;

use super::panic::caught;
use crate::error::{Error, Result, Status};
use crate::text::NulStr;

/// A handle that may be used by several threads at once.
///
/// # Safety
///
/// `handle` is NULL or a live handle of this type.
pub(super) unsafe fn shared<'a, T>(handle: *const T, name: &'static str) -> Result<&'a T> {
    // SAFETY: a live handle by the caller's promise, or NULL, which gives `None`.
    unsafe { handle.as_ref() }.ok_or_else(|| Error::argument(name, "NULL"))
}

/// A handle that no other thread uses during the call.
///
/// # Safety
///
/// `handle` is NULL or a live handle of this type that nothing else uses.
pub(super) unsafe fn exclusive<'a, T>(handle: *mut T, name: &'static str) -> Result<&'a mut T> {
    // SAFETY: a live handle of the caller's alone by its promise, or NULL, which gives `None`.
    unsafe { handle.as_mut() }.ok_or_else(|| Error::argument(name, "NULL"))
}

/// TORII_NUL_TERMINATED: a length that means "up to the NUL".
const NUL_TERMINATED: usize = usize::MAX;

/// Bytes of the caller, borrowed for the call: tokens, headers, bodies, secrets and key sets.
/// TORII_NUL_TERMINATED is refused for these, so that a wrong length never becomes a read past the
/// end of a buffer that an attacker filled.
///
/// # Safety
///
/// `pointer` is NULL or readable for `length` bytes.
pub(super) unsafe fn bytes<'a>(
    pointer: *const c_char,
    length: usize,
    name: &'static str,
) -> Result<&'a [u8]> {
    if length == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Error::argument(name, "NULL, with a length that is not 0"));
    }
    if length == NUL_TERMINATED {
        return Err(Error::argument(
            name,
            "needs its length; TORII_NUL_TERMINATED is not accepted",
        ));
    }
    if isize::try_from(length).is_err() {
        return Err(Error::argument(name, "longer than memory"));
    }
    // SAFETY: not NULL, of a length that fits, and readable by the caller's promise.
    Ok(unsafe { slice::from_raw_parts(pointer.cast(), length) })
}

/// UTF-8 of the caller, borrowed for the call, as [`bytes`].
///
/// # Safety
///
/// As for [`bytes`].
pub(super) unsafe fn utf8<'a>(
    pointer: *const c_char,
    length: usize,
    name: &'static str,
) -> Result<&'a str> {
    // SAFETY: the promise of this function is that of `bytes`.
    let bytes = unsafe { bytes(pointer, length, name) }?;
    str::from_utf8(bytes).map_err(|_| Error::argument(name, "not UTF-8"))
}

/// Text of the host program without U+0000, borrowed for the call: issuers, names, ids, pointers
/// and paths. Its length may be TORII_NUL_TERMINATED.
///
/// # Safety
///
/// `pointer` is NULL or readable for `length` bytes, or up to a NUL for TORII_NUL_TERMINATED.
pub(super) unsafe fn text<'a>(
    pointer: *const c_char,
    length: usize,
    name: &'static str,
) -> Result<&'a str> {
    let length = match length {
        NUL_TERMINATED if pointer.is_null() => 0,
        // SAFETY: not NULL, and NUL-terminated by the promise that goes with this length.
        NUL_TERMINATED => unsafe { CStr::from_ptr(pointer) }.count_bytes(),
        length => length,
    };
    // SAFETY: readable for this length by the caller's promise, or because strlen read that far.
    let text = unsafe { utf8(pointer, length, name) }?;
    if text.contains('\0') {
        return Err(Error::argument(name, "contains U+0000"));
    }
    Ok(text)
}

/// As [`text`]; an empty text, NULL or not, is `None`.
///
/// # Safety
///
/// As for [`text`].
pub(super) unsafe fn optional<'a>(
    pointer: *const c_char,
    length: usize,
    name: &'static str,
) -> Result<Option<&'a str>> {
    // SAFETY: the promise of this function is that of `text`.
    let text = unsafe { text(pointer, length, name) }?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// As [`utf8`]; an empty text, NULL or not, is `None`.
///
/// # Safety
///
/// As for [`bytes`].
pub(super) unsafe fn optional_utf8<'a>(
    pointer: *const c_char,
    length: usize,
    name: &'static str,
) -> Result<Option<&'a str>> {
    // SAFETY: the promise of this function is that of `utf8`.
    let text = unsafe { utf8(pointer, length, name) }?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The place of a result, set to NULL, 0 or false.
///
/// # Safety
///
/// `pointer` is NULL or can be written to for as long as the result is used.
pub(super) unsafe fn out<'a, T: Zeroed>(pointer: *mut T, name: &'static str) -> Result<&'a mut T> {
    if pointer.is_null() {
        return Err(Error::argument(name, "NULL"));
    }
    // SAFETY: not NULL, so the caller lets it be written to.
    unsafe { pointer.write(T::ZEROED) };
    // SAFETY: as above, and it now holds a value.
    Ok(unsafe { &mut *pointer })
}

/// As [`out`], for an optional result.
///
/// # Safety
///
/// As for [`out`].
pub(super) unsafe fn optional_out<'a, T: Zeroed>(pointer: *mut T) -> Option<&'a mut T> {
    // SAFETY: the promise of this function is that of `out`.
    unsafe { out(pointer, "out") }.ok()
}

/// The value of a result until there is one, and after a failure.
pub(super) trait Zeroed {
    const ZEROED: Self;
}

impl<T> Zeroed for *mut T {
    const ZEROED: Self = ptr::null_mut();
}

impl Zeroed for u32 {
    const ZEROED: Self = 0;
}

impl Zeroed for f64 {
    const ZEROED: Self = 0.0;
}

impl Zeroed for i64 {
    const ZEROED: Self = 0;
}

impl Zeroed for usize {
    const ZEROED: Self = 0;
}

impl Zeroed for bool {
    const ZEROED: Self = false;
}

/// Copies a text into a buffer of the caller, who learns its size even if the buffer is too small.
///
/// # Safety
///
/// `buf` is NULL with `cap` 0, or writable for `cap` bytes.
pub(super) unsafe fn fill(
    buf: *mut c_char,
    cap: usize,
    size: &mut usize,
    text: &[u8],
) -> Result<()> {
    if buf.is_null() && cap > 0 {
        return Err(Error::argument("buf", "NULL, with a capacity that is not 0"));
    }
    *size = text.len();
    if cap < text.len() {
        return Err(Error::fixed(Status::BufferTooSmall, "cap", "smaller than the text"));
    }
    // SAFETY: `buf` has room for the text, and a buffer the caller makes writable is not part of a
    // text that this library has just made.
    unsafe { buf.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len()) };
    Ok(())
}

/// Moves a value to the caller, who frees it.
pub(super) fn into_raw<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Frees a value that the caller owns.
///
/// # Safety
///
/// `handle` is NULL, or came from [`into_raw`] and is not used again.
pub(super) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: it came from `into_raw`, and the caller does not use it again.
        let value = unsafe { Box::from_raw(handle) };
        caught((), || drop(value));
    }
}

/// Returns a text borrowed from a handle, valid as long as that. NULL, with length 0, for `None`.
///
/// # Safety
///
/// `length` is NULL or can be written to.
pub(super) unsafe fn borrow<'a>(
    length: *mut usize,
    text: impl FnOnce() -> Option<NulStr<'a>>,
) -> *const c_char {
    let (pointer, bytes) = caught(None, text)
        .map_or((ptr::null(), 0), |text| (text.with_nul().as_ptr().cast(), text.as_str().len()));
    if !length.is_null() {
        // SAFETY: not NULL, so the caller lets it be written to.
        unsafe { length.write(bytes) };
    }
    pointer
}
