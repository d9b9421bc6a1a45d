//! The caller that fetches an issuer's keys, and the time of the next fetch (singleflight with backoff).
//!
//! Plain functions of a state, the time and an event. Nothing here opens a socket, takes a lock or
//! reads a clock, so every transition is tested with made-up times.

use super::fetch_id::FetchId;
use super::freshness::Freshness;
use crate::clock::Millis;

/// The least time between two fetches because of an unknown `kid`, counted from the attempt.
pub(crate) const KID_COOLDOWN: Millis = 30_000;
/// The first and the longest backoff after a failure; each is twice the one before.
const FIRST_BACKOFF: Millis = 1_000;
const LONGEST_BACKOFF: Millis = 60_000;

/// Why keys are to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There are usable keys, and newer ones are due.
    Refresh,
    /// There are no usable keys.
    NoKeys,
    /// The key set lacks the `kid` a token names.
    UnknownKid,
    /// An explicit refresh, bypassing the cooldown.
    Explicit,
}

/// The next step of a caller with a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It may [lead](FetchState::lead) a fetch.
    Lead,
    /// Another caller leads this one.
    Follow(FetchId),
    /// The last fetch failed. The next one is not before this time.
    BackOff(Millis),
    /// Keys were fetched for an unknown `kid` recently. The next such fetch is not before this time.
    CoolDown(Millis),
}

/// How a fetch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Success,
    Failure,
    /// The leader's timeout has passed.
    TimedOut,
}

/// Whether a fetch is in flight, and when the next one may begin.
#[derive(Debug, Default)]
pub(crate) struct FetchState {
    in_flight: Option<InFlight>,
    failures: u32,
    backoff_until: Millis,
    kid_cooldown_until: Millis,
    /// Whether a `kid` is unknown that no successful fetch has looked up since.
    kid_missed: bool,
    /// The timeout that cut the last fetch for an unknown `kid` short while a call waited longer.
    kid_cut_short: Option<Millis>,
}

#[derive(Debug)]
struct InFlight {
    id: FetchId,
    reason: Reason,
    sent_at: Millis,
    /// How long calls of the leader's kind wait.
    timeout: Millis,
    /// When the fetch counts as lost.
    lease_until: Millis,
    /// Until when a follower waits whose timeout is longer than the leader's.
    followed_until: Millis,
}

impl FetchState {
    /// Returns the next step of a caller with this reason.
    pub(crate) fn next(&mut self, reason: Reason, now: Millis) -> Next {
        self.expire(now);
        if let Some(fetch) = &self.in_flight {
            Next::Follow(fetch.id)
        } else if now < self.backoff_until {
            Next::BackOff(self.backoff_until)
        } else if reason == Reason::UnknownKid && now < self.kid_cooldown_until {
            Next::CoolDown(self.kid_cooldown_until)
        } else {
            Next::Lead
        }
    }

    /// Begins a fetch. `timeout` is the leader's; the fetch counts as lost after `lease`.
    pub(crate) fn lead(
        &mut self,
        id: FetchId,
        reason: Reason,
        now: Millis,
        timeout: Millis,
        lease: Millis,
    ) {
        if reason == Reason::UnknownKid {
            self.kid_missed = true;
            self.kid_cooldown_until = now + KID_COOLDOWN;
            self.kid_cut_short = None;
        }
        let lease_until = now.saturating_add(lease);
        let fetch = InFlight { id, reason, sent_at: now, timeout, lease_until, followed_until: 0 };
        self.in_flight = Some(fetch);
    }

    /// A caller waits for the fetch in flight until `deadline`.
    pub(crate) fn follow(&mut self, timeout: Millis, deadline: Millis) {
        if let Some(fetch) = self.in_flight.as_mut().filter(|fetch| fetch.timeout < timeout) {
            fetch.followed_until = fetch.followed_until.max(deadline);
        }
    }

    /// Whether the last fetch for an unknown `kid` was cut short, and is to be continued.
    pub(crate) fn kid_cut_short(&self) -> bool {
        self.kid_cut_short.is_some()
    }

    /// Whether a caller with this timeout may lead that continuation, during the cooldown. Only one
    /// that waits longer: or callers with a short timeout could fetch one after the other.
    pub(crate) fn may_continue(&self, timeout: Millis) -> bool {
        self.kid_cut_short.is_some_and(|shorter| shorter < timeout)
    }

    /// Whether a caller waits for the fetch in flight longer than its leader.
    #[cfg(test)]
    pub(super) fn is_followed(&self) -> bool {
        self.in_flight.as_ref().is_some_and(|fetch| fetch.followed_until > 0)
    }

    /// When the request of this fetch was sent, if the fetch is still in flight.
    pub(crate) fn sent_at(&mut self, id: FetchId, now: Millis) -> Option<Millis> {
        self.expire(now);
        self.in_flight.as_ref().filter(|fetch| fetch.id == id).map(|fetch| fetch.sent_at)
    }

    /// Ends the fetch in flight. `jitter` in 0..1 spreads the backoff after a failure.
    pub(crate) fn end(&mut self, end: End, now: Millis, jitter: f64) {
        let Some(fetch) = self.in_flight.take() else { return };
        match end {
            End::Success => {
                self.failures = 0;
                self.backoff_until = 0;
                self.kid_missed = false;
                self.kid_cut_short = None;
            }
            // A follower has time left, and leads the next fetch: the same attempt, continued.
            End::TimedOut if now < fetch.followed_until => {
                if fetch.reason == Reason::UnknownKid {
                    self.kid_cut_short = Some(fetch.timeout);
                }
            }
            End::Failure | End::TimedOut => self.back_off(now, jitter),
        }
    }

    /// Ends the fetch in flight, which was not needed: neither a success nor a failure.
    pub(crate) fn cancel(&mut self) {
        self.in_flight = None;
    }

    /// A fetch that never ended is a failure, so that the backoff also protects an issuer that hangs.
    fn expire(&mut self, now: Millis) {
        if self.in_flight.as_ref().is_some_and(|fetch| now >= fetch.lease_until) {
            self.in_flight = None;
            self.back_off(now, 0.5);
        }
    }

    fn back_off(&mut self, now: Millis, jitter: f64) {
        let doubled = FIRST_BACKOFF << self.failures.min(6);
        let backoff = doubled.min(LONGEST_BACKOFF) as f64 * (0.75 + jitter / 2.0);
        self.failures = self.failures.saturating_add(1);
        self.backoff_until = now + backoff as Millis;
    }

    /// Whether the last fetch failed.
    pub(crate) fn failing(&self) -> bool {
        self.failures > 0
    }

    /// Remembers an unknown `kid`.
    pub(crate) fn miss_kid(&mut self) {
        self.kid_missed = true;
    }

    /// When the fetch for an unknown `kid` is due, if one was missed.
    pub(crate) fn kid_due_at(&self) -> Option<Millis> {
        self.kid_missed.then(|| self.kid_cooldown_until.max(self.backoff_until))
    }

    /// Whether a fetch is in flight.
    pub(crate) fn in_flight(&mut self, now: Millis) -> bool {
        self.expire(now);
        self.in_flight.is_some()
    }

    /// Why a fetch is due, given the freshness of the keys; it may have to wait for the backoff.
    pub(crate) fn due(&self, freshness: Option<Freshness>, now: Millis) -> Option<Reason> {
        match freshness {
            None | Some(Freshness::Expired) => Some(Reason::NoKeys),
            Some(Freshness::Stale | Freshness::RefreshAhead) => Some(Reason::Refresh),
            Some(Freshness::Fresh) => {
                (self.kid_missed && now >= self.kid_cooldown_until).then_some(Reason::UnknownKid)
            }
        }
    }

    /// When the next fetch may begin, given when the keys are due for a refresh. While a fetch is
    /// in flight: when it counts as lost.
    pub(crate) fn due_at(&mut self, refresh_at: Millis, now: Millis) -> Millis {
        self.expire(now);
        if let Some(fetch) = &self.in_flight {
            return fetch.lease_until;
        }
        let refresh_at = refresh_at.max(self.backoff_until);
        self.kid_due_at().map_or(refresh_at, |kid_due_at| refresh_at.min(kid_due_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Millis = 5_000;
    const LEASE: Millis = 10_000;

    /// Leads a fetch and returns its id.
    fn lead(state: &mut FetchState, reason: Reason, now: Millis) -> FetchId {
        lead_for(state, reason, now, TIMEOUT)
    }

    fn lead_for(state: &mut FetchState, reason: Reason, now: Millis, timeout: Millis) -> FetchId {
        assert_eq!(state.next(reason, now), Next::Lead, "{reason:?} at {now}");
        let id = FetchId(now + 1);
        state.lead(id, reason, now, timeout, LEASE);
        id
    }

    #[test]
    fn one_leads_and_the_others_follow() {
        let mut state = FetchState::default();
        let id = lead(&mut state, Reason::NoKeys, 0);
        for reason in [Reason::NoKeys, Reason::UnknownKid, Reason::Refresh, Reason::Explicit] {
            assert_eq!(state.next(reason, 5), Next::Follow(id));
        }
        assert_eq!(state.sent_at(id, 5), Some(0));
        state.end(End::Success, 6, 0.5);
        assert_eq!(state.sent_at(id, 6), None);
        lead(&mut state, Reason::Refresh, 7);
        assert_eq!(state.sent_at(id, 7), None, "another fetch is in flight");
    }

    #[test]
    fn backoff_doubles_up_to_a_minute() {
        let mut state = FetchState::default();
        let mut now = 0;
        for backoff in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            lead(&mut state, Reason::NoKeys, now);
            state.end(End::Failure, now, 0.5);
            assert!(state.failing());
            let until = now + backoff * 1_000;
            for reason in [Reason::NoKeys, Reason::UnknownKid, Reason::Refresh, Reason::Explicit] {
                assert_eq!(state.next(reason, until - 1), Next::BackOff(until));
            }
            now = until;
        }
        lead(&mut state, Reason::NoKeys, now);
        state.end(End::Success, now, 0.5);
        assert!(!state.failing());
        lead(&mut state, Reason::NoKeys, now);
        state.end(End::Failure, now, 0.5);
        assert_eq!(state.next(Reason::NoKeys, now), Next::BackOff(now + 1_000));
    }

    #[test]
    fn jitter_spreads_the_backoff_by_a_quarter() {
        for (jitter, backoff) in [(0.0, 750), (0.5, 1_000), (1.0, 1_250)] {
            let mut state = FetchState::default();
            lead(&mut state, Reason::NoKeys, 0);
            state.end(End::Failure, 0, jitter);
            assert_eq!(state.next(Reason::NoKeys, 0), Next::BackOff(backoff));
        }
    }

    #[test]
    fn an_unknown_kid_is_looked_up_once_in_thirty_seconds_counted_from_the_attempt() {
        let mut state = FetchState::default();
        lead(&mut state, Reason::UnknownKid, 1_000);
        state.end(End::Success, 6_000, 0.5);
        assert_eq!(state.next(Reason::UnknownKid, 30_999), Next::CoolDown(31_000));
        // Other reasons have no cooldown, and do not extend this one.
        lead(&mut state, Reason::Refresh, 30_998);
        state.end(End::Success, 30_998, 0.5);
        lead(&mut state, Reason::Explicit, 30_999);
        state.end(End::Success, 30_999, 0.5);
        lead(&mut state, Reason::UnknownKid, 31_000);
    }

    #[test]
    fn a_kid_missed_in_the_cooldown_is_due_at_its_end() {
        let mut state = FetchState::default();
        lead(&mut state, Reason::UnknownKid, 0);
        state.end(End::Success, 1_000, 0.5);
        assert_eq!(state.due_at(240_000, 1_000), 240_000);
        state.miss_kid();
        assert_eq!(state.kid_due_at(), Some(30_000));
        assert_eq!(state.due(Some(Freshness::Fresh), 29_999), None);
        assert_eq!(state.due_at(240_000, 2_000), 30_000);
        assert_eq!(state.due(Some(Freshness::Fresh), 30_000), Some(Reason::UnknownKid));
        lead(&mut state, Reason::UnknownKid, 30_000);
        state.end(End::Success, 30_000, 0.5);
        assert_eq!(state.due(Some(Freshness::Fresh), 90_000), None);
    }

    #[test]
    fn a_kid_that_could_not_be_looked_up_stays_due() {
        let mut state = FetchState::default();
        lead(&mut state, Reason::UnknownKid, 0);
        state.end(End::Failure, 0, 0.5);
        assert_eq!(state.due_at(240_000, 0), 30_000);
        // A refresh that succeeds has looked it up.
        lead(&mut state, Reason::Refresh, 1_000);
        state.end(End::Success, 1_000, 0.5);
        assert_eq!(state.due_at(240_000, 1_000), 240_000);
    }

    #[test]
    fn a_fetch_that_never_ends_is_lost_and_counts_as_a_failure() {
        let mut state = FetchState::default();
        let lost = lead(&mut state, Reason::NoKeys, 0);
        assert_eq!(state.next(Reason::NoKeys, LEASE - 1), Next::Follow(lost));
        assert_eq!(state.due_at(0, LEASE - 1), LEASE);
        assert_eq!(state.sent_at(lost, LEASE - 1), Some(0));
        assert_eq!(state.sent_at(lost, LEASE), None, "lost at the end of its lease");
        assert!(state.failing());
        assert_eq!(state.next(Reason::NoKeys, LEASE), Next::BackOff(LEASE + 1_000));
        let next = lead(&mut state, Reason::NoKeys, LEASE + 1_000);
        assert_eq!(state.sent_at(lost, LEASE + 1_001), None);
        assert_eq!(state.sent_at(next, LEASE + 1_001), Some(LEASE + 1_000));
    }

    #[test]
    fn the_shorter_timeout_of_a_leader_arms_no_backoff() {
        let mut state = FetchState::default();
        lead_for(&mut state, Reason::NoKeys, 0, 200);
        state.follow(5_000, 5_100);
        state.end(End::TimedOut, 200, 0.5);
        assert!(!state.failing());
        // The follower leads the next. Its own timeout is not shorter than that of its peers.
        lead_for(&mut state, Reason::NoKeys, 200, 5_000);
        state.follow(200, 400);
        state.follow(5_000, 9_000);
        state.end(End::TimedOut, 5_100, 0.5);
        assert!(state.failing());
    }

    #[test]
    fn a_timeout_backs_off_if_no_call_waits_longer() {
        let mut state = FetchState::default();
        lead_for(&mut state, Reason::NoKeys, 0, 200);
        state.end(End::TimedOut, 200, 0.5);
        assert!(state.failing());

        let mut state = FetchState::default();
        lead_for(&mut state, Reason::NoKeys, 0, 200);
        state.follow(5_000, 200);
        state.end(End::TimedOut, 200, 0.5);
        assert!(state.failing(), "the follower's time is up as well");

        let mut state = FetchState::default();
        lead_for(&mut state, Reason::NoKeys, 0, 200);
        state.follow(5_000, 5_000);
        state.end(End::Failure, 100, 0.5);
        assert!(state.failing(), "the issuer answered, and not with keys");
    }

    #[test]
    fn an_attempt_for_an_unknown_kid_is_continued_by_a_follower() {
        let mut state = FetchState::default();
        lead_for(&mut state, Reason::UnknownKid, 0, 200);
        state.follow(5_000, 5_000);
        state.end(End::TimedOut, 200, 0.5);
        assert!(!state.failing());
        assert_eq!(state.next(Reason::UnknownKid, 200), Next::CoolDown(30_000));
        assert!(state.may_continue(5_000));
        assert!(!state.may_continue(200), "its timeout has shown to be too short");
        state.lead(FetchId(7), Reason::UnknownKid, 200, 5_000, LEASE);
        state.follow(5_000, 9_000);
        state.end(End::TimedOut, 5_100, 0.5);
        assert!(state.failing() && !state.kid_cut_short());
        lead_for(&mut state, Reason::UnknownKid, 60_000, 5_000);
        state.end(End::Success, 60_000, 0.5);
        assert_eq!(state.next(Reason::UnknownKid, 60_300), Next::CoolDown(90_000));
        assert!(!state.may_continue(9_000), "it was looked up");
    }

    #[test]
    fn a_fetch_is_due_by_the_freshness_of_the_keys() {
        let mut state = FetchState::default();
        for (freshness, due) in [
            (None, Some(Reason::NoKeys)),
            (Some(Freshness::Expired), Some(Reason::NoKeys)),
            (Some(Freshness::Stale), Some(Reason::Refresh)),
            (Some(Freshness::RefreshAhead), Some(Reason::Refresh)),
            (Some(Freshness::Fresh), None),
        ] {
            assert_eq!(state.due(freshness, 0), due);
        }
        state.miss_kid();
        assert_eq!(state.due(Some(Freshness::Fresh), 0), Some(Reason::UnknownKid));
    }
}
