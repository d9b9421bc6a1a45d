//! Bodies that distinguish "set", "clear" and "leave unchanged".

use std::fmt;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{Error, Result, Status};
use crate::text::{NulStr, NulString};

/// Builds a JSON object field by field: a field has a value, is `null`, or is absent.
///
/// A PATCH sets a field with a value, clears it with `null`, and leaves an absent one unchanged.
/// Fields keep the order in which they were first set; setting one again replaces its value.
///
/// ```
/// # fn main() -> torii::Result<()> {
/// let mut patch = torii::Patch::new();
/// patch.set_string("name", "Ada")?.set_null("phone")?;
/// assert_eq!(patch.json(), r#"{"name":"Ada","phone":null}"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Patch {
    /// Names, and values as JSON text.
    fields: Vec<(String, String)>,
    /// The object as JSON text.
    text: NulString,
}

impl Patch {
    /// Creates an empty patch, `{}`, which changes nothing.
    pub fn new() -> Self {
        Patch { fields: Vec::new(), text: NulString::new("{}") }
    }

    /// Sets a field to a string.
    pub fn set_string(&mut self, name: &str, value: &str) -> Result<&mut Self> {
        self.set(name, Value::from(value).to_string())
    }

    /// Sets a field to true or false.
    pub fn set_bool(&mut self, name: &str, value: bool) -> Result<&mut Self> {
        self.set(name, value.to_string())
    }

    /// Sets a field to an integer.
    pub fn set_int(&mut self, name: &str, value: i64) -> Result<&mut Self> {
        self.set(name, value.to_string())
    }

    /// Sets a field to a value given as JSON text, such as an object or an array. It is sent
    /// unchanged.
    pub fn set_json(&mut self, name: &str, json: &str) -> Result<&mut Self> {
        // Not the error's own text, which could repeat the value.
        let value: &RawValue = serde_json::from_str(json).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let text = format!("json: not one JSON value (line {line}, column {column})");
            Error::text(Status::InvalidArgument, text)
        })?;
        self.set(name, value.get().to_owned())
    }

    /// Clears a field: sends it as `null`.
    pub fn set_null(&mut self, name: &str) -> Result<&mut Self> {
        self.set(name, "null".to_owned())
    }

    /// Leaves a field unchanged: does not send it.
    pub fn unset(&mut self, name: &str) -> Result<&mut Self> {
        check_name(name)?;
        self.fields.retain(|(known, _)| known != name);
        self.write();
        Ok(self)
    }

    /// Returns the object as JSON text.
    pub fn json(&self) -> &str {
        self.text.as_str()
    }

    pub(crate) fn nul_json(&self) -> NulStr<'_> {
        self.text.borrow()
    }

    fn set(&mut self, name: &str, json: String) -> Result<&mut Self> {
        check_name(name)?;
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, value)) => *value = json,
            None => self.fields.push((name.to_owned(), json)),
        }
        self.write();
        Ok(self)
    }

    fn write(&mut self) {
        let fields = self.fields.iter();
        let fields = fields.map(|(name, json)| format!("{}:{json}", Value::from(name.as_str())));
        self.text = NulString::new(&format!("{{{}}}", fields.collect::<Vec<_>>().join(",")));
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() { Err(Error::argument("name", "empty")) } else { Ok(()) }
}

impl Default for Patch {
    fn default() -> Self {
        Patch::new()
    }
}

impl AsRef<str> for Patch {
    fn as_ref(&self) -> &str {
        self.json()
    }
}

impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values may be secrets, or about people.
        f.debug_set().entries(self.fields.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_three_states() {
        let mut patch = Patch::new();
        assert_eq!(patch.json(), "{}");
        patch.set_string("name", "Ada").unwrap().set_null("phone").unwrap();
        assert_eq!(patch.json(), r#"{"name":"Ada","phone":null}"#);
        patch.unset("phone").unwrap().unset("never").unwrap();
        assert_eq!(patch.json(), r#"{"name":"Ada"}"#);
    }

    #[test]
    fn naming_a_field_again_replaces_it_where_it_stands() {
        let mut patch = Patch::new();
        patch.set_int("a", i64::MIN).unwrap().set_bool("b", true).unwrap();
        patch.set_null("a").unwrap();
        assert_eq!(patch.json(), r#"{"a":null,"b":true}"#);
    }

    #[test]
    fn every_text_is_escaped() {
        let mut patch = Patch::new();
        let text = "a\0b\"c\\d\n\u{2028}\u{10FFFF}";
        patch.set_string(text, text).unwrap();
        assert!(!patch.json().contains('\0'));
        let value: Value = serde_json::from_str(patch.json()).unwrap();
        assert_eq!(value[text], text);
    }

    #[test]
    fn json_is_passed_on_as_written() {
        let mut patch = Patch::new();
        patch.set_json("n", " 12345678901234567890.10 ").unwrap();
        patch.set_json("o", r#"{"b":[1, null],"a":{}}"#).unwrap();
        assert_eq!(patch.json(), r#"{"n":12345678901234567890.10,"o":{"b":[1, null],"a":{}}}"#);
        for wrong in ["", "{", "1 2", "secret", r#""a":1"#] {
            let message = patch.set_json("x", wrong).unwrap_err().to_string();
            assert!(message.starts_with("json: not one JSON value"), "{message}");
            assert!(!message.contains("secret"));
        }
    }

    #[test]
    fn names_are_not_empty() {
        let mut patch = Patch::new();
        for outcome in [patch.clone().set_null("").err(), patch.unset("").err()] {
            assert_eq!(outcome.unwrap().to_string(), "name: empty");
        }
    }
}
