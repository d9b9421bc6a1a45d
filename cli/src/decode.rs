//! `torii decode`.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use clap::Args;
use serde_json::{Value, json};

use crate::failure::{Class, Failure};
use crate::show::Members;
use crate::terminal::{Style, escape, line, print, styled};
use crate::{input, show};

/// Show the content of a token without verifying it.
///
/// Reads any compact JWS, from any issuer and with any algorithm. Anyone can write such a token; use
/// `torii verify` to verify it. The exit status is 0 if the token could be read, 1 if it is not a
/// compact JWS with JSON in it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii decode \"$TOKEN\"
  torii decode --json < token | jq .claims.exp")]
pub(crate) struct Decode {
    /// The token, or the value of an Authorization header. `-` or no argument: read it from standard
    /// input
    token: Option<String>,
    /// Print header and claims as JSON
    #[arg(long)]
    json: bool,
}

/// Accepts base64url with padding and with unused trailing bits set.
const LAX: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const TIMES: [&str; 4] = ["iat", "nbf", "exp", "auth_time"];

impl Decode {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let token = input::token(self.token.as_deref())?;
        let token = input::without_scheme(&token);
        let parts: Vec<&str> = token.split('.').collect();
        let (header, claims, signature) = match *parts.as_slice() {
            [header, claims, signature] => (header, claims, signature),
            [_, _, _, _, _] => {
                return refuse("token", "encrypted (five parts); it cannot be read");
            }
            _ if token.is_empty() => return refuse("token", "empty"),
            _ => return refuse("token", "not three parts separated by dots"),
        };
        let (header, claims) = (text("header", header)?, text("claims", claims)?);
        let (header_members, claims_members) =
            (members("header", &header)?, members("claims", &claims)?);
        let signature = LAX.decode(signature).ok().map(|bytes| bytes.len());
        if self.json {
            let rest = json!({ "verified": false, "signatureBytes": signature });
            let rest = rest.to_string();
            let rest = rest.trim_end_matches('}');
            return line(&format!("{rest},\"header\":{header},\"claims\":{claims}}}"));
        }
        let now = show::now();
        let signature = match signature {
            Some(0) => "none".to_owned(),
            Some(bytes) => format!("{bytes} bytes, not verified"),
            None => "not base64url".to_owned(),
        };
        print(&format!(
            "{}\n\nheader\n{}\nclaims\n{}\nsignature\n  {signature}\n",
            styled(Style::Warning, "Not verified: anyone can write a token with this content."),
            section(&header_members, now),
            section(&claims_members, now),
        ))
    }
}

fn refuse<T>(part: &str, why: &str) -> Result<T, Failure> {
    Err(Failure::new(Class::Invalid, format!("{part}: {why}")))
}

fn text(part: &str, encoded: &str) -> Result<String, Failure> {
    let Ok(bytes) = LAX.decode(encoded) else { return refuse(part, "not base64url") };
    String::from_utf8(bytes).or_else(|_| refuse(part, "not UTF-8"))
}

fn members(part: &str, json: &str) -> Result<Members, Failure> {
    serde_json::from_str(json).or_else(|_| refuse(part, "not a JSON object"))
}

fn section(members: &Members, now: i64) -> String {
    let shown = members.iter().map(|(name, value)| {
        let time = value.as_f64().filter(|_| TIMES.contains(&name));
        let text = match (time, value) {
            // `show::time` reports a value out of range.
            (Some(seconds), _) => format!("{value}  {}", show::time(seconds as i64, now)),
            (None, Value::String(text)) => escape(text),
            (None, value) => show::value(Some(value)),
        };
        (name, text)
    });
    let fields = show::fields(shown);
    fields.lines().map(|line| format!("  {line}\n")).collect()
}
