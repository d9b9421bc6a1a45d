//! Pinning with `dlopen`.

use std::mem::MaybeUninit;

/// Opens the file that contains this function, which is loaded, and forbids to unload it.
pub(crate) fn pin() {
    let here: fn() = pin;
    let mut found = MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: dladdr compares the address and writes `found` if it is within a loaded file.
    if unsafe { libc::dladdr(here as *const libc::c_void, found.as_mut_ptr()) } == 0 {
        return;
    }
    // SAFETY: dladdr succeeded, so it wrote `found`.
    let file = unsafe { found.assume_init() }.dli_fname;
    // SAFETY: `file` is the path that the loader keeps for the loaded file, and RTLD_NOLOAD loads nothing. The handle
    // is never closed.
    unsafe { libc::dlopen(file, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE) };
}
