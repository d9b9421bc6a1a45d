//! The configuration, checked and ready for use.

use std::fs;
use std::str::FromStr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use hyper::header::{self, HeaderName};
use torii::{Requirements, Verifier, VerifierOptions};

use crate::address::Address;
use crate::credentials::{Credentials, is_token};
use crate::error::Error;
use crate::guard::{Guard, Policy};
use crate::identity::IdentityHeader;
use crate::keys::Keys;
use crate::layers::Layers;
use crate::metrics::Metrics;
use crate::options::{Route, Settings};

/// The address for the proxy if none is configured.
const LISTEN: &str = "127.0.0.1:9180";

/// How long a fetch of keys may take, and a request may wait, in seconds.
const TIMEOUT: u32 = 5;

const MAX_CONNECTIONS: u32 = 20_000;

const SHUTDOWN_TIMEOUT: u32 = 10;

/// Requests without credentials would pass requirements that name no exception.
const CONTRADICTION: &str = "optional: contradicts the requirements (expected one of the two)";

/// A valid configuration.
pub(crate) struct Config {
    pub(crate) guard: Arc<Guard>,
    pub(crate) listeners: Vec<(Address, Policy)>,
    pub(crate) admin: Option<Address>,
    pub(crate) socket_mode: Option<u32>,
    pub(crate) max_connections: usize,
    pub(crate) threads: usize,
    pub(crate) shutdown_timeout: Duration,
}

impl Layers {
    /// Checks the options, and creates what they describe. Nothing is fetched and no address bound.
    pub(crate) fn build(self) -> Result<Config, Error> {
        let Layers { settings, routes } = self;
        config(settings, routes).map_err(Error::Config)
    }
}

fn config(settings: Settings, routes: Vec<Route>) -> Result<Config, String> {
    let verifier = Arc::new(verifier(&settings)?);
    let listeners = listeners(&settings, routes)?;
    if let Some(admin) = &settings.admin {
        different(listeners.iter().map(|(address, _)| address).chain([admin]))?;
    }
    let credentials = credentials(settings.token_header.as_deref(), settings.cookie)?;
    distinct(&settings.header, &credentials)?;
    let timeout = Duration::from_secs(settings.timeout.unwrap_or(TIMEOUT).into());
    let guard = Guard {
        keys: Arc::new(Keys::new(verifier.clone(), timeout)),
        verifier,
        credentials,
        identity: settings.header,
        unmet: unmet().map_err(|error| error.to_string())?,
        metrics: Metrics::default(),
    };
    let processors = || thread::available_parallelism().map_or(1, usize::from);
    let seconds = settings.shutdown_timeout.unwrap_or(SHUTDOWN_TIMEOUT);
    Ok(Config {
        guard: Arc::new(guard),
        listeners,
        admin: settings.admin,
        socket_mode: settings.socket_mode.map(|mode| mode.0),
        max_connections: settings.max_connections.unwrap_or(MAX_CONNECTIONS) as usize,
        threads: settings.threads.map_or_else(processors, |threads| threads as usize),
        shutdown_timeout: Duration::from_secs(seconds.into()),
    })
}

fn verifier(settings: &Settings) -> Result<Verifier, String> {
    let mut options = VerifierOptions::new();
    let Some((first, further)) = settings.issuer.split_first() else {
        return Err("issuer: missing (expected --issuer, TORII_GATE_ISSUER or the file)".to_owned());
    };
    for issuer in further {
        options.add_issuer(issuer).map_err(|error| named("issuer", error))?;
    }
    for audience in &settings.audience {
        options.add_audience(audience).map_err(|error| named("audience", error))?;
    }
    if let Some(seconds) = settings.leeway {
        options.set_leeway_seconds(seconds).map_err(|error| named("leeway", error))?;
    }
    options
        .set_ignore_audience(settings.ignore_audience == Some(true))
        .set_max_lifetime_seconds(settings.max_lifetime.unwrap_or(0))
        .set_legacy_organization(settings.legacy_organization == Some(true))
        .set_allow_http(settings.allow_http == Some(true))
        // The gate has its own timer.
        .set_background_refresh(false);
    if let Some(path) = &settings.revocations {
        options.set_revocations_file(path).map_err(|error| named("revocations", error))?;
    }
    let requirements =
        settings.access.requirements().map_err(|error| named("requirements", error))?;
    if let Some(requirements) = requirements {
        if settings.access.optional == Some(true) {
            return Err(CONTRADICTION.to_owned());
        }
        options.set_requirements(&requirements);
    }
    if let Some(realm) = &settings.realm {
        options.set_realm(realm).map_err(|error| named("realm", error))?;
    }
    if let Some(url) = &settings.resource_metadata {
        options.set_resource_metadata(url).map_err(|error| named("resource-metadata", error))?;
    }
    keys(settings, !further.is_empty(), &mut options)?;
    Verifier::new(first, &options).map_err(|error| error.to_string())
}

/// Names the option that an error is about, once.
fn named(name: &str, error: torii::Error) -> String {
    let text = error.to_string();
    let subject = format!("{}: ", name.replace('-', "_"));
    format!("{name}: {}", text.strip_prefix(&subject).unwrap_or(&text))
}

/// The options that are about keys.
fn keys(settings: &Settings, several: bool, options: &mut VerifierOptions) -> Result<(), String> {
    if let Some(path) = &settings.jwks {
        if several {
            let why = "given with several issuers (expected one: the file has the keys of one)";
            return Err(format!("jwks: {why}"));
        }
        let jwks = fs::read(path).map_err(|error| format!("jwks: {}: {error}", path.display()))?;
        options.set_jwks(&jwks).map_err(|error| named("jwks", error))?;
    }
    if let Some(path) = &settings.key_cache {
        options.set_key_cache_dir(path).map_err(|error| named("key-cache", error))?;
    }
    if let Some(seconds) = settings.key_lifetime {
        options.set_key_lifetime_seconds(seconds).map_err(|error| named("key-lifetime", error))?;
    }
    if let Some(seconds) = settings.max_stale {
        options.set_max_stale_seconds(seconds).map_err(|error| named("max-stale", error))?;
    }
    let timeout = settings.timeout.unwrap_or(TIMEOUT).saturating_mul(1000);
    options.set_fetch_timeout_ms(timeout).map_err(|error| named("timeout", error))?;
    if let Some(path) = &settings.ca_file {
        options.set_ca_file(path).map_err(|error| named("ca-file", error))?;
    }
    if let Some(url) = &settings.proxy {
        options.set_proxy(url).map_err(|error| named("proxy", error))?;
    }
    let fixed_base = settings.fixed_base == Some(true);
    options.set_fixed_base(fixed_base).map_err(|error| named("fixed-base", error))?;
    if let Some(bytes) = settings.token_cache {
        options.set_token_cache_bytes(bytes);
    }
    Ok(())
}

/// The addresses for the proxy, and who passes at each.
fn listeners(settings: &Settings, routes: Vec<Route>) -> Result<Vec<(Address, Policy)>, String> {
    let optional = settings.access.optional == Some(true);
    let mut addresses = settings.listen.clone();
    if addresses.is_empty() {
        addresses.push(LISTEN.parse().map_err(str::to_owned)?);
    }
    // The verifier has the requirements that are for every login.
    let everywhere = Policy { requirements: None, optional };
    let mut listeners: Vec<_> =
        addresses.into_iter().map(|address| (address, everywhere.clone())).collect();
    for (index, route) in routes.into_iter().enumerate() {
        let named = |why: String| format!("route {}: {why}", index + 1);
        let requirements = route.access.requirements();
        let requirements = requirements.map_err(|error| named(error.to_string()))?;
        let optional = match (route.access.optional, &requirements) {
            (Some(true), Some(_)) => return Err(named(CONTRADICTION.to_owned())),
            (Some(optional), _) => optional,
            // Requirements hold for every request.
            (None, Some(_)) => false,
            (None, None) => optional,
        };
        let policy = Policy { requirements, optional };
        listeners.extend(route.listen.into_iter().map(|address| (address, policy.clone())));
    }
    different(listeners.iter().map(|(address, _)| address))?;
    Ok(listeners)
}

/// Fails if two addresses are the same.
fn different<'a>(addresses: impl Iterator<Item = &'a Address>) -> Result<(), String> {
    let mut seen = Vec::new();
    for address in addresses {
        // Port 0 is another one each time.
        let any = matches!(address, Address::Tcp(address) if address.port() == 0);
        if !any && seen.contains(&address) {
            return Err(format!("{address}: named twice (expected different addresses)"));
        }
        seen.push(address);
    }
    Ok(())
}

fn credentials(name: Option<&str>, cookie: Option<String>) -> Result<Credentials, String> {
    let header = match name {
        None => header::AUTHORIZATION,
        Some(name) => {
            let parsed = HeaderName::from_str(name).ok().filter(|_| is_token(name));
            parsed.ok_or("token-header: not the name of a header")?
        }
    };
    if cookie.as_ref().is_some_and(|name| !is_token(name)) {
        return Err("cookie: not the name of a cookie".to_owned());
    }
    Ok(Credentials { header, cookie })
}

/// Fails if two identity headers are the same for a backend, or one is the token's.
fn distinct(headers: &[IdentityHeader], credentials: &Credentials) -> Result<(), String> {
    for (index, header) in headers.iter().enumerate() {
        let name = &header.name;
        if header.is_same_as(&credentials.header) {
            return Err(format!("header: {name}: holds the token (expected another name)"));
        }
        if headers.iter().skip(index + 1).any(|other| other.is_same_as(name)) {
            return Err(format!("header: {name}: given twice (`_` counts as `-`)"));
        }
    }
    Ok(())
}

/// Claims nest at most 32 levels deep, so that none is at this pointer.
fn unmet() -> torii::Result<Requirements> {
    let mut requirements = Requirements::new();
    requirements.add_claim(&"/".repeat(33), "true")?;
    Ok(requirements)
}
