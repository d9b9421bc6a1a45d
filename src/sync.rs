//! The standard library's locks and threads, or a model of them that tries random orders.

use std::io;

use crate::fork::STACK;

#[cfg(not(feature = "model"))]
pub(crate) use std::{
    sync::{Condvar, Mutex, MutexGuard},
    thread,
};

#[cfg(feature = "model")]
pub(crate) use shuttle::{
    sync::{Condvar, Mutex, MutexGuard},
    thread,
};

/// Runs `work` on a thread of its own, if there can be one. It inherits the caller's signal mask. The
/// name has at most 15 bytes.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    #[cfg(test)]
    if NO_THREADS.get() {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK);
    thread.spawn(work).map(drop)
}

#[cfg(test)]
thread_local! {
    /// Whether this thread can start no other.
    pub(crate) static NO_THREADS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Shared by the tests under the model.
#[cfg(all(test, feature = "model"))]
pub(crate) mod model {
    use std::sync::Arc;

    use super::thread;

    /// The number of random orders that a test tries.
    pub(crate) const ORDERS: usize = 5_000;

    /// Runs a test in random orders of its threads.
    pub(crate) fn in_random_orders(test: impl Fn() + Send + Sync + 'static) {
        shuttle::check_random(test, ORDERS);
    }

    /// Runs `work` on `count` threads at once.
    pub(crate) fn together<T: Send + 'static>(
        count: usize,
        work: impl Fn(usize) -> T + Send + Sync + 'static,
    ) -> Vec<T> {
        let work = Arc::new(work);
        let start = |n| {
            let work = work.clone();
            thread::spawn(move || work(n))
        };
        let threads: Vec<_> = (0..count).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    }
}
