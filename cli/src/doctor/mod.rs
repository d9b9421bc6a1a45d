//! `torii doctor`.

mod judge;
mod network;
mod record;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use torii::inspect::{self, Outcome};
use torii::{Client, ClientOptions, Verifier, VerifierOptions};
use url::Url;

use self::record::{Finding, Record};
use crate::failure::Failure;
use crate::input::SecretKey;

/// Find out what is wrong between this machine and torii.
///
/// Looks up the issuer's name, connects, checks its certificate, asks for its keys, compares the
/// clocks, reads the keys as a verifier does, and asks the API, with the secret key if there is one
/// in $TORII_SECRET_KEY or as named. Each line is ok or says what to do. The exit status is 1 if
/// anything is broken; a warning is not.
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii doctor --issuer https://acme.torii.so
  torii doctor --issuer https://acme.torii.so --secret-key-file /run/secrets/torii --json")]
pub(crate) struct Doctor {
    /// The issuer
    #[arg(long, value_name = "URL", env = "TORII_ISSUER", hide_env_values = true)]
    issuer: String,
    /// Where the API is
    #[arg(
        long,
        value_name = "URL",
        env = "TORII_API_URL",
        hide_env_values = true,
        default_value = "https://api.torii.so"
    )]
    api_url: String,
    /// Print JSON: a list of what was looked at
    #[arg(long)]
    json: bool,
    /// Trust the certificate authorities in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Allow plain http to hosts other than this one
    #[arg(long)]
    allow_http: bool,
    /// How long each step may take, in seconds, 1 to 60
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    timeout: u32,
    #[command(flatten)]
    secret_key: SecretKey,
}

impl Doctor {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        // Whatever is wrong with the command line is said before anything is done.
        let (url, options, client_options) = (self.url()?, self.options()?, self.client_options()?);
        let secret_key = self.secret_key.find()?;
        let client = secret_key.map(|key| Client::new(&key, &client_options)).transpose()?;

        let mut record = Record::new(self.json);
        let timeout = Duration::from_secs(u64::from(self.timeout));
        let (connected, findings) = network::reach(&url, timeout);
        record.add(findings)?;
        let mut ahead = None;
        if connected {
            let report = inspect::issuer(&self.issuer, &options)?;
            record.add(judge::issuer(&report))?;
            ahead = judge::ahead(&report.visit);
        } else {
            let skipped = |step| Finding::skipped(step, "there is no connection");
            record.add(["tls", "keys"].map(skipped))?;
        }
        let visit = inspect::api(&client_options)?;
        let api = judge::api(&visit);
        record.add([api, judge::clock(ahead.or(judge::ahead(&visit)))])?;
        record.add([match client {
            Some(client) if matches!(visit.outcome, Outcome::Answered { .. }) => {
                judge::key(&client)
            }
            Some(_) => Finding::skipped("key", "the API cannot be reached"),
            None => Finding::skipped("key", "no secret key in $TORII_SECRET_KEY"),
        }])?;
        record.end()
    }

    fn url(&self) -> Result<Url, Failure> {
        Url::parse(&self.issuer)
            .map_err(|_| Failure::usage("issuer: not an absolute URL, as in https://acme.torii.so"))
    }

    fn options(&self) -> Result<VerifierOptions, Failure> {
        let mut options = VerifierOptions::new();
        options.set_allow_http(self.allow_http).set_fetch_timeout_ms(self.timeout * 1_000)?;
        if let Some(path) = &self.ca_file {
            options.set_ca_file(path)?;
        }
        // Says what is wrong with the issuer, if anything is.
        Verifier::new(&self.issuer, &options)?;
        Ok(options)
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
