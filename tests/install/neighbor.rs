//! Another static library with a Rust runtime of its own, as a program beside libtorii may have one.

use std::ffi::c_int;

/// Whether threads, panics and the heap work here: the length of what a panic in a thread said.
#[unsafe(no_mangle)]
pub extern "C" fn neighbor_works(number: c_int) -> c_int {
    std::panic::set_hook(Box::new(|_| {}));
    let thread = std::thread::spawn(move || panic!("neighbor {number}"));
    match thread.join() {
        Err(said) => said.downcast_ref::<String>().map_or(-1, |said| said.len() as c_int),
        Ok(()) => -2,
    }
}
