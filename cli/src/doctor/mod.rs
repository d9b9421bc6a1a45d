//! `torii doctor`.

mod checks;
mod network;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use torii::inspect::{self, KeyCacheReport, Outcome};
use torii::{Client, ClientOptions, Verifier, VerifierOptions};
use url::Url;

use self::report::{Finding, Report};
use crate::failure::Failure;
use crate::input::SecretKey;

/// Diagnose the connection to torii.
///
/// Checks DNS, the connection, the certificate, the keys, the discovery document, the clock, the API
/// and, if there are any, the secret key, the key cache directory and the revocations file. A line that is not ok says what to do. The exit status is 1
/// if a check failed; warnings do not count.
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii doctor --issuer https://acme.torii.so
  torii doctor --issuer https://acme.torii.so --secret-key-file /run/secrets/torii --json
  sudo -u www-data torii doctor --issuer https://acme.torii.so --key-cache /var/cache/torii")]
pub(crate) struct Doctor {
    /// The issuer
    #[arg(long, value_name = "URL", env = "TORII_ISSUER", hide_env_values = true)]
    issuer: String,
    /// The base URL of the API
    #[arg(
        long,
        value_name = "URL",
        env = "TORII_API_URL",
        hide_env_values = true,
        default_value = "https://api.torii.so"
    )]
    api_url: String,
    /// Print the findings as a JSON array
    #[arg(long)]
    json: bool,
    /// Trust the certificate authorities in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Allow plain http to hosts other than this one
    #[arg(long)]
    allow_http: bool,
    /// Check the issuer's file in this key cache directory. Owners and modes are checked as for the user
    /// who runs the command
    #[arg(long, value_name = "DIR")]
    key_cache: Option<PathBuf>,
    /// Check this revocations file
    #[arg(long, value_name = "FILE")]
    revocations: Option<PathBuf>,
    /// Timeout of each step, in seconds, 1 to 60
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    timeout: u32,
    #[command(flatten)]
    secret_key: SecretKey,
}

impl Doctor {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        // Reports an invalid command line before any step.
        let (url, options, client_options) = (self.url()?, self.options()?, self.client_options()?);
        let secret_key = self.secret_key.find()?;
        let client = secret_key.map(|key| Client::new(&key, &client_options)).transpose()?;

        let mut report = Report::new(self.json);
        let timeout = Duration::from_secs(u64::from(self.timeout));
        let (connected, findings) = network::reach(&url, timeout);
        report.add(findings)?;
        let mut ahead = None;
        if connected {
            let inspected = inspect::issuer(&self.issuer, &options)?;
            report.add(checks::issuer(&inspected))?;
            report.add([checks::discovery(&inspect::discovery(&self.issuer, &options)?)])?;
            ahead = checks::ahead(&inspected.visit);
        } else {
            let skipped = |step| Finding::skipped(step, "no connection");
            report.add(["tls", "keys", "discovery"].map(skipped))?;
        }
        if let Some(cache) = self.key_cache()? {
            report.add([checks::key_cache(&cache)])?;
        }
        if let Some(path) = &self.revocations {
            let mut options = options.clone();
            options.set_revocations_file(path)?;
            report.add([checks::revocations(path, Verifier::new(&self.issuer, &options))])?;
        }
        let visit = inspect::api(&client_options)?;
        let api = checks::api(&visit);
        report.add([api, checks::clock(ahead.or(checks::ahead(&visit)))])?;
        report.add([match client {
            Some(client) if matches!(visit.outcome, Outcome::Answered { .. }) => {
                checks::key(&client)
            }
            Some(_) => Finding::skipped("key", "the API is unreachable"),
            None => Finding::skipped("key", "no secret key in $TORII_SECRET_KEY"),
        }])?;
        report.end()
    }

    fn url(&self) -> Result<Url, Failure> {
        Url::parse(&self.issuer).map_err(|_| {
            Failure::usage(
                "issuer: not an absolute URL (expected one such as https://acme.torii.so)",
            )
        })
    }

    fn options(&self) -> Result<VerifierOptions, Failure> {
        let mut options = VerifierOptions::new();
        options.set_allow_http(self.allow_http).set_fetch_timeout_ms(self.timeout * 1_000)?;
        if let Some(path) = &self.ca_file {
            options.set_ca_file(path)?;
        }
        // Reports an invalid issuer.
        Verifier::new(&self.issuer, &options)?;
        Ok(options)
    }

    /// The issuer's file in the key cache directory, which is neither created nor changed.
    fn key_cache(&self) -> Result<Option<KeyCacheReport>, Failure> {
        let Some(path) = &self.key_cache else { return Ok(None) };
        let mut options = self.options()?;
        options.set_key_cache_dir(path)?;
        Ok(inspect::key_cache(&self.issuer, &options)?)
    }

    fn client_options(&self) -> Result<ClientOptions, Failure> {
        let mut options = ClientOptions::new();
        options
            .set_api_url(&self.api_url)?
            .set_allow_http(self.allow_http)
            .set_timeout_ms(self.timeout * 1_000)?
            .set_connect_timeout_ms(self.timeout * 1_000)?
            .set_max_retries(0)?;
        if let Some(path) = &self.ca_file {
            options.set_ca_file(path)?;
        }
        Ok(options)
    }
}
