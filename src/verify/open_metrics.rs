//! The OpenMetrics text format, version 1.0.0.

use std::fmt::Write as _;

use super::Verifier;
use super::metrics::{MetricFamily, MetricKind};

impl Verifier {
    /// Returns metrics in the OpenMetrics text format, version 1.0.0.
    pub fn metrics(&self) -> String {
        text_of(&self.metric_families())
    }
}

/// Writes metric families as text.
fn text_of(families: &[MetricFamily]) -> String {
    let mut text = String::new();
    for family in families {
        // Writing to a string cannot fail.
        let _ = write_family(&mut text, family);
    }
    text.push_str("# EOF\n");
    text
}

fn write_family(text: &mut String, family: &MetricFamily) -> std::fmt::Result {
    let name = family.name;
    let (kind, suffix) = match family.kind {
        MetricKind::Counter => ("counter", "_total"),
        MetricKind::Gauge => ("gauge", ""),
    };
    writeln!(text, "# TYPE {name} {kind}")?;
    if let Some(unit) = ["seconds", "bytes"].into_iter().find(|unit| name.ends_with(unit)) {
        writeln!(text, "# UNIT {name} {unit}")?;
    }
    writeln!(text, "# HELP {name} {}", family.help)?;
    for sample in &family.samples {
        text.extend([name, suffix]);
        for (index, (label, value)) in sample.labels.iter().enumerate() {
            let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
            text.extend([if index == 0 { "{" } else { "," }, *label, "=\"", &value, "\""]);
        }
        let end = if sample.labels.is_empty() { "" } else { "}" };
        writeln!(text, "{end} {}", sample.value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::metrics::{MetricSample, MetricSum};
    use super::*;

    fn family(name: &'static str, kind: MetricKind, samples: Vec<MetricSample>) -> MetricFamily {
        MetricFamily { name, kind, sum: MetricSum::Sum, label: None, help: "Help.", samples }
    }

    #[test]
    fn label_values_are_escaped() {
        let labels = vec![("outcome", "a\\b\"c\nd".to_owned()), ("status", "é".to_owned())];
        let samples = vec![MetricSample { labels, value: 1.5 }];
        assert_eq!(
            text_of(&[family("torii_x", MetricKind::Counter, samples)]),
            "# TYPE torii_x counter\n# HELP torii_x Help.\n\
             torii_x_total{outcome=\"a\\\\b\\\"c\\nd\",status=\"é\"} 1.5\n# EOF\n"
        );
    }

    #[test]
    fn a_unit_is_named() {
        let sample = |value| vec![MetricSample { labels: Vec::new(), value }];
        assert_eq!(
            text_of(&[
                family("torii_age_seconds", MetricKind::Gauge, sample(239.5)),
                family("torii_cache_bytes", MetricKind::Gauge, sample(8_388_608.0)),
                family("torii_nothing", MetricKind::Gauge, Vec::new()),
            ]),
            "# TYPE torii_age_seconds gauge\n# UNIT torii_age_seconds seconds\n\
             # HELP torii_age_seconds Help.\ntorii_age_seconds 239.5\n\
             # TYPE torii_cache_bytes gauge\n# UNIT torii_cache_bytes bytes\n\
             # HELP torii_cache_bytes Help.\ntorii_cache_bytes 8388608\n\
             # TYPE torii_nothing gauge\n# HELP torii_nothing Help.\n# EOF\n"
        );
    }
}
