//! Which library this is.

use std::ffi::{CStr, c_char};

/// The ABI: the number in `libtorii.so.N`. It changes when a program built before would not run.
const ABI_VERSION: u32 = 0;

/// The release of the library that is loaded, as in "0.1.0".
///
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    CStr::from_bytes_with_nul(VERSION.as_bytes()).unwrap_or_default().as_ptr()
}

/// The ABI of the library that is loaded: the number in `libtorii.so.N`. A program, or a binding,
/// that was made for another number must not go on. TORII_ABI_VERSION is the header's.
///
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_abi_version() -> u32 {
    ABI_VERSION
}
