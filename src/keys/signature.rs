//! ES256 signatures in the encoding that aws-lc verifies.

/// The DER of an ECDSA signature (RFC 3279 section 2.2.3): a sequence of two integers.
pub(super) struct Der {
    bytes: [u8; Self::LONGEST],
    len: usize,
}

impl Der {
    /// Two integers of 32 bytes, each behind a zero byte.
    const LONGEST: usize = 2 + 2 * (2 + 1 + 32);

    /// Encodes r and s, 32 bytes each (RFC 7518 section 3.4).
    ///
    /// aws-lc-rs would do the same, with six allocations.
    pub(super) fn of_fixed(signature: &[u8; 64]) -> Der {
        let mut der = Der { bytes: [0; Self::LONGEST], len: 0 };
        let (r, s) = signature.split_at(32);
        der.append(&[0x30, 0]);
        der.append_integer(r);
        der.append_integer(s);
        der.bytes[1] = der.len as u8 - 2;
        der
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Appends an unsigned number: in DER as few bytes as hold it, the first below 0x80.
    fn append_integer(&mut self, number: &[u8]) {
        let zeros = number.iter().take_while(|byte| **byte == 0).count().min(31);
        let number = number.get(zeros..).unwrap_or_default();
        let sign: &[u8] = match number.first() {
            Some(0x80..) => &[0],
            _ => &[],
        };
        self.append(&[2, (sign.len() + number.len()) as u8]);
        self.append(sign);
        self.append(number);
    }

    fn append(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(room) = self.bytes.get_mut(self.len..end) {
            room.copy_from_slice(bytes);
            self.len = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
        let mut signature = [0; 64];
        signature[32 - r.len()..32].copy_from_slice(r);
        signature[64 - s.len()..].copy_from_slice(s);
        Der::of_fixed(&signature).as_bytes().to_vec()
    }

    #[test]
    fn integers_are_as_short_as_can_be_and_not_negative() {
        assert_eq!(der(&[], &[]), [0x30, 6, 2, 1, 0, 2, 1, 0]);
        assert_eq!(der(&[0x7f], &[0x80]), [0x30, 7, 2, 1, 0x7f, 2, 2, 0, 0x80]);
        assert_eq!(der(&[1, 0], &[0xff, 0]), [0x30, 9, 2, 2, 1, 0, 2, 3, 0, 0xff, 0]);
        let longest = [&[0x30, 70, 2, 33, 0][..], &[0xff; 32], &[2, 33, 0], &[0xff; 32]].concat();
        assert_eq!(der(&[0xff; 32], &[0xff; 32]), longest);
        let usual = [&[0x30, 68, 2, 32][..], &[0x7f; 32], &[2, 32], &[0x7f; 32]].concat();
        assert_eq!(der(&[0x7f; 32], &[0x7f; 32]), usual);
    }
}
