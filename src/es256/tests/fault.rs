//! A wrong bit in the result of one field operation, on this thread.

use std::cell::Cell;

thread_local! {
    static FAULT: Cell<Option<(u32, u32)>> = const { Cell::new(None) };
}

/// Called with each result.
pub(in crate::es256) fn inject(limbs: &mut [u64; 4]) {
    match FAULT.get() {
        None => {}
        Some((0, bit)) => {
            FAULT.set(None);
            limbs[bit as usize / 64 % 4] ^= 1 << (bit % 64);
        }
        Some((left, bit)) => FAULT.set(Some((left - 1, bit))),
    }
}

/// Runs `work` with this bit of the result of its operation number `index` turned. Returns whether
/// it has that many operations.
pub(super) fn with_fault<T>(index: u32, bit: u32, work: impl FnOnce() -> T) -> (T, bool) {
    FAULT.set(Some((index, bit)));
    let result = work();
    (result, FAULT.take().is_none())
}
