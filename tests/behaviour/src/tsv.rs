//! The corpus as lines and tabs, for programs that have no JSON parser.

use crate::{Case, Corpus, Input, KeySet, Requirements, Text, Webhook};

const TOP: &str = "\
# Generated: the cases of verify.json, for programs without a JSON parser.
# A line is empty, a comment, or a record: columns separated by one tab.
#
#   keys  name  usable  skipped  jwks
#   case  name  kind  input  issuer  key_set  issuers  audiences  leeway  require  now
#         ignore_audience  max_lifetime_seconds  legacy_organization  requirements  status
#         user_id  environment_id  issuer  locale  email_verified  profile_complete  impersonating  issued_at  expires_at  claims_json
#         organization_id  organization_role  actor_id  flags
#   webhook  name  secrets  id  timestamp  signature  body  now  tolerance  status  secret_index  sent_at
#
# kind: token or header, what the input is. now: the time of the verifier's clock. Flags are 0 or 1. The columns after status
# are there only when it is TORII_OK.
# A column that is - is absent: the default holds. Lists (issuers, audiences, require, secrets) are separated by one space; issuers are
# pairs of an issuer and the key set it has. requirements is a list too, of three items each: flags N -, claim POINTER JSON, or
# organization ID ROLE; a ROLE that is - is absent.
# Texts are printable ASCII; every other byte, and each of % , * and a lone -, is written as %HH. A text may come in pieces
# separated by commas; TEXT*N is TEXT repeated N times.
";

/// The whole corpus.
pub fn write(corpus: &Corpus) -> String {
    let keys = corpus.key_sets.iter().map(|(name, set)| keys(name, set));
    let cases = corpus.cases.iter().map(case);
    let webhooks = corpus.webhooks.iter().map(webhook);
    let lines: String = keys.chain(cases).chain(webhooks).map(|columns| columns.join("\t") + "\n").collect();
    format!("{TOP}\n{lines}")
}

fn keys(name: &str, set: &KeySet) -> Vec<String> {
    let (usable, skipped) = (set.usable.to_string(), set.skipped.to_string());
    vec!["keys".to_owned(), name.to_owned(), usable, skipped, pieces(&set.jwks)]
}

fn case(case: &Case) -> Vec<String> {
    let (kind, input) = match &case.input {
        Input::Token(token) => ("token", token),
        Input::Header(header) => ("header", header),
    };
    let options = &case.options;
    let issuers = options.issuers.iter().flat_map(|further| [&further.issuer, &further.key_set]);
    let mut columns = vec![
        "case".to_owned(),
        case.name.clone(),
        kind.to_owned(),
        pieces(input),
        text(&options.issuer),
        case.key_set.clone(),
        list(issuers),
        list(&options.audiences),
        number(options.leeway),
        list(&options.require),
        number(options.now),
        flag(options.ignore_audience),
        number(options.max_lifetime_seconds),
        flag(options.legacy_organization),
        options.requirements.as_ref().map_or_else(absent, requirements),
        case.expect.status.clone(),
    ];
    if let Some(auth) = &case.expect.auth {
        columns.extend([
            text(&auth.user_id),
            text(&auth.environment_id),
            text(&auth.issuer),
            optional(auth.locale.as_ref()),
            flag(auth.email_verified),
            flag(auth.profile_complete),
            flag(auth.impersonating),
            number(Some(auth.issued_at)),
            number(Some(auth.expires_at)),
            pieces(&auth.claims_json),
            optional(auth.organization_id.as_ref()),
            optional(auth.organization_role.as_ref()),
            optional(auth.actor_id.as_ref()),
            auth.flags.to_string(),
        ]);
    }
    columns
}

fn webhook(webhook: &Webhook) -> Vec<String> {
    let body = webhook.body_hex.as_bytes().chunks(2).map(|pair| format!("%{}", String::from_utf8_lossy(pair).to_uppercase()));
    let mut columns = vec![
        "webhook".to_owned(),
        webhook.name.clone(),
        list(&webhook.secrets),
        pieces(&webhook.id),
        pieces(&webhook.timestamp),
        pieces(&webhook.signature),
        body.collect(),
        number(Some(webhook.now)),
        number(Some(webhook.tolerance)),
        webhook.expect.status.clone(),
    ];
    if let (Some(secret_index), Some(sent_at)) = (webhook.expect.secret_index, webhook.expect.sent_at) {
        columns.extend([secret_index.to_string(), sent_at.to_string()]);
    }
    columns
}

fn requirements(all: &Requirements) -> String {
    let mut items = Vec::new();
    if all.flags != 0 {
        items.extend(["flags".to_owned(), all.flags.to_string(), absent()]);
    }
    for claim in &all.claims {
        items.extend(["claim".to_owned(), text(&claim.pointer), text(&claim.json)]);
    }
    for organization in &all.organizations {
        let role = optional(organization.role.as_ref());
        items.extend(["organization".to_owned(), text(&organization.id), role]);
    }
    items.join(" ")
}

fn optional(value: Option<&String>) -> String {
    value.map_or_else(absent, |value| text(value))
}

fn absent() -> String {
    "-".to_owned()
}

fn flag(value: bool) -> String {
    u8::from(value).to_string()
}

fn number(value: Option<i64>) -> String {
    value.map_or_else(absent, |number| number.to_string())
}

fn list<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<_> = texts.into_iter().map(|item| text(item)).collect();
    if texts.is_empty() { absent() } else { texts.join(" ") }
}

fn pieces(whole: &Text) -> String {
    let pieces = whole.pieces().into_iter().map(|(piece, times)| match times {
        1 => text(piece),
        _ => format!("{}*{times}", text(piece)),
    });
    pieces.collect::<Vec<_>>().join(",")
}

fn text(text: &str) -> String {
    if text == "-" {
        return "%2D".to_owned();
    }
    let encode = |byte: u8| match byte {
        b'%' | b',' | b'*' => format!("%{byte:02X}"),
        0x21..=0x7e => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_hold_no_separator() {
        assert_eq!("a-b_C.~", text("a-b_C.~"));
        assert_eq!("%20%09%0A%00%25%2C%2A%7F%C3%A9", text(" \t\n\0%,*\u{7f}é"));
        assert_eq!(["%2D", "--", ""], ["-", "--", ""].map(text));
        assert_eq!("a%2A,.*512", pieces(&Text::from(format!("a*{}", ".".repeat(512)))));
    }

    #[test]
    fn an_absent_text_differs_from_an_empty_one() {
        assert_eq!(["-", ""], [list([]), list([&String::new()])]);
        assert_eq!("a%20b c", list([&"a b".to_owned(), &"c".to_owned()]));
        assert_eq!(["-", "0"], [number(None), number(Some(0))]);
    }
}
