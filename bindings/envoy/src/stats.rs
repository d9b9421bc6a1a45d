//! Envoy statistics.

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
