//! Canonical base64url (RFC 4648 §5, RFC 7515 §2): no padding, no white space, no other alphabet,
//! and unused trailing bits zero, so that no two texts stand for the same bytes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes; `None` unless it is the canonical form.
pub(crate) fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(encoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_taken() {
        assert_eq!(decode(b"-_8"), Some(vec![0xfb, 0xff]));
        assert_eq!(decode(b""), Some(vec![]));
        for text in ["-_8=", "+/8", "-_ 8", "-_8\n", "-_9", "A", "-_8AA", "-\u{e9}8"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
