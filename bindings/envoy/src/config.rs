//! The configuration of a filter and of a route: strict JSON.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use torii::{Requirements, Verifier, VerifierOptions};

use crate::claims::Claim;
use crate::credentials::{Credentials, is_token};
use crate::host::Log;
use crate::identity::Identity;
use crate::keys::Keys;
use crate::requirements::AnyOf;
use crate::stats::{Counters, Metrics};

/// The key of the dynamic metadata that holds the reason of a refusal.
pub const REFUSAL: &str = "refusal";

/// The configuration of a filter, shared by all requests.
pub struct Config {
    /// Verifies the tokens. Requirements are checked by the filter, since some are a route's.
    pub verifier: Arc<Verifier>,
    /// Fetches the verifier's keys.
    pub keys: Keys,
    /// Whether a request without credentials is let through, if the route does not say.
    pub optional: bool,
    /// The requirements for every login.
    pub requirements: AnyOf,
    /// Where a request carries its token.
    pub credentials: Credentials,
    /// Paths on which credentials are ignored.
    pub skip: Vec<String>,
    /// Headers and metadata made of claims.
    pub identity: Identity,
    /// Whether the token is removed from the request.
    pub remove_token: bool,
    /// Whether Envoy chooses the route again, by the headers that the filter set.
    pub clear_route_cache: bool,
    /// A requirement that no login meets, for the answer to one whose claims cannot be forwarded.
    pub unmet: Requirements,
    /// Envoy's numbers of the counters.
    pub counters: Counters,
    /// The library's metrics, as Envoy's statistics.
    pub metrics: Metrics,
}

/// The configuration of a route.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// In place of the filter's.
    pub optional: Option<bool>,
    /// Beyond the filter's. A request without credentials does not meet them.
    #[serde(default)]
    pub requirements: AnyOf,
    /// Whether credentials are ignored on this route.
    #[serde(default)]
    pub skip: bool,
}

impl Route {
    /// Reads a route's configuration. The error names the member at fault.
    pub fn parse(json: &[u8]) -> Result<Route, String> {
        let route: Route = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if !route.requirements.is_empty() && (route.skip || route.optional == Some(true)) {
            return Err("`requirements`: contradict `skip` and `optional` (expected one of them)"
                .to_owned());
        }
        Ok(route)
    }
}

/// The configuration as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    issuers: Vec<IssuerSettings>,
    #[serde(default)]
    audiences: Vec<String>,
    #[serde(default)]
    ignore_audience: bool,
    leeway_seconds: Option<u32>,
    max_lifetime_seconds: Option<u32>,
    #[serde(default)]
    legacy_organization: bool,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    requirements: AnyOf,
    #[serde(default = "authorization")]
    header: String,
    cookie: Option<String>,
    #[serde(default)]
    skip: Vec<String>,
    #[serde(default)]
    headers: Pairs,
    #[serde(default)]
    metadata: Pairs,
    #[serde(default = "torii")]
    metadata_namespace: String,
    #[serde(default)]
    remove_token: bool,
    #[serde(default)]
    clear_route_cache: bool,
    realm: Option<String>,
    resource_metadata: Option<String>,
    #[serde(default = "five_seconds")]
    fetch_timeout_ms: u32,
    key_lifetime_seconds: Option<u32>,
    max_stale_seconds: Option<u32>,
    ca_file: Option<PathBuf>,
    proxy: Option<String>,
    #[serde(default)]
    allow_http: bool,
    token_cache_bytes: Option<usize>,
    #[serde(default)]
    fixed_base: bool,
    key_cache_dir: Option<PathBuf>,
    revocations_file: Option<PathBuf>,
}

fn authorization() -> String {
    "authorization".to_owned()
}

fn torii() -> String {
    "torii".to_owned()
}

fn five_seconds() -> u32 {
    5_000
}

/// An issuer, and its keys if they are given.
struct IssuerSettings {
    issuer: String,
    jwks: Option<Vec<u8>>,
}

impl Settings {
    /// Reads the configuration. The error names the member at fault.
    pub fn parse(json: &[u8]) -> Result<Settings, String> {
        serde_json::from_slice(json).map_err(|error| error.to_string())
    }

    /// Creates the verifier and all that a filter needs. Nothing is fetched yet.
    pub fn build(self, counters: Counters, log: Log) -> Result<Config, String> {
        if self.optional && !self.requirements.is_empty() {
            return Err("`requirements`: contradict `optional` (expected one of them)".to_owned());
        }
        let options = self.options()?;
        let Some(first) = self.issuers.first() else { return Err("`issuers` is empty".to_owned()) };
        let verifier = Verifier::new(&first.issuer, &options);
        let verifier = Arc::new(verifier.map_err(|error| format!("`issuers`: {error}"))?);
        let timeout = Duration::from_millis(self.fetch_timeout_ms.into());
        let credentials = Credentials::new(&self.header, self.cookie)?;
        if let Some(path) = self.skip.iter().find(|path| !is_path(path)) {
            return Err(format!("`skip`: `{path}` is not a path (expected /PATH without a query)"));
        }
        if self.metadata_namespace.is_empty() {
            return Err("`metadata_namespace` is empty".to_owned());
        }
        if self.metadata.0.iter().any(|(key, _)| key == REFUSAL) {
            return Err(format!("`metadata`: `{REFUSAL}` is set by the filter"));
        }
        let header = |(name, claim)| Ok((identity_header(name, &credentials.header)?, claim));
        let headers =
            self.headers.claims().and_then(|pairs| pairs.into_iter().map(header).collect());
        let identity = Identity {
            headers: headers.map_err(|why| format!("`headers`: {why}"))?,
            metadata: self.metadata.claims().map_err(|why| format!("`metadata`: {why}"))?,
            namespace: self.metadata_namespace,
        };
        let issuers = self.issuers.iter().map(|issuer| &*issuer.issuer);
        let metrics = Metrics::new(&verifier, issuers, self.revocations_file.as_deref());
        Ok(Config {
            keys: Keys::new(verifier.clone(), timeout, self.revocations_file.is_some(), log),
            metrics,
            verifier,
            optional: self.optional,
            requirements: self.requirements,
            credentials,
            skip: self.skip,
            identity,
            remove_token: self.remove_token,
            clear_route_cache: self.clear_route_cache,
            unmet: unmet().map_err(|error| error.to_string())?,
            counters,
        })
    }

    fn options(&self) -> Result<VerifierOptions, String> {
        let mut options = VerifierOptions::new();
        for (index, IssuerSettings { issuer, jwks }) in self.issuers.iter().enumerate() {
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
        options.set_ignore_audience(self.ignore_audience);
        if let Some(seconds) = self.leeway_seconds {
            named("leeway_seconds", options.set_leeway_seconds(seconds))?;
        }
        options.set_max_lifetime_seconds(self.max_lifetime_seconds.unwrap_or(0));
        options.set_legacy_organization(self.legacy_organization);
        if let Some(realm) = &self.realm {
            named("realm", options.set_realm(realm))?;
        }
        if let Some(url) = &self.resource_metadata {
            named("resource_metadata", options.set_resource_metadata(url))?;
        }
        if let Some(seconds) = self.key_lifetime_seconds {
            named("key_lifetime_seconds", options.set_key_lifetime_seconds(seconds))?;
        }
        if let Some(seconds) = self.max_stale_seconds {
            named("max_stale_seconds", options.set_max_stale_seconds(seconds))?;
        }
        if let Some(path) = &self.ca_file {
            named("ca_file", options.set_ca_file(path))?;
        }
        if let Some(url) = &self.proxy {
            named("proxy", options.set_proxy(url))?;
        }
        if let Some(bytes) = self.token_cache_bytes {
            options.set_token_cache_bytes(bytes);
        }
        named("fixed_base", options.set_fixed_base(self.fixed_base))?;
        if let Some(path) = &self.key_cache_dir {
            named("key_cache_dir", options.set_key_cache_dir(path))?;
        }
        if let Some(path) = &self.revocations_file {
            named("revocations_file", options.set_revocations_file(path))?;
        }
        named("fetch_timeout_ms", options.set_fetch_timeout_ms(self.fetch_timeout_ms))?;
        options.set_allow_http(self.allow_http);
        options.set_background_refresh(false);
        Ok(options)
    }
}

fn named<T>(name: &str, result: torii::Result<T>) -> Result<(), String> {
    result.map(drop).map_err(|error| format!("`{name}`: {error}"))
}

/// Claims nest at most 32 levels deep, so that none is at this pointer.
fn unmet() -> torii::Result<Requirements> {
    let mut requirements = Requirements::new();
    requirements.add_claim(&"/".repeat(33), "true")?;
    Ok(requirements)
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.contains(['?', '#'])
}

/// A header that is to hold a claim, in lower case. One that requests cannot do without is refused,
/// because the filter removes it from requests.
fn identity_header(name: String, credentials: &str) -> Result<String, String> {
    let lower = name.to_ascii_lowercase();
    if !is_token(&lower) {
        return Err(format!("`{name}` is not a header name"));
    }
    let reserved = [
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
    let plain = lower.replace('_', "-");
    if reserved.contains(&&*plain) || plain == credentials.replace('_', "-") {
        return Err(format!("`{name}` is reserved"));
    }
    Ok(lower)
}

/// The members of an object, in their order.
#[derive(Default)]
struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// The claims by name. No two names may differ only in case, or in `_` for `-`.
    fn claims(&self) -> Result<Vec<(String, Claim)>, String> {
        let plain = |name: &str| name.to_ascii_lowercase().replace('_', "-");
        let mut names: Vec<_> = self.0.iter().map(|(name, _)| plain(name)).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair.first() == pair.last()) {
            return Err(format!("{pair:?} name the same"));
        }
        let claim = |(name, claim): &(String, String)| match &**name {
            "" => Err("an empty name".to_owned()),
            name => Ok((
                name.to_owned(),
                Claim::parse(claim).map_err(|why| format!("`{name}`: {why}"))?,
            )),
        };
        self.0.iter().map(claim).collect()
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
