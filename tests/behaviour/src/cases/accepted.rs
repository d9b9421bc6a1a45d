//! Tokens that torii mints or could mint, and oddities that a verifier ignores.

use super::nested;
use crate::Corpus;
use crate::draft::{ENVIRONMENT, EXPIRES_AT, ISSUED_AT, ISSUER, USER, claims, draft, header};
use crate::keys;

pub fn add(corpus: &mut Corpus) {
    as_minted(corpus);
    strings(corpus);
    unknown_members(corpus);
}

fn as_minted(corpus: &mut Corpus) {
    corpus.cases.extend([
        draft("good-minimal", "No more claims than there must be.").accepted(),
        draft("good-all-claims", "Every claim torii is known to mint.")
            .payload(
                claims()
                    .with("nbf", ISSUED_AT.to_string())
                    .with("email_verified", "true")
                    .with("profile_complete", "false")
                    .with("impersonating", "true")
                    .with("locale", r#""de-AT""#)
                    .with("o", r#""01977777-0000-7000-8000-000000000001""#),
            )
            .accepted_with(|auth| {
                auth.email_verified = true;
                auth.profile_complete = false;
                auth.impersonating = true;
                auth.locale = Some("de-AT".to_owned());
                auth.organization_id = Some("01977777-0000-7000-8000-000000000001".to_owned());
            }),
        draft("good-second-key", "Any key of the set may have signed.").minted_with(&keys::second()).accepted(),
        draft("good-typ", "The usual `typ` header.").header(header().with("typ", r#""JWT""#)).accepted(),
        draft("good-members-in-another-order", "The order of members means nothing.")
            .header(r#"{"kid":"key-1","typ":"JWT","alg":"ES256"}"#)
            .payload(format!(r#"{{"exp":{EXPIRES_AT},"iat":{ISSUED_AT},"pid":"{ENVIRONMENT}","sub":"{USER}","iss":"{ISSUER}"}}"#))
            .accepted(),
        draft("good-whitespace-inside", "JSON whitespace between tokens, all four kinds; the payload comes back as signed.")
            .header("{ \"alg\"\t:\r\n\"ES256\" , \"kid\" : \"key-1\" }")
            .payload(claims().json().replace(',', "\r\n\t, "))
            .accepted(),
        draft("good-whitespace-around", "JSON whitespace before and after the objects belongs to the text (RFC 8259, 2).")
            .header(format!("\t{} ", header().json()))
            .payload(format!(" \n{}\r\n", claims().json()))
            .accepted(),
    ]);
}

fn strings(corpus: &mut Corpus) {
    corpus.cases.extend([
        draft("good-unicode", "Names from many scripts, raw UTF-8 up to four bytes a character.")
            .payload(claims().with("sub", r#""用户-Ünïcödé-🦀""#).with("locale", r#""zh-Hant-漢字""#))
            .accepted_with(|auth| {
                auth.user_id = "用户-Ünïcödé-🦀".to_owned();
                auth.locale = Some("zh-Hant-漢字".to_owned());
            }),
        draft("good-escapes", "Every JSON escape, surrogate pairs too; the payload keeps them, the claims are decoded.")
            .payload(claims().with("sub", r#""\u0041da \"\\\/\b\f\n\r\t \ud83e\udd80""#).with("locale", r#""\u0064e""#))
            .accepted_with(|auth| {
                auth.user_id = "Ada \"\\/\u{8}\u{c}\n\r\t 🦀".to_owned();
                auth.locale = Some("de".to_owned());
            }),
        draft("good-escaped-member-name", "`s\\u0075b` is `sub`.")
            .payload(claims().without("sub").with(r"s\u0075b", r#""ada""#))
            .accepted_with(|auth| auth.user_id = "ada".to_owned()),
        draft("good-blank-user-id", "An id is opaque: one blank is not nothing.")
            .claim("sub", r#"" ""#)
            .accepted_with(|auth| auth.user_id = " ".to_owned()),
        draft("good-long-user-id", "An id may be as long as a token has room for.")
            .claim("sub", format!("\"{}\"", "u".repeat(8000)))
            .accepted_with(|auth| auth.user_id = "u".repeat(8000)),
        draft("good-odd-characters", "DEL, NEL, line separators and noncharacters are legal inside JSON strings.")
            .claim("sub", "\"a\u{7f}\u{85}\u{2028}\u{2029}\u{feff}\u{ffff}\u{10ffff}z\"")
            .accepted_with(|auth| auth.user_id = "a\u{7f}\u{85}\u{2028}\u{2029}\u{feff}\u{ffff}\u{10ffff}z".to_owned()),
        draft("good-normalization-forms", "Nothing is normalized: composed and decomposed names are two names.")
            .payload(claims().with("\u{e9}", "1").with("e\u{301}", "2"))
            .accepted(),
    ]);
}

fn unknown_members(corpus: &mut Corpus) {
    for (name, about, value) in [
        (
            "numbers",
            "Numbers of every form, beyond any machine integer too.",
            "[0,-0,0.0,-1.5,1E+2,1e-400,1e308,-1e308,0e999,123456789012345678901234567890]".to_owned(),
        ),
        ("nul", "U+0000 in a claim that is not an id.", r#""a\u0000b""#.to_owned()),
        ("empty-things", "Empty values and an empty name.", r#"{"":"","a":[],"b":{},"c":null}"#.to_owned()),
        ("same-name-elsewhere", "One name in different objects is not a duplicate.", r#"{"sub":"x","in":[{"sub":"y"},{"sub":"z"}]}"#.to_owned()),
        ("depth-32", "Thirty-two levels, the payload itself being the first.", nested(31)),
    ] {
        let case = draft(&format!("good-unknown-claim-{name}"), about).claim("extra", value);
        corpus.cases.push(case.accepted());
    }
    corpus.cases.extend([
        draft("good-names-by-case", "`Sub` and `SUB` are unknown claims, not `sub`.")
            .payload(claims().with("Sub", "1").with("SUB", "2").with("EXP", "0"))
            .accepted(),
        draft("good-nul-in-unknown-name", "`sub` followed by U+0000 is an unknown claim.").claim(r"sub\u0000", r#""admin""#).accepted(),
        draft("good-unknown-headers", "Unknown header members may hold any JSON.")
            .header(header().with("typ", "7").with("cty", "null").with("x", r#"{"y":[1e300,"\u0000"]}"#))
            .accepted(),
        draft("good-header-depth-32", "Thirty-two levels, the header itself being the first.").header(header().with("x", nested(31))).accepted(),
        draft("good-header-zip", "`zip` means something only in a JWE.").header(header().with("zip", r#""DEF""#)).accepted(),
        draft("good-header-capital-crit", "`Crit` is not `crit`.").header(header().with("Crit", r#"["exp"]"#)).accepted(),
    ]);
}
