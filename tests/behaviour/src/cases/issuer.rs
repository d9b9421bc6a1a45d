//! `iss`: byte-equal but for trailing slashes, and never more than a choice among configured issuers.

use super::{KEY_UNKNOWN, SIGNATURE, WRONG_ISSUER};
use crate::Corpus;
use crate::draft::{Draft, claims, draft, header};
use crate::keys::{self, jwks};
use crate::object::quoted;

const OTHER: &str = "https://globex.torii.so";

pub fn add(corpus: &mut Corpus) {
    claim(corpus);
    near_misses(corpus);
    with_a_path(corpus);
    several(corpus);
}

fn claim(corpus: &mut Corpus) {
    corpus.cases.push(draft("iss-missing", "Required.").without("iss").refused(WRONG_ISSUER));
    for (name, value) in
        [("null", "null"), ("number", "1"), ("list", r#"["https://acme.torii.so"]"#), ("object", r#"{"url":"https://acme.torii.so"}"#)]
    {
        let case = draft(&format!("iss-{name}"), "A string.").claim("iss", value);
        corpus.cases.push(case.refused(WRONG_ISSUER));
    }
    for (name, about, value) in [
        ("escaped", "A slash may be escaped; it is the same string.", r#""https:\/\/acme.torii.so""#),
        ("one-slash", "Trailing slashes do not count.", r#""https://acme.torii.so/""#),
        ("many-slashes", "Trailing slashes do not count.", r#""https://acme.torii.so////""#),
    ] {
        let case = draft(&format!("iss-{name}"), about).claim("iss", value);
        corpus.cases.push(case.accepted());
    }
    corpus.cases.push(
        draft("iss-configured-with-many-slashes", "Trailing slashes do not count on this side either.").issuer("https://acme.torii.so///").accepted(),
    );
}

fn near_misses(corpus: &mut Corpus) {
    for (name, about, issuer) in [
        ("empty", "Nothing.", ""),
        ("only-slashes", "Nothing but slashes.", "///"),
        ("another", "Another tenant.", OTHER),
        ("prefix", "CVE-2024-53861: a part of it.", "https://acme.torii"),
        ("one-letter", "CVE-2024-53861: a part of it.", "h"),
        ("suffix", "A longer name that begins the same.", "https://acme.torii.so.evil.example"),
        ("subdomain", "A longer name that ends the same.", "https://evil.acme.torii.so"),
        ("twin", "A name that is the same without punctuation.", "https://ac-me.torii.so"),
        ("http", "Another scheme.", "http://acme.torii.so"),
        ("no-scheme", "Only the host.", "acme.torii.so"),
        ("upper-case-host", "URLs are not normalized.", "https://ACME.torii.so"),
        ("default-port", "URLs are not normalized.", "https://acme.torii.so:443"),
        ("other-port", "Another port.", "https://acme.torii.so:8443"),
        ("root-dot", "URLs are not normalized.", "https://acme.torii.so."),
        ("dot-segment", "URLs are not normalized.", "https://acme.torii.so/."),
        ("path", "A path below it.", "https://acme.torii.so/tenant"),
        ("query", "A query behind it.", "https://acme.torii.so?"),
        ("fragment", "A fragment behind it.", "https://acme.torii.so#"),
        ("user-info", "The issuer's name as a prefix of another one.", "https://acme.torii.so@evil.example"),
        ("percent-encoded", "URLs are not normalized.", "https://acme%2Etorii.so"),
        ("homograph", "A Cyrillic letter.", "https://\u{430}cme.torii.so"),
        ("leading-blank", "Not trimmed.", " https://acme.torii.so"),
        ("trailing-blank", "Not trimmed.", "https://acme.torii.so "),
        ("slash-blank", "A slash that is not the end.", "https://acme.torii.so/ "),
        ("backslash", "Not a slash.", "https://acme.torii.so\\"),
        ("text-after-nul", "A name is not cut at the NUL.", "https://acme.torii.so\0.evil.example"),
        ("loopback", "A place inside the verifier's network, never fetched.", "http://127.0.0.1:6379"),
        ("file", "A file of the verifier, never read.", "file:///etc/passwd"),
    ] {
        let case = draft(&format!("iss-{name}"), about).claim("iss", quoted(issuer));
        corpus.cases.push(case.refused(WRONG_ISSUER));
    }
}

fn with_a_path(corpus: &mut Corpus) {
    const TENANT: &str = "https://id.example.com:8443/tenants/acme";
    let from = |name: &str, about: &str, issuer: &str| draft(name, about).issuer(TENANT).claim("iss", quoted(issuer));
    corpus.cases.extend([
        from("iss-with-path", "A port and a path are part of the name.", TENANT).accepted_with(|auth| auth.issuer = TENANT.to_owned()),
        from("iss-with-another-path", "The next tenant on the same host.", "https://id.example.com:8443/tenants/acme-2").refused(WRONG_ISSUER),
        from("iss-without-the-path", "The host of many tenants.", "https://id.example.com:8443").refused(WRONG_ISSUER),
        from("iss-double-slash-in-path", "Slashes inside count.", "https://id.example.com:8443/tenants//acme").refused(WRONG_ISSUER),
    ]);
}

/// Two issuers whose keys have the same name.
fn several(corpus: &mut Corpus) {
    let only_theirs = keys::other_issuers().named("key-globex");
    let theirs = [keys::other_issuers().jwk(), only_theirs.jwk()];
    corpus.keys("globex", "Another issuer's keys, one under a name that the first issuer uses too.", jwks(&theirs), 2, 0);
    let both = |name: &str, about: &str, issuer: &str| -> Draft { draft(name, about).further_issuer(OTHER, "globex").claim("iss", quoted(issuer)) };
    let acme = crate::draft::ISSUER;
    corpus.cases.extend([
        both("issuers-first", "The token says which of the issuers it is from.", acme).accepted(),
        both("issuers-second", "The token says which of the issuers it is from.", OTHER)
            .signed_by(&keys::other_issuers())
            .accepted_with(|auth| auth.issuer = OTHER.to_owned()),
        both("issuers-second-with-slash", "The answer names the issuer as it was configured.", "https://globex.torii.so//")
            .signed_by(&keys::other_issuers())
            .accepted_with(|auth| auth.issuer = OTHER.to_owned()),
        both("issuers-crossed", "The first issuer's name over the second one's signature (caches that know a key only by its kid).", acme)
            .signed_by(&keys::other_issuers())
            .refused(SIGNATURE),
        both("issuers-crossed-back", "The second issuer's name over the first one's signature.", OTHER).refused(SIGNATURE),
        both("issuers-key-of-the-other", "A key that only the other issuer has.", acme)
            .header(header().with("kid", r#""key-globex""#))
            .signed_by(&only_theirs)
            .refused(KEY_UNKNOWN),
        both("issuers-neither", "An issuer that is not configured.", "https://initech.torii.so").refused(WRONG_ISSUER),
        draft("issuers-alone", "The second issuer's token where only the first is configured.")
            .claim("iss", quoted(OTHER))
            .signed_by(&keys::other_issuers())
            .refused(WRONG_ISSUER),
        draft("issuers-near-twins", "Two issuers that a careless cache key makes one.")
            .further_issuer("https://ac-me.torii.so", "globex")
            .payload(claims().with("iss", r#""https://ac-me.torii.so""#))
            .refused(SIGNATURE),
    ]);
}
