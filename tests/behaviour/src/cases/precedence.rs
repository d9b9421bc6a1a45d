//! Tokens with two faults: which one is reported. Checks that need no key come before any key is looked for.

use super::{ALGORITHM, AUDIENCE, CLAIM, EXPIRED, KEY_UNKNOWN, MALFORMED, MISSING, SIGNATURE, TOO_LARGE, WRONG_ISSUER, shape::filled};
use crate::Corpus;
use crate::draft::{NOW, claims, draft, header};
use crate::keys;

pub fn add(corpus: &mut Corpus) {
    let alg_none = || header().with("alg", r#""none""#);
    let unknown = || header().with("kid", r#""key-3""#);
    let expired = || claims().with("exp", "1000000000");
    let wrong_issuer = || claims().with("iss", r#""https://evil.example""#);
    let too_large = filled(draft("order-size-before-shape", "Too large, and padded."), 16_384);
    corpus.cases.extend([
        too_large.sent_as(|token| token + "==").refused(TOO_LARGE),
        draft("order-missing-before-scheme", "A header value of blanks means that the token is missing, not that the scheme is wrong.")
            .in_header(|_| " \t ".to_owned())
            .refused(MISSING),
        draft("order-shape-before-algorithm", "A padded signature, and `none`.").header(alg_none()).sent_as(|token| token + "==").refused(MALFORMED),
        draft("order-header-before-algorithm", "A member twice, and `none`.").header(alg_none().and("x", "1").and("x", "1")).refused(MALFORMED),
        draft("order-crit-before-algorithm", "`crit`, and `none`.").header(alg_none().with("crit", r#"["x"]"#)).refused(MALFORMED),
        draft("order-algorithm-before-kid", "`none`, and no `kid`.").header(alg_none().without("kid")).refused(ALGORITHM),
        draft("order-algorithm-before-signature", "`HS256`, and a signature of the length it has.")
            .header(header().with("alg", r#""HS256""#))
            .signature([0; 32])
            .refused(ALGORITHM),
        draft("order-algorithm-before-payload", "`none`, and a payload that is not JSON.").header(alg_none()).payload("admin").refused(ALGORITHM),
        draft("order-kid-before-signature-length", "No `kid`, and no signature.").header(header().without("kid")).signature([]).refused(MALFORMED),
        draft("order-signature-length-before-payload", "No signature, and a payload that is not JSON.")
            .payload("admin")
            .signature([])
            .refused(SIGNATURE),
        draft("order-signature-length-before-issuer", "A DER signature, and the wrong issuer.")
            .payload(wrong_issuer())
            .signature_from(|good| good.der())
            .refused(SIGNATURE),
        draft("order-payload-before-issuer", "A member twice, and the wrong issuer.")
            .payload(wrong_issuer().and("x", "1").and("x", "1"))
            .refused(MALFORMED),
        draft("order-payload-before-key", "A payload that is not JSON, and an unknown key.").header(unknown()).payload("admin").refused(MALFORMED),
        draft("order-payload-before-signature", "A payload that is not JSON, and another key's signature.")
            .payload("admin")
            .signed_by(&keys::attackers())
            .refused(MALFORMED),
        draft("order-issuer-before-key", "The wrong issuer, and an unknown key: nothing is fetched for it.")
            .header(unknown())
            .payload(wrong_issuer())
            .refused(WRONG_ISSUER),
        draft("order-issuer-before-signature", "The wrong issuer, and another key's signature.")
            .payload(wrong_issuer())
            .signed_by(&keys::attackers())
            .refused(WRONG_ISSUER),
        draft("order-key-before-signature", "An unknown key, and r = s = 0.").header(unknown()).signature([0; 64]).refused(KEY_UNKNOWN),
        draft("order-key-before-claims", "An unknown key, and no `sub`.").header(unknown()).without("sub").refused(KEY_UNKNOWN),
        draft("order-signature-before-claims", "Another key's signature, and no `sub`.")
            .without("sub")
            .signed_by(&keys::attackers())
            .refused(SIGNATURE),
        draft("order-signature-before-times", "Another key's signature, and expired.")
            .payload(expired())
            .signed_by(&keys::attackers())
            .refused(SIGNATURE),
        draft("order-claims-before-expiry", "No `pid`, and expired.").payload(expired().without("pid")).refused(CLAIM),
        draft("order-impersonating-before-expiry", "`impersonating` of the wrong type, and expired.")
            .payload(expired().with("impersonating", r#""yes""#))
            .refused(CLAIM),
        draft("order-nbf-type-before-expiry", "`nbf` of the wrong type, and expired.").payload(expired().with("nbf", "null")).refused(CLAIM),
        draft("order-claims-before-audience", "No `sub`, and the wrong audience.").without("sub").audiences(&["api"]).refused(CLAIM),
        draft("order-impersonating-before-audience", "`impersonating` of the wrong type, and the wrong audience.")
            .claim("impersonating", "1")
            .audiences(&["api"])
            .refused(CLAIM),
        draft("order-expiry-before-start", "Expired, and not yet valid.").payload(expired().with("nbf", "4070908800")).refused(EXPIRED),
        draft("order-expiry-before-audience", "Expired, and the wrong audience.")
            .payload(claims().with("exp", (NOW - 30).to_string()))
            .audiences(&["api"])
            .now()
            .refused(EXPIRED),
        draft("order-audience-before-policy", "The wrong audience, and a requirement that is not met.")
            .audiences(&["api"])
            .require(&["email_verified"])
            .refused(AUDIENCE),
        draft("order-expiry-before-policy", "Expired, and a requirement that is not met.")
            .payload(expired())
            .require(&["email_verified"])
            .refused(EXPIRED),
    ]);
}
