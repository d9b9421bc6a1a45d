//! The secret key.

use std::fmt;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::http::HeaderValue;

const SCHEME: &str = "Bearer ";

/// A secret key, as the header that carries it. There is one copy, which every request borrows and
/// which is wiped when the last of them is gone.
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

    /// The text without the key, should somebody have put it there.
    pub(super) fn redact(&self, text: String) -> String {
        match self.0.to_str().ok().and_then(|value| value.strip_prefix(SCHEME)) {
            Some(key) if text.contains(key) => text.replace(key, "[secret key]"),
            _ => text,
        }
    }
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
    fn a_key_is_fit_for_a_header() {
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
    fn a_key_is_struck_from_texts() {
        let secret = Secret::new("sk_test_1").unwrap();
        assert_eq!(secret.redact("a sk_test_1!".to_owned()), "a [secret key]!");
    }
}
