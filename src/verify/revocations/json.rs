//! Reading a list of revocations: `{"revoked":[{"sub":"…","before":1732550000}]}`.
//!
//! Strict, since a list that is misread must not revoke less than its author meant: unknown and
//! duplicate members and invalid times are errors. An error has the line and column, and never the
//! value.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::list::{Builder, List};
use super::{FULL, REVOKE_ALL, check_before, check_user};

/// The longest text that is read, in bytes: 100,000 entries of more than 300 bytes.
pub(super) const MAX_TEXT: usize = 32 * 1024 * 1024;

/// Reads a list. `now` is the Unix time that bounds its times.
pub(super) fn parse(text: &[u8], now: i64) -> Result<List, String> {
    if text.len() > MAX_TEXT {
        return Err(format!("longer than {MAX_TEXT} bytes"));
    }
    let mut reader = Reader { list: Builder::default(), now, fault: None };
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = Document(&mut reader).deserialize(&mut json).and_then(|()| json.end());
    match read {
        Ok(()) => Ok(reader.list.finish()),
        Err(error) => Err(explain(reader.fault, &error)),
    }
}

/// The error, with its place.
fn explain(fault: Option<&'static str>, error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = match fault {
        Some(fault) => fault,
        // The parser's message would repeat the value.
        None if error.classify() == Category::Data => {
            "a value of the wrong type (expected a string as `sub`, and whole Unix seconds or \"all\" \
             as `before`)"
        }
        None => text.split(" at line ").next().unwrap_or_default(),
    };
    format!("line {}, column {}: {what}", error.line(), error.column())
}

struct Reader {
    list: Builder,
    now: i64,
    /// The error, unless the text is not JSON.
    fault: Option<&'static str>,
}

impl Reader {
    /// Notes what is wrong. The parser adds the place to the error.
    fn refuse<T, E: serde::de::Error>(&mut self, fault: &'static str) -> Result<T, E> {
        self.fault = Some(fault);
        Err(E::custom(fault))
    }

    fn push<E: serde::de::Error>(&mut self, user: &str, before: i64) -> Result<(), E> {
        let valid = check_user(user).and_then(|()| check_before(before, self.now));
        match valid {
            Ok(()) if self.list.push(user, before) => Ok(()),
            Ok(()) => self.refuse(FULL),
            Err(fault) => self.refuse(fault),
        }
    }
}

struct Document<'r>(&'r mut Reader);
struct Entries<'r>(&'r mut Reader);
struct Entry<'r>(&'r mut Reader);
struct Before(i64);

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "revoked" if found => return self.0.refuse(TWICE),
                "revoked" => map.next_value_seed(Entries(self.0))?,
                _ => return self.0.refuse("an unknown member (expected `revoked`)"),
            }
            found = true;
        }
        if found { Ok(()) } else { self.0.refuse("no member `revoked`") }
    }
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Entry(self.0))?.is_some() {}
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entry<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut sub, mut before) = (None, None);
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "sub" if sub.is_none() => sub = Some(map.next_value::<String>()?),
                "before" if before.is_none() => before = Some(map.next_value::<Before>()?.0),
                "sub" | "before" => return self.0.refuse(TWICE),
                _ => return self.0.refuse("an unknown member (expected `sub` and `before`)"),
            }
        }
        match (sub, before) {
            (Some(sub), Some(before)) => self.0.push(&sub, before),
            (None, _) => self.0.refuse("an entry without `sub`"),
            (_, None) => self.0.refuse("an entry without `before`"),
        }
    }
}

const TWICE: &str = "a member that occurs twice";

impl<'de> Deserialize<'de> for Before {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(BeforeVisitor)
    }
}

struct BeforeVisitor;

impl Visitor<'_> for BeforeVisitor {
    type Value = Before;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unix seconds or \"all\"")
    }

    fn visit_i64<E>(self, value: i64) -> Result<Before, E> {
        Ok(Before(value.min(REVOKE_ALL - 1)))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Before, E> {
        // No number means "all": the largest ones are too far ahead.
        self.visit_i64(i64::try_from(value).unwrap_or(i64::MAX))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Before, E> {
        match value {
            "all" => Ok(Before(REVOKE_ALL)),
            _ => Err(E::custom("another text")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::list::User;
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn fault(text: &str) -> String {
        parse(text.as_bytes(), NOW).err().unwrap_or_default()
    }

    /// A list with this entry on its second line.
    fn entry_fault(entry: &str) -> String {
        fault(&format!("{{\"revoked\":[\n{entry}]}}"))
    }

    #[test]
    fn a_list_is_read() {
        let text = r#" {"revoked" : [{"sub":"user_1","before":1732550000}, {"before":"all","sub":"us\u0065r_2"},
            {"sub":"ü","before":0}, {"sub":"tomorrow","before":1800086400}]} "#;
        let list = parse(text.as_bytes(), NOW).unwrap_or_else(|fault| panic!("{fault}"));
        let find = |user| list.find(User::new(user));
        assert_eq!(find("user_1"), Some(1_732_550_000));
        assert_eq!(find("user_2"), Some(REVOKE_ALL));
        assert_eq!(find("ü"), Some(0));
        assert_eq!(find("tomorrow"), Some(NOW + 86_400));
        assert_eq!(list.len(), 4);
        assert_eq!(parse(br#"{"revoked":[]}"#, NOW).map(|list| list.len()), Ok(0));
    }

    #[test]
    fn a_fault_is_told_with_its_place() {
        let cases = [
            (r#"{"sub":"u","before":1800086401}"#, "31: a time more than a day ahead"),
            (r#"{"sub":"u","before":1732550000000}"#, "34: a time more than a day ahead"),
            (r#"{"sub":"u","before":9223372036854775807}"#, "40: a time more than a day ahead"),
            (r#"{"sub":"u","before":18446744073709551615}"#, "41: a time more than a day ahead"),
            (r#"{"sub":"u","before":-1}"#, "23: a negative time"),
            (r#"{"sub":"","before":1}"#, "21: an empty user id"),
            (r#"{"sub":"\u0000","before":1}"#, "27: a user id with U+0000"),
            (r#"{"sub":"u"}"#, "11: an entry without `before`"),
            (r#"{"before":1}"#, "12: an entry without `sub`"),
            (r#"{}"#, "2: an entry without `sub`"),
            (r#"{"sub":"u","sub":"u","before":1}"#, "16: a member that occurs twice"),
            (r#"{"sub":"u","before":1,"b\u0065fore":1}"#, "35: a member that occurs twice"),
            (r#"{"sub":"u","before":1,"reason":"x"}"#, "30: an unknown member (expected `sub` and"),
            (r#"{"sub":"u","before":1.5}"#, "23: a value of the wrong type"),
            (r#"{"sub":"u","before":1e3}"#, "23: a value of the wrong type"),
            (r#"{"sub":"u","before":"secret"}"#, "28: a value of the wrong type"),
            (r#"{"sub":"u","before":null}"#, "24: a value of the wrong type"),
            (r#"{"sub":"u","before":[1]}"#, "21: a value of the wrong type"),
            (r#"{"sub":1234567,"before":1}"#, "14: a value of the wrong type"),
            (r#""secret""#, "8: a value of the wrong type"),
            (r#"{"sub":"u","before":1},"#, "24: trailing comma"),
            (r#"{"sub":"u" "before":1}"#, "12: expected `,` or `}`"),
            (r#"{"sub":"\ud800","before":1}"#, "15: "),
            (r#"{"sub":"u","before":01}"#, "22: invalid number"),
        ];
        for (entry, expected) in cases {
            let fault = entry_fault(entry);
            assert!(fault.starts_with(&format!("line 2, column {expected}")), "{entry}: {fault}");
            assert!(!fault.contains("secret") && !fault.contains("1234567"), "{fault}");
        }
        let cases = [
            ("", "line 1, column 0: EOF while parsing a value"),
            ("[]", "line 1, column 0: a value of the wrong type"),
            ("{}", "line 1, column 2: no member `revoked`"),
            (r#"{"revoked":{}}"#, "line 1, column 11: a value of the wrong type"),
            (r#"{"revoked":[],"revoked":[]}"#, "line 1, column 23: a member that occurs twice"),
            (
                r#"{"revoked":[],"x":0}"#,
                "line 1, column 17: an unknown member (expected `revoked`)",
            ),
            (r#"{"revoked":[]"#, "line 1, column 13: EOF while parsing an object"),
            (r#"{"revoked":[]}{}"#, "line 1, column 15: trailing characters"),
            ("\u{feff}{\"revoked\":[]}", "line 1, column 1: expected value"),
        ];
        for (text, expected) in cases {
            assert!(fault(text).starts_with(expected), "{text}: {}", fault(text));
        }
        assert!(parse(b"{\"revoked\":[{\"sub\":\"\xff\",\"before\":1}]}", NOW).is_err());
    }

    #[test]
    fn a_list_that_is_too_large_is_refused() {
        let many = |count: usize| {
            let entries: Vec<_> =
                (0..count).map(|n| format!("{{\"sub\":\"{n}\",\"before\":1}}")).collect();
            format!("{{\"revoked\":[{}]}}", entries.join(","))
        };
        assert_eq!(parse(many(100_000).as_bytes(), NOW).map(|list| list.len()), Ok(100_000));
        assert!(fault(&many(100_001)).ends_with(": more than 100000 entries"));
        let long = format!("{{\"revoked\":[]}}{}", " ".repeat(MAX_TEXT));
        assert_eq!(fault(&long), "longer than 33554432 bytes");
    }
}
