//! A library without `-z nodelete`, which `pin` alone can keep loaded.

#[path = "../../src/fork/pin/dlopen.rs"]
mod dlopen;

#[unsafe(no_mangle)]
pub extern "C" fn pin() {
    dlopen::pin();
}
