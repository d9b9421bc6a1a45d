//! Statistics of a verifier, counted without a lock.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::error::{Error, Status};

/// Threads count in different places, so that they do not slow each other down.
const STRIPES: usize = 8;

/// Statuses a verification can end with, but for `Ok`.
const REFUSALS: usize = Status::ALL.len();

#[derive(Default)]
pub(super) struct Stats {
    stripes: [Stripe; STRIPES],
}

#[derive(Default)]
#[repr(align(128))]
struct Stripe {
    /// Accepted tokens: those in the cache, and the others.
    hits: AtomicU64,
    misses: AtomicU64,
    refused: [AtomicU64; REFUSALS],
}

thread_local! {
    static STRIPE: Cell<usize> = const { Cell::new(usize::MAX) };
}

impl Stats {
    fn stripe(&self) -> Option<&Stripe> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let index = STRIPE.get();
        if index != usize::MAX {
            return self.stripes.get(index);
        }
        let index = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
        STRIPE.set(index);
        self.stripes.get(index)
    }

    /// A token was accepted: from the cache, or not.
    pub(super) fn accept(&self, hit: bool) {
        if let Some(stripe) = self.stripe() {
            let counter = if hit { &stripe.hits } else { &stripe.misses };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn refuse(&self, error: &Error) {
        let index = Status::ALL.iter().position(|status| *status == error.status());
        let counter = index.and_then(|index| self.stripe()?.refused.get(index));
        if let Some(counter) = counter {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn accepted(&self) -> u64 {
        self.hits() + self.sum(|stripe| Some(&stripe.misses))
    }

    pub(super) fn hits(&self) -> u64 {
        self.sum(|stripe| Some(&stripe.hits))
    }

    /// Returns how often each status occurred, without those that never did.
    pub(super) fn refused(&self) -> impl Iterator<Item = (Status, u64)> {
        let count = |(index, status): (usize, &Status)| {
            (*status, self.sum(|stripe| stripe.refused.get(index)))
        };
        Status::ALL.iter().enumerate().map(count).filter(|(_, count)| *count > 0)
    }

    fn sum(&self, counter: impl Fn(&Stripe) -> Option<&AtomicU64>) -> u64 {
        self.stripes.iter().filter_map(counter).map(|counter| counter.load(Ordering::Relaxed)).sum()
    }
}
