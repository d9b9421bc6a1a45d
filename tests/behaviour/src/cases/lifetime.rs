//! The longest time from `iat` to `exp`: a token for a third party may live longer than one of a session.

use super::{AUDIENCE, CLAIM, EXPIRED, LIFETIME, POLICY};
use crate::Corpus;
use crate::draft::{EXPIRES_AT, ISSUED_AT, NOW, claims, draft};

pub fn add(corpus: &mut Corpus) {
    for (name, about, iat, exp, good) in [
        ("exact", "As long as it may be.", "1799999000", "1800002600", true),
        ("shorter", "Less long than it may be.", "1799999000", "1800000100", true),
        ("longer", "One second too long.", "1799999000", "1800002601", false),
        ("fraction-of-iat", "Too long by a fraction.", "1799998999.5", "1800002600", false),
        ("fraction-of-exp", "Too long by a fraction.", "1799999000", "1800002600.5", false),
        ("same-fraction", "Both fractions count.", "1799999000.5", "1800002600.5", true),
    ] {
        let payload = claims().with("iat", iat).with("exp", exp);
        let case = draft(&format!("lifetime-{name}"), about).payload(payload).max_lifetime(3600).now();
        corpus.cases.push(match good {
            true => case.accepted_with(|auth| {
                auth.issued_at = iat.parse::<f64>().expect("a number").floor() as i64;
                auth.expires_at = exp.parse::<f64>().expect("a number").floor() as i64;
            }),
            false => case.refused(LIFETIME),
        });
    }
    corpus.cases.extend([
        draft("lifetime-unlimited", "No maximum by default.").accepted(),
        draft("lifetime-zero", "0 sets no maximum.").max_lifetime(0).accepted(),
        draft("lifetime-just", "Exactly the maximum.").max_lifetime(EXPIRES_AT - ISSUED_AT).accepted(),
        draft("lifetime-just-not", "One second more than the maximum.").max_lifetime(EXPIRES_AT - ISSUED_AT - 1).refused(LIFETIME),
        draft("lifetime-widest", "From -(2^53 - 1) to 2^53 - 1.")
            .payload(claims().with("iat", "-9007199254740991").with("exp", "9007199254740991"))
            .max_lifetime(4_294_967_295)
            .refused(LIFETIME),
        draft("order-claims-before-lifetime", "No `sub`, and too long.").without("sub").max_lifetime(60).refused(CLAIM),
        draft("order-expiry-before-lifetime", "Expired, and too long.").claim("exp", (NOW - 30).to_string()).max_lifetime(60).now().refused(EXPIRED),
        draft("order-lifetime-before-audience", "Too long, and the wrong audience.").audiences(&["api"]).max_lifetime(60).refused(LIFETIME),
        draft("order-lifetime-before-policy", "Too long, and a requirement that is not met.")
            .require(&["email_verified"])
            .max_lifetime(60)
            .refused(LIFETIME),
        draft("order-unexpected-audience-before-policy", "An unexpected audience, and a requirement that is not met.")
            .claim("aud", r#""api""#)
            .require(&["email_verified"])
            .refused(AUDIENCE),
        draft("order-ignored-audience-and-policy", "An ignored audience, and a requirement that is not met.")
            .claim("aud", r#""api""#)
            .ignore_audience()
            .require(&["email_verified"])
            .refused(POLICY),
    ]);
}
