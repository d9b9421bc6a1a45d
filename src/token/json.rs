//! Strict JSON (RFC 8259, RFC 7519 §4), for what a stranger may send.
//!
//! A token must mean the same to everybody who reads it, so what parsers are known to disagree
//! about is refused: duplicate member names (also when spelt with different escapes), lone
//! surrogates, a byte order mark, and nesting beyond a bound. Nothing is copied but text that has
//! escapes, and no tree is built.

use std::borrow::Cow;

/// How deep objects and arrays may nest; the outermost is 1.
pub(crate) const MAX_DEPTH: usize = 32;

/// Why a text is not strict JSON.
pub(crate) type Fault = &'static str;

/// A member's value. Arrays and objects are their text, already found to be strict.
#[derive(Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    String(Cow<'a, str>),
    Array(&'a str),
    Object(&'a str),
}

/// Reads a text that is one JSON object, and shows each of its members to `each`.
pub(crate) fn object<'a>(
    text: &'a str,
    mut each: impl FnMut(&str, Value<'a>),
) -> Result<(), Fault> {
    let mut scan = Scan { text, at: 0, names: Vec::new() };
    scan.blanks();
    if scan.peek() != Some(b'{') {
        return Err("not a JSON object");
    }
    scan.members(1, &mut each)?;
    scan.blanks();
    if scan.at == text.len() { Ok(()) } else { Err("text after the JSON object") }
}

/// Shows each element of an array that was found strict to `each`.
pub(crate) fn elements<'a>(array: &'a str, mut each: impl FnMut(Value<'a>)) -> Result<(), Fault> {
    Scan { text: array, at: 0, names: Vec::new() }.items(1, &mut each)
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// The member names of the objects being read, outermost first.
    names: Vec<Cow<'a, str>>,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn since(&self, start: usize) -> Result<&'a str, Fault> {
        self.text.get(start..self.at).ok_or("not UTF-8")
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Fault> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => {
                self.members(depth + 1, &mut |_, _| ())?;
                self.since(start).map(Value::Object)
            }
            Some(b'[') => {
                self.items(depth + 1, &mut |_| ())?;
                self.since(start).map(Value::Array)
            }
            Some(b't') => self.word("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Value::Bool(false)),
            Some(b'n') => self.word("null").map(|()| Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(_) => Err("a value that is not JSON"),
            None => Err("JSON that ends too early"),
        }
    }

    /// An object, from its `{` to its `}`.
    fn members(
        &mut self,
        depth: usize,
        each: &mut dyn FnMut(&str, Value<'a>),
    ) -> Result<(), Fault> {
        self.enter(depth)?;
        let outer = self.names.len();
        if !self.empty(b'}') {
            loop {
                self.blanks();
                if self.peek() != Some(b'"') {
                    return Err("a member without a name");
                }
                let name = self.string()?;
                self.blanks();
                if self.next() != Some(b':') {
                    return Err("a member without a value");
                }
                self.blanks();
                let value = self.value(depth)?;
                each(&name, value);
                self.names.push(name);
                if self.ends(b'}')? {
                    break;
                }
            }
        }
        let distinct = self.names.get_mut(outer..).is_none_or(distinct);
        self.names.truncate(outer);
        if distinct { Ok(()) } else { Err("a member name that occurs twice") }
    }

    /// An array, from its `[` to its `]`.
    fn items(&mut self, depth: usize, each: &mut dyn FnMut(Value<'a>)) -> Result<(), Fault> {
        self.enter(depth)?;
        if !self.empty(b']') {
            loop {
                self.blanks();
                each(self.value(depth)?);
                if self.ends(b']')? {
                    break;
                }
            }
        }
        Ok(())
    }

    fn enter(&mut self, depth: usize) -> Result<(), Fault> {
        self.at += 1;
        if depth > MAX_DEPTH { Err("JSON nested deeper than 32") } else { Ok(()) }
    }

    fn empty(&mut self, close: u8) -> bool {
        self.blanks();
        let empty = self.peek() == Some(close);
        self.at += usize::from(empty);
        empty
    }

    /// After an item: whether the bracket closes here, or another item follows.
    fn ends(&mut self, close: u8) -> Result<bool, Fault> {
        self.blanks();
        match self.next() {
            Some(b',') => Ok(false),
            Some(byte) if byte == close => Ok(true),
            Some(_) => Err("items without a comma between them"),
            None => Err("JSON that ends too early"),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<(), Fault> {
        let end = self.at + word.len();
        if self.text.get(self.at..end) != Some(word) {
            return Err("a value that is not JSON");
        }
        self.at = end;
        Ok(())
    }

    fn number(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.next() {
            Some(b'0') => {}
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err("a number that is not JSON"),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        self.since(start)
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.digits();
        if self.at > start { Ok(()) } else { Err("a number that is not JSON") }
    }

    /// A string, from quote to quote, without its escapes.
    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.at += 1;
        let mut unescaped = String::new();
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            let start = self.at;
            self.at += plain.unwrap_or(rest.len());
            let run = self.since(start)?;
            match self.next() {
                Some(b'"') if unescaped.is_empty() => return Ok(Cow::Borrowed(run)),
                Some(b'"') => return Ok(Cow::Owned(unescaped + run)),
                Some(b'\\') => {
                    unescaped.push_str(run);
                    unescaped.push(self.escape()?);
                }
                Some(_) => return Err("a control character in a string"),
                None => return Err("JSON that ends too early"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        Ok(match self.next() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let high = self.unit()?;
                let code = match high {
                    0xD800..0xDC00 => {
                        if (self.next(), self.next()) != (Some(b'\\'), Some(b'u')) {
                            return Err("half of a surrogate pair");
                        }
                        match self.unit()? {
                            low @ 0xDC00..0xE000 => {
                                0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
                            }
                            _ => return Err("half of a surrogate pair"),
                        }
                    }
                    code => code,
                };
                char::from_u32(code).ok_or("half of a surrogate pair")?
            }
            _ => return Err("an escape that is not JSON"),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, Fault> {
        let digits = self.text.get(self.at..self.at + 4).ok_or("an escape that is not JSON")?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("an escape that is not JSON");
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| "an escape that is not JSON")
    }
}

/// Whether no name occurs twice. Sorting keeps a crowd of names from costing its square.
fn distinct(names: &mut [Cow<'_, str>]) -> bool {
    if let [rest @ .., _] = &*names
        && names.len() <= 16
    {
        return rest
            .iter()
            .enumerate()
            .all(|(i, name)| !names.iter().skip(i + 1).any(|n| n == name));
    }
    names.sort_unstable();
    names.is_sorted_by(|a, b| a != b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Option<Fault> {
        object(text, |_, _| ()).err()
    }

    #[test]
    fn members_come_in_order_with_their_values() {
        let mut seen = Vec::new();
        let text = r#" {"a":"x\u00e9\n", "b" : [1, {"c":null}],"d":-1.5e+3,"e":true,"f":{}} "#;
        object(text, |name, value| seen.push((name.to_owned(), value))).unwrap();
        assert_eq!(
            seen,
            [
                ("a".to_owned(), Value::String("xé\n".into())),
                ("b".to_owned(), Value::Array(r#"[1, {"c":null}]"#)),
                ("d".to_owned(), Value::Number("-1.5e+3")),
                ("e".to_owned(), Value::Bool(true)),
                ("f".to_owned(), Value::Object("{}")),
            ]
        );
    }

    #[test]
    fn elements_are_those_of_the_array() {
        let mut seen = Vec::new();
        elements(r#"["a", 1,[ ] ]"#, |value| seen.push(value)).unwrap();
        assert_eq!(seen, [Value::String("a".into()), Value::Number("1"), Value::Array("[ ]")]);
    }

    #[test]
    fn a_name_may_occur_once_at_every_depth() {
        assert_eq!(fault(r#"{"a":{"b":1},"b":{"b":1}}"#), None);
        let twice = Some("a member name that occurs twice");
        assert_eq!(fault(r#"{"a":1,"a":1}"#), twice);
        assert_eq!(fault(r#"{"sub":1,"s\u0075b":1}"#), twice);
        assert_eq!(fault(r#"{"x":[{"a":1,"b":2,"a":3}]}"#), twice);
        let many = |last: usize| {
            let names: Vec<_> = (0..40).chain([last]).map(|i| format!("\"{i}\":0")).collect();
            format!("{{{}}}", names.join(","))
        };
        assert_eq!(fault(&many(40)), None);
        assert_eq!(fault(&many(17)), twice);
    }

    #[test]
    fn nesting_is_bounded() {
        let nest = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(fault(&nest(MAX_DEPTH - 1)), None);
        assert_eq!(fault(&nest(MAX_DEPTH)), Some("JSON nested deeper than 32"));
    }

    #[test]
    fn half_surrogates_are_refused() {
        assert_eq!(fault(r#"{"a":"\ud83d\ude00"}"#), None);
        for text in [r#"{"a":"\ud83d"}"#, r#"{"a":"\ude00"}"#, r#"{"a":"\ud83d\u0041"}"#] {
            assert_eq!(fault(text), Some("half of a surrogate pair"), "{text}");
        }
    }

    /// Whatever this reader takes, serde_json takes as well, and the other way round but for the
    /// rules that are ours.
    #[test]
    fn agrees_with_serde_json() {
        let texts = [
            "",
            "{",
            "}",
            "{}",
            " {} ",
            "{}x",
            "[]",
            "\u{feff}{}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a":01}"#,
            r#"{"a":-}"#,
            r#"{"a":1.}"#,
            r#"{"a":.5}"#,
            r#"{"a":1e}"#,
            r#"{"a":1e5}"#,
            r#"{"a":+1}"#,
            r#"{"a":NaN}"#,
            r#"{"a":tru}"#,
            r#"{"a":nul}"#,
            r#"{"a":'b'}"#,
            r#"{a:1}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12"}"#,
            r#"{"a":"\u+123"}"#,
            "{\"a\":\"\t\"}",
            r#"{"a":"b}"#,
            r#"{"a":[1 2]}"#,
            r#"{"a":[1,]}"#,
            r#"{"a" 1}"#,
            r#"{"a":1 "b":2}"#,
            r#"{"":""}"#,
            r#"{"a":-0}"#,
            r#"{"a":1E-2}"#,
            r#"{"a":[[],{}]}"#,
            r#"{"é":"\u00E9"}"#,
            "{\"a\":1}\n",
        ];
        for text in texts {
            let theirs = serde_json::from_str::<serde_json::Map<_, _>>(text);
            assert_eq!(fault(text).is_none(), theirs.is_ok(), "{text}: {:?}", fault(text));
        }
    }
}
