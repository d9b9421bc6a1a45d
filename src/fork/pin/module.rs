//! Pinning with `GetModuleHandleExW`.

use std::ffi::c_void;

const GET_MODULE_HANDLE_EX_FLAG_PIN: u32 = 1;
const GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS: u32 = 4;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetModuleHandleExW(flags: u32, name: *const u16, module: *mut *mut c_void) -> i32;
}

/// Forbids to unload the file that contains this function.
pub(crate) fn pin() {
    let here: fn() = pin;
    let flags = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
    let mut module = std::ptr::null_mut();
    // SAFETY: With FROM_ADDRESS the second argument is an address within the file and is not read. `module` has room
    // for a handle.
    unsafe { GetModuleHandleExW(flags, here as *const u16, &raw mut module) };
}
