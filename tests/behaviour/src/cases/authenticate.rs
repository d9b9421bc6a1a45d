//! Values of an `Authorization` header: the scheme in any case, one or more blanks or tabs, the token, nothing else.

use super::{EXPIRED, KEY_UNKNOWN, MALFORMED, MISSING, SCHEME, TOO_LARGE, shape::filled};
use crate::Corpus;
use crate::draft::{draft, header};

type Make = fn(String) -> String;

pub fn add(corpus: &mut Corpus) {
    good(corpus);
    wrong_form(corpus);
    wrong_token(corpus);
}

fn good(corpus: &mut Corpus) {
    let cases: [(&str, &str, Make); 10] = [
        ("bearer", "The usual form.", |token| format!("Bearer {token}")),
        ("lower-case", "The scheme has no case.", |token| format!("bearer {token}")),
        ("upper-case", "The scheme has no case.", |token| format!("BEARER {token}")),
        ("odd-case", "The scheme has no case.", |token| format!("bEaReR {token}")),
        ("several-blanks", "As many blanks as one likes.", |token| format!("Bearer    {token}")),
        ("tab", "A tab is a blank.", |token| format!("Bearer\t{token}")),
        ("tabs-and-blanks", "A tab is a blank.", |token| format!("Bearer \t \t{token}")),
        ("leading", "Blanks in front do not count.", |token| format!("  \tBearer {token}")),
        ("trailing", "Blanks at the end do not count.", |token| format!("Bearer {token} \t ")),
        ("around", "Blanks wherever they do no harm.", |token| format!("\tBearer\t\t{token}\t")),
    ];
    for (name, about, make) in cases {
        let case = draft(&format!("header-value-{name}"), about).in_header(make);
        corpus.cases.push(case.accepted());
    }
    let limit = draft("header-value-size-limit", "The scheme does not count toward the size of the token.");
    let limit = filled(limit, 16_384).in_header(|token| format!("Bearer {token}"));
    corpus.cases.push(limit.accepted());
}

fn wrong_form(corpus: &mut Corpus) {
    let cases: [(&str, &str, &str, Make); 24] = [
        ("empty", "No value.", MISSING, |_| String::new()),
        ("blanks", "Nothing but blanks.", MISSING, |_| " \t ".to_owned()),
        ("bearer-blank", "The scheme, and no token after it.", MISSING, |_| "Bearer ".to_owned()),
        ("bearer-tabs", "The scheme, and no token after it.", MISSING, |_| "Bearer\t\t".to_owned()),
        ("bearer-alone", "Nothing but the scheme: a server strips the blanks behind it.", MISSING, |_| "Bearer".to_owned()),
        ("basic", "Another scheme.", SCHEME, |_| "Basic YWRhOnNlY3JldA==".to_owned()),
        ("digest", "Another scheme.", SCHEME, |_| "Digest username=\"ada\", realm=\"torii\"".to_owned()),
        ("dpop", "Another scheme, with a valid token.", SCHEME, |token| format!("DPoP {token}")),
        ("token-scheme", "Another scheme, with a valid token.", SCHEME, |token| format!("Token {token}")),
        ("jwt-scheme", "Another scheme, with a valid token.", SCHEME, |token| format!("JWT {token}")),
        ("no-scheme", "A token alone.", SCHEME, |token| token),
        ("no-blank", "The scheme and the token in one word.", SCHEME, |token| format!("Bearer{token}")),
        ("colon", "Not the scheme but its like.", SCHEME, |token| format!("Bearer: {token}")),
        ("comma", "Not the scheme but its like.", SCHEME, |token| format!("Bearer,{token}")),
        ("longer-scheme", "Not the scheme but its like.", SCHEME, |token| format!("Bearers {token}")),
        ("shorter-scheme", "Not the scheme but its like.", SCHEME, |token| format!("Beare {token}")),
        ("quoted-scheme", "Not the scheme but its like.", SCHEME, |token| format!("\"Bearer\" {token}")),
        ("header-name", "The name of the header came along.", SCHEME, |token| format!("Authorization: Bearer {token}")),
        ("newline", "A line feed is not a blank.", SCHEME, |token| format!("Bearer\n{token}")),
        ("leading-newline", "A line feed is not a blank.", SCHEME, |token| format!("\nBearer {token}")),
        ("no-break-space", "A blank outside ASCII is not a blank.", SCHEME, |token| format!("Bearer\u{a0}{token}")),
        ("form-feed", "A form feed is not a blank.", SCHEME, |token| format!("Bearer\u{c}{token}")),
        ("nul", "The scheme is not cut at the NUL.", SCHEME, |token| format!("Bearer\0 {token}")),
        ("full-width", "Letters outside ASCII have no case here.", SCHEME, |token| format!("\u{ff22}earer {token}")),
    ];
    for (name, about, status, make) in cases {
        let case = draft(&format!("header-value-{name}"), about).in_header(make);
        corpus.cases.push(case.refused(status));
    }
}

fn wrong_token(corpus: &mut Corpus) {
    let cases: [(&str, &str, Make); 9] = [
        ("two-tokens", "Two tokens.", |token| format!("Bearer {token} {token}")),
        ("two-schemes", "The scheme twice.", |token| format!("Bearer Bearer {token}")),
        ("joined", "Two values joined with a comma.", |token| format!("Bearer {token},Bearer {token}")),
        ("trailing-comma", "A list of one.", |token| format!("Bearer {token},")),
        ("quoted", "Quotation marks.", |token| format!("Bearer \"{token}\"")),
        ("parameter", "A parameter.", |token| format!("Bearer token={token}")),
        ("trailing-crlf", "A line end is not a blank.", |token| format!("Bearer {token}\r\n")),
        ("token-newline", "A line feed before the token.", |token| format!("Bearer \n{token}")),
        ("null-text", "Scripts without a token send this.", |_| "Bearer undefined".to_owned()),
    ];
    for (name, about, make) in cases {
        let case = draft(&format!("header-value-{name}"), about).in_header(make);
        corpus.cases.push(case.refused(MALFORMED));
    }
    let beyond = draft("header-value-size-beyond-limit", "One byte too long.");
    let beyond = filled(beyond, 16_385).in_header(|token| format!("Bearer {token}"));
    corpus.cases.extend([
        beyond.refused(TOO_LARGE),
        draft("header-value-expired", "The token decides as it does alone.")
            .claim("exp", "1000000000")
            .in_header(|token| format!("Bearer {token}"))
            .refused(EXPIRED),
        draft("header-value-key-unknown", "The token decides as it does alone.")
            .header(header().with("kid", r#""key-3""#))
            .in_header(|token| format!("Bearer {token}"))
            .refused(KEY_UNKNOWN),
    ]);
}
