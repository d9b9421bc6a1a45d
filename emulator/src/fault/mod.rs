//! Faults and the requests they apply to.

mod kind;
mod registry;

use serde::{Deserialize, Serialize};

pub use self::kind::FaultKind;
pub(crate) use self::registry::{Faults, Strike};

/// A fault and the requests it applies to. If several match a request, the oldest applies.
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

    /// Applies to this number of requests, then ends.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Applies with this probability; the same seed repeats the sequence.
    #[must_use]
    pub fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.probability = probability;
        self.seed = seed;
        self
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        self.times != Some(0)
            && path.starts_with(&self.path)
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
