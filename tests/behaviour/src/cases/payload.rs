//! The payload: strict JSON, or nothing.

use super::{MALFORMED, nested};
use crate::Corpus;
use crate::draft::{claims, draft};
use crate::object::quoted;

pub fn add(corpus: &mut Corpus) {
    text(corpus);
    grammar(corpus);
    strings(corpus);
    duplicates(corpus);
}

fn refuse(corpus: &mut Corpus, name: &str, about: &str, payload: impl Into<Vec<u8>>) {
    let case = draft(&format!("payload-{name}"), about).payload(payload);
    corpus.cases.push(case.refused(MALFORMED));
}

fn text(corpus: &mut Corpus) {
    let good = claims().json();
    for (name, about, payload) in [
        ("not-json", "Not JSON.", "admin".to_owned()),
        ("array", "JSON, but no object.", format!("[{good}]")),
        ("string", "JSON, but no object.", quoted(&good)),
        ("number", "JSON, but no object.", "1".to_owned()),
        ("null", "JSON, but no object.", "null".to_owned()),
        ("blank", "Nothing but whitespace.", " ".to_owned()),
        ("truncated", "The closing brace is missing.", good[..good.len() - 1].to_owned()),
        ("trailing-garbage", "Something after the object.", format!("{good}x")),
        ("trailing-nul", "A NUL after the object.", format!("{good}\0")),
        ("two-objects", "Two objects, one after the other.", format!("{good}{good}")),
        ("byte-order-mark", "A byte order mark before the object.", format!("\u{feff}{good}")),
        ("base64-twice", "Encoded twice.", crate::draft::base64url(&good)),
        ("jwt-inside", "A token inside a token.", draft("", "").token()),
    ] {
        refuse(corpus, name, about, payload);
    }
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    refuse(corpus, "utf-16", "The object in UTF-16.", utf16);
}

fn grammar(corpus: &mut Corpus) {
    for (name, about, value) in [
        ("nan", "No JSON number.", "NaN"),
        ("infinity", "No JSON number.", "Infinity"),
        ("leading-zero", "No JSON number.", "01"),
        ("leading-plus", "No JSON number.", "+1"),
        ("leading-point", "No JSON number.", ".5"),
        ("trailing-point", "No JSON number.", "1."),
        ("bare-exponent", "No JSON number.", "1e"),
        ("hexadecimal", "No JSON number.", "0x10"),
        ("lone-minus", "No JSON number.", "-"),
        ("single-quotes", "No JSON string.", "'x'"),
        ("capital-true", "No JSON literal.", "True"),
        ("undefined", "No JSON literal.", "undefined"),
        ("no-value", "A name without a value.", ""),
        ("array-comma", "A comma before the closing bracket.", "[1,]"),
        ("object-comma", "A comma before the closing brace.", r#"{"y":1,}"#),
        ("unquoted-name", "A name without quotes.", "{y:1}"),
        ("comment", "A comment.", "1/*x*/"),
        ("line-comment", "A comment.", "1//x\n"),
        ("form-feed", "Whitespace that JSON does not know.", "\u{c}1"),
        ("no-break-space", "Whitespace that JSON does not know.", "\u{a0}1"),
        ("mismatched", "Brackets that do not match.", "[1}"),
    ] {
        refuse(corpus, name, about, claims().with("x", value));
    }
    for (name, about, value) in [
        ("1e999", "A number no double can hold: a reader that gives up on it loses the claims beside it.", "1e999"),
        ("minus-1e999", "A number no double can hold.", "-1e999"),
        ("1e309", "Just beyond what a double holds.", "1e309"),
        ("1e999-nested", "A number no double can hold, deep inside an ignored claim.", r#"{"y":[0,{"z":1e999}]}"#),
        ("309-digits", "A number no double can hold, without an exponent.", &"9".repeat(309)),
    ] {
        refuse(corpus, &format!("number-{name}"), about, claims().with("x", value));
    }
    refuse(
        corpus,
        "number-before-sub",
        "A number no double can hold, before the claims that count.",
        claims().json().replacen('{', r#"{"x":1e999,"#, 1),
    );
    refuse(corpus, "depth-33", "Thirty-three levels, the payload itself being the first.", claims().with("x", nested(32)));
    let objects = r#"{"y":"#.repeat(32) + "1" + &"}".repeat(32);
    refuse(corpus, "depth-33-objects", "Thirty-three levels of objects.", claims().with("x", objects));
    refuse(corpus, "depth-thousands", "Brackets enough to exhaust a stack, and none of them closed.", "[".repeat(12_000));
}

fn strings(corpus: &mut Corpus) {
    let with_bytes = |bytes: &[u8]| {
        let head = claims().json().replace('}', ",\"x\":\"");
        [head.as_bytes(), bytes, b"\"}"].concat()
    };
    for (name, about, bytes) in [
        ("utf-8-stray", "A byte that no UTF-8 text has.", b"\xff".as_slice()),
        ("utf-8-continuation", "A continuation byte with nothing to continue.", b"\x80"),
        ("utf-8-cut", "The first two of three bytes.", b"\xe6\xbc"),
        ("utf-8-overlong", "A slash in two bytes.", b"\xc0\xaf"),
        ("utf-8-overlong-nul", "A NUL in two bytes.", b"\xc0\x80"),
        ("utf-8-surrogate", "A surrogate in three bytes.", b"\xed\xa0\x80"),
        ("utf-8-beyond-unicode", "Beyond U+10FFFF.", b"\xf4\x90\x80\x80"),
        ("latin-1", "A letter in Latin-1.", b"\xfc"),
        ("raw-newline", "A raw line feed.", b"a\nb"),
        ("raw-tab", "A raw tab.", b"a\tb"),
        ("raw-nul", "A raw NUL.", b"a\0b"),
        ("raw-unit-separator", "The last of the control characters, raw.", b"a\x1fb"),
        ("high-surrogate", "A high surrogate alone.", br"\ud83e"),
        ("low-surrogate", "A low surrogate alone.", br"\udd80"),
        ("reversed-surrogates", "The low surrogate first.", br"\udd80\ud83e"),
        ("two-high-surrogates", "A high surrogate twice.", br"\ud83e\ud83e"),
        ("half-escaped-pair", "A high surrogate and then a letter.", br"\ud83ex"),
        ("unknown-escape", "An escape JSON does not know.", br"\x41"),
        ("short-escape", "Three digits where four belong.", br"\u004"),
        ("signed-escape", "A sign among the digits.", br"\u+041"),
    ] {
        refuse(corpus, name, about, with_bytes(bytes));
    }
    refuse(corpus, "surrogate-in-name", "A surrogate alone in a member's name.", claims().with(r"x\ud800", "1"));
}

fn duplicates(corpus: &mut Corpus) {
    for (name, about, payload) in [
        ("sub", "`sub` twice: who is it?", claims().and("sub", r#""admin""#)),
        ("sub-same", "`sub` twice, the same both times.", claims().and("sub", &quoted(crate::draft::USER))),
        ("sub-escaped", "`sub` twice, once spelled with an escape.", claims().and(r"s\u0075b", r#""admin""#)),
        ("iss", "`iss` twice.", claims().and("iss", r#""https://evil.example""#)),
        ("exp", "`exp` twice: never expires, says one reader.", claims().and("exp", "9007199254740991")),
        ("impersonating", "`impersonating` twice.", claims().and("impersonating", "true").and("impersonating", "false")),
        ("unknown", "An ignored claim, twice.", claims().and("x", "1").and("x", "2")),
        ("empty-name", "The empty name, twice.", claims().and("", "1").and("", "2")),
        ("nested", "A member twice inside an ignored claim.", claims().with("o", r#"{"role":"a","role":"b"}"#)),
        ("nested-deep", "A member twice, deep inside lists.", claims().with("o", r#"[[[{"y":{"z":1,"\u007a":1}}]]]"#)),
        ("surrogate-pair", "One name, raw and as a pair of escapes.", claims().and("🦀", "1").and(r"\ud83e\udd80", "2")),
    ] {
        refuse(corpus, &format!("duplicate-{name}"), about, payload);
    }
}
