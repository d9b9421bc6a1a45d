//! Looking up names, for new connections only.
//!
//! `ureq` looks a name up for every request, even where a connection is open, and where time is
//! limited on a thread of its own. So what it asks finds nothing, and the names are looked up where a
//! connection is made.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};

/// Leaves it to [`LookingUp`].
#[derive(Debug)]
pub(super) struct Later;

impl Resolver for Later {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

/// Connects as `ureq` does by default, to addresses it looks up first.
#[derive(Debug, Default)]
pub(super) struct LookingUp {
    names: DefaultResolver,
    connector: DefaultConnector,
}

impl Connector<()> for LookingUp {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        // A proxy looks names up by itself; that of the proxy comes through here as well.
        if details.config.proxy().is_some() {
            return self.connector.connect(details, chained);
        }
        let start = Instant::now();
        let addrs = match self.literal(details.uri) {
            Some(addrs) => addrs,
            None => self.names.resolve(details.uri, details.config, details.timeout)?,
        };
        let mut timeout = details.timeout;
        if let Duration::Exact(left) = timeout.after {
            let left = left.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(Error::Timeout(timeout.reason));
            }
            timeout.after = Duration::Exact(left);
        }
        let details = ConnectionDetails {
            uri: details.uri,
            addrs,
            resolver: details.resolver,
            config: details.config,
            request_level: details.request_level,
            now: (details.current_time)(),
            timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        self.connector.connect(&details, chained)
    }
}

impl LookingUp {
    /// The address that is written there instead of a name.
    fn literal(&self, uri: &Uri) -> Option<ResolvedSocketAddrs> {
        let address: IpAddr = uri.host()?.trim_matches(['[', ']']).parse().ok()?;
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let mut addrs = self.names.empty();
        addrs.push(SocketAddr::new(address, uri.port_u16().unwrap_or(default)));
        Some(addrs)
    }
}
