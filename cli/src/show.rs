//! Readable output: tables, and objects with their fields.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::terminal::{Style, escape, styled};

/// A JSON object that keeps the order of its members.
pub(crate) struct Members(Vec<(String, Value)>);

impl Members {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Formats a value in one line.
pub(crate) fn value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => escape(text),
        Some(other) => escape(&other.to_string()),
    }
}

/// Formats fields, one a line.
pub(crate) fn fields<'a>(fields: impl Iterator<Item = (&'a str, String)>) -> String {
    let fields: Vec<_> = fields.map(|(name, value)| (escape(name), value)).collect();
    let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): &(String, String)| {
        format!("{}  {value}\n", styled(Style::Dim, &format!("{name:width$}")))
    };
    fields.iter().map(line).collect()
}

/// Formats a table.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = line(&mut headings.iter().copied());
    let mut text = format!("{}\n", styled(Style::Dim, &head));
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
        text.push('\n');
    }
    text
}

/// Formats a time in Unix seconds.
pub(crate) fn timestamp(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or("out of range".to_owned(), |t| t.to_string())
}

/// Formats a time in Unix seconds, with its distance from now.
pub(crate) fn time(seconds: i64, now: i64) -> String {
    let date = timestamp(seconds);
    let distance = match seconds.saturating_sub(now) {
        0 => "now".to_owned(),
        ahead @ 1.. => format!("in {}", span(ahead)),
        behind => format!("{} ago", span(behind.saturating_neg())),
    };
    format!("{date} ({distance})")
}

/// Now, in Unix seconds.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_second()
}

/// Formats a duration in its two largest units.
pub(crate) fn span(seconds: i64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (length, name) in units {
        if rest >= length {
            parts.push(format!("{} {name}", rest / length));
            rest %= length;
        }
    }
    parts.truncate(2);
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_show_their_distance_from_now() {
        assert_eq!(time(1_700_000_000, 1_700_000_000), "2023-11-14T22:13:20Z (now)");
        assert_eq!(time(1_700_000_000, 1_699_999_910), "2023-11-14T22:13:20Z (in 1 min 30 s)");
        assert_eq!(time(0, 90_061), "1970-01-01T00:00:00Z (1 d 1 h ago)");
        assert_eq!(time(i64::MIN, 0).split(' ').next(), Some("out"));
    }

    #[test]
    fn members_keep_their_order_and_control_characters_are_escaped() {
        let text = r#"{"z":"a\u001b[31mb","a":{"y":1,"b":null},"m":null}"#;
        let members: Members = serde_json::from_str(text).unwrap();
        let shown: Vec<_> = members.iter().map(|(name, v)| (name, value(Some(v)))).collect();
        let expected = [("z", "a\\u{1b}[31mb"), ("a", r#"{"b":null,"y":1}"#), ("m", "-")];
        assert_eq!(shown, expected.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let rows = [vec!["1".to_owned(), "é".to_owned()], vec!["22".to_owned(), "-".to_owned()]];
        assert_eq!(table(&["N", "NAME"], &rows), "N   NAME\n1   é\n22  -\n");
    }
}
