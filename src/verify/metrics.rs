//! The metrics of a verifier.
//!
//! Labels have few values: a status or an outcome. An issuer can name a tenant, so its URL is a label
//! only where the operator asks for it; otherwise a metric combines the issuers.

use std::collections::BTreeSet;

use super::Verifier;
use super::report::{IssuerReport, Report};
use crate::error::Status;
use crate::keys::{CacheDirStats, KeyStats};

/// A metric, with its samples.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricFamily {
    /// The name, as in `torii_key_age_seconds`; of a counter without `_total`.
    pub name: &'static str,
    /// Counter or gauge.
    pub kind: MetricKind,
    /// How values of several issuers, and of several verifiers, become one.
    pub sum: MetricSum,
    /// The label by which samples are divided, besides `issuer`.
    pub label: Option<&'static str>,
    /// A sentence about it.
    pub help: &'static str,
    /// The values, in a fixed order.
    pub samples: Vec<MetricSample>,
}

/// A value of a metric.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MetricSample {
    /// Names and values of the labels.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: f64,
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// How several values of a metric become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricSum {
    /// Their sum.
    Sum,
    /// The highest.
    Max,
    /// The lowest.
    Min,
}

impl MetricSum {
    /// Returns what two values become.
    pub fn of(self, a: f64, b: f64) -> f64 {
        match self {
            MetricSum::Sum => a + b,
            MetricSum::Max => a.max(b),
            MetricSum::Min => a.min(b),
        }
    }
}

impl Verifier {
    /// Returns the metrics as values: what [`metrics`](Self::metrics) writes.
    pub fn metric_families(&self) -> Vec<MetricFamily> {
        let report = self.report();
        let mut families = token_families(&report);
        let issuers = Issuers { issuers: &report.issuers, label: self.metrics_issuer_label };
        families.extend(issuers.families());
        families.extend(option_families(&report, self.fixed_base));
        families
    }
}

/// The metrics of options that are off by default; without the option they have no sample.
fn option_families(report: &Report, fixed_base: bool) -> Vec<MetricFamily> {
    let mut builds = by_outcome(
        "torii_key_table_builds",
        "Tables of multiples of a key, of the process; failure: not used, or no longer.",
    );
    if fixed_base {
        builds.add("success", report.tables.built);
        builds.add("failure", report.tables.discarded);
    }
    let file = report.revocations.file.as_ref();
    let mut reads =
        by_outcome("torii_revocations_file_reads", "Reads of the revocations file, by outcome.");
    let mut failing = gauge(
        "torii_revocations_file_failing",
        MetricSum::Max,
        "1 if the last check of the revocations file failed.",
    );
    if let Some(file) = file {
        reads.add("success", file.reads);
        reads.add("failure", file.failures);
        failing = failing.with(u64::from(file.last_error.is_some()));
    }
    let revocations =
        gauge("torii_revocations", MetricSum::Max, "Entries of the lists of revocations.");
    vec![builds, revocations.with(report.revocations.entries as u64), reads, failing]
}

fn token_families(report: &Report) -> Vec<MetricFamily> {
    let statuses = Status::ALL.iter().map(|status| (*status, report.count(*status)));
    // A series that is there from the start has its first increase counted.
    let expected =
        |status: Status| status == Status::Ok || matches!(status.http(), 401 | 403 | 503);
    let statuses = statuses.filter(|(status, count)| expected(*status) || *count > 0);
    let mut tokens =
        counter("torii_tokens", "Verifications of tokens by the status they ended with.");
    tokens.label = Some("status");
    tokens.samples = statuses
        .map(|(status, count)| sample(vec![("status", status.name().to_owned())], count as f64))
        .collect();
    vec![
        tokens,
        counter("torii_token_cache_hits", "Accepted tokens that were in the token cache.")
            .with(report.hits),
        gauge("torii_token_cache_entries", MetricSum::Sum, "Tokens in the token cache.")
            .with(report.cached_tokens as u64),
        gauge("torii_token_cache_bytes", MetricSum::Sum, "Memory that the token cache takes.")
            .with(report.cache_bytes),
    ]
}

/// The metrics of the issuers' keys.
struct Issuers<'a> {
    issuers: &'a [IssuerReport],
    label: bool,
}

impl Issuers<'_> {
    fn families(&self) -> Vec<MetricFamily> {
        let count = |name, help, value: fn(&KeyStats) -> u64| {
            let family = gauge(name, MetricSum::Sum, help);
            self.of(family, |keys| Some(value(keys) as f64))
        };
        let mut fetches =
            by_outcome("torii_key_fetches", "Key fetches of the process that ended, by outcome.");
        self.add(&mut fetches, Some("success"), |keys| {
            Some(keys.fetches.saturating_sub(keys.failures) as f64)
        });
        self.add(&mut fetches, Some("failure"), |keys| Some(keys.failures as f64));
        let age = "Time since the keys in use were requested; of the oldest keys.";
        let due = "Time until a key fetch is due; of the first one.";
        let since = "Time since the last successful key fetch; of the issuer where it is longest.";
        let failing =
            "Issuers whose file in the key cache directory was last ignored or not written.";
        vec![
            count("torii_issuers", "Configured issuers.", |_| 1),
            count(
                "torii_issuers_without_keys",
                "Issuers without keys, whose tokens cannot be verified.",
                |keys| u64::from(keys.keys == 0),
            ),
            count("torii_issuers_failing", "Issuers whose last key fetch failed.", |keys| {
                u64::from(keys.last_error.is_some())
            }),
            count("torii_keys", "Usable keys.", |keys| keys.keys as u64),
            count("torii_keys_skipped", "Published keys that are not usable.", |keys| {
                keys.skipped as u64
            }),
            fetches,
            self.of(gauge("torii_key_age_seconds", MetricSum::Max, age), |keys| {
                keys.age.map(|age| age as f64)
            }),
            self.of(gauge("torii_key_due_seconds", MetricSum::Min, due), |keys| {
                keys.due_in.map(|due_in| due_in as f64 / 1_000.0)
            }),
            self.of(gauge("torii_key_last_success_age_seconds", MetricSum::Max, since), |keys| {
                keys.last_success.map(|since| since as f64)
            }),
            self.cache_events(),
            self.of(gauge("torii_key_cache_failing", MetricSum::Sum, failing), |keys| {
                Some(f64::from(keys.cache_dir.as_ref()?.last_error.is_some()))
            }),
        ]
    }

    /// Files are ignored for few reasons, each of which is an outcome once it occurred.
    fn cache_events(&self) -> MetricFamily {
        let help = "Uses of files in the key cache directory, by the process.";
        let mut events = by_outcome("torii_key_cache_events", help);
        let mut add = |outcome, count: fn(&CacheDirStats) -> u64| {
            let value = |keys: &KeyStats| Some(count(keys.cache_dir.as_ref()?) as f64);
            self.add(&mut events, Some(outcome), value);
        };
        add("loaded", |events| events.loaded);
        add("written", |events| events.written);
        add("failed", |events| events.failed);
        let directories = self.issuers.iter().filter_map(|issuer| issuer.keys.cache_dir.as_ref());
        let reasons: BTreeSet<_> =
            directories.flat_map(|dir| dir.ignored.keys().copied()).collect();
        for reason in reasons {
            self.add(&mut events, Some(&format!("ignored_{reason}")), |keys| {
                Some(*keys.cache_dir.as_ref()?.ignored.get(reason)? as f64)
            });
        }
        events
    }

    fn of(
        &self,
        mut family: MetricFamily,
        value: impl Fn(&KeyStats) -> Option<f64>,
    ) -> MetricFamily {
        self.add(&mut family, None, value);
        family
    }

    /// Adds a sample for each issuer that has the value, or one that combines them.
    fn add(
        &self,
        family: &mut MetricFamily,
        outcome: Option<&str>,
        value: impl Fn(&KeyStats) -> Option<f64>,
    ) {
        let outcome = outcome.map(|outcome| ("outcome", outcome.to_owned()));
        let values = self.issuers.iter().filter_map(|issuer| Some((issuer, value(&issuer.keys)?)));
        if self.label {
            family.samples.extend(values.map(|(issuer, value)| {
                let issuer = ("issuer", issuer.name.as_str().to_owned());
                sample([issuer].into_iter().chain(outcome.clone()).collect(), value)
            }));
        } else if let Some(combined) = values.map(|(_, v)| v).reduce(|a, b| family.sum.of(a, b)) {
            family.samples.push(sample(outcome.into_iter().collect(), combined));
        }
    }
}

impl MetricFamily {
    fn add(&mut self, outcome: &str, value: u64) {
        self.samples.push(sample(vec![("outcome", outcome.to_owned())], value as f64));
    }

    fn with(mut self, value: u64) -> Self {
        self.samples.push(sample(Vec::new(), value as f64));
        self
    }
}

fn counter(name: &'static str, help: &'static str) -> MetricFamily {
    let (kind, sum) = (MetricKind::Counter, MetricSum::Sum);
    MetricFamily { name, kind, sum, label: None, help, samples: Vec::new() }
}

fn by_outcome(name: &'static str, help: &'static str) -> MetricFamily {
    MetricFamily { label: Some("outcome"), ..counter(name, help) }
}

fn gauge(name: &'static str, sum: MetricSum, help: &'static str) -> MetricFamily {
    MetricFamily { name, kind: MetricKind::Gauge, sum, label: None, help, samples: Vec::new() }
}

fn sample(labels: Vec<(&'static str, String)>, value: f64) -> MetricSample {
    MetricSample { labels, value }
}

impl Report {
    fn count(&self, status: Status) -> u64 {
        if status == Status::Ok {
            return self.accepted;
        }
        let counted = self.refused.iter().find(|(refused, _)| *refused == status);
        counted.map_or(0, |(_, count)| *count)
    }
}
