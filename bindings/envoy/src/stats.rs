//! Envoy statistics.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

use torii::{MetricFamily, MetricKind, Verifier};

use crate::host::Host;

/// A counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Requests let through with an identity.
    Accepted,
    /// Requests let through without one, where that is allowed.
    Anonymous,
    /// Requests answered by the filter, by reason.
    Refused,
    /// Requests that had to wait for keys.
    Parked,
    /// Fetches of keys that ended.
    Fetches,
    /// Those that failed.
    FetchFailures,
}

impl Counter {
    /// All counters, in the order of their numbers.
    pub const ALL: [Counter; 6] = [
        Counter::Accepted,
        Counter::Anonymous,
        Counter::Refused,
        Counter::Parked,
        Counter::Fetches,
        Counter::FetchFailures,
    ];

    /// The name of the statistic.
    pub fn name(self) -> &'static str {
        match self {
            Counter::Accepted => "torii_accepted",
            Counter::Anonymous => "torii_anonymous",
            Counter::Refused => "torii_refused",
            Counter::Parked => "torii_parked",
            Counter::Fetches => "torii_key_fetches",
            Counter::FetchFailures => "torii_key_fetch_failures",
        }
    }

    /// The tag by which it is divided.
    pub fn tag(self) -> Option<&'static str> {
        (self == Counter::Refused).then_some("reason")
    }
}

/// Envoy's numbers of the counters.
#[derive(Debug)]
pub struct Counters([usize; Counter::ALL.len()]);

impl Counters {
    /// Has each counter made known to Envoy by `define`, which takes its name and tag.
    pub fn define(
        mut define: impl FnMut(&str, Option<&str>) -> Option<usize>,
    ) -> Result<Self, String> {
        let mut ids = [0; Counter::ALL.len()];
        for (id, counter) in ids.iter_mut().zip(Counter::ALL) {
            let name = counter.name();
            *id = define(name, counter.tag()).ok_or(format!("Envoy refuses the counter {name}"))?;
        }
        Ok(Counters(ids))
    }

    /// Envoy's number of the counter.
    pub fn id(&self, counter: Counter) -> Option<usize> {
        self.0.get(counter as usize).copied()
    }
}

/// The library's metrics, which requests tell Envoy under the same names.
#[derive(Debug)]
pub struct Metrics {
    /// Envoy's numbers.
    ids: HashMap<&'static str, usize>,
    /// Counters as Envoy was told, by name and tag, and whether it was told at all.
    told: Mutex<Told>,
    /// Milliseconds since [`START`] from which the next request tells Envoy.
    due: AtomicU64,
}

type Told = HashMap<(&'static str, String), (u64, bool)>;

/// Milliseconds between two updates.
const EVERY: u64 = 1_000;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The filter's own counters, by request or by fetch.
const COUNTED: [&str; 2] = ["torii_tokens", "torii_key_fetches"];

/// Counts everything the process does, whichever issuer it is for.
const OF_PROCESS: &str = "torii_key_table_builds";

impl Metrics {
    /// Metrics of a verifier that was just created. Of an issuer or a file that an earlier
    /// configuration had, events before this one are not counted again.
    pub fn new<'a>(
        verifier: &Verifier,
        issuers: impl Iterator<Item = &'a str>,
        file: Option<&'a Path>,
    ) -> Self {
        static SEEN: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        let names = issuers.map(str::to_owned).chain(file.map(|file| file.display().to_string()));
        let before = seen.len();
        let count = names.map(|name| seen.insert(name)).count();
        let is_first = seen.len() == before + count;
        let mut told = Told::new();
        for family in exported(verifier) {
            if !is_first || family.name == OF_PROCESS {
                counts(&family, |tag, value| {
                    told.insert((family.name, tag.to_owned()), (value, false));
                });
            }
        }
        Metrics { ids: HashMap::new(), told: Mutex::new(told), due: AtomicU64::new(0) }
    }

    /// Has each metric made known to Envoy by `define`, which takes its kind, name and tag.
    pub fn define(
        &mut self,
        verifier: &Verifier,
        mut define: impl FnMut(MetricKind, &str, Option<&str>) -> Option<usize>,
    ) -> Result<(), String> {
        for MetricFamily { name, kind, label, .. } in exported(verifier) {
            let id = define(kind, name, label);
            self.ids.insert(name, id.ok_or(format!("Envoy refuses the statistic {name}"))?);
        }
        Ok(())
    }

    /// Tells Envoy, unless that was done within the last second.
    pub fn update(&self, verifier: &Verifier, host: &mut dyn Host) {
        let now = START.elapsed().as_millis() as u64;
        let due = self.due.load(Ordering::Relaxed);
        let next = now + EVERY;
        let (order, failed) = (Ordering::Relaxed, Ordering::Relaxed);
        if now < due || self.due.compare_exchange(due, next, order, failed).is_err() {
            return;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for family in exported(verifier) {
            let Some(id) = self.ids.get(family.name).copied() else { continue };
            counts(&family, |tag, value| {
                let (before, is_known) = told.entry((family.name, tag.to_owned())).or_default();
                // A counter at 0 is published too.
                if value > *before || !*is_known {
                    host.count(id, family.label.map(|_| tag), value.saturating_sub(*before));
                    (*before, *is_known) = (value.max(*before), true);
                }
            });
            if family.kind == MetricKind::Gauge {
                let value = family.samples.first().map_or(0.0, |sample| sample.value);
                host.set_gauge(id, value as u64);
            }
        }
    }
}

fn exported(verifier: &Verifier) -> impl Iterator<Item = MetricFamily> {
    let families = verifier.metric_families().into_iter();
    families.filter(|family| !COUNTED.contains(&family.name))
}

/// Shows the values of a counter, by their tag.
fn counts(family: &MetricFamily, mut show: impl FnMut(&str, u64)) {
    if family.kind == MetricKind::Counter {
        for sample in &family.samples {
            show(sample.labels.first().map_or("", |(_, value)| value), sample.value as u64);
        }
    }
}
