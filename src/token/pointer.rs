//! JSON pointers (RFC 6901) into the claims of a token.

use super::json::{self, Fault, Value};

/// A pointer to one value below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer(Vec<String>);

impl Pointer {
    /// Parses `/member/0/member`, with `~1` for `/` and `~0` for `~`.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        if text.is_empty() {
            return Err("empty (expected a JSON pointer, as in /plan)");
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err("does not start with a slash (expected a JSON pointer, as in /plan)");
        };
        let steps = rest.split('/').map(unescape).collect::<Option<_>>();
        steps.map(Pointer).ok_or("a `~` without 0 or 1 after it (expected ~0 for ~, ~1 for /)")
    }

    /// Returns the value it points to in the text of an object that was found strict.
    pub(crate) fn find<'a>(&self, object: &'a str) -> Option<Value<'a>> {
        self.0.iter().try_fold(Value::Object(object), |value, step| match value {
            Value::Object(text) => json::member(text, step),
            Value::Array(text) => json::element(text, index(step)?),
            _ => None,
        })
    }
}

fn unescape(step: &str) -> Option<String> {
    let mut parts = step.split('~');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (escaped, rest) = match (part.strip_prefix('0'), part.strip_prefix('1')) {
            (Some(rest), _) => ('~', rest),
            (_, Some(rest)) => ('/', rest),
            _ => return None,
        };
        plain.push(escaped);
        plain.push_str(rest);
    }
    Some(plain)
}

/// Digits without a leading zero (RFC 6901 §4).
fn index(step: &str) -> Option<usize> {
    let canonical = step == "0" || !step.starts_with(['0', '+']);
    if canonical { step.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(text: &'a str, pointer: &str) -> Option<Value<'a>> {
        Pointer::parse(pointer).unwrap().find(text)
    }

    /// The examples of RFC 6901 §5, but for the pointer to the whole.
    #[test]
    fn the_examples_of_the_rfc() {
        let text = r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,
            "k\"l":6," ":7,"m~n":8}"#;
        assert_eq!(at(text, "/foo"), Some(Value::Array(r#"["bar","baz"]"#)));
        assert_eq!(at(text, "/foo/0"), Some(Value::String("bar".into())));
        for (pointer, number) in [
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"),
            ("/i\\j", "5"),
            ("/k\"l", "6"),
            ("/ ", "7"),
            ("/m~0n", "8"),
        ] {
            assert_eq!(at(text, pointer), Some(Value::Number(number)), "{pointer}");
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        let text = r#"{"a":[10,{"b":true}],"s":"x","~1":1,"n":{"0":5}}"#;
        for pointer in ["/x", "/a/2", "/a/-", "/a/00", "/a/+0", "/a/b", "/a/", "/s/0", "/a/0/0"] {
            assert_eq!(at(text, pointer), None, "{pointer}");
        }
        assert_eq!(at(text, "/a/1/b"), Some(Value::Bool(true)));
        assert_eq!(at(text, "/~01"), Some(Value::Number("1")), "~0 first, then 1");
        assert_eq!(at(text, "/n/0"), Some(Value::Number("5")));
    }

    #[test]
    fn malformed_pointers_are_refused() {
        for text in ["", "a", "a/b", "/~", "/a~2", "/a~", "~0"] {
            assert!(Pointer::parse(text).is_err(), "{text}");
        }
    }
}
