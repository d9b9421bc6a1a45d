//! Canonical base64url (RFC 4648 §5, RFC 7515 §2): no padding, no white space, no other alphabet,
//! and unused trailing bits zero, so that no two texts stand for the same bytes.

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{Engine, decoded_len_estimate};

/// Decodes; `None` unless it is the canonical form.
pub(crate) fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    // `Engine::decode` asks for zeroed memory, for which an allocator can take longer.
    let mut bytes = Vec::with_capacity(decoded_len_estimate(encoded.len()));
    URL_SAFE_NO_PAD.decode_vec(encoded, &mut bytes).ok()?;
    Some(bytes)
}

/// As [`decode`], of 64 bytes, without an allocation; `None` also if it is not as many.
pub(super) fn decode_64(encoded: &[u8]) -> Option<[u8; 64]> {
    // The decoder asks for room for whole groups of three.
    let mut bytes = [0; 66];
    let len = URL_SAFE_NO_PAD.decode_slice(encoded, &mut bytes).ok()?;
    bytes.get(..len)?.try_into().ok()
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

    #[test]
    fn sixty_four_bytes_are_decoded_as_any_other() {
        let bytes: Vec<u8> = (0..=255).cycle().skip(190).take(70).collect();
        for len in 0..=70 {
            let text = URL_SAFE_NO_PAD.encode(&bytes[..len]);
            let expected = (len == 64).then(|| bytes[..64].to_vec());
            assert_eq!(decode_64(text.as_bytes()).map(Vec::from), expected, "{len} bytes");
        }
        let text = URL_SAFE_NO_PAD.encode(&bytes[..64]);
        let other_end = |end: &str| decode_64(format!("{}{end}", &text[..85]).as_bytes());
        assert_eq!(other_end(&text[85..]).map(Vec::from), Some(bytes[..64].to_vec()));
        for end in ["_", "\n", "=", "", "A="] {
            assert_eq!(other_end(end), None, "{end}");
        }
    }
}
