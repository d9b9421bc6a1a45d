//! A JSON answer, read by JSON pointer (RFC 6901).

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use once_cell::race::OnceBox;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, Result, Status};
use crate::text::{NulStr, NulString};

/// A JSON text, from which single values can be read.
///
/// A pointer is `""` for the whole text, else `/member/0/member`, with `~1` for `/` and `~0` for
/// `~` in a member's name. Of members with the same name the last counts.
///
/// Any number of threads may read one at once.
pub struct Json {
    text: NulString,
    /// Built when the first value is read. Threads that race build it twice and wait for none.
    tree: OnceBox<Node>,
}

/// The type of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

struct Node {
    /// Where the value is in the text.
    range: Range<usize>,
    value: Value,
    /// The text of the value, with U+0000 behind it, made on first use.
    raw: OnceBox<NulString>,
}

enum Value {
    Null,
    Bool(bool),
    Number,
    String(NulString),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Json {
    /// Reads a text, which must be one JSON value.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if it is not, or if it holds a number too large for a double.
    pub fn parse(text: &str) -> Result<Json> {
        Json::read(text)
            .map_err(|error| Error::text(Status::InvalidArgument, format!("json: {error}")))
    }

    pub(crate) fn read(text: &str) -> serde_json::Result<Json> {
        serde_json::from_str::<Valid>(text)?;
        Ok(Json { text: NulString::new(text), tree: OnceBox::new() })
    }

    /// Returns the whole text, as it was read.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    pub(crate) fn nul_text(&self) -> NulStr<'_> {
        self.text.borrow()
    }

    /// Returns the text of the value at the pointer, exactly as in the source, without blanks around it.
    pub fn raw(&self, pointer: &str) -> Option<&str> {
        self.text().get(self.find(pointer)?.range.clone())
    }

    pub(crate) fn nul_raw(&self, pointer: &str) -> Option<NulStr<'_>> {
        let node = self.find(pointer)?;
        let text = self.text().get(node.range.clone())?;
        Some(node.raw.get_or_init(|| Box::new(NulString::new(text))).borrow())
    }

    /// Returns the type of the value at the pointer. `None` if there is no value.
    pub fn kind(&self, pointer: &str) -> Option<JsonKind> {
        Some(match self.find(pointer)?.value {
            Value::Null => JsonKind::Null,
            Value::Bool(_) => JsonKind::Bool,
            Value::Number => JsonKind::Number,
            Value::String(_) => JsonKind::String,
            Value::Array(_) => JsonKind::Array,
            Value::Object(_) => JsonKind::Object,
        })
    }

    /// Returns the string at the pointer. `None` if there is no string, or if it holds U+0000, which would
    /// end it for C; [`raw`](Self::raw) returns it then.
    pub fn str(&self, pointer: &str) -> Option<&str> {
        self.nul_str(pointer).map(NulStr::as_str)
    }

    pub(crate) fn nul_str(&self, pointer: &str) -> Option<NulStr<'_>> {
        match &self.find(pointer)?.value {
            Value::String(text) if !text.as_str().contains('\0') => Some(text.borrow()),
            _ => None,
        }
    }

    /// Returns the integer at the pointer.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if there is none, or none that fits into 64 bits. A number with
    /// a fraction or an exponent is not an integer.
    pub fn int(&self, pointer: &str) -> Result<i64> {
        let number = self.number(self.at(pointer)?).and_then(|text| text.parse().ok());
        number.ok_or(Error::argument("pointer", "no 64-bit integer there"))
    }

    /// Returns the number at the pointer as the nearest double. `None` if there is no number.
    pub fn double(&self, pointer: &str) -> Option<f64> {
        self.number(self.find(pointer)?)?.parse().ok()
    }

    /// Returns the boolean at the pointer.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if there is none.
    pub fn bool(&self, pointer: &str) -> Result<bool> {
        match self.at(pointer)?.value {
            Value::Bool(value) => Ok(value),
            _ => Err(Error::argument("pointer", "no boolean there")),
        }
    }

    /// Returns the number of elements of the array, or of members of the object, at the pointer.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if there is neither.
    pub fn len(&self, pointer: &str) -> Result<usize> {
        match &self.at(pointer)?.value {
            Value::Array(elements) => Ok(elements.len()),
            Value::Object(members) => Ok(members.len()),
            _ => Err(Error::argument("pointer", "neither an array nor an object there")),
        }
    }

    /// Returns whether there is `null` at the pointer. An absent value is not `null`.
    pub fn is_null(&self, pointer: &str) -> bool {
        self.kind(pointer) == Some(JsonKind::Null)
    }

    fn at(&self, pointer: &str) -> Result<&Node> {
        self.find(pointer).ok_or(Error::argument("pointer", "nothing there"))
    }

    fn number(&self, node: &Node) -> Option<&str> {
        matches!(node.value, Value::Number).then(|| self.text().get(node.range.clone()))?
    }

    fn find(&self, pointer: &str) -> Option<&Node> {
        let root = self.tree.get_or_init(|| {
            // The text is valid, so that there always is a tree.
            let node = Scanner { text: self.text(), at: 0 }.node();
            Box::new(node.unwrap_or(Node::new(0..0, Value::Null)))
        });
        if pointer.is_empty() {
            return Some(root);
        }
        let mut segments = pointer.strip_prefix('/')?.split('/');
        segments.try_fold(root, |node, segment| match &node.value {
            Value::Array(elements) => elements.get(index(segment)?),
            Value::Object(members) => {
                let name = segment.replace("~1", "/").replace("~0", "~");
                members.iter().find(|(known, _)| *known == name).map(|(_, node)| node)
            }
            _ => None,
        })
    }
}

/// The index that a segment of a pointer names: digits without leading zeros (RFC 6901 §4).
fn index(segment: &str) -> Option<usize> {
    let digits = segment.bytes().all(|byte| byte.is_ascii_digit());
    let zeros = segment.len() > 1 && segment.starts_with('0');
    (digits && !zeros).then(|| segment.parse().ok())?
}

impl Node {
    fn new(range: Range<usize>, value: Value) -> Self {
        Node { range, value, raw: OnceBox::new() }
    }
}

/// Builds the tree of a text that is valid JSON. Returns `None` for anything unexpected.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        self.skip_while(|byte| byte.is_ascii_whitespace());
    }

    fn skip_while(&mut self, condition: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&condition) {
            self.at += 1;
        }
    }

    /// Whether this byte comes next, apart from blanks, which then is skipped.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn node(&mut self) -> Option<Node> {
        self.skip_blanks();
        let start = self.at;
        let value = match self.peek()? {
            b'"' => Value::String(NulString::new(&self.string()?)),
            b'[' => Value::Array(self.elements()?),
            b'{' => Value::Object(self.members()?),
            _ => {
                self.skip_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
                match self.text.get(start..self.at)? {
                    "null" => Value::Null,
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    _ => Value::Number,
                }
            }
        };
        Some(Node::new(start..self.at, value))
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        loop {
            self.skip_while(|byte| byte != b'"' && byte != b'\\');
            match self.peek()? {
                b'"' => break,
                _ => self.at += 2,
            }
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }

    fn elements(&mut self) -> Option<Vec<Node>> {
        let mut elements = Vec::new();
        self.take(b'[');
        while !self.take(b']') {
            elements.push(self.node()?);
            self.take(b',');
        }
        Some(elements)
    }

    fn members(&mut self) -> Option<Vec<(String, Node)>> {
        let mut members = Vec::new();
        self.take(b'{');
        while !self.take(b'}') {
            let name = self.string()?;
            self.take(b':');
            members.push((name, self.node()?));
            self.take(b',');
            self.skip_blanks();
        }
        Some(last_of_each(members))
    }
}

/// The members without those that a later one of the same name replaces.
fn last_of_each(mut members: Vec<(String, Node)>) -> Vec<(String, Node)> {
    let mut names = HashSet::new();
    let mut last: Vec<bool> =
        members.iter().rev().map(|(name, _)| names.insert(name.as_str())).collect();
    members.retain(|_| last.pop().unwrap_or(true));
    members
}

/// Any JSON value, checked as if it were kept: `IgnoredAny` passes over lone surrogates, and over
/// numbers that are too large.
struct Valid;

impl<'de> Deserialize<'de> for Valid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(Valid)
    }
}

impl<'de> Visitor<'de> for Valid {
    type Value = Valid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Valid, E> {
        Ok(Valid)
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<Valid, E> {
        Ok(Valid)
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<Valid, E> {
        Ok(Valid)
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<Valid, E> {
        Ok(Valid)
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<Valid, E> {
        Ok(Valid)
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<Valid, E> {
        Ok(Valid)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> std::result::Result<Valid, A::Error> {
        while elements.next_element::<Valid>()?.is_some() {}
        Ok(Valid)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Valid, A::Error> {
        while members.next_entry::<Valid, Valid>()?.is_some() {}
        Ok(Valid)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json() -> Json {
        let text =
            r#"{"a/b":{"~":[1,-2,"x",true,null]},"s":"a\u0000b","big":18446744073709551615}"#;
        Json::parse(text).unwrap()
    }

    #[test]
    fn values_are_found_by_pointer() {
        let json = json();
        assert_eq!(json.int("/a~1b/~0/1").unwrap(), -2);
        assert_eq!(json.str("/a~1b/~0/2"), Some("x"));
        assert!(json.bool("/a~1b/~0/3").unwrap());
        assert!(json.is_null("/a~1b/~0/4"));
        assert!(!json.is_null("/a~1b/~0/5"));
        assert_eq!(json.len("").unwrap(), 3);
        assert_eq!(json.len("/a~1b/~0").unwrap(), 5);
    }

    #[test]
    fn absent_values_and_wrong_types_are_errors() {
        let json = json();
        let message = |error: Error| error.to_string();
        assert_eq!(json.int("/x").map_err(message), Err("pointer: nothing there".to_owned()));
        assert_eq!(
            json.int("/big").map_err(message),
            Err("pointer: no 64-bit integer there".to_owned())
        );
        assert_eq!(json.bool("/s").map_err(message), Err("pointer: no boolean there".to_owned()));
        assert!(json.len("/big").is_err());
        assert_eq!(json.str("/s"), None, "it holds U+0000");
        assert_eq!(json.str("/big"), None);
    }

    #[test]
    fn a_raw_value_is_as_it_stands_in_the_source() {
        let json = Json::parse(
            " { \"n\" : 1.50e+02 , \"s\":\"\\u0061\\\"]\\\\\",\t\"l\": [ 1 , {} ,[\n] ], \"\": null }\n",
        )
        .unwrap();
        for (pointer, raw) in [
            ("/n", "1.50e+02"),
            ("/s", r#""\u0061\"]\\""#),
            ("/l", "[ 1 , {} ,[\n] ]"),
            ("/l/0", "1"),
            ("/l/1", "{}"),
            ("/l/2", "[\n]"),
            ("/", "null"),
        ] {
            assert_eq!(json.raw(pointer), Some(raw), "{pointer}");
            let terminated = json.nul_raw(pointer).unwrap();
            assert_eq!(terminated.as_str(), raw);
            assert!(std::ptr::eq(terminated.as_str(), json.nul_raw(pointer).unwrap().as_str()));
        }
        assert_eq!(json.raw(""), Some(json.text().trim()));
        for pointer in ["n", "/x", "/n/0", "/l/3", "/l/00", "/l/+1", "/l/-", "/l/", "//", "/l/0/"] {
            assert_eq!(json.raw(pointer), None, "{pointer}");
        }
    }

    #[test]
    fn values_have_a_kind() {
        let json = Json::parse(r#"[null,false,0,"",[],{}]"#).unwrap();
        let kinds: Vec<_> = (0..6).map(|at| json.kind(&format!("/{at}")).unwrap()).collect();
        use JsonKind::{Array, Bool, Null, Number, Object, String};
        assert_eq!(kinds, [Null, Bool, Number, String, Array, Object]);
        assert_eq!((json.kind(""), json.kind("/6")), (Some(Array), None));
    }

    #[test]
    fn numbers_are_read_exactly() {
        let json = Json::parse(
            "[1.5, -0, 9223372036854775807, 9223372036854775808, 1e2, 1.0, 123456789012345678901]",
        )
        .unwrap();
        let ints: Vec<_> = (0..7).map(|at| json.int(&format!("/{at}")).ok()).collect();
        assert_eq!(ints, [None, Some(0), Some(i64::MAX), None, None, None, None]);
        let doubles: Vec<_> = (0..7).map(|at| json.double(&format!("/{at}")).unwrap()).collect();
        let high = 9_223_372_036_854_775_808.0;
        assert_eq!(doubles, [1.5, 0.0, high, high, 100.0, 1.0, 123_456_789_012_345_680_000.0]);
        assert_eq!(Json::parse("\"1\"").unwrap().double(""), None);
    }

    #[test]
    fn the_last_of_equal_names_counts() {
        let json = Json::parse(r#"{"a":1,"b":2,"\u0061":3,"a":[4]}"#).unwrap();
        assert_eq!(
            (json.raw("/a"), json.raw("/b"), json.len("").unwrap()),
            (Some("[4]"), Some("2"), 2)
        );
    }

    #[test]
    fn invalid_texts_are_refused() {
        for text in [
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "+1",
            "nul",
            "\"\\ud800\"",
            "\"\\x\"",
            "1 2",
            "{1:2}",
            "[1e999]",
            "\u{feff}1",
            "\"\n\"",
        ] {
            let error = Json::parse(text).unwrap_err();
            assert_eq!(error.status(), Status::InvalidArgument, "{text}");
            assert!(error.to_string().starts_with("json: "), "{error}");
        }
    }

    #[test]
    fn the_tree_is_built_when_a_value_is_read() {
        let json = json();
        assert_eq!(json.text().len(), json.nul_text().as_str().len());
        assert!(json.tree.get().is_none());
        json.is_null("");
        assert!(json.tree.get().is_some());
    }

    #[test]
    fn values_are_those_of_another_reader() {
        fn compare(json: &Json, pointer: &str, value: &serde_json::Value) {
            let raw: serde_json::Value = serde_json::from_str(json.raw(pointer).unwrap()).unwrap();
            assert_eq!(&raw, value, "{pointer}");
            match value {
                serde_json::Value::Array(elements) => {
                    assert_eq!(json.len(pointer).unwrap(), elements.len());
                    for (at, element) in elements.iter().enumerate() {
                        compare(json, &format!("{pointer}/{at}"), element);
                    }
                }
                serde_json::Value::Object(members) => {
                    assert_eq!(json.len(pointer).unwrap(), members.len());
                    for (name, member) in members {
                        let name = name.replace('~', "~0").replace('/', "~1");
                        compare(json, &format!("{pointer}/{name}"), member);
                    }
                }
                serde_json::Value::String(text) => {
                    let expected = Some(&**text).filter(|text| !text.contains('\0'));
                    assert_eq!(json.str(pointer), expected);
                }
                serde_json::Value::Number(number) => {
                    assert_eq!(json.int(pointer).ok(), number.as_i64());
                    assert_eq!(json.double(pointer), number.as_f64());
                }
                serde_json::Value::Bool(value) => assert_eq!(json.bool(pointer).unwrap(), *value),
                serde_json::Value::Null => assert!(json.is_null(pointer)),
            }
        }
        let deep = format!("{}{}", "[".repeat(120), "]".repeat(120));
        for text in [
            include_str!("../tests/behaviour/verify.json"),
            r#"{"\u00e4\ud83d\ude00":["\\\\\"",{"":[[],[{}]]}],"~/":{"~1":-1.25E-3}}"#,
            &deep,
        ] {
            compare(&Json::parse(text).unwrap(), "", &serde_json::from_str(text).unwrap());
        }
    }
}
