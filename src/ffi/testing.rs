//! Only in builds for this library's own tests.

use super::call::fallible;
use super::error::torii_error_t;
use super::status::torii_status_t;

/// Panics, as a defect would.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_test_panic(err: *mut *mut torii_error_t) -> torii_status_t {
    #[allow(clippy::panic, reason = "what is tested")]
    // SAFETY: `err` is NULL or writable, by the caller's promise.
    unsafe {
        fallible(err, || panic!("provoked by a test"))
    }
}

/// Moves the clock by which keys age.
#[unsafe(no_mangle)]
pub extern "C" fn torii_test_advance_clock(milliseconds: u64) {
    crate::advance_clock(milliseconds);
}
