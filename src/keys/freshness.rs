//! How old a key set may become (RFC 9111, RFC 5861).

use crate::clock::Millis;

/// The lifetime if neither the operator nor the issuer sets one.
pub(crate) const LIFETIME: Millis = 300_000;
/// The bounds within which an issuer may move the lifetime with `Cache-Control: max-age`.
const SHORTEST: Millis = 60_000;
const LONGEST: Millis = 3_600_000;
/// An `Age` beyond this is taken for a mistake.
const LONGEST_AGE_SECONDS: u64 = 86_400;
/// How long keys stay in use after the last successful fetch, if the operator does not say.
pub(crate) const MAX_STALE: Millis = 24 * 3_600_000;

/// How long a verifier uses keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    /// The operator's lifetime; the issuer's headers count only without it.
    pub(crate) fixed: Option<Millis>,
    pub(crate) max_stale: Millis,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Lifetimes { fixed: None, max_stale: MAX_STALE }
    }
}

/// The headers of an answer that set its lifetime, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheHeaders {
    /// `max-age` of `Cache-Control` (RFC 9111 §5.2.2.1).
    pub(crate) max_age: Option<u64>,
    /// `Age` (RFC 9111 §5.1).
    pub(crate) age: Option<u64>,
}

/// When a key set was fetched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fetched {
    /// When the request was sent.
    pub(crate) sent_at: Millis,
    pub(crate) headers: CacheHeaders,
}

/// How old a key set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    /// Within its lifetime, and due for a refresh.
    RefreshAhead,
    /// Past its lifetime, usable if the issuer is unreachable.
    Stale,
    /// Too old to be used.
    Expired,
}

impl Lifetimes {
    /// How long keys with these headers are used. `Age` shortens that, but not below 60 s.
    pub(crate) fn lifetime(&self, headers: CacheHeaders) -> Millis {
        if let Some(fixed) = self.fixed {
            return fixed;
        }
        let age = headers.age();
        let max_age = headers.max_age.map(|seconds| seconds.saturating_mul(1_000));
        max_age.unwrap_or(LIFETIME).saturating_sub(age).clamp(SHORTEST, LONGEST)
    }
}

impl CacheHeaders {
    /// `Age` in milliseconds, 0 if there is none or it is a mistake.
    pub(crate) fn age(self) -> Millis {
        self.age.filter(|age| *age <= LONGEST_AGE_SECONDS).unwrap_or(0) * 1_000
    }
}

impl Fetched {
    pub(crate) fn freshness(&self, now: Millis, lifetimes: &Lifetimes) -> Freshness {
        let age = now.saturating_sub(self.sent_at);
        let lifetime = lifetimes.lifetime(self.headers);
        if age < ahead(lifetime) {
            Freshness::Fresh
        } else if age < lifetime {
            Freshness::RefreshAhead
        } else if age < lifetimes.max_stale {
            Freshness::Stale
        } else {
            Freshness::Expired
        }
    }

    /// When the refresh ahead is due.
    pub(crate) fn due_at(&self, lifetimes: &Lifetimes) -> Millis {
        self.sent_at.saturating_add(ahead(lifetimes.lifetime(self.headers)))
    }
}

/// The age at which keys are refreshed, so that no call has to wait for it.
fn ahead(lifetime: Millis) -> Millis {
    lifetime / 5 * 4
}

#[cfg(test)]
mod tests {
    use super::Freshness::{Expired, Fresh, RefreshAhead, Stale};
    use super::*;

    fn fetched(max_age: Option<u64>, age: Option<u64>) -> Fetched {
        Fetched { sent_at: 5, headers: CacheHeaders { max_age, age } }
    }

    fn at(fetched: Fetched, lifetimes: &Lifetimes, ages: &[Millis]) -> Vec<Freshness> {
        ages.iter().map(|age| fetched.freshness(fetched.sent_at + age, lifetimes)).collect()
    }

    #[test]
    fn a_set_ages_by_its_lifetime() {
        assert_eq!(
            at(
                fetched(None, None),
                &Lifetimes::default(),
                &[0, 239_999, 240_000, 299_999, 300_000, MAX_STALE - 1, MAX_STALE]
            ),
            [Fresh, Fresh, RefreshAhead, RefreshAhead, Stale, Stale, Expired]
        );
    }

    #[test]
    fn the_issuer_moves_the_lifetime_within_bounds() {
        let lifetime = |max_age| Lifetimes::default().lifetime(fetched(max_age, None).headers);
        assert_eq!(lifetime(None), 300_000);
        assert_eq!(lifetime(Some(0)), 60_000);
        assert_eq!(lifetime(Some(600)), 600_000);
        assert_eq!(lifetime(Some(86_400)), 3_600_000);
        assert_eq!(lifetime(Some(u64::MAX)), 3_600_000);
    }

    #[test]
    fn age_shortens_the_lifetime_to_no_less_than_a_minute() {
        let lifetime = |max_age, age| Lifetimes::default().lifetime(fetched(max_age, age).headers);
        assert_eq!(lifetime(Some(600), Some(200)), 400_000);
        assert_eq!(lifetime(Some(600), Some(599)), 60_000);
        assert_eq!(lifetime(Some(600), Some(9_999)), 60_000);
        assert_eq!(lifetime(None, Some(100)), 200_000);
        assert_eq!(lifetime(Some(86_400), Some(80_000)), 3_600_000);
        assert_eq!(lifetime(Some(600), Some(86_400)), 60_000);
        assert_eq!(lifetime(Some(600), Some(86_401)), 600_000, "a mistake");
    }

    #[test]
    fn age_never_counts_toward_max_stale() {
        let set = fetched(Some(600), Some(80_000));
        let ages = [MAX_STALE - 1, MAX_STALE];
        assert_eq!(at(set, &Lifetimes::default(), &ages), [Stale, Expired]);
    }

    #[test]
    fn the_operators_lifetime_takes_precedence() {
        let lifetimes = Lifetimes { fixed: Some(10_000), max_stale: 0 };
        assert_eq!(
            at(fetched(Some(600), Some(500)), &lifetimes, &[7_999, 8_000, 9_999, 10_000]),
            [Fresh, RefreshAhead, RefreshAhead, Expired]
        );
        assert_eq!(fetched(None, None).due_at(&lifetimes), 8_005);
    }
}
