//! `torii keys --watch`.

use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use torii::VerifierOptions;
use torii::inspect::{self, IssuerReport, KeyCacheReport, KeyCacheState, KeyReport};

use crate::failure::{Class, Failure};
use crate::key_facts::{cache_json, cache_text, lifetime, why_unfetched};
use crate::show;
use crate::terminal::{Style, escape, line, styled};

/// Options of --watch.
#[derive(Args)]
pub(crate) struct Watching {
    /// Time between two fetches of --watch, in seconds, 0 to 86400
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "watch", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    interval: u32,
    /// End after this many fetches of --watch. The exit status is that of the last one
    #[arg(long, value_name = "NUMBER", requires = "watch", value_parser = clap::value_parser!(u32).range(1..))]
    count: Option<u32>,
}

impl Watching {
    pub(crate) fn run(
        &self,
        issuer: &str,
        options: &VerifierOptions,
        json: bool,
    ) -> Result<(), Failure> {
        let mut seen = Seen::default();
        let mut done = 0;
        loop {
            let report = inspect::issuer(issuer, options)?;
            let cache = inspect::key_cache(issuer, options)?;
            let now = show::now();
            for event in seen.compare(&report, cache.as_ref(), now) {
                line(&if json { event.json(now) } else { event.text(now) })?;
            }
            done += 1;
            if self.count == Some(done) {
                return seen.error.map_or(Ok(()), |why| Err(Failure::new(Class::Keys, why)));
            }
            thread::sleep(Duration::from_secs(u64::from(self.interval)));
        }
    }
}

/// The state after the fetches so far.
#[derive(Default)]
struct Seen {
    /// The name and the state of each key, of the last fetch that brought a key set.
    keys: Vec<(String, Option<&'static str>)>,
    last_success: Option<i64>,
    /// Why the last fetch failed, if it did.
    error: Option<String>,
    cache: Option<CacheSeen>,
}

/// The state of the file in the key cache directory; a change is worth a line.
#[derive(PartialEq, Eq)]
enum CacheSeen {
    Missing,
    Ignored(String),
    /// When the keys were fetched, in Unix seconds.
    Used(i64),
}

/// A change, worth a line.
enum Event {
    /// The first key set, or the first after an error.
    Fetched {
        usable: usize,
        all: usize,
        age: u64,
        lifetime: String,
    },
    Added(String, Option<&'static str>),
    Removed(String),
    Changed(String, Option<&'static str>),
    Error {
        why: String,
        last_success: Option<i64>,
    },
    Cache {
        text: String,
        json: Value,
        ignored: bool,
    },
}

impl Seen {
    fn compare(
        &mut self,
        report: &IssuerReport,
        cache: Option<&KeyCacheReport>,
        now: i64,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        match unusable(report) {
            Some(why) => {
                if self.error.as_ref() != Some(&why) {
                    let last_success = self.last_success;
                    events.push(Event::Error { why: why.clone(), last_success });
                }
                self.error = Some(why);
            }
            None => self.compare_keys(report, now, &mut events),
        }
        if let Some(cache) = cache {
            self.compare_cache(cache, now, &mut events);
        }
        events
    }

    fn compare_keys(&mut self, report: &IssuerReport, now: i64, events: &mut Vec<Event>) {
        let Some(set) = &report.key_set else { return };
        if self.error.take().is_some() || self.last_success.is_none() {
            events.push(Event::Fetched {
                usable: set.usable(),
                all: set.keys.len(),
                age: report.visit.age(),
                lifetime: lifetime(report),
            });
        }
        self.last_success = Some(now);
        let keys: Vec<_> = set.keys.iter().map(|key| (name(key), key.skipped)).collect();
        for (kid, state) in &keys {
            match self.keys.iter().find(|(known, _)| known == kid) {
                None => events.push(Event::Added(kid.clone(), *state)),
                Some((_, before)) if before != state => {
                    events.push(Event::Changed(kid.clone(), *state));
                }
                Some(_) => {}
            }
        }
        for (kid, _) in &self.keys {
            if !keys.iter().any(|(known, _)| known == kid) {
                events.push(Event::Removed(kid.clone()));
            }
        }
        self.keys = keys;
    }

    fn compare_cache(&mut self, report: &KeyCacheReport, now: i64, events: &mut Vec<Event>) {
        let state = match &report.state {
            KeyCacheState::Missing => CacheSeen::Missing,
            KeyCacheState::Ignored(why) => CacheSeen::Ignored(why.clone()),
            KeyCacheState::Used { age, .. } => CacheSeen::Used(
                now.saturating_sub(i64::try_from(age.as_secs()).unwrap_or(i64::MAX)),
            ),
        };
        let same = match (&self.cache, &state) {
            // Both are rounded.
            (Some(CacheSeen::Used(before)), CacheSeen::Used(after)) => before.abs_diff(*after) <= 1,
            (before, after) => before.as_ref() == Some(after),
        };
        if !same {
            events.push(Event::Cache {
                text: cache_text(report),
                json: cache_json(report),
                ignored: matches!(state, CacheSeen::Ignored(_)),
            });
            self.cache = Some(state);
        }
    }
}

/// Why the fetch brought no usable key, if it did not.
fn unusable(report: &IssuerReport) -> Option<String> {
    let Some(set) = &report.key_set else { return Some(why_unfetched(&report.visit)) };
    set.refused.map(|why| format!("{}: not a usable key set: {why}", report.visit.url))
}

fn name(key: &KeyReport) -> String {
    key.kid.clone().unwrap_or_else(|| "a key without `kid`".to_owned())
}

impl Event {
    fn text(&self, now: i64) -> String {
        let state = |skipped: &Option<&str>| match skipped {
            None => styled(Style::Success, "used"),
            Some(why) => styled(Style::Warning, &format!("skipped: {why}")),
        };
        let text = match self {
            Event::Fetched { usable, all, age, lifetime } => {
                format!("keys       {usable} of {all} usable, age {age} s, lifetime {lifetime}")
            }
            Event::Added(kid, skipped) => format!("added      {}  {}", escape(kid), state(skipped)),
            Event::Removed(kid) => format!("removed    {}", escape(kid)),
            Event::Changed(kid, skipped) => {
                format!("changed    {}  {}", escape(kid), state(skipped))
            }
            Event::Error { why, last_success } => {
                let since = last_success.map_or("no fetch succeeded yet".to_owned(), |at| {
                    format!("the last fetch that succeeded was {} ago", show::span(now - at))
                });
                format!("{}      {}; {since}", styled(Style::Error, "error"), escape(why))
            }
            Event::Cache { text, ignored, .. } => {
                let style = if *ignored { Style::Warning } else { Style::Dim };
                format!("{}  {}", styled(style, "key cache"), escape(text))
            }
        };
        format!("{}  {text}", styled(Style::Dim, &show::timestamp(now)))
    }

    fn json(&self, now: i64) -> String {
        let mut event = match self {
            Event::Fetched { usable, all, age, lifetime } => {
                json!({ "event": "keys", "usable": usable, "published": all, "age": age, "lifetime": lifetime })
            }
            Event::Added(kid, skipped) => {
                json!({ "event": "added", "kid": kid, "skipped": skipped })
            }
            Event::Removed(kid) => json!({ "event": "removed", "kid": kid }),
            Event::Changed(kid, skipped) => {
                json!({ "event": "changed", "kid": kid, "skipped": skipped })
            }
            Event::Error { why, last_success } => {
                json!({ "event": "error", "why": why, "lastSuccess": last_success })
            }
            Event::Cache { json, .. } => json!({ "event": "keyCache", "keyCache": json }),
        };
        if let Some(members) = event.as_object_mut() {
            members.insert("time".to_owned(), now.into());
        }
        event.to_string()
    }
}
