//! The time.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

/// Now, in whole milliseconds.
pub(crate) fn now() -> Timestamp {
    let whole = TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Trunc);
    Timestamp::now().round(whole).expect("a time in range")
}
