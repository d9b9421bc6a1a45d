//! Facts about an issuer's keys, as `torii keys` prints them once and with `--watch`.

use serde_json::{Value, json};
use torii::inspect::{IssuerReport, KeyCacheReport, KeyCacheState, Outcome, Visit};

/// Why there is no key set.
pub(crate) fn why_unfetched(visit: &Visit) -> String {
    let why = match &visit.outcome {
        Outcome::Answered { http_status, .. } => format!("HTTP status {http_status}"),
        Outcome::NotConnected(why) | Outcome::NoAnswer(why) => why.clone(),
    };
    format!("cannot fetch keys from {}: {why}", visit.url)
}

/// The state of the file in the key cache directory.
pub(crate) fn cache_text(report: &KeyCacheReport) -> String {
    let file = report.file.display();
    match &report.state {
        KeyCacheState::Missing => format!("no file {file}"),
        KeyCacheState::Ignored(why) => format!("ignored: {why}"),
        KeyCacheState::Used { age, lifetime, max_stale, key_set } => {
            let (usable, all) = (key_set.usable(), key_set.keys.len());
            let use_of_it = if age < lifetime {
                "used without a fetch"
            } else if age < max_stale {
                "used only while the issuer is unreachable"
            } else {
                "too old to be used"
            };
            let (age, lifetime) = (age.as_secs(), lifetime.as_secs());
            format!(
                "{usable} of {all} usable, {age} s old, lifetime {lifetime} s, {use_of_it}: {file}"
            )
        }
    }
}

pub(crate) fn cache_json(report: &KeyCacheReport) -> Value {
    let file = report.file.display().to_string();
    match &report.state {
        KeyCacheState::Missing => json!({ "file": file, "state": "missing" }),
        KeyCacheState::Ignored(why) => json!({ "file": file, "state": "ignored", "why": why }),
        KeyCacheState::Used { age, lifetime, max_stale, key_set } => json!({
            "file": file,
            "state": "used",
            "age": age.as_secs(),
            "lifetime": lifetime.as_secs(),
            "maxStale": max_stale.as_secs(),
            "usable": key_set.usable(),
        }),
    }
}

/// How long the keys are used, and why.
pub(crate) fn lifetime(report: &IssuerReport) -> String {
    let seconds = report.lifetime.as_secs();
    match report.max_age {
        None => format!("{seconds} s (the issuer sends no max-age)"),
        Some(max_age) if max_age == seconds => format!("{seconds} s (the issuer's max-age)"),
        Some(max_age) => format!("{seconds} s (the issuer's max-age of {max_age} s is limited)"),
    }
}
