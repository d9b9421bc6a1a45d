//! Living through `fork`.
//!
//! A child has the parent's memory but only the thread that forked: a lock another thread held
//! stays locked for ever, and a socket is shared with the parent. So whatever holds a lock or a
//! socket lives in a [`ForkLocal`], which a child replaces by a new one at its first use.

use std::mem;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, Guard};

/// How many forks lie between the process that loaded the library and this one.
static GENERATION: AtomicU64 = AtomicU64::new(0);

fn generation() -> u64 {
    watch();
    GENERATION.load(Ordering::Relaxed)
}

/// Has every fork from now on counted in the child.
#[cfg(unix)]
fn watch() {
    use std::sync::atomic::AtomicBool;
    static WATCHED: AtomicBool = AtomicBool::new(false);
    extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    if !WATCHED.load(Ordering::Acquire) {
        // Two threads may both come here: a fork is then counted twice, which is as good as once.
        // SAFETY: `in_child` lives as long as the library, which is never unloaded (`-z nodelete`),
        // and does nothing but an atomic addition, which is safe in the child of any process.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        WATCHED.store(true, Ordering::Release);
    }
}

#[cfg(not(unix))]
fn watch() {}

/// Runs `start`, which starts threads, with every signal blocked: the threads inherit that, and
/// the host's signals are delivered to the host's own threads.
#[cfg(unix)]
pub(crate) fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    use std::mem::MaybeUninit;
    let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    // SAFETY: sigfillset only writes the whole set behind its argument.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: `all` was filled above, and `before` has room for the mask of this thread.
    let blocked =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr()) };
    let result = start();
    if blocked == 0 {
        // SAFETY: the call above succeeded, so it wrote `before`, which is the mask to restore.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
    }
    result
}

#[cfg(not(unix))]
pub(crate) fn with_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    start()
}

struct Slot<T> {
    generation: u64,
    value: T,
}

/// A value that belongs to one process, and that a child made by `fork` makes anew.
///
/// What the parent left behind is neither used nor dropped in the child: it may be half changed.
pub(crate) struct ForkLocal<T> {
    slot: ArcSwap<Slot<T>>,
    make: Box<dyn Fn() -> T + Send + Sync>,
}

impl<T> ForkLocal<T> {
    pub(crate) fn new(make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let slot = ArcSwap::from_pointee(Slot { generation: generation(), value: make() });
        ForkLocal { slot, make: Box::new(make) }
    }

    /// The value of this process. Takes no lock.
    pub(crate) fn get(&self) -> ForkLocalGuard<T> {
        let slot = self.slot.load();
        if slot.generation == generation() {
            return ForkLocalGuard(slot);
        }
        self.renew(slot)
    }

    #[cold]
    fn renew(&self, inherited: Guard<Arc<Slot<T>>>) -> ForkLocalGuard<T> {
        let fresh = Arc::new(Slot { generation: generation(), value: (self.make)() });
        let previous = self.slot.compare_and_swap(&inherited, fresh);
        if Arc::ptr_eq(&previous, &inherited) {
            mem::forget(Guard::into_inner(previous));
        }
        drop(inherited);
        self.get()
    }
}

impl<T> Drop for ForkLocal<T> {
    fn drop(&mut self) {
        let slot = self.slot.load_full();
        if slot.generation != generation() {
            mem::forget(slot);
        }
    }
}

/// The value of a [`ForkLocal`], borrowed.
pub(crate) struct ForkLocalGuard<T>(Guard<Arc<Slot<T>>>);

impl<T> Deref for ForkLocalGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

/// Time since boot, suspended time included. `None` where the platform has no such clock.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn boot_time() -> Option<std::time::Duration> {
    let mut time = mem::MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `time` has room for the timespec that clock_gettime writes; the clock's id is a
    // constant of the platform.
    let read = unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, time.as_mut_ptr()) };
    if read != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so it wrote the whole timespec.
    let time = unsafe { time.assume_init() };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    Some(std::time::Duration::new(seconds, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn boot_time() -> Option<std::time::Duration> {
    None
}
