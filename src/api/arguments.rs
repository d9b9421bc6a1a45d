//! Checks of arguments, before anything is sent: no argument can turn a request into another one.

use std::fmt::{self, Write};

use serde_json::{Map, Value};

use crate::error::{Error, Result, Status};
use crate::http::is_dots;

/// An id, which must be a UUID.
pub(super) fn id<'a>(name: &'static str, text: &'a str) -> Result<&'a str> {
    if is_uuid(text) { Ok(text) } else { Err(Error::argument(name, "not a UUID")) }
}

/// Whether the text is a UUID in its usual form (RFC 9562 §4).
pub(super) fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// A body, which must be one JSON object. It is sent unchanged.
pub(super) fn object<'a>(name: &'static str, text: &'a str) -> Result<&'a str> {
    let start = text.trim_start_matches([' ', '\t', '\n', '\r']);
    if !start.starts_with('{') {
        return Err(Error::argument(name, "not a JSON object"));
    }
    match serde_json::from_str::<Map<String, Value>>(text) {
        Ok(_) => Ok(text),
        Err(error) => {
            // Not the error's own text, which could repeat a value.
            let (line, column) = (error.line(), error.column());
            let text = format!("{name}: not JSON (line {line}, column {column})");
            Err(Error::text(Status::InvalidArgument, text))
        }
    }
}

/// The strings of a JSON array.
pub(crate) fn states(list: &str) -> Result<Vec<String>> {
    serde_json::from_str(list).map_err(|_| Error::argument("statuses", "not a JSON list of texts"))
}

/// The path of a request to an operation this library does not know.
pub(super) fn path(text: &str) -> Result<&str> {
    let refuse = |why| Err(Error::argument("path", why));
    if !text.starts_with('/') {
        return refuse("does not start with a slash");
    }
    if text.contains(['?', '#']) {
        return refuse("holds a query or a fragment");
    }
    if text.bytes().any(|byte| !is_url_byte(byte)) {
        return refuse("holds a character that a URL cannot hold");
    }
    if text.split('/').any(is_dots) {
        return refuse("holds a dot segment");
    }
    Ok(text)
}

/// The query of such a request, already encoded.
pub(super) fn encoded_query(text: &str) -> Result<&str> {
    if text.bytes().all(|byte| is_url_byte(byte) || byte == b'?') {
        Ok(text)
    } else {
        Err(Error::argument("query", "holds a character that has to be percent-encoded"))
    }
}

fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"#<>?\\^`{|}".contains(&byte)
}

/// The query of a request. Displays with its question mark, or as nothing.
#[derive(Default)]
pub(super) struct Query(String);

impl Query {
    /// The query for a page. A limit of 0 means the API's default.
    pub(super) fn page(limit: u32, cursor: Option<&str>) -> Result<Self> {
        let mut query = Query::default();
        if limit > 100 {
            return Err(Error::argument("limit", "not within 0 to 100"));
        }
        if limit > 0 {
            query.add("limit", &limit.to_string());
        }
        if let Some(cursor) = cursor {
            query.add("cursor", id("cursor", cursor)?);
        }
        Ok(query)
    }

    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
        self.0.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                // Writing to a `String` does not fail.
                let _ = write!(self.0, "%{byte:02X}");
            }
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid() {
        for good in ["0191d3c0-0000-7000-8000-0123456789ab", "0191D3C0-0000-7000-8000-0123456789AB"]
        {
            assert_eq!(id("user_id", good).unwrap(), good);
        }
        for bad in [
            "",
            "../../admin",
            "0191d3c0000070008000-0123456789ab",
            "0191d3c0-0000-7000-8000-0123456789a/",
            "0191d3c0-0000-7000-8000-0123456789a\u{e4}",
            " 0191d3c0-0000-7000-8000-0123456789ab",
            "{191d3c0-0000-7000-8000-0123456789ab",
            "0191d3c0-0000-7000-8000-0123456789ab-",
        ] {
            assert_eq!(id("user_id", bad).unwrap_err().to_string(), "user_id: not a UUID", "{bad}");
        }
    }

    #[test]
    fn a_body_is_one_object() {
        for good in ["{}", " {\"a\": null}\n", r#"{"a":{"b":[1e3]}}"#] {
            assert_eq!(object("body", good).unwrap(), good);
        }
        for (bad, why) in [
            ("", "body: not a JSON object"),
            ("[]", "body: not a JSON object"),
            ("null", "body: not a JSON object"),
            ("\u{feff}{}", "body: not a JSON object"),
            ("{\"a\":1", "body: not JSON (line 1, column 6)"),
            ("{}{}", "body: not JSON (line 1, column 3)"),
            ("{\"secret\":sk_1}", "body: not JSON (line 1, column 11)"),
            ("{\"a\":\"\\ud800\"}", "body: not JSON (line 1, column 13)"),
        ] {
            assert_eq!(object("body", bad).unwrap_err().to_string(), why, "{bad}");
        }
    }

    #[test]
    fn a_path_is_checked() {
        for good in ["/", "/api/server/v1/users", "/a%20b/c:d@e"] {
            assert_eq!(path(good).unwrap(), good);
        }
        for bad in ["", "users", "/a?b", "/a#b", "/a/../b", "/a/%2E./b", "/a b", "/a\\b", "/\u{e4}"]
        {
            assert!(path(bad).unwrap_err().to_string().starts_with("path: "), "{bad}");
        }
        assert!(encoded_query("a=%20&b=c?d").is_ok());
        for bad in ["a b", "a#b", "\u{e4}", "a\nb"] {
            assert!(encoded_query(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_query_is_encoded() {
        let mut query = Query::page(0, None).unwrap();
        assert_eq!(query.to_string(), "");
        query.add("name", "a b&c=\u{e4}~");
        query.add("status", "PENDING");
        assert_eq!(query.to_string(), "?name=a%20b%26c%3D%C3%A4~&status=PENDING");
        let cursor = "0191d3c0-0000-7000-8000-0123456789ab";
        let page = Query::page(100, Some(cursor)).unwrap();
        assert_eq!(page.to_string(), format!("?limit=100&cursor={cursor}"));
        let message = |limit, cursor| Query::page(limit, cursor).err().unwrap().to_string();
        assert_eq!(message(101, None), "limit: not within 0 to 100");
        assert_eq!(message(1, Some("x")), "cursor: not a UUID");
    }
}
