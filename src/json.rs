//! A JSON answer, read by JSON pointer (RFC 6901).

use std::fmt;

use serde_json::Value;

use crate::error::{Error, Result, Status};
use crate::text::{NulStr, NulString};

/// A JSON text and a way to read single values of it.
///
/// A pointer is `""` for the whole text, else `/member/0/member`, with `~1` for `/` and `~0` for
/// `~` in a member's name.
pub struct Json {
    text: NulString,
    /// Every string in it ends with U+0000.
    value: Value,
}

impl Json {
    /// Reads a text, which has to be one JSON value.
    pub fn parse(text: &str) -> Result<Json> {
        Json::read(text)
            .map_err(|error| Error::text(Status::InvalidArgument, format!("json: {error}")))
    }

    pub(crate) fn read(text: &str) -> serde_json::Result<Json> {
        let mut value = serde_json::from_str(text)?;
        terminate(&mut value);
        Ok(Json { text: NulString::new(text), value })
    }

    /// The whole text, as it was read.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    pub(crate) fn terminated(&self) -> NulStr<'_> {
        self.text.borrow()
    }

    /// The string at the pointer. `None` when there is none, it is no string, or it holds U+0000;
    /// [`text`](Self::text) has it then.
    pub fn str(&self, pointer: &str) -> Option<&str> {
        self.nul_str(pointer).map(NulStr::as_str)
    }

    pub(crate) fn nul_str(&self, pointer: &str) -> Option<NulStr<'_>> {
        let text = NulStr::new(self.value.pointer(pointer)?.as_str()?)?;
        (!text.as_str().contains('\0')).then_some(text)
    }

    /// The integer at the pointer.
    pub fn int(&self, pointer: &str) -> Result<i64> {
        self.at(pointer)?.as_i64().ok_or(Error::argument("pointer", "no 64-bit integer there"))
    }

    /// The boolean at the pointer.
    pub fn bool(&self, pointer: &str) -> Result<bool> {
        self.at(pointer)?.as_bool().ok_or(Error::argument("pointer", "no boolean there"))
    }

    /// How many elements the array, or members the object, at the pointer has.
    pub fn len(&self, pointer: &str) -> Result<usize> {
        match self.at(pointer)? {
            Value::Array(elements) => Ok(elements.len()),
            Value::Object(members) => Ok(members.len()),
            _ => Err(Error::argument("pointer", "neither an array nor an object there")),
        }
    }

    /// Whether there is `null` at the pointer; nothing at all is not `null`.
    pub fn is_null(&self, pointer: &str) -> bool {
        self.value.pointer(pointer).is_some_and(Value::is_null)
    }

    fn at(&self, pointer: &str) -> Result<&Value> {
        self.value.pointer(pointer).ok_or(Error::argument("pointer", "nothing there"))
    }
}

fn terminate(value: &mut Value) {
    match value {
        Value::String(text) => text.push('\0'),
        Value::Array(elements) => elements.iter_mut().for_each(terminate),
        Value::Object(members) => members.values_mut().for_each(terminate),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
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
    fn what_is_not_there_is_said() {
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
}
