//! Revocations: tokens of a user, issued at or before a moment, that are refused before they expire.
//!
//! A token is refused if one of three lists revokes it: calls, JSON, or a file. Each is replaced only
//! by itself, so that reading the file again never lifts a ban by a call. A verification reads them without a lock.

mod calls;
mod file;
mod json;
mod list;
mod registry;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use calls::Calls;
use list::{List, User};
use once_cell::race::OnceBox;
use serde_json::json;
pub(crate) use watch::FileStats;
use watch::{Outdated, Terms, WatchedFile};

use super::REVOKE_ALL;
use super::options::VerifierOptions;
use super::verified::{Field, Verified};
use crate::clock::{Clock, Millis, monotonic};
use crate::error::{Error, Result, Status};
use crate::keys::Call;

/// The most entries of each list.
const MAX_ENTRIES: usize = 100_000;
const FULL: &str = "more than 100000 entries";

/// How far ahead a time may be, in seconds.
const DAY: i64 = 86_400;

/// The revocations of one verifier.
pub(super) struct Revocations {
    /// Made by the first call that revokes.
    lists: OnceBox<Lists>,
    file: Option<Arc<WatchedFile>>,
    clock: Clock,
    leeway: i64,
    /// In seconds; 0 for no limit.
    max_lifetime: i64,
    /// Whether a thread may be started to check the file.
    background: bool,
    timeout: Duration,
}

struct Lists {
    calls: Calls,
    json: ArcSwapOption<List>,
}

/// Statistics of revocations.
pub(crate) struct RevocationStats {
    /// Entries of all lists.
    pub(crate) entries: usize,
    pub(crate) file: Option<FileStats>,
}

impl Revocations {
    /// Reads the file, if one is configured.
    pub(super) fn new(options: &VerifierOptions) -> Result<Self> {
        let mut revocations = Revocations {
            lists: OnceBox::new(),
            file: None,
            clock: options.clock.clone(),
            leeway: options.leeway,
            max_lifetime: options.max_lifetime,
            background: options.background,
            timeout: options.timeout,
        };
        if let Some(path) = &options.revocations_file {
            let refuse = |why: String| {
                let text = format!("revocations file `{}`: {why}", path.display());
                Error::text(Status::InvalidConfig, text)
            };
            let file = registry::shared(path).map_err(|error| refuse(error.to_string()))?;
            file.check(&revocations.blocking(), revocations.clock.now()).map_err(refuse)?;
            revocations.file = Some(file);
        }
        Ok(revocations)
    }

    /// Refuses a token that is revoked. Costs two loads while there are no revocations. `now` is read
    /// after the call has its keys, for which it may have waited.
    pub(super) fn check(&self, verified: &Verified, call: &Call<'_>, now: Millis) -> Result<()> {
        if let Some(lists) = self.lists.get() {
            self.refuse(verified, |user| lists.calls.find(user).max(lists.json_entry(user)))?;
        }
        let Some(file) = &self.file else { return Ok(()) };
        let terms = self.terms(call.started(), now, call.may_wait());
        file.keep_current(&terms, || self.clock.now())
            .map_err(|outdated| self.outdated(&outdated).of_issuer(&verified.issuer.name))?;
        self.refuse(verified, |user| file.find(user))
    }

    /// Refuses a token if `find` has a time at or after its `iat`, for the user or for the actor.
    fn refuse(&self, verified: &Verified, find: impl Fn(User<'_>) -> Option<i64>) -> Result<()> {
        let issued_at = verified.times.issued_at;
        let users = [("claim `sub`", Field::UserId), ("claim `act`", Field::ActorId)];
        for (claim, field) in users {
            let Some(user) = verified.str(field) else { continue };
            let before = find(User::new(user));
            if before.is_some_and(|before| issued_at <= before.saturating_add(self.leeway)) {
                let why = "the tokens of this user were revoked after `iat`";
                return Err(Error::fixed(Status::TokenRevoked, claim, why));
            }
        }
        Ok(())
    }

    fn outdated(&self, outdated: &Outdated) -> Error {
        let subject = "revocations file";
        match outdated {
            Outdated::Pending => {
                let why = "must be checked first; this call performs no I/O";
                Error::fixed(Status::KeysPending, subject, why)
            }
            Outdated::TimedOut => {
                let why = format!("{subject}: not read within {} ms", self.timeout.as_millis());
                Error::text(Status::KeysUnavailable, why).after(1)
            }
        }
    }

    /// Refuses the tokens of a user issued at or before a Unix time.
    pub(super) fn revoke(&self, user: &str, before: i64) -> Result<()> {
        let now = self.clock.now();
        check_user(user).map_err(|why| Error::argument("user_id", why))?;
        check_before(before, now).map_err(|why| Error::argument("issued_before", why))?;
        // A day after the last token it could revoke, since a clock may be ahead for a moment.
        let ends_at = match self.max_lifetime {
            0 => i64::MAX,
            max => before.saturating_add(max).saturating_add(2 * self.leeway + DAY),
        };
        let room = self.lists().calls.insert(User::new(user), before, ends_at, now);
        room.then_some(()).ok_or(Error::argument("revocations", FULL))
    }

    /// Replaces the list that an earlier call of this function set.
    pub(super) fn set_json(&self, json: &[u8]) -> Result<()> {
        let list = json::parse(json, self.clock.now())
            .map_err(|why| Error::text(Status::InvalidArgument, format!("json: {why}")))?;
        self.lists().json.store((list.len() > 0).then(|| Arc::new(list)));
        Ok(())
    }

    fn lists(&self) -> &Lists {
        // `OnceBox` never blocks, so a child of `fork` cannot hang here.
        let make = || Lists { calls: Calls::new(), json: ArcSwapOption::empty() };
        self.lists.get_or_init(|| Box::new(make()))
    }

    /// Checks the file now, on this thread.
    pub(super) fn refresh(&self) {
        if let Some(file) = &self.file {
            // A file that cannot be used is counted, and the list stays.
            let _ = file.check(&self.blocking(), self.clock.now());
        }
    }

    /// Checks the file if that is due, on this thread, or waits for the thread that does.
    pub(super) fn refresh_due(&self) {
        if let Some(file) = &self.file {
            file.check_if_due(&self.blocking(), self.clock.now());
        }
    }

    /// Milliseconds until a check of the file is due; `None` without a file.
    pub(super) fn due_in(&self) -> Option<u64> {
        Some(self.file.as_ref()?.due_in())
    }

    pub(super) fn stats(&self) -> RevocationStats {
        let file = self.file.as_ref().map(|file| file.stats());
        let in_file = file.as_ref().map_or(0, |file| file.entries);
        let others = self.lists.get().map_or(0, |lists| lists.len(self.clock.now()));
        RevocationStats { entries: in_file + others, file }
    }

    fn blocking(&self) -> Terms {
        let now = monotonic();
        self.terms(now, now, true)
    }

    fn terms(&self, started: Millis, now: Millis, may_wait: bool) -> Terms {
        Terms { started, now, may_wait, background: self.background, timeout: self.timeout }
    }
}

impl Lists {
    fn json_entry(&self, user: User<'_>) -> Option<i64> {
        self.json.load().as_ref()?.find(user)
    }

    fn len(&self, now: i64) -> usize {
        self.calls.len(now) + self.json.load().as_ref().map_or(0, |list| list.len())
    }
}

impl RevocationStats {
    pub(super) fn to_json(&self) -> serde_json::Value {
        let file = self.file.as_ref().map(|file| {
            json!({
                "entries": file.entries,
                "last_check": file.last_check,
                "reads": file.reads,
                "failures": file.failures,
                "last_error": file.last_error,
            })
        });
        json!({ "entries": self.entries, "file": file })
    }
}

fn check_user(user: &str) -> std::result::Result<(), &'static str> {
    match user {
        "" => Err("an empty user id"),
        user if user.contains('\0') => Err("a user id with U+0000"),
        _ => Ok(()),
    }
}

fn check_before(before: i64, now: i64) -> std::result::Result<(), &'static str> {
    if before == REVOKE_ALL {
        Ok(())
    } else if before < 0 {
        Err("a negative time (expected Unix seconds)")
    } else if before > now.saturating_add(DAY) {
        Err("a time more than a day ahead (expected Unix seconds)")
    } else {
        Ok(())
    }
}
