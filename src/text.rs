//! NUL-terminated text, for C.

use std::ffi::CStr;
use std::fmt;

/// A borrowed text with U+0000 behind it.
#[derive(Clone, Copy)]
pub(crate) struct NulStr<'a>(&'a str);

impl<'a> NulStr<'a> {
    /// Takes a text that ends with U+0000.
    pub(crate) fn new(with_end: &'a str) -> Option<Self> {
        with_end.ends_with('\0').then_some(NulStr(with_end))
    }

    /// A constant of the program; empty if it is not UTF-8.
    pub(crate) fn constant(text: &'static CStr) -> NulStr<'static> {
        NulStr(str::from_utf8(text.to_bytes_with_nul()).unwrap_or("\0"))
    }

    /// The text with U+0000 behind it: a pointer to it may be read up to there.
    pub(crate) fn with_nul(self) -> &'a str {
        self.0
    }

    /// The text alone.
    pub(crate) fn as_str(self) -> &'a str {
        self.0.strip_suffix('\0').unwrap_or(self.0)
    }
}

/// An owned text with U+0000 behind it.
#[derive(Clone)]
pub(crate) struct NulString(Box<str>);

impl NulString {
    pub(crate) fn new(text: &str) -> Self {
        NulString(format!("{text}\0").into())
    }

    pub(crate) fn borrow(&self) -> NulStr<'_> {
        NulStr(&self.0)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.borrow().as_str()
    }
}

impl fmt::Debug for NulString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}
