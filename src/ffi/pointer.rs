//! What comes in as a pointer, and what goes out as one.

use std::ffi::c_char;
use std::ptr;
use std::slice;

use super::guard::infallible;
use crate::error::{Error, Result};
use crate::text::NulStr;

/// A handle that may be used by several threads at once.
///
/// # Safety
///
/// `handle` is NULL or a live handle of this type.
pub(super) unsafe fn shared<'a, T>(handle: *const T, name: &'static str) -> Result<&'a T> {
    // SAFETY: a live handle by the caller's promise, or NULL, which gives `None`.
    unsafe { handle.as_ref() }.ok_or(Error::argument(name, "NULL"))
}

/// A handle that nobody else uses during the call.
///
/// # Safety
///
/// `handle` is NULL or a live handle of this type that nothing else uses.
pub(super) unsafe fn exclusive<'a, T>(handle: *mut T, name: &'static str) -> Result<&'a mut T> {
    // SAFETY: a live handle of the caller's alone by its promise, or NULL, which gives `None`.
    unsafe { handle.as_mut() }.ok_or(Error::argument(name, "NULL"))
}

/// Bytes of the caller's, borrowed for the call.
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
    if isize::try_from(length).is_err() {
        return Err(Error::argument(name, "longer than memory"));
    }
    // SAFETY: not NULL, of a length that fits, and readable by the caller's promise.
    Ok(unsafe { slice::from_raw_parts(pointer.cast(), length) })
}

/// Any text of the caller's, borrowed for the call.
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

/// Text of the caller's without U+0000, borrowed for the call.
///
/// # Safety
///
/// As for [`bytes`].
pub(super) unsafe fn text<'a>(
    pointer: *const c_char,
    length: usize,
    name: &'static str,
) -> Result<&'a str> {
    // SAFETY: the promise of this function is that of `bytes`.
    let text = unsafe { utf8(pointer, length, name) }?;
    if text.contains('\0') {
        return Err(Error::argument(name, "holds U+0000"));
    }
    Ok(text)
}

/// As [`text`], where an empty text, NULL or not, is none.
///
/// # Safety
///
/// As for [`bytes`].
pub(super) unsafe fn optional<'a>(
    pointer: *const c_char,
    length: usize,
    name: &'static str,
) -> Result<Option<&'a str>> {
    // SAFETY: the promise of this function is that of `bytes`.
    let text = unsafe { text(pointer, length, name) }?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Where a result goes, in its first state: NULL, 0 or false.
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

/// As [`out`], for a result that the caller need not want.
///
/// # Safety
///
/// As for [`out`].
pub(super) unsafe fn optional_out<'a, T: Zeroed>(pointer: *mut T) -> Option<&'a mut T> {
    // SAFETY: the promise of this function is that of `out`.
    unsafe { out(pointer, "out") }.ok()
}

/// What a result is until there is one.
pub(super) trait Zeroed {
    const ZEROED: Self;
}

impl<T> Zeroed for *mut T {
    const ZEROED: Self = ptr::null_mut();
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

/// Gives a value to the caller, who frees it.
pub(super) fn into_raw<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Frees a value that was given.
///
/// # Safety
///
/// `handle` is NULL, or came from [`into_raw`] and is not used again.
pub(super) unsafe fn free<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: it came from `into_raw`, and the caller does not use it again.
        let value = unsafe { Box::from_raw(handle) };
        infallible((), || drop(value));
    }
}

/// Lends a text that lives as long as the handle it was asked of. NULL, with length 0, for `None`.
///
/// # Safety
///
/// `length` is NULL or can be written to.
pub(super) unsafe fn borrow<'a>(
    length: *mut usize,
    text: impl FnOnce() -> Option<NulStr<'a>>,
) -> *const c_char {
    let (pointer, bytes) = infallible(None, text)
        .map_or((ptr::null(), 0), |text| (text.as_ptr(), text.as_str().len()));
    if !length.is_null() {
        // SAFETY: not NULL, so the caller lets it be written to.
        unsafe { length.write(bytes) };
    }
    pointer
}

impl NulStr<'_> {
    fn as_ptr(self) -> *const c_char {
        // The text goes on to its U+0000, so C finds an end.
        self.as_str().as_ptr().cast()
    }
}
