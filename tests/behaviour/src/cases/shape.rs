//! Size, parts and alphabet of a token, before anything in it is read.

use super::{MALFORMED, MISSING, SIGNATURE, TOO_LARGE};
use crate::Corpus;
use crate::draft::{Draft, base64url, claims, draft, header};

const LIMIT: usize = 16384;

pub fn add(corpus: &mut Corpus) {
    size(corpus);
    parts(corpus);
    other_serializations(corpus);
    alphabet(corpus);
    trailing_bits(corpus);
}

/// The draft with a claim that makes the token this long, in bytes.
pub fn filled(draft: Draft, size: usize) -> Draft {
    let with = |typ: &str, fill: usize| {
        let header = header().with("typ", format!("\"{typ}\""));
        let claims = claims().with("fill", format!("\"{}\"", "x".repeat(fill)));
        draft.clone().header(header).payload(claims)
    };
    // Not every length of the payload is possible in base64, so the header varies as well.
    let estimate = (size - with("", 0).token().len()) / 4 * 3;
    ["JWT", "JWT+"]
        .into_iter()
        .flat_map(|typ| (estimate - 9..=estimate).map(move |fill| (typ, fill)))
        .map(|(typ, fill)| with(typ, fill))
        .find(|draft| draft.token().len() == size)
        .expect("some fill has this size")
}

fn size(corpus: &mut Corpus) {
    let limit = draft("size-limit", "16384 bytes are the longest token.");
    let limit = filled(limit, LIMIT);
    let beyond = draft("size-beyond-limit", "A token that is valid but for one byte too many.");
    let beyond = filled(beyond, LIMIT + 1);
    corpus.cases.extend([
        draft("size-empty", "No token.").sent_as(|_| String::new()).refused(MISSING),
        draft("size-one-blank", "A blank is something, and not a token.").sent_as(|_| " ".to_owned()).refused(MALFORMED),
        limit.accepted(),
        beyond.refused(TOO_LARGE),
        draft("size-many-dots", "CVE-2025-30204, CVE-2025-27144: splitting 200000 dots before looking at the size.")
            .sent_as(|_| ".".repeat(200_000))
            .refused(TOO_LARGE),
        draft("size-one-long-part", "A megabyte without a single dot.").sent_as(|_| "A".repeat(1_000_000)).refused(TOO_LARGE),
        draft("size-dots-within-limit", "As many dots as the limit allows.").sent_as(|_| ".".repeat(LIMIT)).refused(MALFORMED),
        draft("size-signature-within-limit", "As long a signature as the limit allows.").signature(vec![0; 12_000]).refused(SIGNATURE),
    ]);
}

fn parts(corpus: &mut Corpus) {
    type Make = fn(String) -> String;
    let cases: [(&str, &str, Make); 10] = [
        ("none", "No dot at all.", |token| token.replace('.', "")),
        ("one", "Header only.", |token| part(&token, 0).to_owned()),
        ("two", "The signature and its dot cut off.", |token| format!("{}.{}", part(&token, 0), part(&token, 1))),
        ("four", "One part too many.", |token| token + ".AAAA"),
        ("empty-fourth", "A trailing dot.", |token| token + "."),
        ("empty-first", "A leading dot.", |token| format!(".{token}")),
        ("all-empty", "Three parts of nothing.", |_| "..".to_owned()),
        ("header-empty", "Nothing where the header should be.", |token| format!(".{}.{}", part(&token, 1), part(&token, 2))),
        ("payload-empty", "A detached payload (RFC 7515, appendix F).", |token| format!("{}..{}", part(&token, 0), part(&token, 2))),
        ("other-dots", "Full stops that are not ASCII.", |token| token.replace('.', "\u{ff0e}")),
    ];
    for (name, about, make) in cases {
        let case = draft(&format!("parts-{name}"), about).sent_as(make);
        corpus.cases.push(case.refused(MALFORMED));
    }
}

fn other_serializations(corpus: &mut Corpus) {
    corpus.cases.extend([
        draft("serialization-flattened", "A valid signature in the flattened JSON serialization; compact only.")
            .sent_as(|token| {
                let [protected, payload, signature] = [0, 1, 2].map(|at| part(&token, at));
                format!(r#"{{"payload":"{payload}","protected":"{protected}","signature":"{signature}"}}"#)
            })
            .refused(MALFORMED),
        draft("serialization-general", "A valid signature in the general JSON serialization; compact only.")
            .sent_as(|token| {
                let [protected, payload, signature] = [0, 1, 2].map(|at| part(&token, at));
                let signatures = format!(r#"[{{"protected":"{protected}","signature":"{signature}"}}]"#);
                format!(r#"{{"payload":"{payload}","signatures":{signatures}}}"#)
            })
            .refused(MALFORMED),
        draft("serialization-polyglot", "CVE-2022-39227: a text that is a JSON serialization and has two dots as well.")
            .sent_as(|token| {
                let [protected, payload, signature] = [0, 1, 2].map(|at| part(&token, at));
                let forged = base64url(claims().with("sub", r#""admin""#).json());
                let good = format!(r#""protected":"{protected}","payload":"{payload}","signature":"{signature}""#);
                format!(r#"{{"  {protected}.{forged}.":"",{good}}}"#)
            })
            .refused(MALFORMED),
        draft("serialization-jwe", "Five parts: encrypted, with a key derivation as slow as the sender likes (CVE-2023-52428).")
            .sent_as(|_| {
                let header = r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AAAAAAAAAAA"}"#;
                [header.as_bytes(), &[1; 24], &[2; 12], &[3; 80], &[4; 16]].map(base64url).join(".")
            })
            .refused(MALFORMED),
        draft("serialization-jwe-short-tag", "CVE-2023-37464: five parts, the authentication tag cut to one byte.")
            .sent_as(|_| {
                let header = r#"{"alg":"dir","enc":"A128GCM","kid":"key-1"}"#;
                [header.as_bytes(), &[], &[2; 12], &[3; 80], &[4]].map(base64url).join(".")
            })
            .refused(MALFORMED),
    ]);
}

fn alphabet(corpus: &mut Corpus) {
    type Make = fn(String) -> String;
    let cases: [(&str, &str, Make); 17] = [
        ("padded-header", "Padding after the header.", |token| token.replacen('.', "=.", 1)),
        ("padded-payload", "Padding after the payload.", |token| format!("{}.{}==.{}", part(&token, 0), part(&token, 1), part(&token, 2))),
        ("padded-signature", "Correct padding after the signature.", |token| token + "=="),
        ("leading-blank", "A blank in front.", |token| format!(" {token}")),
        ("trailing-blank", "A blank at the end.", |token| token + " "),
        ("trailing-newline", "A line feed at the end.", |token| token + "\n"),
        ("trailing-crlf", "A line end at the end: header injection, or a file read whole.", |token| token + "\r\n"),
        ("inner-blank", "A blank before a dot.", |token| token.replacen('.', " .", 1)),
        ("inner-newline", "Folded lines, as MIME decoders like them.", |token| token.replace('.', ".\n")),
        ("trailing-nul", "A NUL at the end: the token is what C would read, and still not this text.", |token| token + "\0"),
        ("text-after-nul", "A valid token up to the NUL.", |token| token + "\0.forged.AAAA"),
        ("not-ascii", "A letter outside ASCII.", |token| token.replacen('.', "\u{e9}.", 1)),
        ("zero-width", "An invisible character at the end.", |token| token + "\u{200b}"),
        ("percent-encoded", "Dots as in a URL.", |token| token.replace('.', "%2E")),
        ("scheme", "A header value where a token is expected.", |token| format!("Bearer {token}")),
        ("quoted", "Quotation marks around the token.", |token| format!("\"{token}\"")),
        ("impossible-length", "Four characters and one: no bytes have that length.", |token| {
            format!("{}.AAAAA.{}", part(&token, 0), part(&token, 2))
        }),
    ];
    for (name, about, make) in cases {
        let case = draft(&format!("base64-{name}"), about).sent_as(make);
        corpus.cases.push(case.refused(MALFORMED));
    }
    corpus.cases.push(
        draft("base64-standard", "The alphabet of ordinary base64.")
            .claim("x", r#""ÿÿÿÿ""#)
            .sent_as(|token| token.replace('-', "+").replace('_', "/"))
            .refused(MALFORMED),
    );
}

fn trailing_bits(corpus: &mut Corpus) {
    // A payload that leaves bits of its last character unused, as the header and every signature do.
    let payload = claims().with("x", "1");
    for (at, name) in ["header", "payload", "signature"].into_iter().enumerate() {
        let about = "Unused bits of the last character that are not zero: a second spelling of a valid token.";
        let case = draft(&format!("base64-loose-{name}"), about).payload(payload.clone()).sent_as(|token| {
            let mut parts = [0, 1, 2].map(|at| part(&token, at).to_owned());
            parts[at] = loose(&parts[at]);
            parts.join(".")
        });
        corpus.cases.push(case.refused(MALFORMED));
    }
}

/// Another text that a careless decoder takes for the same bytes.
pub fn loose(canonical: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert!(!canonical.len().is_multiple_of(4), "no bits are unused");
    let (rest, last) = canonical.split_at(canonical.len() - 1);
    let value = ALPHABET.iter().position(|c| last.as_bytes() == [*c]);
    let next = ALPHABET[value.expect("base64url") + 1];
    format!("{rest}{}", char::from(next))
}

fn part(token: &str, at: usize) -> &str {
    token.split('.').nth(at).expect("a token has three parts")
}
