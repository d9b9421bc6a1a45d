//! ES256 signatures that come out the same every time (RFC 6979), and hostile variations of them.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::{digest, hmac};
use num_bigint::BigUint;

/// The two numbers of a signature.
pub struct Signature {
    /// The x coordinate of the nonce's point.
    pub r: BigUint,
    /// The proof.
    pub s: BigUint,
}

impl Signature {
    /// As JWS wants it: both numbers in 32 bytes, one after the other.
    pub fn bytes(&self) -> Vec<u8> {
        [padded(&self.r), padded(&self.s)].concat()
    }

    /// As X.509 and most tools have it: a DER sequence of two integers.
    pub fn der(&self) -> Vec<u8> {
        let integer = |number: &BigUint| {
            let mut bytes = number.to_bytes_be();
            if bytes[0] >= 0x80 {
                bytes.insert(0, 0);
            }
            [&[2, bytes.len() as u8], bytes.as_slice()].concat()
        };
        let numbers = [integer(&self.r), integer(&self.s)].concat();
        [&[0x30, numbers.len() as u8], numbers.as_slice()].concat()
    }

    /// The other signature that the same key and message accept.
    pub fn twin(self) -> Signature {
        Signature { s: order() - self.s, r: self.r }
    }

    /// Whether `s` is in the upper half of its range.
    pub fn is_high(&self) -> bool {
        self.s > order() / 2u8
    }
}

/// The order of the P-256 group.
pub fn order() -> BigUint {
    number("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
}

/// The prime of the P-256 field.
pub fn prime() -> BigUint {
    number("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
}

/// A number from its hexadecimal digits.
pub fn number(hex: &str) -> BigUint {
    BigUint::parse_bytes(hex.as_bytes(), 16).expect("hexadecimal digits")
}

/// A number below 2^256 in 32 bytes, big-endian.
pub fn padded(number: &BigUint) -> [u8; 32] {
    let digits = number.to_bytes_be();
    let mut bytes = [0; 32];
    bytes[32 - digits.len()..].copy_from_slice(&digits);
    bytes
}

/// The public point of a private key: x and y.
pub fn public(private: &BigUint) -> ([u8; 32], [u8; 32]) {
    let key = PrivateKey::from_private_key(&ECDH_P256, &padded(private)).expect("in range");
    let point = key.compute_public_key().expect("a private key has one");
    let coordinate = |at: usize| point.as_ref()[at..at + 32].try_into().expect("32 bytes");
    (coordinate(1), coordinate(33))
}

/// Signs a message.
pub fn sign(private: &BigUint, message: &[u8]) -> Signature {
    let order = order();
    let hash = hash(message);
    let nonce = nonce(private, &hash);
    let r = BigUint::from_bytes_be(&public(&nonce).0) % &order;
    let inverse = nonce.modinv(&order).expect("the order is prime");
    let s = inverse * (hash + &r * private) % order;
    Signature { r, s }
}

/// A private key under which the message has a signature with exactly this `s`, and that signature.
pub fn key_for(message: &[u8], s: BigUint) -> (BigUint, Signature) {
    let order = order();
    let nonce = number("5eed");
    let r = BigUint::from_bytes_be(&public(&nonce).0) % &order;
    let inverse = r.modinv(&order).expect("the order is prime");
    let private = (&s * nonce + &order - hash(message) % &order) * inverse % order;
    (private, Signature { r, s })
}

fn hash(message: &[u8]) -> BigUint {
    BigUint::from_bytes_be(digest::digest(&digest::SHA256, message).as_ref())
}

/// The nonce of RFC 6979, section 3.2, for P-256 and SHA-256.
fn nonce(private: &BigUint, hash: &BigUint) -> BigUint {
    let order = order();
    let seed = [padded(private), padded(&(hash % &order))].concat();
    let mut value = vec![1; 32];
    let mut key = vec![0; 32];
    for step in [0, 1] {
        key = mac(&key, &[value.as_slice(), &[step], &seed].concat());
        value = mac(&key, &value);
    }
    loop {
        value = mac(&key, &value);
        let candidate = BigUint::from_bytes_be(&value);
        if candidate > BigUint::ZERO && candidate < order {
            return candidate;
        }
        key = mac(&key, &[value.as_slice(), &[0]].concat());
        value = mac(&key, &value);
    }
}

/// HMAC-SHA256.
pub fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, message).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    fn verifies(private: &BigUint, message: &[u8], signature: &Signature) -> bool {
        let (x, y) = public(private);
        let point = [&[4], x.as_slice(), &y].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, &signature.bytes()).is_ok()
    }

    /// RFC 6979, appendix A.2.5.
    #[test]
    fn signs_as_the_standard_says() {
        let private = number("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        for (message, r, s) in [
            (
                "sample",
                "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
                "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
            ),
            (
                "test",
                "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
                "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
            ),
        ] {
            let signature = sign(&private, message.as_bytes());
            assert_eq!((number(r), number(s)), (signature.r, signature.s));
        }
    }

    #[test]
    fn a_signature_its_twin_and_a_chosen_one_verify() {
        let private = number("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        let signature = sign(&private, b"message");
        assert!(verifies(&private, b"message", &signature));
        assert!(!verifies(&private, b"another", &signature));
        assert!(verifies(&private, b"message", &signature.twin()));

        let (private, signature) = key_for(b"message", BigUint::from(1u8));
        assert!(verifies(&private, b"message", &signature));
    }
}
