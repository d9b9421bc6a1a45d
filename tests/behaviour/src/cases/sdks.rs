//! Where torii's own SDKs contradict each other: one case for each row of the comparison that a token can show.

use super::{AUDIENCE, CLAIM, EXPIRED, KEY_UNKNOWN, MALFORMED, MISSING, NOT_YET_VALID, beside_a_usable_key, odd};
use crate::Corpus;
use crate::draft::{NOW, claims, draft, header};
use crate::keys::{self, jwks};

pub fn add(corpus: &mut Corpus) {
    claims_and_flags(corpus);
    audience_and_times(corpus);
    issuer(corpus);
    keys_and_headers(corpus);
}

fn claims_and_flags(corpus: &mut Corpus) {
    corpus.cases.extend([
        draft("sdks-empty-sub", "Python, Ruby, PHP and Java accept it.").claim("sub", r#""""#).refused(CLAIM),
        draft("sdks-empty-pid", "Python, Ruby, PHP and Java accept it.").claim("pid", r#""""#).refused(CLAIM),
        draft("sdks-numeric-sub", "JavaScript returns a number.").claim("sub", "12345").refused(CLAIM),
        draft("sdks-email-verified-text", "Python takes any text for true, .NET the text `true`.").claim("email_verified", r#""false""#).accepted(),
        draft("sdks-impersonating-text", "Python takes `false` for true; Java fails with another exception.")
            .claim("impersonating", r#""false""#)
            .refused(CLAIM),
        draft("sdks-profile-complete-text", ".NET reads the text `false`; Java fails with another exception.")
            .claim("profile_complete", r#""false""#)
            .accepted(),
        draft("sdks-empty-locale", "Go and .NET return none.").claim("locale", r#""""#).accepted_with(|auth| auth.locale = Some(String::new())),
        draft("sdks-raw-payload", "PHP returns `[]` for `{}`, Go and Java return dates: here it is as signed.")
            .payload(claims().with("o", "{}").with("n", "1.0"))
            .accepted(),
    ]);
}

fn audience_and_times(corpus: &mut Corpus) {
    corpus.cases.extend([
        draft("sdks-aud-unexpected", "All but Python accept a token with an unexpected audience.").claim("aud", r#""api""#).refused(AUDIENCE),
        draft("sdks-aud-one-of-list", "Java wants the list to be the one expected audience and no other.")
            .claim("aud", r#"["web","api"]"#)
            .audiences(&["api"])
            .accepted(),
        draft("sdks-iat-ahead-within-leeway", "Ruby gives `iat` no leeway.")
            .claim("iat", (NOW + 5).to_string())
            .now()
            .accepted_with(|auth| auth.issued_at = NOW + 5),
        draft("sdks-iat-ahead", "JavaScript, Java and .NET do not look at `iat`.").claim("iat", (NOW + 31).to_string()).now().refused(NOT_YET_VALID),
        draft("sdks-iat-ahead-with-nbf", "PHP looks at `iat` only when there is no `nbf`.")
            .payload(claims().with("iat", (NOW + 31).to_string()).with("nbf", (NOW - 1).to_string()))
            .now()
            .refused(NOT_YET_VALID),
        draft("sdks-iat-missing", "JavaScript accepts it.").without("iat").refused(CLAIM),
        draft("sdks-iat-text", "Python and PHP accept it.").claim("iat", r#""1700000000""#).refused(CLAIM),
        draft("sdks-exp-missing", "JavaScript accepts it, forever.").without("exp").refused(CLAIM),
        draft("sdks-exp-edge", ".NET accepts a token for one second more.").claim("exp", (NOW - 30).to_string()).now().refused(EXPIRED),
        draft("sdks-leeway-large", "Java never grants more than 60 seconds.")
            .claim("exp", (NOW - 120).to_string())
            .leeway(300)
            .now()
            .accepted_with(|auth| auth.expires_at = NOW - 120),
        draft("sdks-leeway-zero", "Go takes 0 for the default.").claim("exp", NOW.to_string()).leeway(0).now().refused(EXPIRED),
    ]);
}

fn issuer(corpus: &mut Corpus) {
    const SLASH: &str = "https://acme.torii.so/";
    corpus.cases.extend([
        draft("sdks-issuer-slash-configured", "Python, JavaScript, Go and Ruby refuse it.").issuer(SLASH).accepted(),
        draft("sdks-issuer-slash-in-token", "Only PHP accepts it; the answer has no slash.").claim("iss", r#""https://acme.torii.so/""#).accepted(),
        draft("sdks-issuer-slash-in-both", "Java and .NET refuse it; the answer has no slash.")
            .issuer(SLASH)
            .claim("iss", r#""https://acme.torii.so/""#)
            .accepted(),
    ]);
}

fn keys_and_headers(corpus: &mut Corpus) {
    let secret = r#"{"kty":"oct","kid":"odd","alg":"HS256","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"}"#;
    let set = format!("{{\"keys\":[{},{secret}]}}", keys::first().jwk().json());
    corpus.keys("sdks-symmetric-key", "PHP and Go let the key say the algorithm, HS256 too.", set, 1, 1);
    let hs256 = header().with("alg", r#""HS256""#).with("kid", r#""odd""#);
    let symmetric = draft("sdks-symmetric-key", "PHP verifies it: the key says HS256.").header(hs256).key_set("sdks-symmetric-key");
    let signature = crate::es256::mac(b"secretsecretsecretsecretsecretse", symmetric.signed_text().as_bytes());
    corpus.cases.push(symmetric.signature(signature).refused(super::ALGORITHM));

    let es384 = odd().jwk().with("alg", r#""ES384""#);
    corpus.keys("sdks-key-of-another-algorithm", "Python, Ruby and PHP use a P-256 key that says ES384.", beside_a_usable_key(&es384), 1, 1);
    corpus.cases.push(
        draft("sdks-key-of-another-algorithm", "Python, Ruby and PHP accept it.")
            .minted_with(&odd())
            .key_set("sdks-key-of-another-algorithm")
            .refused(KEY_UNKNOWN),
    );

    let without_alg = keys::first().jwk().without("alg");
    corpus.keys("sdks-key-without-algorithm", "Go cannot use a key that names no algorithm.", jwks([&without_alg]), 1, 0);
    corpus.cases.extend([
        draft("sdks-key-without-algorithm", "Go refuses it.").key_set("sdks-key-without-algorithm").accepted(),
        draft("sdks-kid-missing", "JavaScript, Java and .NET accept it.").header(header().without("kid")).refused(MALFORMED),
        draft("sdks-kid-unknown", ".NET tries every key it has.").header(header().with("kid", r#""key-9""#)).refused(KEY_UNKNOWN),
        draft("sdks-header-leading-blank", "JavaScript, Go, Ruby, PHP and Java refuse it.").in_header(|token| format!(" Bearer {token}")).accepted(),
        draft("sdks-header-tab", "Go refuses it.").in_header(|token| format!("Bearer\t{token}")).accepted(),
        draft("sdks-header-two-values", "PHP and .NET see both values as one.")
            .in_header(|token| format!("Bearer {token}, Bearer {token}"))
            .refused(MALFORMED),
        draft("sdks-header-only-blanks-after-bearer", "A wrong form to Python, an empty token to others.")
            .in_header(|_| "Bearer  ".to_owned())
            .refused(MISSING),
        draft("sdks-token-of-blanks", "A wrong token to five SDKs, an empty one to Java and .NET.").sent_as(|_| "   ".to_owned()).refused(MALFORMED),
    ]);
}
