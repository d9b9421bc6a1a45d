//! The verifier, apart from the call that verifies.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use napi::bindgen_prelude::*;
use napi_derive::napi;
use torii::{Auth, VerifierOptions};

use crate::check::{self, Checker};
use crate::failure::{self, thrown};
use crate::requirements;

/// An issuer, and its keys if they are given.
#[napi(object)]
pub struct Issuer {
    pub url: String,
    pub jwks: Option<String>,
}

/// The options of a verifier. Absent ones keep the core's default.
#[napi(object)]
pub struct VerifierSettings {
    pub jwks: Option<String>,
    pub issuers: Vec<Issuer>,
    pub audiences: Vec<String>,
    pub ignore_audience: Option<bool>,
    pub leeway: Option<u32>,
    pub max_lifetime: Option<u32>,
    pub legacy_organization: Option<bool>,
    pub require: Option<u32>,
    /// The number of requirements.
    pub requirements: Option<u32>,
    pub realm: Option<String>,
    pub resource_metadata: Option<String>,
    pub key_lifetime: Option<u32>,
    pub max_stale: Option<u32>,
    pub fetch_timeout_ms: Option<u32>,
    pub background_refresh: Option<bool>,
    pub token_cache_bytes: Option<i64>,
    pub fixed_base: Option<bool>,
    pub key_cache_dir: Option<String>,
    pub revocations_file: Option<String>,
    pub metrics_issuer_label: Option<bool>,
    pub ca_file: Option<String>,
    pub proxy: Option<String>,
    pub allow_http: Option<bool>,
    /// The time at the start, if each call passes the time.
    pub now: Option<i64>,
}

/// A verifier.
#[napi]
pub struct Verifier {
    verifier: Arc<torii::Verifier>,
    checker: Rc<Checker>,
}

#[napi]
impl Verifier {
    #[napi(constructor, catch_unwind)]
    pub fn new(issuer: String, settings: VerifierSettings) -> Result<Self> {
        let now = settings.now.map(|now| Arc::new(AtomicI64::new(now)));
        let made = options(&settings, now.clone())
            .and_then(|options| torii::Verifier::new(&issuer, &options))
            .map_err(|error| thrown(&error))?;
        let verifier = Arc::new(made);
        Ok(Verifier { checker: Rc::new(Checker::new(verifier.clone(), now)), verifier })
    }

    /// Returns the function that verifies: see [`crate::check`].
    #[napi(catch_unwind, ts_return_type = "Function")]
    pub fn check_function<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        check::function(env, self.checker.clone())
    }

    /// Returns the result with this number, for calls of [`unmet`].
    #[napi(catch_unwind, ts_return_type = "object")]
    pub fn result(&self, number: f64) -> Result<External<Auth>> {
        let missing = || Error::from_reason(failure::internal("a result that does not exist"));
        self.checker.result(number).map(External::new).ok_or_else(missing)
    }

    /// Returns the failure of the last call that reported one, as JSON.
    #[napi(catch_unwind)]
    pub fn take_failure(&self) -> Option<String> {
        self.checker.take_failure()
    }

    /// Sets the time of a verifier with a clock, for calls other than those that verify.
    #[napi(catch_unwind)]
    pub fn set_now(&self, now: i64) {
        self.checker.set_now(now);
    }

    /// Returns the milliseconds until a key fetch is due; null if all keys were given.
    #[napi(catch_unwind)]
    pub fn due_in_ms(&self) -> Option<f64> {
        self.verifier.due_in_ms().map(|milliseconds| milliseconds as f64)
    }

    #[napi(catch_unwind)]
    pub fn stats(&self) -> Result<String> {
        let stats = self.verifier.stats().map_err(|error| thrown(&error))?;
        Ok(stats.text().to_owned())
    }

    #[napi(catch_unwind)]
    pub fn metrics(&self) -> String {
        self.verifier.metrics()
    }

    /// Without a time: all tokens of the user, future ones included.
    #[napi(catch_unwind)]
    pub fn revoke(&self, user_id: String, issued_before: Option<i64>) -> Result<()> {
        let issued_before = issued_before.unwrap_or(torii::REVOKE_ALL);
        self.verifier.revoke(&user_id, issued_before).map_err(|error| thrown(&error))
    }

    #[napi(catch_unwind)]
    pub fn set_revocations(&self, json: String) -> Result<()> {
        self.verifier.set_revocations_json(json.as_bytes()).map_err(|error| thrown(&error))
    }
}

impl Verifier {
    pub(crate) fn shared(&self) -> Arc<torii::Verifier> {
        self.verifier.clone()
    }
}

/// Checks requirements of a result. Returns the failure as JSON; null if they are met.
#[napi(catch_unwind)]
pub fn unmet(
    #[napi(ts_arg_type = "object")] auth: &External<Auth>,
    requirements: u32,
) -> Option<String> {
    match requirements::get(requirements) {
        Some(requirements) => auth.require(&requirements).err().map(|error| failure::json(&error)),
        None => Some(failure::internal("requirements that do not exist")),
    }
}

/// Forgets the fetched keys of every issuer.
#[napi(catch_unwind)]
pub fn clear_jwks_cache() {
    torii::clear_jwks_cache();
}

fn options(
    settings: &VerifierSettings,
    now: Option<Arc<AtomicI64>>,
) -> torii::Result<VerifierOptions> {
    let mut options = VerifierOptions::new();
    if let Some(jwks) = &settings.jwks {
        options.set_jwks(jwks.as_bytes())?;
    }
    for issuer in &settings.issuers {
        match &issuer.jwks {
            Some(jwks) => options.add_issuer_jwks(&issuer.url, jwks.as_bytes())?,
            None => options.add_issuer(&issuer.url)?,
        };
    }
    for audience in &settings.audiences {
        options.add_audience(audience)?;
    }
    options.set_ignore_audience(settings.ignore_audience.unwrap_or(false));
    options.set_legacy_organization(settings.legacy_organization.unwrap_or(false));
    options.set_metrics_issuer_label(settings.metrics_issuer_label.unwrap_or(false));
    options.set_allow_http(settings.allow_http.unwrap_or(false));
    options.set_background_refresh(settings.background_refresh.unwrap_or(true));
    if let Some(seconds) = settings.leeway {
        options.set_leeway_seconds(seconds)?;
    }
    if let Some(seconds) = settings.max_lifetime {
        options.set_max_lifetime_seconds(seconds);
    }
    if let Some(flags) = settings.require {
        options.require(flags)?;
    }
    if let Some(requirements) = settings.requirements.and_then(requirements::get) {
        options.set_requirements(&requirements);
    }
    if let Some(realm) = &settings.realm {
        options.set_realm(realm)?;
    }
    if let Some(url) = &settings.resource_metadata {
        options.set_resource_metadata(url)?;
    }
    if let Some(seconds) = settings.key_lifetime {
        options.set_key_lifetime_seconds(seconds)?;
    }
    if let Some(seconds) = settings.max_stale {
        options.set_max_stale_seconds(seconds)?;
    }
    if let Some(milliseconds) = settings.fetch_timeout_ms {
        options.set_fetch_timeout_ms(milliseconds)?;
    }
    if let Some(bytes) = settings.token_cache_bytes {
        options.set_token_cache_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
    }
    if let Some(on) = settings.fixed_base {
        options.set_fixed_base(on)?;
    }
    if let Some(path) = &settings.key_cache_dir {
        options.set_key_cache_dir(path)?;
    }
    if let Some(path) = &settings.revocations_file {
        options.set_revocations_file(path)?;
    }
    if let Some(path) = &settings.ca_file {
        options.set_ca_file(path)?;
    }
    if let Some(url) = &settings.proxy {
        options.set_proxy(url)?;
    }
    if let Some(now) = now {
        options.set_clock(move || now.load(Ordering::Relaxed));
    }
    Ok(options)
}
