//! What time it is: Unix seconds for claims, and a clock that never jumps for the age of keys.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use once_cell::race::OnceBox;

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

/// Milliseconds on a clock that only goes forward; they mean something within one process and
/// its children.
pub(crate) type Millis = u64;

/// Now, on the clock that only goes forward.
pub(crate) fn monotonic() -> Millis {
    static START: OnceBox<Instant> = OnceBox::new();
    let elapsed = START.get_or_init(|| Box::new(Instant::now())).elapsed().as_millis();
    u64::try_from(elapsed).unwrap_or(u64::MAX / 2) + hooks::advanced()
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
