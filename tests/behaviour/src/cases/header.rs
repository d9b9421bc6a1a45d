//! The header: strict JSON, `crit`, `alg`, and members that must not be believed.

use super::{ALGORITHM, KEY_UNKNOWN, MALFORMED, SIGNATURE, nested};
use crate::Corpus;
use crate::draft::{base64url, claims, draft, header};
use crate::es256::mac;
use crate::keys;
use crate::object::quoted;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub fn add(corpus: &mut Corpus) {
    strict_json(corpus);
    crit(corpus);
    algorithm(corpus);
    key_confusion(corpus);
    embedded_keys(corpus);
}

fn strict_json(corpus: &mut Corpus) {
    let good = header().json();
    let with = |name: &str, value: &str| header().with(name, value).json().into_bytes();
    let and = |name: &str, value: &str| header().and(name, value).json().into_bytes();
    let cases: Vec<(&str, &str, Vec<u8>)> = vec![
        ("not-json", "Not JSON.", b"ES256".to_vec()),
        ("array", "JSON, but no object.", b"[\"ES256\",\"key-1\"]".to_vec()),
        ("string", "JSON, but no object.", quoted(&good).into_bytes()),
        ("null", "JSON, but no object.", b"null".to_vec()),
        ("truncated", "The closing brace is missing.", good[..good.len() - 1].into()),
        ("trailing-garbage", "Something after the object.", format!("{good}x").into_bytes()),
        ("two-objects", "Two objects, one after the other.", format!("{good}{good}").into_bytes()),
        ("byte-order-mark", "A byte order mark before the object.", format!("\u{feff}{good}").into_bytes()),
        ("invalid-utf-8", "A byte that no UTF-8 text has.", [&good.as_bytes()[..good.len() - 1], b",\"x\":\"\xff\"}"].concat()),
        ("utf-16", "The object in UTF-16.", good.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("lone-surrogate", "An escaped surrogate without its other half.", with("x", r#""\ud800""#)),
        ("control-character", "A raw line feed in a string.", with("x", "\"a\nb\"")),
        ("trailing-comma", "A comma before the closing brace.", good.replace('}', ",}").into_bytes()),
        ("comment", "A comment.", good.replace(',', "/**/,").into_bytes()),
        ("depth-33", "Thirty-three levels.", with("x", &nested(32))),
        ("duplicate-alg", "`alg` twice: first `none`, then ES256.", [b"{\"alg\":\"none\",", &good.as_bytes()[1..]].concat()),
        ("duplicate-alg-last", "`alg` twice: first ES256, then `none`.", and("alg", r#""none""#)),
        ("duplicate-alg-escaped", "`alg` twice, once spelled with an escape.", and(r"al\u0067", r#""ES256""#)),
        ("duplicate-kid", "`kid` twice, the same both times.", and("kid", r#""key-1""#)),
        ("duplicate-unknown", "An ignored member, twice.", header().and("x", "1").and("x", "1").into()),
        ("number-1e999", "A number no double can hold, in an ignored member.", with("x", "[1e999]")),
        ("duplicate-nested", "A member twice inside an ignored member.", with("x", r#"[{"y":1,"y":1}]"#)),
    ];
    for (name, about, header) in cases {
        let case = draft(&format!("header-{name}"), about).header(header);
        corpus.cases.push(case.refused(MALFORMED));
    }
}

fn crit(corpus: &mut Corpus) {
    for (name, about, value) in [
        ("unknown", "An unknown extension is critical (CVE-2025-59420).", r#"["http://example.com/UNDEFINED"]"#),
        ("empty", "An empty list, which RFC 7515 forbids.", "[]"),
        ("exp", "A name that no extension may have.", r#"["exp"]"#),
        ("string", "Not a list.", r#""exp""#),
        ("null", "Not a list.", "null"),
        ("false", "Not a list.", "false"),
    ] {
        let case = draft(&format!("crit-{name}"), about).header(header().with("crit", value));
        corpus.cases.push(case.refused(MALFORMED));
    }
    let unencoded = header().with("b64", "false").with("crit", r#"["b64"]"#);
    corpus.cases.extend([
        draft("crit-escaped-name", "`cr\\u0069t` is `crit`.").header(header().with(r"cr\u0069t", r#"["x"]"#)).refused(MALFORMED),
        draft("crit-b64", "RFC 7797: a critical `b64`, which this verifier does not implement.").header(unencoded.clone()).refused(MALFORMED),
        draft("crit-b64-unencoded-payload", "RFC 7797: the payload as plain text, signed as such.")
            .header(unencoded.clone())
            .sent_as(|_| {
                let text = format!("{}.{}", base64url(unencoded.json()), claims().json());
                let signature = keys::first().sign(text.as_bytes());
                format!("{text}.{}", base64url(signature.bytes()))
            })
            .refused(MALFORMED),
        draft("header-b64-not-critical", "`b64` that is not critical is a member like any other; the payload is base64url.")
            .header(header().with("b64", "false"))
            .accepted(),
    ]);
}

fn algorithm(corpus: &mut Corpus) {
    for (name, spelling) in [("lower", "none"), ("title", "None"), ("upper", "NONE"), ("mixed", "nOnE")] {
        let header = header().with("alg", quoted(spelling));
        let about = "CVE-2015-2951 and its kin: unsigned, says the header.";
        corpus.cases.push(draft(&format!("alg-none-{name}"), about).header(header).signature([]).refused(ALGORITHM));
    }
    corpus.cases.extend([
        draft("alg-none-signed", "`none` with a signature that would be good.").header(header().with("alg", r#""none""#)).refused(ALGORITHM),
        draft("alg-none-without-kid", "The classic: `none`, no key named, no signature.")
            .header(r#"{"alg":"none","typ":"JWT"}"#)
            .signature([])
            .refused(ALGORITHM),
        draft("alg-missing", "No `alg`: the key's own does not stand in for it.").header(header().without("alg")).refused(ALGORITHM),
        draft("alg-escaped", "ES256 spelled with an escape is the same string.").header(header().with("alg", r#""\u0045S256""#)).accepted(),
    ]);
    for (name, about, value) in [
        ("es384", "Another curve's algorithm.", r#""ES384""#),
        ("es512", "Another curve's algorithm.", r#""ES512""#),
        ("es256k", "Another curve's algorithm whose name also begins with ES256.", r#""ES256K""#),
        ("rs256", "RSA, with the signature ES256 makes.", r#""RS256""#),
        ("ps256", "RSA-PSS.", r#""PS256""#),
        ("eddsa", "Edwards curves.", r#""EdDSA""#),
        ("ml-dsa", "The algorithms to come.", r#""ML-DSA-44""#),
        ("pbes2", "A JWE algorithm in three parts.", r#""PBES2-HS256+A128KW""#),
        ("lower-case", "Names are compared byte by byte.", r#""es256""#),
        ("trailing-blank", "Names are compared byte by byte.", r#""ES256 ""#),
        ("trailing-nul", "A name is not cut at the NUL.", r#""ES256\u0000""#),
        ("empty", "An empty name.", r#""""#),
        ("null", "Not a string.", "null"),
        ("number", "Not a string.", "256"),
        ("list", "Not a string.", r#"["ES256"]"#),
        ("object", "Not a string.", r#"{"alg":"ES256"}"#),
    ] {
        let case = draft(&format!("alg-{name}"), about).header(header().with("alg", value));
        corpus.cases.push(case.refused(ALGORITHM));
    }
}

/// The public key as an HMAC secret (CVE-2015-9235, CVE-2016-10555, CVE-2021-46743).
fn key_confusion(corpus: &mut Corpus) {
    let key = keys::first();
    let point = key.point();
    // SubjectPublicKeyInfo of a P-256 key, up to the point.
    let prefix = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
    let der = [prefix.as_slice(), &point].concat();
    let text = STANDARD.encode(&der);
    let (one, two) = text.split_at(64);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{one}\n{two}\n-----END PUBLIC KEY-----\n");
    for (name, form, secret) in [
        ("pem", "its PEM text", pem.as_bytes()),
        ("pem-trimmed", "its PEM text without the last line end", pem.trim_end().as_bytes()),
        ("der", "its DER bytes", &der),
        ("jwk", "its JWK text", key.jwk().json().as_bytes()),
        ("point", "its uncompressed point", &point),
        ("coordinates", "x and y", &point[1..]),
        ("empty", "nothing at all", &[]),
    ] {
        let draft =
            draft(&format!("alg-hs256-{name}"), &format!("CVE-2015-9235, CVE-2016-10555: an HMAC whose secret is the public key, as {form}."))
                .header(header().with("alg", r#""HS256""#));
        let signature = mac(secret, draft.signed_text().as_bytes());
        corpus.cases.push(draft.signature(signature).refused(ALGORITHM));
    }
    let draft = draft("alg-es256-with-an-hmac", "An HMAC with the public key, under the honest name.");
    let signature = mac(&der, draft.signed_text().as_bytes());
    corpus.cases.push(draft.signature(signature).refused(SIGNATURE));
}

/// Keys, and places where keys are, that the sender of a token names (CVE-2018-0114).
fn embedded_keys(corpus: &mut Corpus) {
    let attacker = keys::attackers();
    let jwk = attacker.jwk().json();
    for (name, value) in [
        ("jwk", jwk.as_str()),
        ("jku", r#""https://attacker.example/_torii/.well-known/jwks.json""#),
        ("x5u", r#""http://169.254.169.254/latest/meta-data/""#),
        ("x5c", r#"["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"]"#),
    ] {
        corpus.cases.extend([
            draft(&format!("embedded-{name}-forged"), &format!("CVE-2018-0114, CVE-2026-27962: `{name}` brings the key that signed."))
                .header(header().with(name, value))
                .signed_by(&attacker)
                .refused(SIGNATURE),
            draft(&format!("embedded-{name}-ignored"), &format!("`{name}` is never read, so it does no harm either."))
                .header(header().with(name, value))
                .accepted(),
        ]);
    }
    corpus.cases.push(
        draft("embedded-jwk-under-its-own-name", "CVE-2018-0114: `jwk` brings the key and `kid` names it.")
            .header(header().with("kid", r#""mine""#).with("jwk", attacker.named("mine").jwk().json()))
            .signed_by(&keys::attackers())
            .refused(KEY_UNKNOWN),
    );
}
