//! Unix seconds for claims, and a clock that never goes back for the age of keys.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use once_cell::race::OnceBox;

use crate::fork;

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
        match self {
            Clock::System => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
                Err(_) => 0,
            },
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

/// What the clock of [`monotonic`] shows when the machine starts: 60 days, so that keys from a file may
/// be older than that.
const AT_BOOT: Millis = 60 * 86_400_000;

/// The current time on a clock that never goes back.
///
/// Suspended time counts where the platform tells it, so that keys are not used for longer because
/// a machine slept.
pub(crate) fn monotonic() -> Millis {
    // `OnceBox` never blocks, so a child of `fork` cannot hang here.
    static START: OnceBox<Instant> = OnceBox::new();
    let now = fork::boot_time()
        .unwrap_or_else(|| START.get_or_init(|| Box::new(Instant::now())).elapsed());
    AT_BOOT + u64::try_from(now.as_millis()).unwrap_or(u64::MAX / 2) + hooks::advanced()
}

/// Milliseconds since 1970, for what outlives the process.
pub(crate) fn since_1970() -> Millis {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX / 2) + hooks::advanced()
}

#[cfg(not(feature = "test-hooks"))]
mod hooks {
    pub(super) fn advanced() -> u64 {
        0
    }
}

#[cfg(feature = "test-hooks")]
pub(crate) mod hooks {
    use std::sync::atomic::{AtomicU64, Ordering};

    static ADVANCED: AtomicU64 = AtomicU64::new(0);

    pub(super) fn advanced() -> u64 {
        ADVANCED.load(Ordering::Relaxed)
    }

    /// Moves the clock of the keys forward, for the whole process.
    pub fn advance(milliseconds: u64) {
        ADVANCED.fetch_add(milliseconds, Ordering::Relaxed);
    }
}
