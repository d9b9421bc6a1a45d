//! `kid`: an opaque name, compared byte by byte, that picks a key and does nothing else.

use super::{KEY_UNKNOWN, MALFORMED, SIGNATURE, TOO_LARGE};
use crate::Corpus;
use crate::draft::{draft, header};
use crate::keys::{self, jwks};
use crate::object::quoted;

pub fn add(corpus: &mut Corpus) {
    form(corpus);
    names(corpus);
    unknown(corpus);
}

fn form(corpus: &mut Corpus) {
    corpus.keys("single", "One key and no other.", jwks([&keys::first().jwk()]), 1, 0);
    corpus.cases.push(
        draft("kid-missing", "No key named: none is tried, not even the only one there is.")
            .header(header().without("kid"))
            .key_set("single")
            .refused(MALFORMED),
    );
    for (name, about, value) in [
        ("empty", "An empty name.", quoted("")),
        ("number", "Not a string.", "1".to_owned()),
        ("null", "Not a string.", "null".to_owned()),
        ("list", "Not a string.", r#"["key-1"]"#.to_owned()),
        ("object", "Not a string.", r#"{"kid":"key-1"}"#.to_owned()),
        ("true", "Not a string.", "true".to_owned()),
        ("257-bytes", "One byte too many.", quoted(&"k".repeat(257))),
        ("258-bytes-in-86-characters", "Bytes count, not characters.", quoted(&"漢".repeat(86))),
        ("10000-bytes", "As much as a token has room for.", quoted(&"k".repeat(10_000))),
    ] {
        let case = draft(&format!("kid-{name}"), about).header(header().with("kid", value));
        corpus.cases.push(case.refused(MALFORMED));
    }
    corpus.cases.push(
        draft("kid-one-megabyte", "More than a token has room for.").header(header().with("kid", quoted(&"k".repeat(1_000_000)))).refused(TOO_LARGE),
    );
}

fn names(corpus: &mut Corpus) {
    for (name, about, kid) in [
        ("256-bytes", "The longest name.", "k".repeat(256)),
        ("256-bytes-in-128-characters", "The longest name, in two-byte characters.", "é".repeat(128)),
        ("one-character", "The shortest name.", "1".to_owned()),
        ("like-a-path", "A name that looks like something else is a name.", "../../keys/1?x='&y=\"%00".to_owned()),
        ("with-nul", "A name with U+0000 is a name.", "key\0one".to_owned()),
    ] {
        let key = keys::first().named(&kid);
        let set = format!("kid-{name}");
        corpus.keys(&set, about, jwks([&key.jwk()]), 1, 0);
        let case = draft(&format!("kid-{name}"), about).minted_with(&key).key_set(&set);
        corpus.cases.push(case.accepted());
    }
    corpus.cases.extend([
        draft("kid-escaped", "A name spelled with an escape is the same string.").header(header().with("kid", r#""\u006bey-1""#)).accepted(),
        draft("kid-of-the-other-key", "Only the named key is tried, not all there are.")
            .header(header().with("kid", r#""key-2""#))
            .refused(SIGNATURE),
    ]);
    let key = keys::first().named("é");
    corpus.keys("kid-composed", "A name with a composed character.", jwks([&key.jwk()]), 1, 0);
    corpus
        .cases
        .push(draft("kid-decomposed", "Names are not normalized.").minted_with(&key.named("e\u{301}")).key_set("kid-composed").refused(KEY_UNKNOWN));
}

fn unknown(corpus: &mut Corpus) {
    for (name, about, kid) in [
        ("unknown", "An unpublished key.", "key-3"),
        ("upper-case", "Names are compared byte by byte.", "KEY-1"),
        ("prefix", "Half a name.", "key"),
        ("trailing-blank", "Names are not trimmed.", "key-1 "),
        ("text-after-nul", "A name is not cut at the NUL.", "key-1\0x"),
        ("path-traversal", "Injection: a file whose content is public.", "../../../../../../dev/null"),
        ("absolute-path", "Injection: a file.", "/proc/sys/kernel/randomize_va_space"),
        ("sql", "Injection: a database.", "x' UNION SELECT 'AAAA';--"),
        ("shell", "Injection: a command.", "key-1|touch /tmp/pwned"),
        ("url", "Injection: a place to fetch from.", "http://169.254.169.254/latest/meta-data/"),
        ("format-string", "Injection: a format.", "%s%s%n%p"),
        ("line-break", "Injection: a line of a log.", "key-1\r\n2027-01-01 accepted admin"),
        ("constructor", "Injection: a property every object has.", "__proto__"),
        ("json-pointer", "Injection: a way into the key set.", "/keys/0/kid"),
    ] {
        let case = draft(&format!("kid-{name}"), about).header(header().with("kid", quoted(kid)));
        corpus.cases.push(case.refused(KEY_UNKNOWN));
    }
}
