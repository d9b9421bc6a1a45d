//! The signature: its length, its range, and what it covers.

use super::{SIGNATURE, TOO_LARGE};
use crate::Corpus;
use crate::draft::{Draft, base64url, claims, draft, header};
use crate::es256::{self, Signature, order, padded, prime};
use crate::keys::{self, Key, jwks};
use num_bigint::BigUint;

pub fn add(corpus: &mut Corpus) {
    length(corpus);
    range(corpus);
    small_s(corpus);
    malleability(corpus);
    coverage(corpus);
}

fn length(corpus: &mut Corpus) {
    type Make = fn(Signature) -> Vec<u8>;
    let cases: [(&str, &str, Make); 11] = [
        ("empty", "None, though the header says ES256.", |_| vec![]),
        ("1-byte", "One byte.", |_| vec![0]),
        ("32-bytes", "Only r.", |good| padded(&good.r).to_vec()),
        ("63-bytes", "The last byte is missing.", |good| good.bytes()[..63].to_vec()),
        ("65-bytes", "A zero at the end.", |good| [good.bytes(), vec![0]].concat()),
        ("65-bytes-leading-zero", "A zero in front.", |good| [vec![0], good.bytes()].concat()),
        ("96-bytes", "As long as one of ES384.", |good| [vec![0; 16], padded(&good.r).to_vec(), vec![0; 16], padded(&good.s).to_vec()].concat()),
        ("128-bytes", "A valid one, twice.", |good| good.bytes().repeat(2)),
        ("der", "A valid one in DER, as OpenSSL makes it.", |good| good.der()),
        ("der-in-64-bytes", "A valid one in DER, cut to the right length.", |good| good.der()[..64].to_vec()),
        ("der-zeros", "CVE-2022-21449: r = s = 0 in DER (MAYCAQACAQA).", |_| vec![0x30, 6, 2, 1, 0, 2, 1, 0]),
    ];
    for (name, about, make) in cases {
        let case = draft(&format!("signature-{name}"), about).signature_from(make);
        corpus.cases.push(case.refused(SIGNATURE));
    }
    corpus.cases.push(
        draft("signature-21830-characters", "A length that overflowed a buffer elsewhere.")
            .sent_as(|token| token + &"A".repeat(21_830 - 86))
            .refused(TOO_LARGE),
    );
}

fn range(corpus: &mut Corpus) {
    type Make = fn(Signature) -> Signature;
    let cases: [(&str, &str, Make); 14] = [
        ("zeros", "CVE-2022-21449: r = s = 0 satisfies the equation for every key.", |_| pair(zero(), zero())),
        ("r-zero", "r = 0.", |good| pair(zero(), good.s)),
        ("s-zero", "s = 0.", |good| pair(good.r, zero())),
        ("order", "r = s = n, which is 0 again.", |_| pair(order(), order())),
        ("r-order", "r = n.", |good| pair(order(), good.s)),
        ("s-order", "s = n.", |good| pair(good.r, order())),
        ("r-order-s-zero", "r = n, s = 0.", |_| pair(order(), zero())),
        ("r-prime", "r = p, beyond n and 0 in the field.", |good| pair(prime(), good.s)),
        ("ones", "r = s = 1: in range, and wrong.", |_| pair(one(), one())),
        ("r-below-order", "r = n - 1: in range, and wrong.", |good| pair(order() - 1u8, good.s)),
        ("s-below-order", "s = n - 1: in range, and wrong.", |good| pair(good.r, order() - 1u8)),
        ("all-bits", "Both numbers 2^256 - 1.", |_| {
            let most = BigUint::from_bytes_be(&[0xff; 32]);
            pair(most.clone(), most)
        }),
        ("swapped", "s before r.", |good| pair(good.s, good.r)),
        ("r-negated", "n - r: the twin of the wrong number.", |good| pair(order() - good.r, good.s)),
    ];
    for (name, about, make) in cases {
        let case = draft(&format!("signature-{name}"), about).signature_from(|good| make(good).bytes());
        corpus.cases.push(case.refused(SIGNATURE));
    }
}

fn zero() -> BigUint {
    BigUint::ZERO
}

fn one() -> BigUint {
    BigUint::from(1u8)
}

fn pair(r: BigUint, s: BigUint) -> Signature {
    Signature { r, s }
}

/// With a key made for the purpose, s = 1 is valid, and then s = n + 1 still fits in its bytes.
fn small_s(corpus: &mut Corpus) {
    let base = |name: &str, about: &str| draft(name, about).header(header().with("kid", r#""small-s""#)).key_set("small-s");
    let smallest = base("signature-s-one", "s = 1 can be a valid signature.");
    let (private, good) = es256::key_for(smallest.signed_text().as_bytes(), one());
    let key = Key::new("small-s", private);
    corpus.keys("small-s", "A key under which a certain token has a signature with s = 1.", jwks([&key.jwk()]), 1, 0);
    corpus.cases.push(smallest.signature(good.bytes()).accepted());

    let beyond = base("signature-s-order-plus-one", "s = n + 1 is 1 to a verifier that reduces instead of refusing.");
    let beyond = beyond.signature(pair(good.r, good.s + order()).bytes());
    corpus.cases.push(beyond.refused(SIGNATURE));
}

/// The holder of a token can make a second signature for it. RFC 7518 allows that; the claims are the same.
fn malleability(corpus: &mut Corpus) {
    let low = |good: Signature| if good.is_high() { good.twin() } else { good };
    corpus.cases.extend([
        draft("signature-low-s", "s in the lower half.").signature_from(|good| low(good).bytes()).accepted(),
        draft("signature-high-s", "s in the upper half: what many signers make, and RFC 7518 allows.")
            .signature_from(|good| low(good).twin().bytes())
            .accepted(),
    ]);
}

fn coverage(corpus: &mut Corpus) {
    let admin = claims().with("sub", r#""admin""#);
    // The signature that the draft has so far, kept for what the draft becomes.
    let kept = |draft: Draft| draft.signature_from(|good| good.bytes());
    let of = |message: String| keys::first().sign(message.as_bytes()).bytes();
    corpus.cases.extend([
        draft("signature-of-another-key", "Signed by another key under a known name.").signed_by(&keys::attackers()).refused(SIGNATURE),
        kept(draft("signature-of-other-claims", "The claims were changed afterwards.")).payload(admin).refused(SIGNATURE),
        kept(draft("signature-of-another-header", "The header was changed afterwards, though not in what it says."))
            .header(header().with("typ", r#""JWT""#))
            .refused(SIGNATURE),
        kept(draft("signature-of-other-whitespace", "The claims are the same, their text is not."))
            .payload(claims().json().replace(',', ", "))
            .refused(SIGNATURE),
        draft("signature-first-bit", "One bit of r is wrong.").signature_from(|good| flipped(good.bytes(), 0)).refused(SIGNATURE),
        draft("signature-last-bit", "One bit of s is wrong.").signature_from(|good| flipped(good.bytes(), 63)).refused(SIGNATURE),
        draft("signature-of-decoded-text", "Made over the JSON texts instead of their base64.")
            .signature(of(format!("{}.{}", header().json(), claims().json())))
            .refused(SIGNATURE),
        draft("signature-of-the-payload", "Made over the payload alone.").signature(of(base64url(claims().json()))).refused(SIGNATURE),
        draft("signature-of-nothing", "Made over an empty text.").signature(of(String::new())).refused(SIGNATURE),
    ]);
    let mut negated = keys::first();
    negated.private = order() - negated.private;
    corpus.keys("negated", "The first key's x with the other y: a valid key, and another one.", jwks([&negated.jwk()]), 1, 0);
    corpus.cases.push(draft("signature-key-negated", "y counts: the mirrored point is another key.").key_set("negated").refused(SIGNATURE));
}

fn flipped(mut signature: Vec<u8>, at: usize) -> Vec<u8> {
    signature[at] ^= 1;
    signature
}
