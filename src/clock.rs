//! Unix seconds for claims, and a clock that never goes back for the age of keys.
//!
//! On Linux both are read from the kernel's coarse clocks, which are at most one tick late: 4 ms at
//! 250 Hz, 10 ms at the slowest.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod suspended;

/// Where the time of claims comes from.
#[derive(Clone, Default)]
pub(crate) enum Clock {
    #[default]
    System,
    Custom(Arc<dyn Fn() -> i64 + Send + Sync>),
}

impl Clock {
    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        self.at(&now())
    }

    /// Unix seconds, when the clocks have just been read.
    #[inline]
    pub(crate) fn at(&self, now: &Now) -> i64 {
        match self {
            Clock::System => now.unix,
            Clock::Custom(now) => now(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Clock::System => "System",
            Clock::Custom(_) => "Custom",
        })
    }
}

/// Milliseconds on a clock that never goes back, comparable within one process and its children.
pub(crate) type Millis = u64;

/// The time of [`monotonic`] when the machine starts: 60 days, so that keys from a file may
/// be older than that.
const AT_BOOT: Millis = 60 * 86_400_000;

/// The times of both clocks.
pub(crate) struct Now {
    /// Unix seconds.
    pub(crate) unix: i64,
    /// A time on a clock that never goes back. Suspended time counts where the platform tells it, so
    /// that keys are not used for longer because a machine slept.
    pub(crate) monotonic: Millis,
}

/// Reads the clocks.
#[inline]
pub(crate) fn now() -> Now {
    let now = platform::now();
    Now { monotonic: AT_BOOT + now.monotonic + hooks::advanced(), ..now }
}

/// The current time on the clock that never goes back.
pub(crate) fn monotonic() -> Millis {
    now().monotonic
}

/// The same without the delay of up to a tick, for deadlines.
pub(crate) fn exactly() -> Millis {
    AT_BOOT + platform::exactly() + hooks::advanced()
}

/// Milliseconds since 1970, for what outlives the process.
pub(crate) fn since_1970() -> Millis {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX / 2) + hooks::advanced()
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod platform {
    use std::time::Duration;

    use super::suspended::{Clocks, Suspended};
    use super::{Millis, Now, hooks};
    use crate::fork::clock;

    static SUSPENDED: Suspended = Suspended::new();

    struct Linux;

    impl Clocks for Linux {
        fn awake_exactly(&self) -> Option<Duration> {
            clock(libc::CLOCK_MONOTONIC)
        }

        fn since_boot(&self) -> Option<Duration> {
            Some(clock(libc::CLOCK_BOOTTIME)? + hooks::suspended())
        }
    }

    #[inline]
    pub(super) fn now() -> Now {
        let awake = clock(libc::CLOCK_MONOTONIC_COARSE).unwrap_or_default();
        let wall = clock(libc::CLOCK_REALTIME_COARSE).unwrap_or_default();
        let since_boot = SUSPENDED.since_boot(awake, wall + hooks::suspended(), &Linux);
        let unix = i64::try_from(wall.as_secs()).unwrap_or(i64::MAX);
        Now { unix, monotonic: since_boot }
    }

    pub(super) fn exactly() -> Millis {
        let exactly = Linux.since_boot().and_then(|time| Millis::try_from(time.as_millis()).ok());
        exactly.unwrap_or_else(|| now().monotonic)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod platform {
    use std::time::{Instant, SystemTime, UNIX_EPOCH};

    use once_cell::race::OnceBox;

    use super::{Millis, Now};

    pub(super) fn now() -> Now {
        // `OnceBox` never blocks, so a child of `fork` cannot hang here.
        static START: OnceBox<Instant> = OnceBox::new();
        let start = START.get_or_init(|| Box::new(Instant::now()));
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            unix: i64::try_from(unix.as_secs()).unwrap_or(i64::MAX),
            monotonic: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX / 2),
        }
    }

    pub(super) fn exactly() -> Millis {
        now().monotonic
    }
}

#[cfg(not(feature = "test-hooks"))]
mod hooks {
    use std::time::Duration;

    pub(super) fn advanced() -> u64 {
        0
    }

    pub(super) fn suspended() -> Duration {
        Duration::ZERO
    }
}

#[cfg(feature = "test-hooks")]
pub(crate) mod hooks {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    static ADVANCED: AtomicU64 = AtomicU64::new(0);
    static SUSPENDED: AtomicU64 = AtomicU64::new(0);

    pub(super) fn advanced() -> u64 {
        ADVANCED.load(Ordering::Relaxed)
    }

    /// Moves the clock of the keys forward, for the whole process.
    pub fn advance(milliseconds: u64) {
        ADVANCED.fetch_add(milliseconds, Ordering::Relaxed);
    }

    pub(super) fn suspended() -> Duration {
        Duration::from_millis(SUSPENDED.load(Ordering::Relaxed))
    }

    /// Suspends the machine, for the clock by which keys age: the time since boot and the wall
    /// clock jump.
    pub fn suspend(milliseconds: u64) {
        SUSPENDED.fetch_add(milliseconds, Ordering::Relaxed);
    }
}
