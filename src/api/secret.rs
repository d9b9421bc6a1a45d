//! The secret key.

use std::fmt;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::http::HeaderValue;

const SCHEME: &str = "Bearer ";

/// A secret key, as the header that carries it. There is one copy, which requests share and which is
/// wiped when the last of them ends.
pub(super) struct Secret(HeaderValue);

impl Secret {
    pub(super) fn new(key: &str) -> Result<Self> {
        let refuse = |why| Err(Error::argument("secret_key", why));
        if key.is_empty() {
            return refuse("empty");
        }
        if !key.starts_with("sk_") {
            return refuse("does not start with sk_");
        }
        if key.len() > 512 {
            return refuse("longer than 512 bytes");
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return refuse("holds a character that is not visible ASCII");
        }
        // In its full length at once: a text that grows leaves copies behind.
        let mut value = Zeroizing::new(Vec::with_capacity(SCHEME.len() + key.len()));
        value.extend_from_slice(SCHEME.as_bytes());
        value.extend_from_slice(key.as_bytes());
        let value = HeaderValue::from_maybe_shared(Bytes::from_owner(value));
        let mut value = value.map_err(|_| Error::argument("secret_key", "not fit for a header"))?;
        value.set_sensitive(true);
        Ok(Secret(value))
    }

    pub(super) fn header(&self) -> &HeaderValue {
        &self.0
    }

    /// Replaces the key wherever the text contains it. Any of its characters may be
    /// written as a JSON escape (RFC 8259 §7), which may itself be escaped.
    pub(super) fn redact(&self, text: String) -> String {
        let header = self.0.as_bytes();
        let Some(key) = header.strip_prefix(SCHEME.as_bytes()) else { return text };
        let (mut redacted, mut rest) = (String::new(), text.as_str());
        while let Some((start, length)) = find(rest, key) {
            redacted.push_str(rest.get(..start).unwrap_or_default());
            redacted.push_str("[secret key]");
            rest = rest.get(start + length..).unwrap_or_default();
        }
        if redacted.is_empty() {
            return text;
        }
        redacted.push_str(rest);
        redacted
    }
}

/// Where the key is in the text, and how many bytes it takes there.
fn find(text: &str, key: &[u8]) -> Option<(usize, usize)> {
    let mut before = None;
    text.char_indices().find_map(|(start, c)| {
        // A run of backslashes is one escape: looked at once, however long it is.
        if c == '\\' && before.replace(c) == Some(c) {
            return None;
        }
        before = Some(c);
        let rest = text.get(start..)?.as_bytes();
        if rest.starts_with(key) {
            return Some((start, key.len()));
        }
        let end = key.iter().try_fold(rest, |rest, &byte| after(rest, byte))?;
        Some((start, rest.len() - end.len()))
    })
}

/// The text after this character, if it starts with it: as it is, or as an escape with one
/// backslash or more.
fn after(text: &[u8], byte: u8) -> Option<&[u8]> {
    let backslashes = text.iter().take_while(|byte| **byte == b'\\').count();
    let (backslashes, rest) = text.split_at_checked(backslashes)?;
    if backslashes.is_empty() {
        return rest.strip_prefix(&[byte]);
    }
    let code = rest.strip_prefix(b"u").and_then(|digits| digits.split_at_checked(4));
    let code = code.and_then(|(digits, rest)| {
        let code = u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
        (code == u32::from(byte)).then_some(rest)
    });
    // A run of backslashes is also how a backslash is written.
    code.or(if byte == b'\\' { Some(rest) } else { rest.strip_prefix(&[byte]) })
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_checked() {
        let secret = Secret::new("sk_test_1").unwrap();
        assert_eq!(secret.header().as_bytes(), b"Bearer sk_test_1");
        assert_eq!(format!("{secret:?} {:?}", secret.header()), "Secret Sensitive");
        let long = format!("sk_{}", "x".repeat(510));
        for (bad, why) in [
            ("", "empty"),
            ("pk_1", "does not start with sk_"),
            ("sk_1\r\nx: y", "holds a character that is not visible ASCII"),
            ("sk_ 1", "holds a character that is not visible ASCII"),
            ("sk_\u{e4}", "holds a character that is not visible ASCII"),
            (&long, "longer than 512 bytes"),
        ] {
            let message = Secret::new(bad).unwrap_err().to_string();
            assert_eq!(message, format!("secret_key: {why}"));
        }
    }

    #[test]
    fn a_key_is_redacted() {
        let secret = Secret::new("sk_test_1").unwrap();
        for (text, redacted) in [
            ("", ""),
            ("sk_test_", "sk_test_"),
            ("a sk_test_1!", "a [secret key]!"),
            ("sk_test_1sk_test_1", "[secret key][secret key]"),
            ("ssk_test_1\u{e4}", "s[secret key]\u{e4}"),
            (r"sk\u005ftest\u005F1", "[secret key]"),
            (r"\u0073k_test_\u0031.", "[secret key]."),
            (r"sk\\u005ftest_1", "[secret key]"),
            (r"sk\u005gtest_1", r"sk\u005gtest_1"),
            (r"sk\u005etest_1", r"sk\u005etest_1"),
            (r"sk\u005", r"sk\u005"),
            (r"sk\", r"sk\"),
        ] {
            assert_eq!(secret.redact(text.to_owned()), redacted, "{text}");
        }
        let secret = Secret::new(r#"sk_/"\1"#).unwrap();
        for text in
            [r#"sk_/"\1"#, r#"sk_\/\"\\1"#, r#"sk_\u002f\u0022\u005C1"#, r#"sk_\\/\\"\\\\1"#]
        {
            assert_eq!(secret.redact(text.to_owned()), "[secret key]", "{text}");
        }
    }

    /// With a quadratic search this takes hours.
    #[test]
    fn a_long_run_of_backslashes_is_searched_once() {
        let secret = Secret::new("sk_test_1").unwrap();
        let run = "\\".repeat(8 << 20);
        assert_eq!(secret.redact(run.clone()), run);
        assert_eq!(secret.redact(format!("a{run}sk_test_1")), "a[secret key]");
        assert_eq!(secret.redact(format!("s{run}k_test_1{run}")), format!("[secret key]{run}"));
    }
}
