//! The life of a key set: when it is good, when it has to be fetched again, and by whom.
//!
//! Plain functions of a state, the time and an event. Nothing here opens a socket, takes a lock or
//! reads a clock, so every transition is tested with made-up times.

use crate::clock::Millis;

/// How long keys last when neither the operator nor the issuer says.
pub(crate) const LIFETIME: Millis = 300_000;
/// What an issuer may make of it with `Cache-Control: max-age` (RFC 9111 §5.2.2.1).
const SHORTEST: Millis = 60_000;
const LONGEST: Millis = 3_600_000;
/// How long keys stay in use after the last successful fetch, when nobody says.
pub(crate) const MAX_STALE: Millis = 24 * 3_600_000;
/// How long an unknown `kid` is not asked for again, counted from the last attempt.
pub(crate) const KID_COOLDOWN: Millis = 30_000;
/// The first and the longest pause after a failure; each is twice the one before.
const FIRST_PAUSE: Millis = 1_000;
const LONGEST_PAUSE: Millis = 60_000;

/// What a verifier asks of the age of keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// The operator's word on the lifetime; the issuer's counts only without it.
    pub(crate) lifetime: Option<Millis>,
    pub(crate) max_stale: Millis,
}

impl Policy {
    /// How long keys last for which the issuer said this.
    pub(crate) fn lifetime(&self, max_age: Option<Millis>) -> Millis {
        let told = max_age.map(|age| age.clamp(SHORTEST, LONGEST));
        self.lifetime.or(told).unwrap_or(LIFETIME)
    }
}

/// When a set was fetched, and what the issuer said of its lifetime.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Birth {
    /// When the request for it was sent.
    pub(crate) asked_at: Millis,
    pub(crate) max_age: Option<Millis>,
}

/// How old a set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Fresh,
    /// Good, but to be fetched again before it no longer is.
    Ahead,
    /// Past its lifetime: to be fetched again, but better than nothing.
    Expired,
    /// Too old to be used.
    Dead,
}

impl Birth {
    pub(crate) fn phase(&self, now: Millis, policy: &Policy) -> Phase {
        let age = now.saturating_sub(self.asked_at);
        if now < self.due_at(policy) {
            Phase::Fresh
        } else if age < policy.lifetime(self.max_age) {
            Phase::Ahead
        } else if age < policy.max_stale {
            Phase::Expired
        } else {
            Phase::Dead
        }
    }

    /// When the set is to be fetched again, so that nobody has to wait for it.
    pub(crate) fn due_at(&self, policy: &Policy) -> Millis {
        self.asked_at.saturating_add(policy.lifetime(self.max_age) / 5 * 4)
    }
}

/// Why somebody would have the keys fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// There are keys to go on with; newer ones are wanted.
    Renewal,
    /// Nothing can be said without keys.
    Keys,
    /// The keys at hand lack the one a token names.
    Kid,
    /// Somebody asked for a fetch in so many words.
    Order,
}

/// One fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// What somebody with a need is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Fetch the keys, then say how it [ended](Life::end).
    Fetch(Ticket),
    /// Somebody else is fetching them.
    Wait(Ticket),
    /// Go on without: there is no fetch before this time.
    Rest(Millis),
}

/// Who is fetching an issuer's keys, and when they may be fetched next.
#[derive(Debug, Default)]
pub(crate) struct Life {
    tickets: u64,
    fetching: Option<Fetching>,
    failures: u32,
    pause_until: Millis,
    kid_rests_until: Millis,
    /// Whether a token's key was missed by somebody who could not fetch.
    kid_missed: bool,
}

#[derive(Debug)]
struct Fetching {
    ticket: Ticket,
    since: Millis,
    /// When the fetch counts as lost.
    until: Millis,
}

impl Life {
    /// What somebody with this need is to do now. A fetch that is not ended after `options`
    /// counts as lost, and may be had by another.
    pub(crate) fn turn(&mut self, need: Need, now: Millis, options: Millis) -> Turn {
        match self.look(need, now) {
            Some(turn) => turn,
            None => {
                self.tickets += 1;
                let ticket = Ticket(self.tickets);
                self.fetching = Some(Fetching { ticket, since: now, until: now + options });
                self.kid_missed = false;
                if need == Need::Kid {
                    self.kid_rests_until = now + KID_COOLDOWN;
                }
                Turn::Fetch(ticket)
            }
        }
    }

    /// What there is to do but fetch; `None` when a fetch is due.
    pub(crate) fn look(&mut self, need: Need, now: Millis) -> Option<Turn> {
        self.expire(now);
        if let Some(fetching) = &self.fetching {
            return Some(Turn::Wait(fetching.ticket));
        }
        let rests_until = match need {
            Need::Kid => self.pause_until.max(self.kid_rests_until),
            Need::Renewal | Need::Keys | Need::Order => self.pause_until,
        };
        (now < rests_until).then_some(Turn::Rest(rests_until))
    }

    /// A fetch nobody ended in time is a failure, so that a hung host is not asked again and again.
    fn expire(&mut self, now: Millis) {
        if self.fetching.as_ref().is_some_and(|fetching| now >= fetching.until) {
            self.fetching = None;
            self.failed(now, 0.5);
        }
    }

    /// Whether this fetch is still the one whose result counts, and since when it runs.
    pub(crate) fn running(&mut self, ticket: Ticket, now: Millis) -> Option<Millis> {
        self.expire(now);
        self.fetching.as_ref().filter(|f| f.ticket == ticket).map(|f| f.since)
    }

    /// A fetch ended. `jitter` in 0..1 spreads the pause after a failure.
    pub(crate) fn end(&mut self, ticket: Ticket, now: Millis, good: bool, jitter: f64) {
        if self.running(ticket, now).is_none() {
            return;
        }
        self.fetching = None;
        if good {
            self.failures = 0;
            self.pause_until = 0;
        } else {
            self.failed(now, jitter);
        }
    }

    fn failed(&mut self, now: Millis, jitter: f64) {
        let doubled = FIRST_PAUSE << self.failures.min(6);
        let pause = doubled.min(LONGEST_PAUSE) as f64 * (0.75 + jitter / 2.0);
        self.failures = self.failures.saturating_add(1);
        self.pause_until = now + pause as Millis;
    }

    /// Whether the last fetch failed.
    pub(crate) fn failing(&self) -> bool {
        self.failures > 0
    }

    /// Before this time nobody fetches.
    pub(crate) fn paused_until(&self) -> Millis {
        self.pause_until
    }

    /// Remembers that a token's key was missed by somebody who does no I/O.
    pub(crate) fn miss_kid(&mut self) {
        self.kid_missed = true;
    }

    /// The need of a host that fetches by itself, given the age of what is at hand.
    pub(crate) fn host_need(&self, phase: Option<Phase>) -> Option<Need> {
        match phase {
            None | Some(Phase::Dead) => Some(Need::Keys),
            Some(Phase::Expired | Phase::Ahead) => Some(Need::Renewal),
            Some(Phase::Fresh) => self.kid_missed.then_some(Need::Kid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Millis = 10_000;
    const POLICY: Policy = Policy { lifetime: None, max_stale: MAX_STALE };

    fn phases(birth: Birth, policy: &Policy, ages: &[Millis]) -> Vec<Phase> {
        ages.iter().map(|age| birth.phase(birth.asked_at + age, policy)).collect()
    }

    fn fetch(life: &mut Life, need: Need, now: Millis) -> Ticket {
        match life.turn(need, now, PATIENCE) {
            Turn::Fetch(ticket) => ticket,
            other => panic!("{other:?} at {now}"),
        }
    }

    #[test]
    fn a_set_ages_by_its_lifetime() {
        let birth = Birth { asked_at: 5, max_age: None };
        assert_eq!(
            phases(birth, &POLICY, &[0, 239_999, 240_000, 299_999, 300_000, MAX_STALE]),
            [Phase::Fresh, Phase::Fresh, Phase::Ahead, Phase::Ahead, Phase::Expired, Phase::Dead]
        );
    }

    #[test]
    fn the_issuer_moves_the_lifetime_within_bounds() {
        let told = |max_age| Birth { asked_at: 0, max_age: Some(max_age) };
        assert_eq!(phases(told(0), &POLICY, &[59_999, 60_000]), [Phase::Ahead, Phase::Expired]);
        let day = told(86_400_000);
        assert_eq!(phases(day, &POLICY, &[3_599_999, 3_600_000]), [Phase::Ahead, Phase::Expired]);
        assert_eq!(
            phases(told(600_000), &POLICY, &[479_999, 480_000]),
            [Phase::Fresh, Phase::Ahead]
        );
    }

    #[test]
    fn the_operator_has_the_last_word() {
        let policy = Policy { lifetime: Some(10_000), max_stale: 0 };
        let birth = Birth { asked_at: 0, max_age: Some(600_000) };
        assert_eq!(
            phases(birth, &policy, &[7_999, 8_000, 9_999, 10_000]),
            [Phase::Fresh, Phase::Ahead, Phase::Ahead, Phase::Dead]
        );
    }

    #[test]
    fn one_fetches_and_the_others_wait() {
        let mut life = Life::default();
        let ticket = fetch(&mut life, Need::Keys, 0);
        for need in [Need::Keys, Need::Kid, Need::Renewal, Need::Order] {
            assert_eq!(life.turn(need, 5, PATIENCE), Turn::Wait(ticket));
        }
        assert_eq!(life.running(ticket, 5), Some(0));
        life.end(ticket, 6, true, 0.5);
        assert_eq!(life.running(ticket, 6), None);
        fetch(&mut life, Need::Renewal, 7);
    }

    #[test]
    fn failures_are_paused_for_longer_and_longer() {
        let mut life = Life::default();
        let mut now = 0;
        for pause in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let ticket = fetch(&mut life, Need::Keys, now);
            life.end(ticket, now, false, 0.5);
            assert!(life.failing());
            let until = now + pause * 1_000;
            assert_eq!(life.turn(Need::Keys, until - 1, PATIENCE), Turn::Rest(until));
            assert_eq!(life.turn(Need::Kid, until - 1, PATIENCE), Turn::Rest(until));
            assert_eq!(life.look(Need::Renewal, until - 1), Some(Turn::Rest(until)));
            assert_eq!(life.look(Need::Renewal, until), None);
            now = until;
        }
        let ticket = fetch(&mut life, Need::Keys, now);
        life.end(ticket, now, true, 0.5);
        assert!(!life.failing());
        let ticket = fetch(&mut life, Need::Keys, now);
        life.end(ticket, now, false, 0.5);
        assert_eq!(life.turn(Need::Keys, now, PATIENCE), Turn::Rest(now + 1_000));
    }

    #[test]
    fn jitter_spreads_the_pause_by_a_quarter() {
        for (jitter, pause) in [(0.0, 750), (0.5, 1_000), (1.0, 1_250)] {
            let mut life = Life::default();
            let ticket = fetch(&mut life, Need::Keys, 0);
            life.end(ticket, 0, false, jitter);
            assert_eq!(life.turn(Need::Keys, 0, PATIENCE), Turn::Rest(pause));
        }
    }

    #[test]
    fn an_unknown_kid_is_asked_for_once_in_thirty_seconds_counted_from_the_attempt() {
        let mut life = Life::default();
        let ticket = fetch(&mut life, Need::Kid, 1_000);
        life.end(ticket, 6_000, true, 0.5);
        assert_eq!(life.turn(Need::Kid, 30_999, PATIENCE), Turn::Rest(31_000));
        let renewal = fetch(&mut life, Need::Renewal, 30_999);
        life.end(renewal, 30_999, true, 0.5);
        fetch(&mut life, Need::Kid, 31_000);
    }

    #[test]
    fn a_fetch_that_nobody_ends_is_lost_and_counts_as_a_failure() {
        let mut life = Life::default();
        let lost = fetch(&mut life, Need::Keys, 0);
        assert_eq!(life.turn(Need::Keys, PATIENCE - 1, PATIENCE), Turn::Wait(lost));
        assert_eq!(life.turn(Need::Keys, PATIENCE, PATIENCE), Turn::Rest(PATIENCE + 1_000));
        let next = fetch(&mut life, Need::Keys, PATIENCE + 1_000);
        life.end(lost, PATIENCE + 1_001, true, 0.5);
        assert_eq!(life.running(next, PATIENCE + 1_001), Some(PATIENCE + 1_000));
        assert!(life.failing());
    }

    #[test]
    fn what_comes_too_late_is_late_whoever_looked_meanwhile() {
        let mut life = Life::default();
        let late = fetch(&mut life, Need::Keys, 0);
        assert_eq!(life.running(late, PATIENCE - 1), Some(0));
        assert_eq!(life.running(late, PATIENCE), None);
        assert!(life.failing());
    }

    #[test]
    fn a_host_fetches_what_is_due() {
        let mut life = Life::default();
        assert_eq!(life.host_need(None), Some(Need::Keys));
        assert_eq!(life.host_need(Some(Phase::Dead)), Some(Need::Keys));
        assert_eq!(life.host_need(Some(Phase::Ahead)), Some(Need::Renewal));
        assert_eq!(life.host_need(Some(Phase::Expired)), Some(Need::Renewal));
        assert_eq!(life.host_need(Some(Phase::Fresh)), None);
        life.miss_kid();
        assert_eq!(life.host_need(Some(Phase::Fresh)), Some(Need::Kid));
        fetch(&mut life, Need::Kid, 0);
        assert_eq!(life.host_need(Some(Phase::Fresh)), None);
    }
}
