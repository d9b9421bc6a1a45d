//! DNS and TCP checks.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use url::{Host, Url};

use super::report::Finding;

/// Resolves the name and connects. Returns whether that worked, and the findings.
pub(super) fn reach(url: &Url, timeout: Duration) -> (bool, Vec<Finding>) {
    let port = url.port_or_known_default().unwrap_or(443);
    let (addresses, name) = match url.host() {
        Some(Host::Ipv4(address)) => (vec![SocketAddr::new(address.into(), port)], None),
        Some(Host::Ipv6(address)) => (vec![SocketAddr::new(address.into(), port)], None),
        Some(Host::Domain(name)) => match look_up(name, port, timeout) {
            Ok(addresses) => (addresses, Some(name)),
            Err(why) => {
                let text = format!("{name}: cannot resolve: {why}");
                let advice = "check the issuer URL and this machine's DNS server";
                return (false, vec![Finding::failed("dns", text, advice)]);
            }
        },
        None => (Vec::new(), None),
    };
    let listed: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
    let dns = match name {
        Some(name) => format!("{name} is {}", listed.join(", ")),
        None => "an address, no name to resolve".to_owned(),
    };
    let (connected, connection) = connect(&addresses, timeout);
    (connected, vec![Finding::ok("dns", dns), connection])
}

/// Resolves a name, with a timeout.
fn look_up(name: &str, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, String> {
    let (sender, receiver) = mpsc::channel();
    let name = name.to_owned();
    thread::spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // After the timeout the receiver is gone.
        let _ = sender.send(found);
    });
    match receiver.recv_timeout(timeout) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", timeout.as_secs())),
    }
}

/// Connects to the first address that accepts a connection.
fn connect(addresses: &[SocketAddr], timeout: Duration) -> (bool, Finding) {
    let mut why = "no address".to_owned();
    for address in addresses {
        let start = Instant::now();
        match TcpStream::connect_timeout(address, timeout) {
            Ok(_) => {
                let took = start.elapsed().as_millis();
                return (true, Finding::ok("connect", format!("{address} in {took} ms")));
            }
            Err(error) => why = format!("{address}: {error}"),
        }
    }
    let advice = "check the port, and any firewall or proxy on the way";
    (false, Finding::failed("connect", why, advice))
}
