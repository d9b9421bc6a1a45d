//! What can go wrong, and when.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// How a request goes wrong.
///
/// The kinds that answer by hand (all from `Truncate` on) close the connection afterwards.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// Waits before the request is handled.
    Delay {
        /// How long, in milliseconds.
        ms: u64,
    },
    /// Never answers; the connection is closed when the faults are cleared.
    Hang,
    /// Answers with a status of its own.
    Status {
        /// The status.
        status: u16,
        /// The headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body.
        #[serde(default)]
        body: String,
        /// Whether the request takes effect all the same.
        #[serde(default)]
        handled: bool,
    },
    /// Changes parts of the real answer.
    Replace {
        /// Headers to set.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The new body; without it the real one stays.
        #[serde(default)]
        body: Option<String>,
    },
    /// The real answer, its body padded with blanks: still valid JSON, only long.
    Oversize {
        /// The length of the body in bytes.
        bytes: usize,
    },
    /// The head of the real answer and only a part of the body that it announces.
    Truncate {
        /// How many bytes of the body are sent; half of them without this.
        #[serde(default)]
        bytes: Option<usize>,
    },
    /// The real answer, its body sent piece by piece.
    Drip {
        /// The pause before each piece, in milliseconds.
        ms: u64,
        /// The length of a piece in bytes.
        #[serde(default = "one")]
        bytes: usize,
    },
    /// The real answer in chunked encoding.
    Chunked {
        /// The length of a chunk in bytes.
        #[serde(default = "one")]
        bytes: usize,
    },
    /// An informational answer before the real one.
    Informational {
        /// The status, 102 to 199.
        #[serde(default = "early_hints")]
        status: u16,
    },
    /// The real answer, then closes the connection without having announced it.
    HangUp,
    /// Any text instead of an answer, HTTP or not.
    Raw {
        /// What is sent.
        text: String,
    },
    /// Closes the connection without an answer.
    Close {
        /// Whether the request takes effect all the same.
        #[serde(default)]
        handled: bool,
    },
    /// Resets the connection (RST) without an answer.
    Reset {
        /// Whether the request takes effect all the same.
        #[serde(default)]
        handled: bool,
    },
}

fn one() -> usize {
    1
}

fn early_hints() -> u16 {
    103
}

impl FaultKind {
    /// Answers with a bare status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status { status, headers: BTreeMap::new(), body: String::new(), handled: false }
    }

    /// Answers 302 to another place.
    #[must_use]
    pub fn redirect(to: &str) -> Self {
        let headers = BTreeMap::from([("location".to_owned(), to.to_owned())]);
        Self::Status { status: 302, headers, body: String::new(), handled: false }
    }

    /// The real answer with another body.
    #[must_use]
    pub fn body(body: &str) -> Self {
        Self::Replace { headers: BTreeMap::new(), body: Some(body.to_owned()) }
    }

    /// The real answer with another header.
    #[must_use]
    pub fn header(name: &str, value: &str) -> Self {
        let headers = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Self::Replace { headers, body: None }
    }
}

/// A fault and the requests it is for. Of several that fit a request, the oldest strikes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    #[serde(default = "everywhere")]
    path: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    times: Option<u64>,
    #[serde(default = "always")]
    probability: f64,
    #[serde(default)]
    seed: u64,
    fault: FaultKind,
}

fn everywhere() -> String {
    "/".to_owned()
}

fn always() -> f64 {
    1.0
}

impl Fault {
    /// A fault for every request whose path begins with `path`, until the faults are cleared.
    #[must_use]
    pub fn on(path: &str, kind: FaultKind) -> Self {
        Self {
            path: path.to_owned(),
            method: None,
            times: None,
            probability: always(),
            seed: 0,
            fault: kind,
        }
    }

    /// Only for requests with this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Strikes so many times, then is gone.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Strikes with this probability; the same seed gives the same sequence of strikes.
    #[must_use]
    pub fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.probability = probability;
        self.seed = seed;
        self
    }

    /// Says what is wrong with the fault itself.
    fn check(&self) -> Result<(), String> {
        let (status, headers) = match &self.fault {
            FaultKind::Status { status, headers, .. } => (Some((*status, 200..=999)), Some(headers)),
            FaultKind::Informational { status } => (Some((*status, 102..=199)), None),
            FaultKind::Replace { headers, .. } => (None, Some(headers)),
            _ => (None, None),
        };
        if let Some((status, allowed)) = status
            && !allowed.contains(&status)
        {
            return Err(format!("a fault of this kind cannot have the status {status}"));
        }
        for (name, value) in headers.into_iter().flatten() {
            if HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err() {
                return Err(format!("this is not a header: {name:?}: {value:?}"));
            }
        }
        Ok(())
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        path.starts_with(&self.path)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
    }

    /// Draws the next number of the seed's sequence (SplitMix64).
    fn strikes(&mut self) -> bool {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.seed;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
        let unit = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        unit < self.probability
    }
}

/// The faults in force.
pub(crate) struct Faults {
    active: Mutex<Vec<Fault>>,
    cleared: watch::Sender<()>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { active: Mutex::default(), cleared: watch::Sender::new(()) }
    }
}

impl Faults {
    /// Adds a fault after those in force.
    pub(crate) fn add(&self, fault: Fault) -> Result<(), String> {
        fault.check()?;
        self.active().push(fault);
        Ok(())
    }

    /// Ends all faults, and with them the requests that hang.
    pub(crate) fn clear(&self) {
        let mut active = self.active();
        active.clear();
        self.cleared.send_replace(());
    }

    /// The faults in force.
    pub(crate) fn list(&self) -> Vec<Fault> {
        self.active().clone()
    }

    /// What goes wrong with this request, if anything, and a signal for when faults are cleared.
    pub(crate) fn strike(&self, method: &str, path: &str) -> Option<(FaultKind, watch::Receiver<()>)> {
        let mut active = self.active();
        let index = active.iter_mut().position(|fault| fault.fits(method, path) && fault.strikes())?;
        let kind = active[index].fault.clone();
        if let Some(times) = &mut active[index].times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                active.remove(index);
            }
        }
        Some((kind, self.cleared.subscribe()))
    }

    fn active(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
