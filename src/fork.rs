//! Surviving `fork`.
//!
//! A child has the parent's memory but only the thread that forked. A lock that another thread
//! held stays locked in the child forever, and an open socket is shared with the parent. Two
//! things protect a child:
//!
//! - Values with a lock or a socket of the library live in a [`ForkLocal`]. A child replaces them at its
//!   first use.
//! - aws-lc has locks that cannot be replaced. A thread calls code that may take one inside
//!   [`without_fork`], and a fork waits until no thread is there.

mod pin;

use std::marker::PhantomData;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::time::Duration;

/// How many forks lie between the process that loaded the library and this one.
static GENERATION: AtomicU64 = AtomicU64::new(0);

fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Registers the handlers that every later fork runs, and keeps their code loaded.
#[cfg(unix)]
fn watch() {
    use std::sync::atomic::AtomicBool;
    static WATCHED: AtomicBool = AtomicBool::new(false);
    extern "C" fn before() {
        section::enter();
    }
    extern "C" fn in_parent() {
        section::leave();
    }
    extern "C" fn in_child() {
        section::leave();
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    if !WATCHED.load(Ordering::Acquire) {
        pin::pin();
        // Two threads may both register. Each handler then runs twice per fork, which changes
        // nothing: sections nest, and a generation is only compared.
        // SAFETY: The handlers live as long as the library, which is never unloaded
        // ([`pin`]). They allocate nothing and cannot unwind. The child's handler only
        // releases the lock that `before` took on the same thread and adds to an atomic.
        unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
        WATCHED.store(true, Ordering::Release);
    }
}

#[cfg(not(unix))]
fn watch() {
    pin::pin();
}

/// Runs `work` while no thread of the process can fork. A fork waits for the end of `work`, so it
/// must be short and must not call back into the host.
///
/// A signal handler that forks would wait for the thread it interrupts. Signals are therefore
/// blocked meanwhile.
#[cfg(unix)]
pub(crate) fn without_fork<T>(work: impl FnOnce() -> T) -> T {
    watch();
    with_signals_blocked(|| {
        let _section = section::Section::new();
        work()
    })
}

#[cfg(not(unix))]
pub(crate) fn without_fork<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// The lock that a fork takes first and releases last, on both sides.
#[cfg(unix)]
mod section {
    use std::cell::Cell;
    use std::mem::ManuallyDrop;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    static LOCK: Mutex<()> = Mutex::new(());

    // Neither needs a destructor, so both are there until the thread has ended.
    thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
        static GUARD: Cell<Option<ManuallyDrop<MutexGuard<'static, ()>>>> =
            const { Cell::new(None) };
    }

    /// Takes the lock, unless this thread has it already.
    pub(super) fn enter() {
        let depth = DEPTH.get();
        if depth == 0 {
            let guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
            GUARD.set(Some(ManuallyDrop::new(guard)));
        }
        DEPTH.set(depth + 1);
    }

    /// Releases the lock, if this ends the outermost section of this thread.
    pub(super) fn leave() {
        let depth = DEPTH.get();
        DEPTH.set(depth.saturating_sub(1));
        if depth == 1 {
            drop(GUARD.take().map(ManuallyDrop::into_inner));
        }
    }

    pub(super) struct Section(());

    impl Section {
        pub(super) fn new() -> Self {
            enter();
            Section(())
        }
    }

    impl Drop for Section {
        fn drop(&mut self) {
            leave();
        }
    }
}

/// Frees what aws-lc keeps for this thread. aws-lc makes it again when the thread needs it.
pub(crate) fn clear_aws_lc_thread_state() {
    #[cfg(feature = "fips")]
    use aws_lc_fips_sys as aws_lc;
    #[cfg(not(feature = "fips"))]
    use aws_lc_sys as aws_lc;
    // SAFETY: No call into aws-lc is under way on this thread: the callers are the thread's end
    // and code behind the last call. aws-lc sets the thread's slot to NULL and keeps no pointer.
    unsafe { aws_lc::AWSLC_thread_local_clear() };
}

/// Runs `work` with every signal blocked. Threads that it starts inherit that, so the host's
/// signals are delivered to the host's own threads.
#[cfg(unix)]
pub(crate) fn with_signals_blocked<T>(work: impl FnOnce() -> T) -> T {
    use std::mem::MaybeUninit;

    struct Restore(Option<libc::sigset_t>);
    impl Drop for Restore {
        fn drop(&mut self) {
            if let Some(before) = &self.0 {
                // SAFETY: `before` is the mask this thread had, and no caller asks for the current one.
                unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
            }
        }
    }

    let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    // SAFETY: sigfillset only writes the whole set behind its argument.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: `all` was filled above, and `before` has room for the mask of this thread.
    let blocked =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr()) };
    // SAFETY: The call wrote `before` if it succeeded, and only then is it read.
    let _restore = Restore((blocked == 0).then(|| unsafe { before.assume_init() }));
    work()
}

#[cfg(not(unix))]
pub(crate) fn with_signals_blocked<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// The stack of a thread of the library, in bytes. Always given: the standard library's default is
/// read from the environment, `RUST_MIN_STACK`.
pub(crate) const STACK: usize = 2 * 1024 * 1024;

/// Whether the program was started with privileges its caller does not have (setuid, setgid, file
/// capabilities), so that the caller's environment cannot be trusted.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn has_raised_privileges() -> bool {
    // SAFETY: getauxval takes no pointer and reads a table that is fixed when the program starts.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
pub(crate) fn has_raised_privileges() -> bool {
    // SAFETY: takes no argument and cannot fail.
    let user = unsafe { libc::getuid() };
    // SAFETY: takes no argument and cannot fail.
    let effective_user = unsafe { libc::geteuid() };
    // SAFETY: takes no argument and cannot fail.
    let group = unsafe { libc::getgid() };
    // SAFETY: takes no argument and cannot fail.
    let effective_group = unsafe { libc::getegid() };
    (user, group) != (effective_user, effective_group)
}

struct Slot<T> {
    generation: u64,
    value: T,
}

/// A value that belongs to one process. A child made by `fork` makes its own.
///
/// The child neither uses nor drops the parent's value, which may be half changed.
pub(crate) struct ForkLocal<T> {
    /// Never null. A slot is replaced only in a child, by one of the child's generation, and the
    /// inherited slot is then leaked. So no slot is freed before the [`ForkLocal`] is dropped.
    slot: AtomicPtr<Slot<T>>,
    make: Box<dyn Fn() -> T + Send + Sync>,
    /// It owns a `T`, which the pointer does not tell.
    owned: PhantomData<T>,
}

// Any thread may make the value, use it, and drop it.
impl<T: Send + Sync> ForkLocal<T> {
    pub(crate) fn new(make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        watch();
        let make = Box::new(make);
        let slot = AtomicPtr::new(Slot::make(&*make));
        ForkLocal { slot, make, owned: PhantomData }
    }

    /// Returns the value of this process. Takes no lock.
    pub(crate) fn get(&self) -> &T {
        let slot = self.slot.load(Ordering::Acquire);
        // SAFETY: The slot was published by `new` or `renew`, and no slot is freed while `self` is
        // borrowed. Nothing refers to it mutably.
        let slot = unsafe { &*slot };
        if slot.generation == generation() { &slot.value } else { self.renew(slot) }
    }

    #[cold]
    fn renew(&self, inherited: &Slot<T>) -> &T {
        let inherited = ptr::from_ref(inherited).cast_mut();
        let fresh = Slot::make(&*self.make);
        let exchanged =
            self.slot.compare_exchange(inherited, fresh, Ordering::AcqRel, Ordering::Acquire);
        if exchanged.is_err() {
            // SAFETY: `fresh` came from `Box::into_raw` in `Slot::make`, and was not published.
            drop(unsafe { Box::from_raw(fresh) });
        }
        self.get()
    }
}

impl<T> Slot<T> {
    fn make(make: &dyn Fn() -> T) -> *mut Self {
        Box::into_raw(Box::new(Slot { generation: generation(), value: make() }))
    }
}

impl<T> Drop for ForkLocal<T> {
    fn drop(&mut self) {
        let slot = *self.slot.get_mut();
        // SAFETY: The slot was published and never freed, and nothing borrows it any more.
        if unsafe { &*slot }.generation == generation() {
            // SAFETY: As above; it came from `Box::into_raw`.
            drop(unsafe { Box::from_raw(slot) });
        }
    }
}

/// The time of a clock of the platform since its epoch. `None` if it cannot be read.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn clock(id: libc::clockid_t) -> Option<Duration> {
    let mut time = mem::MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `time` has room for the timespec that clock_gettime writes. An unknown id makes it
    // fail.
    let read = unsafe { libc::clock_gettime(id, time.as_mut_ptr()) };
    if read != 0 {
        return None;
    }
    // SAFETY: the call succeeded, so it wrote the whole timespec.
    let time = unsafe { time.assume_init() };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    Some(Duration::new(seconds, u32::try_from(time.tv_nsec).ok()?))
}
