//! `torii gate`: forward authentication for reverse proxies.
//!
//! A proxy sends the headers of each request to the gate before it passes the request on. The gate verifies the access
//! token locally and answers 200 with identity headers, or the refusal for the client. Every path
//! is an authorization request, because many proxies forward the path of the client. Health and metrics have
//! an address of their own.

#![deny(unsafe_code)]

mod address;
mod admin;
mod answer;
mod config;
mod connection;
mod credentials;
mod error;
mod guard;
mod identity;
mod keys;
mod layers;
mod listener;
mod log;
mod metrics;
mod options;
mod server;
mod systemd;

use std::io::{Write, stdout};

pub use error::Error;
pub use options::Options;

impl Options {
    /// Answers requests until the process is told to end; with `--check`, only checks the
    /// configuration.
    ///
    /// # Errors
    /// If the configuration is invalid, or an address cannot be used.
    pub fn run(self) -> Result<(), Error> {
        let check = self.check;
        let config = layers::read(self)?.build()?;
        if !check {
            return server::run(config);
        }
        // The exit status says it as well.
        let _ = writeln!(stdout(), "configuration: valid");
        Ok(())
    }
}
