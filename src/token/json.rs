//! Strict JSON (RFC 8259, RFC 7519 §4), for input of unauthenticated clients.
//!
//! A token must mean the same to every reader, so constructs that parsers disagree about are
//! refused: duplicate member names (also when spelled with different escapes), lone
//! surrogates, a byte order mark, and nesting beyond a bound; in a token also numbers beyond the range
//! of a double. Only strings with escapes are copied, and no tree is built.

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

/// How much is checked.
#[derive(Clone, Copy, PartialEq)]
enum Rules {
    /// Strict JSON.
    Strict,
    /// Strict JSON in which a double can hold every number.
    Finite,
    /// Nothing more: the text was found strict before.
    Known,
}

/// Reads a text that is one JSON object, and passes each of its members to `each`.
pub(crate) fn object<'a>(text: &'a str, each: impl FnMut(&str, Value<'a>)) -> Result<(), Fault> {
    whole_object(text, Rules::Strict, each)
}

/// As [`object`], and refuses a number that no double can hold: readers disagree about it, and one
/// that gives up on it loses the members beside it.
pub(crate) fn finite_object<'a>(
    text: &'a str,
    each: impl FnMut(&str, Value<'a>),
) -> Result<(), Fault> {
    whole_object(text, Rules::Finite, each)
}

fn whole_object<'a>(
    text: &'a str,
    rules: Rules,
    mut each: impl FnMut(&str, Value<'a>),
) -> Result<(), Fault> {
    let mut scan = Scan::new(text, rules);
    scan.blanks();
    if scan.peek() != Some(b'{') {
        return Err("not a JSON object");
    }
    scan.members(1, &mut |name, value| {
        each(name, value);
        true
    })?;
    scan.blanks();
    if scan.at == text.len() { Ok(()) } else { Err("text after the JSON object") }
}

/// Reads a text that is one JSON value, by the rules of [`finite_object`].
pub(crate) fn value(text: &str) -> Result<Value<'_>, Fault> {
    let mut scan = Scan::new(text, Rules::Finite);
    scan.blanks();
    let value = scan.value(0)?;
    scan.blanks();
    if scan.at == text.len() { Ok(value) } else { Err("text after the JSON value") }
}

/// Passes each element of an array that was found strict to `each`.
pub(crate) fn elements<'a>(array: &'a str, mut each: impl FnMut(Value<'a>)) -> Result<(), Fault> {
    Scan::new(array, Rules::Known).items(1, &mut |element| {
        each(element);
        true
    })
}

/// Returns a member of an object that was found strict.
pub(crate) fn member<'a>(object: &'a str, name: &str) -> Option<Value<'a>> {
    let (mut scan, mut found) = (Scan::new(object, Rules::Known), None);
    scan.blanks();
    let read = scan.members(1, &mut |known, value| {
        let other = known != name;
        if !other {
            found = Some(value);
        }
        other
    });
    found.filter(|_| read.is_ok())
}

/// Returns the element at `index` of an array that was found strict.
pub(crate) fn element(array: &str, index: usize) -> Option<Value<'_>> {
    let (mut left, mut found) = (index, None);
    let read = Scan::new(array, Rules::Known).items(1, &mut |element| {
        if left == 0 {
            found = Some(element);
            return false;
        }
        left -= 1;
        true
    });
    found.filter(|_| read.is_ok())
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    rules: Rules,
    /// The member names of the objects being read, outermost first.
    names: Vec<Cow<'a, str>>,
}

/// Up to this many names of an object are compared with each other. More are sorted, since comparing
/// takes quadratic time.
const FEW: usize = 16;

impl<'a> Scan<'a> {
    fn new(text: &'a str, rules: Rules) -> Self {
        let names = if rules == Rules::Known { Vec::new() } else { Vec::with_capacity(FEW) };
        Scan { text, at: 0, rules, names }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn since(&self, start: usize) -> Result<&'a str, Fault> {
        self.text.get(start..self.at).ok_or("not UTF-8")
    }

    #[inline]
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
                self.members(depth + 1, &mut |_, _| true)?;
                self.since(start).map(Value::Object)
            }
            Some(b'[') => {
                self.items(depth + 1, &mut |_| true)?;
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

    /// An object, from its `{` to its `}`, or to the member at which `each` says to stop.
    fn members(
        &mut self,
        depth: usize,
        each: &mut dyn FnMut(&str, Value<'a>) -> bool,
    ) -> Result<(), Fault> {
        self.enter(depth)?;
        let (outer, mut seen) = (self.names.len(), 0);
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
                if !each(&name, value) {
                    return Ok(());
                }
                if self.rules != Rules::Known {
                    self.remember(name, outer, &mut seen)?;
                }
                if self.ends(b'}')? {
                    break;
                }
            }
        }
        match self.names.get_mut(outer..) {
            Some(names) if names.len() > FEW => {
                names.sort_unstable();
                if !names.is_sorted_by(|a, b| a != b) {
                    return Err(TWICE);
                }
            }
            _ => {}
        }
        self.names.truncate(outer);
        Ok(())
    }

    /// Remembers a name of the object whose names begin at `outer`, and refuses it if it is one of the
    /// first few and is there already. `seen` has a bit for each of them, which others may share.
    fn remember(&mut self, name: Cow<'a, str>, outer: usize, seen: &mut u64) -> Result<(), Fault> {
        let bit = 1 << (digest(name.as_bytes()) % 64);
        if *seen & bit != 0
            && let Some(known) = self.names.get(outer..)
            && known.len() < FEW
            && known.contains(&name)
        {
            return Err(TWICE);
        }
        *seen |= bit;
        self.names.push(name);
        Ok(())
    }

    /// An array, from its `[` to its `]`, or to the element at which `each` says to stop.
    fn items(
        &mut self,
        depth: usize,
        each: &mut dyn FnMut(Value<'a>) -> bool,
    ) -> Result<(), Fault> {
        self.enter(depth)?;
        if !self.empty(b']') {
            loop {
                self.blanks();
                if !each(self.value(depth)?) {
                    return Ok(());
                }
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
        let (start, mut exponent) = (self.at, false);
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
            exponent = true;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        let number = self.since(start)?;
        // Without an exponent, a number of this length is below 1e300.
        let small = !exponent && number.len() <= 300;
        if self.rules == Rules::Finite && !small && !is_finite(number) {
            return Err("a number that no double can hold");
        }
        Ok(number)
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
            let start = self.at;
            self.at += plain(self.text.as_bytes().get(start..).unwrap_or_default());
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

/// How many of these bytes come before the first quote, backslash or control character.
#[inline]
fn plain(bytes: &[u8]) -> usize {
    let (eights, rest) = bytes.as_chunks::<8>();
    for (n, eight) in eights.iter().enumerate() {
        let special = special(u64::from_le_bytes(*eight));
        if special != 0 {
            return 8 * n + special.trailing_zeros() as usize / 8;
        }
    }
    let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    bytes.len() - rest.len() + plain.unwrap_or(rest.len())
}

/// Sets the top bit of each byte that is a quote, a backslash or a control character. Bytes behind the
/// first such may be marked as well: a subtraction borrows from them.
#[inline]
fn special(bytes: u64) -> u64 {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    let below = |bytes: u64, limit: u8| bytes.wrapping_sub(EACH * u64::from(limit)) & !bytes;
    let equal = |byte: u8| below(bytes ^ (EACH * u64::from(byte)), 1);
    (below(bytes, 0x20) | equal(b'"') | equal(b'\\')) & (EACH << 7)
}

/// A number that is the same for the same name.
fn digest(name: &[u8]) -> usize {
    match name {
        [first, .., last] => name.len() + 7 * usize::from(*first) + usize::from(*last),
        [only] => usize::from(*only),
        [] => 0,
    }
}

const TWICE: Fault = "a member name that occurs twice";

/// Whether a double can hold the JSON number, rounded or not.
fn is_finite(number: &str) -> bool {
    number.parse::<f64>().is_ok_and(f64::is_finite)
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

    /// The first few names are compared and more are sorted, wherever the two equal ones are.
    #[test]
    fn a_name_that_occurs_twice_is_found_in_any_place() {
        for count in [2, 3, FEW - 1, FEW, FEW + 1, FEW + 2, 100] {
            for second in 1..count {
                for first in [0, second / 2, second - 1] {
                    let mut names: Vec<_> = (0..count).map(|i| format!("n{}", i * 7)).collect();
                    names[second] = names[first].clone();
                    let members: Vec<_> = names.iter().map(|n| format!("\"{n}\":[]")).collect();
                    let object = format!("{{{}}}", members.join(","));
                    assert_eq!(fault(&object), Some(TWICE), "{object}");
                    let inner = format!("{{\"a\":1,\"b\":[{object}]}}");
                    assert_eq!(fault(&inner), Some(TWICE), "{inner}");
                }
            }
        }
    }

    #[test]
    fn the_end_of_a_string_is_found_wherever_it_is() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                for (before, after) in [(b'a', b'"'), (0xff, 0x1f), (0x80, b'\\'), (b' ', b'!')] {
                    let mut bytes = [before; 20];
                    bytes[at] = byte;
                    bytes[at + 1..].fill(after);
                    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
                    let expected = bytes.iter().position(is_special).unwrap_or(bytes.len());
                    assert_eq!(plain(&bytes), expected, "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nest = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(fault(&nest(MAX_DEPTH - 1)), None);
        assert_eq!(fault(&nest(MAX_DEPTH)), Some("JSON nested deeper than 32"));
    }

    #[test]
    fn a_token_holds_no_number_beyond_a_double() {
        let fault = |value: &str| finite_object(&format!("{{\"a\":{value}}}"), |_, _| ()).err();
        let beyond = Some("a number that no double can hold");
        let long = |digits: usize| "9".repeat(digits);
        for value in ["1e308", "-1.7976931348623157e308", "1e-999", "0e999", &long(308)] {
            assert_eq!(fault(value), None, "{value}");
        }
        for value in ["1e309", "-1E+999", "[[1e999]]", r#"{"b":1e999}"#, &long(310)] {
            assert_eq!(fault(value), beyond, "{value}");
            assert_eq!(object(&format!("{{\"a\":{value}}}"), |_, _| ()), Ok(()), "{value}");
        }
    }

    #[test]
    fn members_and_elements_are_found() {
        let text = r#" {"a":[1,{"b":"x"}],"\u0062":true,"c":{"a":null}} "#;
        assert_eq!(member(text, "b"), Some(Value::Bool(true)));
        assert_eq!(member(text, "c"), Some(Value::Object(r#"{"a":null}"#)));
        assert_eq!(member(text, "x"), None);
        assert_eq!(member("{}", "x"), None);
        let array = r#"[1, {"b":"x"} ,[ ]]"#;
        assert_eq!(element(array, 0), Some(Value::Number("1")));
        assert_eq!(element(array, 1), Some(Value::Object(r#"{"b":"x"}"#)));
        assert_eq!(element(array, 2), Some(Value::Array("[ ]")));
        assert_eq!(element(array, 3), None);
        assert_eq!(element("[]", 0), None);
    }

    #[test]
    fn a_value_is_the_whole_text() {
        assert_eq!(value(" 1.50 "), Ok(Value::Number("1.50")));
        assert_eq!(value(r#""\u0041""#), Ok(Value::String("A".into())));
        for text in ["", "1 2", "x", "1e999", r#"{"a":1,"a":2}"#, "\"a"] {
            assert!(value(text).is_err(), "{text}");
        }
    }

    #[test]
    fn half_surrogates_are_refused() {
        assert_eq!(fault(r#"{"a":"\ud83d\ude00"}"#), None);
        for text in [r#"{"a":"\ud83d"}"#, r#"{"a":"\ude00"}"#, r#"{"a":"\ud83d\u0041"}"#] {
            assert_eq!(fault(text), Some("half of a surrogate pair"), "{text}");
        }
    }

    /// This reader and serde_json accept the same texts, except for the stricter rules of this library.
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
