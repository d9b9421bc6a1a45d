//! Opening connections: name resolution, the proxy, TCP and TLS.
//!
//! `ureq` resolves the name for every request, even if a pooled connection is open. [`NoResolver`]
//! skips that step, and [`ResolvingConnector`] resolves the name for each new connection.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport,
};

use super::tls::TlsConnector;
use super::url::is_loopback;
use crate::fork::{STACK, with_signals_blocked};

/// The largest number of addresses tried for one name, which is the capacity of
/// [`ResolvedSocketAddrs`].
const MAX_ADDRESSES: usize = 16;

/// Resolves nothing: [`ResolvingConnector`] does.
#[derive(Debug)]
pub(super) struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        Ok(self.empty())
    }
}

/// Resolves the name, connects, and adds TLS for `https`.
#[derive(Debug)]
pub(super) struct ResolvingConnector {
    proxy: ConnectProxyConnector,
    tcp: TcpConnector,
    tls: TlsConnector,
}

impl ResolvingConnector {
    pub(super) fn new(tls: TlsConnector) -> Self {
        ResolvingConnector {
            proxy: ConnectProxyConnector::default(),
            tcp: TcpConnector::default(),
            tls,
        }
    }

    /// Opens the tunnel through the proxy. The connection to the proxy itself comes back through
    /// [`connect`](Connector::connect), without a proxy.
    fn tunnel(&self, details: &ConnectionDetails<'_>) -> Result<Box<dyn Transport>, Error> {
        let _limit = TunnelLimit::begin(remaining(details)?);
        let transport = self.proxy.connect(details, None::<()>)?;
        Ok(Box::new(transport.ok_or(Error::ConnectionFailed)?))
    }

    fn direct(&self, details: &ConnectionDetails<'_>) -> Result<Box<dyn Transport>, Error> {
        let addrs = addresses(details.uri, details.timeout)?;
        let details = ConnectionDetails {
            uri: details.uri,
            addrs,
            resolver: details.resolver,
            config: details.config,
            request_level: details.request_level,
            now: (details.current_time)(),
            timeout: remaining(details)?,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let transport = self.tcp.connect(&details, None::<()>)?;
        Ok(Box::new(transport.ok_or(Error::ConnectionFailed)?))
    }
}

impl Connector<()> for ResolvingConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        // A proxy would connect to its own loopback interface, and read what is sent in clear.
        let loopback = details.uri.host().is_some_and(is_loopback);
        let transport = if details.config.proxy().is_some() && !loopback {
            self.tunnel(details)?
        } else {
            self.direct(details)?
        };
        if !details.needs_tls() {
            return Ok(Some(transport));
        }
        self.tls.wrap(transport, details, remaining(details)?).map(Some)
    }
}

thread_local! {
    /// Until when the proxy has to open the tunnel that this thread asks it for.
    static TUNNEL_UNTIL: Cell<Option<std::time::Instant>> = const { Cell::new(None) };
}

/// Limits the time for a tunnel while it exists: `ureq` gives each read of the proxy's answer the
/// whole time again, so that a proxy could answer byte by byte for hours.
struct TunnelLimit(());

impl TunnelLimit {
    fn begin(timeout: NextTimeout) -> Self {
        let until = match timeout.after {
            Duration::Exact(left) => std::time::Instant::now().checked_add(left),
            Duration::NotHappening => None,
        };
        TUNNEL_UNTIL.set(until);
        TunnelLimit(())
    }
}

impl Drop for TunnelLimit {
    fn drop(&mut self) {
        TUNNEL_UNTIL.set(None);
    }
}

/// The timeout of a read or write, which is shorter while this thread has a tunnel opened.
pub(super) fn within_tunnel_limit(mut timeout: NextTimeout) -> Result<NextTimeout, Error> {
    if let Some(until) = TUNNEL_UNTIL.get() {
        let left = until.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() {
            return Err(Error::Timeout(timeout.reason));
        }
        timeout.after = timeout.after.min(Duration::Exact(left));
    }
    Ok(timeout)
}

/// The remaining time for connecting.
fn remaining(details: &ConnectionDetails<'_>) -> Result<NextTimeout, Error> {
    let mut timeout = details.timeout;
    if let (Duration::Exact(limit), Instant::Exact(start), Instant::Exact(now)) =
        (timeout.after, details.now, (details.current_time)())
    {
        let left = limit.saturating_sub(now.saturating_duration_since(start));
        if left.is_zero() {
            return Err(Error::Timeout(timeout.reason));
        }
        timeout.after = Duration::Exact(left);
    }
    Ok(timeout)
}

/// The addresses of a URL's host.
fn addresses(uri: &Uri, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
    let host = uri.host().ok_or(Error::HostNotFound)?;
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let mut addrs = NoResolver.empty();
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        addrs.push(SocketAddr::new(address, port));
    } else if host.eq_ignore_ascii_case("localhost") {
        // Never the resolver's answer, which could lead elsewhere (RFC 6761 §6.3).
        addrs.push(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port));
        addrs.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port));
    } else {
        let name = host.to_owned();
        let found = on_thread(timeout, move || (name.as_str(), port).to_socket_addrs())??;
        found.take(MAX_ADDRESSES).for_each(|address| addrs.push(address));
    }
    if addrs.is_empty() { Err(Error::HostNotFound) } else { Ok(addrs) }
}

/// Runs a blocking lookup on its own thread, since it cannot be given a timeout. The thread of a
/// lookup that takes too long ends with the lookup, and its result is dropped.
fn on_thread<T: Send + 'static>(
    timeout: NextTimeout,
    lookup: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = thread::Builder::new().name("torii-resolve".to_owned()).stack_size(STACK);
    with_signals_blocked(|| thread.spawn(move || drop(sender.send(lookup())))).map_err(
        |error| {
            let why = format!("cannot start a thread to resolve the host name: {error}");
            io::Error::new(error.kind(), why)
        },
    )?;
    let received = match timeout.after {
        Duration::Exact(limit) => receiver.recv_timeout(limit),
        Duration::NotHappening => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    received.map_err(|error| match error {
        RecvTimeoutError::Timeout => Error::Timeout(timeout.reason),
        RecvTimeoutError::Disconnected => Error::HostNotFound,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(limit: u64) -> NextTimeout {
        NextTimeout {
            after: Duration::from_secs(limit),
            reason: ureq::Timeout::Connect,
            ..NextTimeout::default()
        }
    }

    #[test]
    fn localhost_is_this_host_without_a_resolver() {
        for text in ["http://localhost:8080/x", "http://LocalHost:8080"] {
            let found = addresses(&text.parse().unwrap(), seconds(0)).unwrap();
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, ["[::1]:8080", "127.0.0.1:8080"]);
        }
    }

    #[test]
    fn an_address_needs_no_resolver() {
        for (text, address) in [
            ("https://192.0.2.7", "192.0.2.7:443"),
            ("http://[2001:db8::7]", "[2001:db8::7]:80"),
            ("https://[2001:db8::7]:8443/x", "[2001:db8::7]:8443"),
        ] {
            let found = addresses(&text.parse().unwrap(), seconds(0)).unwrap();
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, [address]);
        }
    }

    #[test]
    fn a_slow_lookup_ends_with_the_timeout() {
        let (release, blocked) = mpsc::channel::<()>();
        let outcome =
            on_thread(NextTimeout { after: Duration::from_millis(5), ..seconds(0) }, move || {
                blocked.recv().is_ok()
            });
        assert!(matches!(outcome, Err(Error::Timeout(ureq::Timeout::Connect))));
        drop(release);
    }

    /// Runs in a child process, which is given the environment.
    #[test]
    #[ignore = "run by the_environment_does_not_size_threads"]
    fn with_a_stack_from_the_environment() {
        assert!(std::env::var_os("RUST_MIN_STACK").is_some());
        assert_eq!(on_thread(seconds(60), || 7).unwrap(), 7);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_environment_does_not_size_threads() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--test-threads=1"])
            .arg("http::connect::tests::with_a_stack_from_the_environment")
            // More than the address space: no thread with the default stack starts.
            .env("RUST_MIN_STACK", (1u64 << 60).to_string())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_resolver_thread_blocks_every_signal() {
        fn blocked() -> u64 {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
            u64::from_str_radix(mask.trim(), 16).unwrap()
        }
        let before = blocked();
        let mask = on_thread(seconds(60), blocked).unwrap();
        for signal in (1..=31).filter(|&signal| signal != libc::SIGKILL && signal != libc::SIGSTOP)
        {
            assert_ne!(mask & 1 << (signal - 1), 0, "signal {signal}");
        }
        assert_eq!(blocked(), before, "the caller's own mask stays");
    }
}
