//! Keeping the library loaded.
//!
//! A host may unload a library (`dlclose`, `FreeLibrary`) while a thread of the library runs, and `fork` and the
//! ends of threads call functions that were registered. All of that would run code that is gone, so the library
//! stays loaded from its first verifier or client on:
//!
//! | platform | how |
//! |---|---|
//! | Linux, BSD | the linker flag `-z nodelete`, from `build.rs`; [`pin`] does nothing |
//! | macOS | [`pin`] opens the library once more, with `RTLD_NODELETE` |
//! | Windows | [`pin`] calls `GetModuleHandleExW` with `GET_MODULE_HANDLE_EX_FLAG_PIN` |
//!
//! This keeps the file that contains this code: the program if it is static, or the module for Node.js.

#[cfg(target_vendor = "apple")]
mod dlopen;
#[cfg(windows)]
mod module;

/// Keeps the library loaded until the process ends.
#[cfg(any(target_vendor = "apple", windows))]
pub(crate) fn pin() {
    use std::sync::Once;
    static PINNED: Once = Once::new();
    PINNED.call_once(|| {
        #[cfg(target_vendor = "apple")]
        dlopen::pin();
        #[cfg(windows)]
        module::pin();
    });
}

#[cfg(not(any(target_vendor = "apple", windows)))]
pub(crate) fn pin() {}
