//! `exp`, `iat`, `nbf`: numbers of seconds, and the clock.

use super::{CLAIM, EXPIRED, MALFORMED, NOT_YET_VALID};
use crate::Corpus;
use crate::draft::{NOW, claims, draft};

pub fn add(corpus: &mut Corpus) {
    not_numbers(corpus);
    range(corpus);
    spelling(corpus);
    any_clock(corpus);
    expiry(corpus);
    start(corpus);
}

fn not_numbers(corpus: &mut Corpus) {
    for claim in ["exp", "iat"] {
        let missing = draft(&format!("{claim}-missing"), "Required.").without(claim);
        corpus.cases.push(missing.refused(CLAIM));
    }
    for claim in ["exp", "iat", "nbf"] {
        for (name, value) in [
            ("string", r#""4102444800""#),
            ("null", "null"),
            ("true", "true"),
            ("list", "[4102444800]"),
            ("object", r#"{"seconds":4102444800}"#),
            ("date", r#""2100-01-01T00:00:00Z""#),
        ] {
            let case = draft(&format!("{claim}-{name}"), "A JSON number or nothing.");
            corpus.cases.push(case.claim(claim, value).refused(CLAIM));
        }
    }
}

fn range(corpus: &mut Corpus) {
    for (name, about, value) in [
        ("zero", "Not before 1970 either: 0 does not mean never.", "0"),
        ("minus-zero", "Zero with a sign.", "-0"),
        ("negative", "Before 1970.", "-1"),
        ("underflow", "So small that it is zero.", "1e-400"),
    ] {
        let case = draft(&format!("exp-{name}"), about).claim("exp", value);
        corpus.cases.push(case.refused(CLAIM));
    }
    for claim in ["exp", "iat", "nbf"] {
        for (name, about, value) in [
            ("2-to-the-53", "2^53 and more cannot be told apart.", "9007199254740992"),
            ("2-to-the-63", "2^63: negative in a careless cast.", "9223372036854775808"),
            ("2-to-the-64", "2^64: zero in a careless cast.", "18446744073709551616"),
            ("1e300", "Finite, and out of range.", "1e300"),
        ] {
            let case = draft(&format!("{claim}-{name}"), about).claim(claim, value);
            corpus.cases.push(case.refused(CLAIM));
        }
        for (name, value) in [("1e400", "1e400"), ("minus-1e400", "-1e400")] {
            let case = draft(&format!("{claim}-{name}"), "JSON, but infinite in a double.").claim(claim, value);
            corpus.cases.push(case.refused(MALFORMED));
        }
    }
    for claim in ["iat", "nbf"] {
        let case = draft(&format!("{claim}-minus-2-to-the-53"), "Out of range on the other side.");
        corpus.cases.push(case.claim(claim, "-9007199254740992").refused(CLAIM));
    }
    corpus.cases.extend([
        draft("exp-largest", "2^53 - 1.").claim("exp", "9007199254740991").accepted_with(|auth| auth.expires_at = 9_007_199_254_740_991),
        draft("iat-smallest", "-(2^53 - 1).").claim("iat", "-9007199254740991").accepted_with(|auth| auth.issued_at = -9_007_199_254_740_991),
        draft("iat-zero", "1970 is in the past.").claim("iat", "0").accepted_with(|auth| auth.issued_at = 0),
        draft("iat-minus-zero", "Zero with a sign is zero.").claim("iat", "-0.0").accepted_with(|auth| auth.issued_at = 0),
        draft("iat-negative", "Before 1970 is in the past.").claim("iat", "-1").accepted_with(|auth| auth.issued_at = -1),
        draft("nbf-zero", "1970 is in the past.").claim("nbf", "0").accepted(),
        draft("nbf-negative", "Before 1970 is in the past.").claim("nbf", "-1").accepted(),
    ]);
}

fn spelling(corpus: &mut Corpus) {
    for (name, about, value) in [
        ("fraction", "Fractions are cut off.", "4102444800.9"),
        ("exponent", "Any spelling of a number will do.", "4.1024448e9"),
        ("exponent-plus", "Any spelling of a number will do.", "41024448E+2"),
        ("exponent-minus", "Any spelling of a number will do.", "41024448000e-1"),
        ("zeros", "Any spelling of a number will do.", "4102444800.00000000000000000000000000000000"),
    ] {
        let case = draft(&format!("exp-{name}"), about).claim("exp", value);
        corpus.cases.push(case.accepted());
    }
    corpus.cases.extend([
        draft("iat-fraction", "Fractions are rounded down.").claim("iat", "1700000000.75").accepted(),
        draft("iat-negative-fraction", "Down, not toward zero.").claim("iat", "-1.5").accepted_with(|auth| auth.issued_at = -2),
        draft("iat-exponent", "Any spelling of a number will do.").claim("iat", "1.7e9").accepted(),
        draft("nbf-fraction", "Any number.").claim("nbf", "1700000000.5").accepted(),
    ]);
}

/// Long ago and far away: these hold with the real clock.
fn any_clock(corpus: &mut Corpus) {
    corpus.cases.extend([
        draft("exp-long-ago", "Expired in 2001.").claim("exp", "1000000000").refused(EXPIRED),
        draft("exp-one", "Expired in 1970.").claim("exp", "1").refused(EXPIRED),
        draft("exp-one-and-a-fraction", "Expired in 1970; the fraction is cut off.").claim("exp", "1.9").refused(EXPIRED),
        draft("iat-far-ahead", "Issued in 2099.").claim("iat", "4070908800").refused(NOT_YET_VALID),
        draft("nbf-far-ahead", "Valid from 2099 on.").claim("nbf", "4070908800").refused(NOT_YET_VALID),
        draft("nbf-largest", "Valid in 285 million years.").claim("nbf", "9007199254740991").refused(NOT_YET_VALID),
        draft("exp-before-iat", "Expired before it was issued, both long ago.")
            .payload(claims().with("iat", "1000000001").with("exp", "1000000000"))
            .refused(EXPIRED),
    ]);
}

fn expiry(corpus: &mut Corpus) {
    for (name, about, leeway, exp, good) in [
        ("default-leeway-over", "exp = now - 30, and 30 is the default leeway.", None, NOW - 30, false),
        ("default-leeway-left", "exp = now - 29.", None, NOW - 29, true),
        ("no-leeway-over", "exp = now.", Some(0), NOW, false),
        ("no-leeway-left", "exp = now + 1.", Some(0), NOW + 1, true),
        ("most-leeway-over", "exp = now - 300.", Some(300), NOW - 300, false),
        ("most-leeway-left", "exp = now - 299.", Some(300), NOW - 299, true),
    ] {
        let mut case = draft(&format!("exp-{name}"), about).claim("exp", exp.to_string()).now();
        if let Some(leeway) = leeway {
            case = case.leeway(leeway);
        }
        corpus.cases.push(match good {
            true => case.accepted_with(|auth| auth.expires_at = exp),
            false => case.refused(EXPIRED),
        });
    }
    corpus.cases.push(
        draft("exp-fraction-over", "exp = now + 0.9 is now once the fraction is cut off.")
            .claim("exp", format!("{NOW}.9"))
            .leeway(0)
            .now()
            .refused(EXPIRED),
    );
}

fn start(corpus: &mut Corpus) {
    for claim in ["iat", "nbf"] {
        for (name, about, leeway, time, good) in [
            ("default-leeway-within", "now + 30, and 30 is the default leeway.", None, NOW + 30, true),
            ("default-leeway-beyond", "now + 31.", None, NOW + 31, false),
            ("no-leeway-within", "now.", Some(0), NOW, true),
            ("no-leeway-beyond", "now + 1.", Some(0), NOW + 1, false),
            ("most-leeway-within", "now + 300.", Some(300), NOW + 300, true),
            ("most-leeway-beyond", "now + 301.", Some(300), NOW + 301, false),
        ] {
            let mut case = draft(&format!("{claim}-{name}"), &format!("{claim} = {about}")).claim(claim, time.to_string()).now();
            if let Some(leeway) = leeway {
                case = case.leeway(leeway);
            }
            corpus.cases.push(match good {
                true => case.accepted_with(|auth| {
                    if claim == "iat" {
                        auth.issued_at = time;
                    }
                }),
                false => case.refused(NOT_YET_VALID),
            });
        }
        let case = draft(&format!("{claim}-fraction-beyond"), &format!("{claim} = now + 0.5: a fraction of a second counts."));
        corpus.cases.push(case.claim(claim, format!("{NOW}.5")).leeway(0).now().refused(NOT_YET_VALID));
    }
}
