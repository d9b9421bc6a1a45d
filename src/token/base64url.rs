//! Canonical base64url (RFC 4648 §5, RFC 7515 §2): no padding, no white space, no other alphabet,
//! and unused trailing bits zero, so that no two texts stand for the same bytes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The decoded bytes, in a buffer with `room` to spare.
pub(crate) fn decode(encoded: &[u8], room: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(encoded.len() / 4 * 3 + 3 + room);
    URL_SAFE_NO_PAD.decode_vec(encoded, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_taken() {
        assert_eq!(decode(b"-_8", 0), Some(vec![0xfb, 0xff]));
        assert_eq!(decode(b"", 0), Some(vec![]));
        for text in ["-_8=", "+/8", "-_ 8", "-_8\n", "-_9", "A", "-_8AA", "-\u{e9}8"] {
            assert_eq!(decode(text.as_bytes(), 0), None, "{text}");
        }
    }
}
