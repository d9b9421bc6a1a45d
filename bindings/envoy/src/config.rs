//! The configuration: strict JSON, and what is made of it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use torii::{Verifier, VerifierOptions};

use crate::host::Log;
use crate::identity::Requirements;
use crate::keys::Keys;
use crate::stats::Counters;
use crate::token::Place;

/// What a filter is configured to do, shared by all requests.
pub struct Config {
    /// Judges the tokens. Requirements are the filter's, since routes may change them.
    pub verifier: Verifier,
    /// The keys of each issuer.
    pub keys: Keys,
    /// What to do where the route does not say.
    pub mode: Mode,
    /// What to require where the route does not say.
    pub require: Requirements,
    /// Where a token may be, in the order in which to look.
    pub token: Vec<Place>,
    /// Request headers, in lower case, and the claims they are made of.
    pub headers: Vec<(String, String)>,
    /// Keys of the dynamic metadata, and the claims they are made of.
    pub metadata: Vec<(String, String)>,
    /// The namespace of that metadata.
    pub metadata_namespace: String,
    /// What is protected, for people.
    pub realm: String,
    /// How long a request may wait for keys.
    pub key_timeout: Duration,
    /// Envoy's numbers of the counters.
    pub counters: Counters,
}

/// What is done with a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It needs a good token.
    #[default]
    Required,
    /// It needs none, but one that it has must be good.
    Optional,
    /// Its token is not looked at.
    Off,
}

/// What a route changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Instead of the filter's.
    pub mode: Option<Mode>,
    /// Instead of all of the filter's.
    pub require: Option<Requirements>,
}

impl Route {
    /// Reads a route's configuration. An error says what is wrong with it.
    pub fn parse(json: &[u8]) -> Result<Route, String> {
        serde_json::from_slice(json).map_err(|error| error.to_string())
    }
}

/// The configuration as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    issuers: Vec<IssuerSettings>,
    #[serde(default)]
    audiences: Vec<String>,
    leeway: Option<u32>,
    #[serde(default)]
    require: Requirements,
    #[serde(default)]
    mode: Mode,
    #[serde(default = "authorization")]
    token: Vec<Place>,
    #[serde(default)]
    headers: Pairs,
    #[serde(default)]
    metadata: Pairs,
    #[serde(default = "torii")]
    metadata_namespace: String,
    #[serde(default = "torii")]
    realm: String,
    #[serde(default = "five_seconds")]
    key_timeout_ms: u32,
    key_lifetime: Option<u32>,
    max_stale: Option<u32>,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    allow_http: bool,
    cache_bytes: Option<usize>,
}

fn authorization() -> Vec<Place> {
    vec![Place::Header("authorization".to_owned())]
}

fn torii() -> String {
    "torii".to_owned()
}

fn five_seconds() -> u32 {
    5_000
}

/// An issuer, and its keys where they are given.
struct IssuerSettings {
    issuer: String,
    jwks: Option<Vec<u8>>,
}

impl Settings {
    /// Reads the configuration. An error says what is wrong with it.
    pub fn parse(json: &[u8]) -> Result<Settings, String> {
        let mut settings: Settings =
            serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if settings.issuers.is_empty() {
            return Err("`issuers` is empty".to_owned());
        }
        if settings.token.is_empty() {
            return Err("`token` is empty".to_owned());
        }
        for place in &mut settings.token {
            place.check().map_err(|why| format!("`token`: {why}"))?;
        }
        for (header, _) in &mut settings.headers.0 {
            *header = identity_header(header, &settings.token)
                .map_err(|why| format!("`headers`: `{header}` {why}"))?;
        }
        for (name, pairs) in [("headers", &settings.headers), ("metadata", &settings.metadata)] {
            pairs.check().map_err(|why| format!("`{name}`: {why}"))?;
        }
        if settings.metadata_namespace.is_empty() {
            return Err("`metadata_namespace` is empty".to_owned());
        }
        let quotable = |c: char| c == ' ' || c.is_ascii_graphic() && !matches!(c, '"' | '\\');
        if !settings.realm.chars().all(quotable) {
            return Err("`realm`: only printable ASCII without quotes and backslashes".to_owned());
        }
        Ok(settings)
    }

    /// Makes what requests are judged with. Nothing is fetched yet.
    pub fn build(self, counters: Counters, log: Log) -> Result<Config, String> {
        let options = self.options(&self.issuers)?;
        let verifier = self.verifier(&self.issuers, &options)?;
        let mut sources = Vec::new();
        for issuer in &self.issuers {
            let one = std::slice::from_ref(issuer);
            // Verdicts are kept by the verifier of all issuers; this one only fetches.
            let mut options = self.options(one)?;
            options.set_token_cache_bytes(0);
            sources.push((self.verifier(one, &options)?, issuer.jwks.is_none()));
        }
        Ok(Config {
            verifier,
            keys: Keys::new(sources, log)?,
            mode: self.mode,
            require: self.require,
            token: self.token,
            headers: self.headers.0,
            metadata: self.metadata.0,
            metadata_namespace: self.metadata_namespace,
            realm: self.realm,
            key_timeout: Duration::from_millis(self.key_timeout_ms.into()),
            counters,
        })
    }

    fn verifier(
        &self,
        issuers: &[IssuerSettings],
        options: &VerifierOptions,
    ) -> Result<Verifier, String> {
        let first = issuers.first().map_or("", |issuer| &issuer.issuer);
        Verifier::new(first, options).map_err(|error| format!("`issuers`: {error}"))
    }

    fn options(&self, issuers: &[IssuerSettings]) -> Result<VerifierOptions, String> {
        let mut options = VerifierOptions::new();
        for (index, IssuerSettings { issuer, jwks }) in issuers.iter().enumerate() {
            let keys = || format!("the keys of {issuer}");
            match jwks {
                Some(jwks) if index == 0 => named(&keys(), options.set_jwks(jwks))?,
                Some(jwks) => named(&keys(), options.add_issuer_jwks(issuer, jwks))?,
                None if index == 0 => {}
                None => named("issuers", options.add_issuer(issuer))?,
            }
        }
        for audience in &self.audiences {
            named("audiences", options.add_audience(audience))?;
        }
        if let Some(seconds) = self.leeway {
            named("leeway", options.set_leeway_seconds(seconds))?;
        }
        if let Some(seconds) = self.key_lifetime {
            named("key_lifetime", options.set_key_lifetime_seconds(seconds))?;
        }
        if let Some(seconds) = self.max_stale {
            named("max_stale", options.set_max_stale_seconds(seconds))?;
        }
        if let Some(path) = &self.ca_file {
            named("ca_file", options.set_ca_file(path))?;
        }
        if let Some(bytes) = self.cache_bytes {
            options.set_token_cache_bytes(bytes);
        }
        named("key_timeout_ms", options.set_fetch_timeout_ms(self.key_timeout_ms))?;
        options.set_allow_http(self.allow_http);
        options.set_background_refresh(false);
        Ok(options)
    }
}

fn named<T>(name: &str, result: torii::Result<T>) -> Result<(), String> {
    result.map(drop).map_err(|error| format!("`{name}`: {error}"))
}

/// A header that is to hold a claim, in lower case. What a request cannot do without is refused,
/// because the filter removes what a client sends under the name.
fn identity_header(name: &str, token: &[Place]) -> Result<String, String> {
    let name = name.to_ascii_lowercase();
    if !is_header_name(&name) {
        return Err("is no header name".to_owned());
    }
    let framing = [
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let plain = name.replace('_', "-");
    if framing.contains(&&*plain) || token.iter().any(|place| place.is_header(&plain)) {
        return Err("has a meaning of its own".to_owned());
    }
    Ok(name)
}

/// Whether this can be the name of a header (RFC 9110 §5.1).
pub fn is_header_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(fits)
}

/// The members of an object, in their order.
#[derive(Default)]
struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn check(&self) -> Result<(), String> {
        let mut names: Vec<_> = self.0.iter().map(|(name, _)| name.replace('_', "-")).collect();
        names.sort_unstable();
        for (name, claim) in &self.0 {
            if name.is_empty() || claim.is_empty() {
                return Err(format!("`{name}`: an empty name"));
            }
        }
        match names.windows(2).find(|pair| pair.first() == pair.last()) {
            Some(pair) => Err(format!("{pair:?} name the same")),
            None => Ok(()),
        }
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of names and claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

impl<'de> Deserialize<'de> for IssuerSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Full {
            issuer: String,
            jwks: Option<Box<RawValue>>,
            jwks_file: Option<PathBuf>,
        }

        struct UrlOrFull;

        impl<'de> Visitor<'de> for UrlOrFull {
            type Value = IssuerSettings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL, or an object with `issuer`")
            }

            fn visit_str<E: de::Error>(self, issuer: &str) -> Result<IssuerSettings, E> {
                Ok(IssuerSettings { issuer: issuer.to_owned(), jwks: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<IssuerSettings, A::Error> {
                let full = Full::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let jwks = match (full.jwks, full.jwks_file) {
                    (Some(_), Some(_)) => {
                        return Err(de::Error::custom("either `jwks` or `jwks_file`, not both"));
                    }
                    (Some(jwks), None) => Some(jwks.get().as_bytes().to_vec()),
                    (None, Some(path)) => Some(std::fs::read(&path).map_err(|error| {
                        de::Error::custom(format!("`jwks_file` {}: {error}", path.display()))
                    })?),
                    (None, None) => None,
                };
                Ok(IssuerSettings { issuer: full.issuer, jwks })
            }
        }

        deserializer.deserialize_any(UrlOrFull)
    }
}
