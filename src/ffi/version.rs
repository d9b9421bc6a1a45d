//! The version of the library.

use std::ffi::{CStr, c_char};

/// The number in `libtorii.so.N`. An incompatible change of the ABI increments it.
const ABI_VERSION: u32 = 0;

/// == Version ==
/// The dynamic linker checks the ABI version for a linked program. A program that loads the library
/// itself compares torii_abi_version() with TORII_ABI_VERSION.
///
/// Returns the version of the loaded library, such as "0.1.0". The text is static. Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    CStr::from_bytes_with_nul(VERSION.as_bytes()).unwrap_or_default().as_ptr()
}

/// Returns the ABI version of the loaded library, the number in `libtorii.so.N`. A program or binding
/// built for another ABI version must not continue. Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_abi_version() -> u32 {
    ABI_VERSION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_the_version_of_the_crate() {
        let header = include_str!("../../include/torii.h");
        for (name, value) in [
            ("ABI_VERSION", &*ABI_VERSION.to_string()),
            ("VERSION_MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
            ("VERSION_MINOR", env!("CARGO_PKG_VERSION_MINOR")),
            ("VERSION_PATCH", env!("CARGO_PKG_VERSION_PATCH")),
        ] {
            let line = format!("#define TORII_{name} {value}");
            assert!(header.lines().any(|found| found == line), "{line}");
        }
    }
}
