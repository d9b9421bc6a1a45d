//! The gate's own counters, in addition to the verifier's.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::answer::Outcome;

/// The counters of a gate.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    answers: [AtomicU64; Outcome::ALL.len()],
    connections: Gauge,
    waiting: Gauge,
}

/// A number of things that exist now.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicI64);

/// One of these things, until it is dropped.
pub(crate) struct Counted<'a>(&'a Gauge);

impl Gauge {
    pub(crate) fn count(&self) -> Counted<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(self)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn answered(&self, outcome: Outcome) {
        if let Some(count) = self.answers.get(outcome as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Open connections to the addresses for the proxy.
    pub(crate) fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// Requests that wait for keys.
    pub(crate) fn waiting(&self) -> &Gauge {
        &self.waiting
    }

    /// OpenMetrics text 1.0.0: the metrics of the verifier, then those of the gate.
    pub(crate) fn text(&self, verifier: &str) -> String {
        let mut text = verifier.strip_suffix(END).unwrap_or(verifier).to_owned();
        text.push_str(
            "# TYPE torii_gate_answers counter\n\
             # HELP torii_gate_answers Answers to authorization requests.\n",
        );
        for (outcome, count) in Outcome::ALL.iter().zip(&self.answers) {
            let (name, count) = (outcome.name(), count.load(Ordering::Relaxed));
            text.push_str(&format!("torii_gate_answers_total{{outcome=\"{name}\"}} {count}\n"));
        }
        for (name, help, gauge) in [
            ("connections", "Open connections.", &self.connections),
            ("waiting", "Requests that wait for signing keys.", &self.waiting),
        ] {
            let value = gauge.0.load(Ordering::Relaxed);
            text.push_str(&format!(
                "# TYPE torii_gate_{name} gauge\n\
                 # HELP torii_gate_{name} {help}\n\
                 torii_gate_{name} {value}\n"
            ));
        }
        text.push_str(END);
        text
    }
}

/// The last line of the format.
const END: &str = "# EOF\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_end() {
        let metrics = Metrics::default();
        metrics.answered(Outcome::Forbidden);
        let connection = metrics.connections().count();
        let text = metrics.text("# TYPE torii_x gauge\ntorii_x 1\n# EOF\n");
        assert!(
            text.starts_with(
                "# TYPE torii_x gauge\ntorii_x 1\n# TYPE torii_gate_answers counter\n"
            )
        );
        assert_eq!(text.matches(END).count(), 1);
        assert!(text.ends_with(END));
        assert!(text.contains("\ntorii_gate_answers_total{outcome=\"forbidden\"} 1\n"));
        assert!(text.contains("\ntorii_gate_connections 1\n"));
        drop(connection);
        assert!(metrics.text(END).contains("\ntorii_gate_connections 0\n"));
    }
}
