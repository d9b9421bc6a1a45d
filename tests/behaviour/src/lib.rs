//! The results that every binding must return, as data: a token, the configuration of a verifier, and the status and
//! claims that follow. `verify.json` and `cases.tsv` next to this crate hold the same cases; `generate` writes both.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "fixed test data: a failure here is a mistake in a case and has to stop the run"
)]

mod cases;
mod draft;
mod es256;
mod keys;
mod object;
mod text;
mod tsv;
mod webhooks;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use text::Text;

/// All cases and the key sets they name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Corpus {
    /// Answers of an issuer to the request for its keys.
    pub key_sets: BTreeMap<String, KeySet>,
    /// Tokens to verify, and the results.
    pub cases: Vec<Case>,
    /// Webhooks to verify, and with what result.
    pub webhooks: Vec<Webhook>,
}

/// An issuer's answer to a request for its keys, and the keys that are used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeySet {
    /// The rule or attack it stands for.
    pub about: String,
    /// The body of the answer. Not always JSON.
    pub jwks: Text,
    /// Keys that fit. None: the set as a whole is refused, and a set in use before stays in use.
    pub usable: usize,
    /// Keys that were read and do not fit.
    pub skipped: usize,
}

/// One thing to verify.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Unique, kebab-case.
    pub name: String,
    /// The rule or attack it stands for.
    pub about: String,
    /// A token or a header value: the member is named `token` or `header`.
    #[serde(flatten)]
    pub input: Input,
    /// The keys of `options.issuer`, by name.
    pub key_set: String,
    /// How the verifier is configured.
    pub options: Options,
    /// The result.
    pub expect: Expect,
}

/// The input of the verifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A token.
    Token(Text),
    /// The value of an `Authorization` header.
    Header(Text),
}

/// How the verifier of a case is configured. Absent members keep their defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// The issuer.
    pub issuer: String,
    /// Further issuers, each with its own keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<Issuer>,
    /// Accepted audiences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
    /// Leeway in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leeway: Option<i64>,
    /// Requirements: `email_verified`, `profile_complete`, `not_impersonated`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<String>,
    /// Whether `aud` is ignored.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ignore_audience: bool,
    /// The longest time from `iat` to `exp`, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime_seconds: Option<i64>,
    /// Whether `org_id` and `org_role` are read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub legacy_organization: bool,
    /// Further requirements: of the verifier, of the call, or asked of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirements: Option<Requirements>,
    /// The time of the verifier's clock, in Unix seconds. Absent: the case holds at any time until 2099.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<i64>,
}

/// Requirements, as `torii_requirements_t` takes them. All hold; of the organizations any.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Requirements {
    /// The sum of the flags; 0: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub flags: u32,
    /// Claims.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<RequiredClaim>,
    /// Organizations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub organizations: Vec<RequiredOrganization>,
}

/// A claim that has to have this value, or to be an array that holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequiredClaim {
    /// A JSON pointer (RFC 6901).
    pub pointer: String,
    /// A JSON scalar, as text.
    pub json: String,
}

/// An organization that may be active, and the role required in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequiredOrganization {
    /// Its id.
    pub id: String,
    /// The role; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// A further issuer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issuer {
    /// Its URL.
    pub issuer: String,
    /// Its keys, by name.
    pub key_set: String,
}

/// A result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expect {
    /// Name of the status, as `torii_status_name` gives it.
    pub status: String,
    /// The facts about the user; present exactly when the status is `TORII_OK`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
}

/// The facts in an accepted token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Auth {
    /// Claim `sub`.
    pub user_id: String,
    /// Claim `pid`.
    pub environment_id: String,
    /// The configured issuer that the token came from, without trailing slashes.
    pub issuer: String,
    /// Claim `locale`.
    pub locale: Option<String>,
    /// Claim `email_verified`.
    pub email_verified: bool,
    /// Claim `profile_complete`.
    pub profile_complete: bool,
    /// Whether another party acts as the user: claims `impersonating` and `act`.
    pub impersonating: bool,
    /// The id of that party.
    pub actor_id: Option<String>,
    /// The active organization.
    pub organization_id: Option<String>,
    /// The role in it.
    pub organization_role: Option<String>,
    /// The sum of the `TORII_REQUIRE_` flags that the login meets.
    pub flags: u32,
    /// Claim `iat`, in whole seconds.
    pub issued_at: i64,
    /// Claim `exp`, in whole seconds.
    pub expires_at: i64,
    /// The payload exactly as signed.
    pub claims_json: Text,
}

/// A webhook to verify.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    /// Unique, kebab-case.
    pub name: String,
    /// The rule or attack it stands for.
    pub about: String,
    /// The receiver's secrets.
    pub secrets: Vec<String>,
    /// Header `webhook-id`; empty when it is missing, as the two others.
    pub id: Text,
    /// Header `webhook-timestamp`.
    pub timestamp: Text,
    /// Header `webhook-signature`.
    pub signature: Text,
    /// The body, two digits a byte.
    pub body_hex: String,
    /// The time, in Unix seconds.
    pub now: i64,
    /// How far from it the webhook may have been sent, in seconds.
    pub tolerance: i64,
    /// The result.
    pub expect: WebhookExpect,
}

/// The result for a webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhookExpect {
    /// Name of the status, as `torii_status_name` gives it.
    pub status: String,
    /// Which secret it was signed with; present exactly when the status is `TORII_OK`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_index: Option<usize>,
    /// When it was sent; present exactly when the status is `TORII_OK`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<i64>,
}

/// Reads the corpus from `verify.json`.
pub fn load() -> Corpus {
    let text = std::fs::read_to_string(path("verify.json")).expect("verify.json is readable");
    serde_json::from_str(&text).expect("verify.json has the shape of a corpus")
}

/// Where a file of this crate is.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The data files, by name, generated from the definitions. The same bytes every time.
pub fn generate() -> [(&'static str, String); 2] {
    let corpus = cases::corpus();
    let json = serde_json::to_string_pretty(&corpus).expect("a corpus is JSON");
    [("verify.json", json + "\n"), ("cases.tsv", tsv::write(&corpus))]
}
