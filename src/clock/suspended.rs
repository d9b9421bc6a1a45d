//! A cheap clock that counts suspended time.
//!
//! `CLOCK_BOOTTIME` counts suspended time, and has no coarse form. The coarse monotonic clock plus
//! the time the machine was suspended since boot is the same time. That second part changes only
//! when the machine resumes, and then the kernel moves the wall clock against the monotonic clock by
//! as much, in the same step (`__timekeeping_inject_sleeptime`). So it is kept, and read again
//!
//! - when the wall clock has moved against the monotonic clock since, and
//! - when it is a second old.
//!
//! The second rule is for a suspend that the first cannot tell: one that is shorter than
//! [`TOLERANCE`], or after which the wall clock is set back by just as much. Either counts
//! within a second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Millis;

/// How far the wall clock moves against the monotonic clock before that counts. Between the two
/// readings may be a tick.
const TOLERANCE: u64 = 20_000_000;

/// How long the suspended time is kept, in nanoseconds.
const KEPT: u64 = 1_000_000_000;

/// A pause between two readings after which they are repeated.
const LONGEST_PAUSE: u64 = 1_000_000;

/// The exact clocks of the platform.
pub(super) trait Clocks {
    /// The monotonic clock, which stands still while the machine is suspended.
    fn awake_exactly(&self) -> Option<Duration>;
    /// The time since boot, suspended time included.
    fn since_boot(&self) -> Option<Duration>;
}

/// For how long the machine was suspended since boot, in nanoseconds as all times here.
///
/// Any number of threads may read it at once, without a lock.
pub(super) struct Suspended {
    total: AtomicU64,
    /// The wall clock minus the monotonic clock, modulo 2^64, just before `total` was read.
    wall_ahead: AtomicU64,
    /// When `total` was read, on the monotonic clock.
    read_at: AtomicU64,
}

impl Suspended {
    pub(super) const fn new() -> Self {
        let [total, wall_ahead, read_at] = [const { AtomicU64::new(0) }; 3];
        Suspended { total, wall_ahead, read_at }
    }

    /// The time since boot, suspended time included, from readings of the coarse monotonic clock and
    /// of the coarse wall clock.
    #[inline]
    pub(super) fn since_boot(
        &self,
        awake: Duration,
        wall: Duration,
        clocks: &impl Clocks,
    ) -> Millis {
        let awake = nanoseconds(awake);
        let wall_ahead = nanoseconds(wall).wrapping_sub(awake);
        // Acquire: also shows the values stored before these.
        let kept_wall_ahead = self.wall_ahead.load(Ordering::Acquire);
        let moved = wall_ahead.wrapping_sub(kept_wall_ahead).wrapping_add(TOLERANCE);
        let age = awake.wrapping_sub(self.read_at.load(Ordering::Acquire));
        if moved > 2 * TOLERANCE || age >= KEPT {
            self.read(clocks, awake, wall_ahead);
        }
        (awake + self.total.load(Ordering::Relaxed)) / 1_000_000
    }

    #[cold]
    fn read(&self, clocks: &impl Clocks, awake: u64, wall_ahead: u64) {
        // A thread that is late here leaves an earlier reading behind. The total never falls, and an
        // earlier `wall_ahead` or `read_at` only has it read once more.
        if let Some(total) = total(clocks) {
            self.total.fetch_max(total, Ordering::Release);
        }
        self.wall_ahead.store(wall_ahead, Ordering::Release);
        self.read_at.store(awake, Ordering::Release);
    }
}

/// For how long the machine was suspended, or more by as long as this thread pauses between two
/// readings: keys are never taken for younger than they are.
fn total(clocks: &impl Clocks) -> Option<u64> {
    let (mut total, mut tries) = (None, 3);
    while tries > 0 {
        let awake = nanoseconds(clocks.awake_exactly()?);
        total = Some(nanoseconds(clocks.since_boot()?).saturating_sub(awake));
        let pause = nanoseconds(clocks.awake_exactly()?).saturating_sub(awake);
        tries = if pause < LONGEST_PAUSE { 0 } else { tries - 1 };
    }
    total
}

fn nanoseconds(time: Duration) -> u64 {
    // Enough for 584 years.
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(time.subsec_nanos().into())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const TICK: u64 = 10_000_000;

    /// A machine whose clocks a test moves, in nanoseconds.
    #[derive(Default)]
    struct Machine {
        awake: Cell<u64>,
        suspended: Cell<u64>,
        /// How far the wall clock was set.
        set: Cell<i64>,
        /// How often the exact clocks were read.
        reads: Cell<u32>,
        /// How long the thread rests before each reading of the time since boot.
        pause: Cell<u64>,
    }

    fn add(cell: &Cell<u64>, nanoseconds: u64) {
        cell.set(cell.get() + nanoseconds);
    }

    impl Machine {
        fn new() -> Self {
            Machine { awake: Cell::new(77 * SECOND), ..Machine::default() }
        }

        fn now(&self, suspended: &Suspended) -> Millis {
            let coarse = self.awake.get() / TICK * TICK;
            let wall = (1_700_000_000 * SECOND + coarse + self.suspended.get())
                .wrapping_add_signed(self.set.get());
            suspended.since_boot(Duration::from_nanos(coarse), Duration::from_nanos(wall), self)
        }

        /// The true time since boot.
        fn truth(&self) -> Millis {
            (self.awake.get() + self.suspended.get()) / 1_000_000
        }

        fn late(&self, suspended: &Suspended) -> i64 {
            self.truth() as i64 - self.now(suspended) as i64
        }
    }

    impl Clocks for Machine {
        fn awake_exactly(&self) -> Option<Duration> {
            Some(Duration::from_nanos(self.awake.get()))
        }

        fn since_boot(&self) -> Option<Duration> {
            self.reads.set(self.reads.get() + 1);
            add(&self.awake, self.pause.get());
            Some(Duration::from_nanos(self.awake.get() + self.suspended.get()))
        }
    }

    #[test]
    fn a_suspend_counts_at_once() {
        let (machine, suspended) = (Machine::new(), Suspended::new());
        for slept in [TOLERANCE + 1, SECOND, 3_600 * SECOND, 90 * 86_400 * SECOND] {
            assert!((0..=10).contains(&machine.late(&suspended)));
            add(&machine.suspended, slept);
            assert!((0..=10).contains(&machine.late(&suspended)), "{slept}");
        }
    }

    #[test]
    fn a_suspend_that_the_wall_clock_does_not_show_counts_within_a_second() {
        let (machine, suspended) = (Machine::new(), Suspended::new());
        machine.now(&suspended);
        // The wall clock is set back by as long as the machine slept.
        add(&machine.suspended, 3_600 * SECOND);
        machine.set.set(-3_600 * SECOND as i64);
        add(&machine.awake, SECOND);
        assert!((0..=10).contains(&machine.late(&suspended)));
        // Many short ones.
        for _ in 0..100 {
            add(&machine.suspended, TOLERANCE / 2);
            add(&machine.awake, SECOND / 10);
            assert!(machine.late(&suspended) <= 10 * (TOLERANCE / 2 / 1_000_000) as i64 + 10);
        }
    }

    #[test]
    fn the_wall_clock_moves_nothing_by_itself() {
        let (machine, suspended) = (Machine::new(), Suspended::new());
        for set in [86_400 * SECOND as i64, -86_400 * SECOND as i64, 3, 0] {
            machine.set.set(set);
            add(&machine.awake, 123_456_789);
            assert!((0..=10).contains(&machine.late(&suspended)), "{set}");
        }
    }

    #[test]
    fn the_exact_clocks_are_read_once_a_second() {
        let (machine, suspended) = (Machine::new(), Suspended::new());
        for _ in 0..10_000 {
            add(&machine.awake, SECOND / 1_000);
            machine.now(&suspended);
        }
        assert!((9..=12).contains(&machine.reads.get()), "{}", machine.reads.get());
    }

    #[test]
    fn it_never_goes_back() {
        let (machine, suspended) = (Machine::new(), Suspended::new());
        let mut last = 0;
        for n in 0..5_000_u64 {
            add(&machine.awake, n * 7_919 % (SECOND / 20));
            add(&machine.suspended, if n % 17 == 0 { n * 104_729 % (5 * SECOND) } else { 0 });
            machine.set.set((n as i64 % 5 - 2) * 40_000_000);
            machine.pause.set(if n % 11 == 0 { 30_000_000 } else { 0 });
            let now = machine.now(&suspended);
            assert!(now >= last, "{last} to {now}");
            last = now;
        }
    }

    #[test]
    fn a_pause_between_two_readings_never_makes_it_late() {
        let (machine, suspended) = (Machine::new(), Suspended::new());
        machine.pause.set(SECOND / 2);
        machine.now(&suspended);
        machine.pause.set(0);
        for _ in 0..30 {
            add(&machine.awake, SECOND / 10);
            let late = machine.late(&suspended);
            assert!((-500..=10).contains(&late), "{late}");
        }
    }

    /// A thread that read before a suspend and publishes after it.
    #[test]
    fn a_late_thread_takes_nothing_back() {
        let (machine, suspended) = (Machine::new(), Suspended::new());
        machine.now(&suspended);
        let before = Machine::new();
        add(&machine.suspended, 3_600 * SECOND);
        machine.now(&suspended);
        suspended.read(&before, 77 * SECOND, 1_700_000_000 * SECOND);
        assert!((0..=10).contains(&machine.late(&suspended)));
    }
}
