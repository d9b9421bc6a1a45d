//! Metrics in the OpenMetrics text format, version 1.0.0.
//!
//! Labels have few values: a status or an outcome. An issuer can name a tenant, so its URL is a label
//! only where the operator asks for it; otherwise a metric combines the issuers.

use std::fmt::{Display, Write as _};

use super::Verifier;
use super::report::{IssuerReport, Report};
use crate::error::Status;
use crate::keys::KeyStats;

impl Verifier {
    /// Returns metrics in the OpenMetrics text format, version 1.0.0.
    pub fn metrics(&self) -> String {
        let report = self.report();
        let mut text = Text::default();
        text.tokens(&report);
        Issuers { issuers: &report.issuers, label: self.metrics_issuer_label }.write(&mut text);
        text.0.push_str("# EOF\n");
        text.0
    }
}

/// The metrics of the issuers' keys.
struct Issuers<'a> {
    issuers: &'a [IssuerReport],
    label: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

#[derive(Default)]
struct Text(String);

/// A metric family, whose descriptors have been written.
struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
    kind: Kind,
}

impl Text {
    fn tokens(&mut self, report: &Report) {
        let help = "Verifications of tokens by the status they ended with.";
        let mut tokens = self.family(Kind::Counter, "torii_tokens", help);
        for status in Status::ALL {
            let count = report.count(*status);
            // A series that is there from the start has its first increase counted.
            let expected = *status == Status::Ok || matches!(status.http(), 401 | 403 | 503);
            if expected || count > 0 {
                tokens.sample(&[("status", status.name())], count);
            }
        }
        let help = "Accepted tokens that were found in the token cache.";
        self.family(Kind::Counter, "torii_token_cache_hits", help).sample(&[], report.hits);
        let help = "Tokens in the token cache.";
        let entries = report.cached_tokens;
        self.family(Kind::Gauge, "torii_token_cache_entries", help).sample(&[], entries);
        let help = "Memory that the token cache takes.";
        self.family(Kind::Gauge, "torii_token_cache_bytes", help).sample(&[], report.cache_bytes);
    }

    /// Begins a metric family. A counter's name is without `_total`.
    fn family(&mut self, kind: Kind, name: &'static str, help: &str) -> Family<'_> {
        let text = &mut self.0;
        let unit = ["seconds", "bytes"].into_iter().find(|unit| name.ends_with(unit));
        let word = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        line(text, format_args!("# TYPE {name} {word}"));
        if let Some(unit) = unit {
            line(text, format_args!("# UNIT {name} {unit}"));
        }
        line(text, format_args!("# HELP {name} {help}"));
        Family { text, name, kind }
    }
}

impl Issuers<'_> {
    fn write(&self, text: &mut Text) {
        let help = "Configured issuers.";
        self.sum(text.family(Kind::Gauge, "torii_issuers", help), |_| 1);
        let help = "Issuers without keys: their tokens cannot be verified.";
        let without = |keys: &KeyStats| u64::from(keys.keys == 0);
        self.sum(text.family(Kind::Gauge, "torii_issuers_without_keys", help), without);
        let help = "Issuers whose last key fetch failed.";
        let failing = |keys: &KeyStats| u64::from(keys.last_error.is_some());
        self.sum(text.family(Kind::Gauge, "torii_issuers_failing", help), failing);
        let help = "Usable keys of the issuers.";
        self.sum(text.family(Kind::Gauge, "torii_keys", help), |keys| keys.keys as u64);
        let help = "Keys that issuers publish and that are not usable.";
        self.sum(text.family(Kind::Gauge, "torii_keys_skipped", help), |keys| keys.skipped as u64);

        let help = "Key fetches that ended, of the process, by outcome.";
        let mut fetches = text.family(Kind::Counter, "torii_key_fetches", help);
        let success = |keys: &KeyStats| Some(keys.fetches.saturating_sub(keys.failures));
        let failure = |keys: &KeyStats| Some(keys.failures);
        self.samples(&mut fetches, &[("outcome", "success")], success, u64::saturating_add);
        self.samples(&mut fetches, &[("outcome", "failure")], failure, u64::saturating_add);

        let help = "Time since the keys in use were requested; of the oldest keys.";
        let mut age = text.family(Kind::Gauge, "torii_key_age_seconds", help);
        self.samples(&mut age, &[], |keys| keys.age, u64::max);
        let help = "Time until a key fetch is due; of the first one.";
        let mut due = text.family(Kind::Gauge, "torii_key_due_seconds", help);
        let due_in = |keys: &KeyStats| keys.due_in.map(|due_in| due_in as f64 / 1_000.0);
        self.samples(&mut due, &[], due_in, f64::min);
        let help = "Time since the last successful key fetch; of the issuer where it is longest.";
        let mut since = text.family(Kind::Gauge, "torii_key_last_success_age_seconds", help);
        self.samples(&mut since, &[], |keys| keys.last_success, u64::max);
    }

    fn sum(&self, mut family: Family<'_>, value: impl Fn(&KeyStats) -> u64) {
        self.samples(&mut family, &[], |keys| Some(value(keys)), u64::saturating_add);
    }

    /// Writes what each issuer has of a value, or one sample that combines them.
    fn samples<T: Display>(
        &self,
        family: &mut Family<'_>,
        labels: &[(&str, &str)],
        value: impl Fn(&KeyStats) -> Option<T>,
        combine: impl Fn(T, T) -> T,
    ) {
        let values = self.issuers.iter().filter_map(|issuer| Some((issuer, value(&issuer.keys)?)));
        if !self.label {
            if let Some(combined) = values.map(|(_, value)| value).reduce(combine) {
                family.sample(labels, combined);
            }
            return;
        }
        for (issuer, value) in values {
            let issuer = [("issuer", issuer.name.as_str())];
            family.sample(&[&issuer, labels].concat(), value);
        }
    }
}

impl Family<'_> {
    fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let total = match self.kind {
            Kind::Counter => "_total",
            Kind::Gauge => "",
        };
        self.text.extend([self.name, total]);
        for (index, (label, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
            self.text.extend([if index == 0 { "{" } else { "," }, label, "=\"", &value, "\""]);
        }
        let end = if labels.is_empty() { "" } else { "}" };
        line(self.text, format_args!("{end} {value}"));
    }
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{content}");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::VerifierOptions;

    #[test]
    fn label_values_are_escaped() {
        let mut text = Text::default();
        let labels = [("outcome", "a\\b\"c\nd"), ("status", "é")];
        text.family(Kind::Counter, "torii_x", "X.").sample(&labels, 1.5);
        assert_eq!(
            text.0,
            "# TYPE torii_x counter\n# HELP torii_x X.\n\
             torii_x_total{outcome=\"a\\\\b\\\"c\\nd\",status=\"é\"} 1.5\n"
        );
    }

    #[test]
    fn a_unit_is_named_and_the_text_ends() {
        let verifier = Verifier::new("https://acme.torii.so", &VerifierOptions::new()).unwrap();
        let text = verifier.metrics();
        assert!(text.contains(
            "# TYPE torii_key_due_seconds gauge\n# UNIT torii_key_due_seconds seconds\n\
             # HELP torii_key_due_seconds Time until a key fetch is due; of the first one.\n\
             torii_key_due_seconds 0\n"
        ));
        assert!(text.contains("# UNIT torii_token_cache_bytes bytes\n"));
        assert!(text.ends_with("\n# EOF\n"));
        assert_eq!(text, verifier.metrics(), "the same order each time");
    }
}
