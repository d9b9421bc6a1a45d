//! The cases about webhooks: each starts as a valid one, and has one thing changed.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::{Text, Webhook, WebhookExpect};

const OK: &str = "TORII_OK";
const HEADER: &str = "TORII_ERR_WEBHOOK_HEADER";
const SIGNATURE: &str = "TORII_ERR_WEBHOOK_SIGNATURE";
const TIMESTAMP: &str = "TORII_ERR_WEBHOOK_TIMESTAMP";
const CONFIG: &str = "TORII_ERR_INVALID_CONFIG";
const ARGUMENT: &str = "TORII_ERR_INVALID_ARGUMENT";

const NOW: i64 = 1_800_000_000;
const ID: &str = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
const BODY: &[u8] = br#"{"type":"user.created","timestamp":"2027-01-15T08:00:00Z","data":{"id":"0199aa"}}"#;

/// Public secrets: the bytes counted up from `first`.
fn secret(first: u8, length: u8) -> String {
    format!("whsec_{}", STANDARD.encode((first..first + length).collect::<Vec<u8>>()))
}

fn main() -> String {
    secret(1, 24)
}

fn other() -> String {
    secret(101, 32)
}

/// A `v1` signature over these.
fn sign(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("a secret of these cases");
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    format!("v1,{}", STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed)))
}

struct Draft {
    name: &'static str,
    about: &'static str,
    secrets: Vec<String>,
    id: String,
    timestamp: String,
    signature: Option<String>,
    body: Vec<u8>,
    tolerance: i64,
}

fn draft(name: &'static str, about: &'static str) -> Draft {
    Draft { name, about, secrets: vec![main()], id: ID.to_owned(), timestamp: NOW.to_string(), signature: None, body: BODY.to_vec(), tolerance: 300 }
}

impl Draft {
    fn secrets(mut self, secrets: &[String]) -> Self {
        self.secrets = secrets.to_vec();
        self
    }

    fn id(mut self, id: &str) -> Self {
        self.id = id.to_owned();
        self
    }

    fn timestamp(mut self, timestamp: impl ToString) -> Self {
        self.timestamp = timestamp.to_string();
        self
    }

    /// Instead of the right one.
    fn signature(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.signature = Some(change(&self.right()));
        self
    }

    fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    fn tolerance(mut self, seconds: i64) -> Self {
        self.tolerance = seconds;
        self
    }

    fn right(&self) -> String {
        sign(&main(), &self.id, &self.timestamp, &self.body)
    }

    fn refused(self, status: &str) -> Webhook {
        self.expect(WebhookExpect { status: status.to_owned(), secret_index: None, sent_at: None })
    }

    fn accepted(self) -> Webhook {
        self.accepted_by(0)
    }

    fn accepted_by(self, secret_index: usize) -> Webhook {
        let sent_at = self.timestamp.parse().expect("an accepted webhook has a time");
        let (secret_index, sent_at) = (Some(secret_index), Some(sent_at));
        self.expect(WebhookExpect { status: OK.to_owned(), secret_index, sent_at })
    }

    fn expect(self, expect: WebhookExpect) -> Webhook {
        let signature = self.signature.clone().unwrap_or_else(|| self.right());
        Webhook {
            name: format!("webhook-{}", self.name),
            about: self.about.to_owned(),
            secrets: self.secrets,
            id: Text::from(self.id),
            timestamp: Text::from(self.timestamp),
            signature: Text::from(signature),
            body_hex: self.body.iter().map(|byte| format!("{byte:02x}")).collect(),
            now: NOW,
            tolerance: self.tolerance,
            expect,
        }
    }
}

pub fn cases() -> Vec<Webhook> {
    let mut cases = vec![
        draft("good", "As the standard says.").accepted(),
        draft("known-answer", "The example of the reference libraries.")
            .secrets(&["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned()])
            .id("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk")
            .timestamp(1_649_367_553)
            .body(br#"{"email":"test@example.com","username":"test_user"}"#)
            .signature(|_| "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=".to_owned())
            .tolerance(200_000_000)
            .accepted(),
        draft("body-empty", "Nothing to say.").body(b"").accepted(),
        draft("body-not-utf8", "Any bytes.").body(&[0, 0xff, 0xfe, b'\n', 0xc3]).accepted(),
        draft("body-reformatted", "The body as a JSON library writes it is not what was signed.")
            .signature(|_| sign(&main(), ID, &NOW.to_string(), &[BODY, b" "].concat()))
            .refused(SIGNATURE),
        draft("secret-unprefixed", "The prefix may be missing.").secrets(&[main().replace("whsec_", "")]).accepted(),
        draft("secret-unpadded", "The padding may be missing.")
            .secrets(&[other().trim_end_matches('=').to_owned()])
            .signature(|_| sign(&other(), ID, &NOW.to_string(), BODY))
            .accepted(),
        draft("secrets-first", "The first of two, while they are being changed.").secrets(&[main(), other()]).accepted(),
        draft("secrets-second", "The second of two.").secrets(&[other(), main()]).accepted_by(1),
        draft("secrets-both", "Signed with both: the first counts.")
            .secrets(&[other(), main()])
            .signature(|right| format!("{right} {}", sign(&other(), ID, &NOW.to_string(), BODY)))
            .accepted(),
        draft("secret-other", "Of another endpoint.").secrets(&[other()]).refused(SIGNATURE),
        draft("secret-none", "Without a secret no webhook is valid.").secrets(&[]).refused(CONFIG),
        draft("secret-empty", "Nothing behind the prefix.").secrets(&["whsec_".to_owned()]).refused(CONFIG),
        draft("secret-short", "23 bytes.").secrets(&[secret(1, 23)]).refused(CONFIG),
        draft("secret-not-base64", "Something else.").secrets(&[format!("{}!", main())]).refused(CONFIG),
        draft("secret-url-alphabet", "Of another alphabet.").secrets(&["whsec_-_-_".repeat(10)]).refused(CONFIG),
        draft("secret-asymmetric", "A key for signatures of version v1a.").secrets(&[main().replace("whsec", "whpk")]).refused(CONFIG),
        draft("secret-one-bad", "One of two is none.").secrets(&[main(), "whsec_x".to_owned()]).refused(CONFIG),
        draft("id-missing", "The header is not there.").id("").refused(HEADER),
        draft("id-dot", "Where does it end?").id("msg.1").refused(HEADER),
        draft("id-other", "Signed for another id.").signature(|_| sign(&main(), "msg_2", &NOW.to_string(), BODY)).refused(SIGNATURE),
        draft("id-too-long", "Longer than 16 KiB.").id(&"m".repeat(16_385)).refused(HEADER),
        draft("timestamp-missing", "The header is not there.").timestamp("").refused(HEADER),
        draft("timestamp-too-large", "More than 64 bits hold.").timestamp("9223372036854775808").refused(HEADER),
        draft("timestamp-largest", "As much as 64 bits hold.").timestamp(i64::MAX).refused(TIMESTAMP),
        draft("timestamp-other", "Signed at another time.").signature(|_| sign(&main(), ID, &(NOW - 1).to_string(), BODY)).refused(SIGNATURE),
        draft("timestamp-zeros", "The text is signed, not the number.").timestamp(format!("00{NOW}")).accepted(),
        draft("timestamp-zeros-not-signed", "The number is signed, not the text.")
            .timestamp(format!("00{NOW}"))
            .signature(|_| sign(&main(), ID, &NOW.to_string(), BODY))
            .refused(SIGNATURE),
        draft("tolerance-past", "As old as may be.").timestamp(NOW - 300).accepted(),
        draft("tolerance-past-over", "A second older.").timestamp(NOW - 301).refused(TIMESTAMP),
        draft("tolerance-future", "As early as may be.").timestamp(NOW + 300).accepted(),
        draft("tolerance-future-over", "A second earlier.").timestamp(NOW + 301).refused(TIMESTAMP),
        draft("tolerance-zero", "Now or never.").tolerance(0).accepted(),
        draft("tolerance-zero-over", "A second ago.").tolerance(0).timestamp(NOW - 1).refused(TIMESTAMP),
        draft("tolerance-negative", "What should it mean?").tolerance(-1).refused(ARGUMENT),
        draft("signature-missing", "The header is not there.").signature(|_| String::new()).refused(HEADER),
        draft("signature-second", "The right one is not the first.")
            .signature(|right| format!("{} {right}", sign(&other(), ID, &NOW.to_string(), BODY)))
            .accepted(),
        draft("signature-unknown-versions", "Others are passed over.")
            .signature(|right| format!("v1a,{0} v2,{0} v1 , v1,a,b {right}", right.trim_start_matches("v1,")))
            .accepted(),
        draft("signature-v1a-only", "A version that is not supported.").signature(|right| right.replace("v1,", "v1a,")).refused(SIGNATURE),
        draft("signature-upper-case", "V1 is not a version.").signature(|right| right.replace("v1", "V1")).refused(SIGNATURE),
        draft("signature-no-version", "Just base64.").signature(|right| right.replace("v1,", "")).refused(SIGNATURE),
        draft("signature-empty", "Nothing behind the comma.").signature(|_| "v1,".to_owned()).refused(SIGNATURE),
        draft("signature-unpadded", "Base64 without its padding.").signature(|right| right.trim_end_matches('=').to_owned()).refused(SIGNATURE),
        draft("signature-trailing-bits", "The same bytes in other base64.").signature(other_trailing_bits).refused(SIGNATURE),
        draft("signature-truncated", "Its first half.").signature(|right| right[..25].to_owned()).refused(SIGNATURE),
        draft("signature-of-swapped-parts", "Timestamp, then id.").signature(|_| sign(&main(), &NOW.to_string(), ID, BODY)).refused(SIGNATURE),
        draft("signature-duplicate-header", "A header that came twice, joined as HTTP joins them.")
            .signature(|right| format!("{right}, {right}"))
            .accepted(),
        draft("signature-many", "As many as fit.").signature(|_| "v1,AAAA ".repeat(2048)).refused(SIGNATURE),
        draft("signature-too-long", "Longer than 16 KiB.").signature(|_| "v1,AAAA ".repeat(2049)).refused(HEADER),
        draft("signature-a-megabyte", "Much longer.").signature(|_| "v1,A ".repeat(200_000)).refused(HEADER),
    ];
    for (name, timestamp) in [
        ("fraction", "1800000000.0"),
        ("exponent", "1.8e9"),
        ("negative", "-1800000000"),
        ("plus", "+1800000000"),
        ("space", " 1800000000"),
        ("hexadecimal", "0x6B49D200"),
        ("underscore", "1_800_000_000"),
        ("text", "now"),
        ("other-digits", "١٨٠٠٠٠٠٠٠٠"),
        ("twice", "1800000000, 1800000000"),
    ] {
        cases.push(named(draft("timestamp", "Not a plain whole number.").timestamp(timestamp).refused(HEADER), name));
    }
    for (part, at) in [("first", 3), ("middle", 20), ("last", 45)] {
        let flip = |right: &str| format!("{}{}{}", &right[..at], if &right[at..=at] == "A" { "B" } else { "A" }, &right[at + 1..]);
        cases.push(named(draft("signature-flipped", "One character of it.").signature(flip).refused(SIGNATURE), part));
    }
    cases
}

fn named(mut case: Webhook, what: &str) -> Webhook {
    case.name = format!("{}-{what}", case.name);
    case
}

/// The last character before the padding holds two bits that mean nothing.
fn other_trailing_bits(right: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (kept, last) = right.trim_end_matches('=').split_at(right.len() - 2);
    let at = ALPHABET.find(last).expect("base64");
    format!("{kept}{}=", &ALPHABET[at + 1..at + 2])
}
