//! Options for fetching an issuer's keys.

use std::path::PathBuf;

use clap::Args;
use torii::VerifierOptions;

use crate::failure::Failure;

/// Options for fetching keys.
#[derive(Args)]
pub(crate) struct FetchArgs {
    /// Trust the certificate authorities in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Allow plain http to hosts other than this one. Anyone on the network path can then forge keys
    #[arg(long)]
    allow_http: bool,
    /// Fetch keys through this proxy, such as http://proxy.example:3128. Environment variables are not
    /// read
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Read keys from this directory before the first fetch, as a server with this key cache directory
    /// does
    #[arg(long, value_name = "DIR")]
    key_cache: Option<PathBuf>,
    /// Timeout for fetching keys, in seconds, 1 to 60
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    timeout: u32,
}

impl FetchArgs {
    pub(crate) fn options(&self) -> Result<VerifierOptions, Failure> {
        let mut options = VerifierOptions::new();
        options.set_allow_http(self.allow_http).set_fetch_timeout_ms(self.timeout * 1_000)?;
        if let Some(path) = &self.ca_file {
            options.set_ca_file(path)?;
        }
        if let Some(url) = &self.proxy {
            options.set_proxy(url)?;
        }
        if let Some(path) = &self.key_cache {
            options.set_key_cache_dir(path)?;
        }
        Ok(options)
    }
}
