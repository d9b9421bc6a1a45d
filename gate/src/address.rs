//! Addresses: `HOST:PORT`, `unix:PATH`, `systemd:NAME`.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Where the gate listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
    /// A socket that systemd passes, by its name (`FileDescriptorName=`).
    Systemd(String),
}

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "not an address (expected IP:PORT, unix:/PATH or systemd:NAME)";
        match text.split_once(':') {
            Some(("unix", path)) if path.starts_with('/') => Ok(Address::Unix(path.into())),
            Some(("systemd", name)) if !name.is_empty() => Ok(Address::Systemd(name.to_owned())),
            // Names are not resolved: `localhost` can be two addresses.
            _ => text.parse().map(Address::Tcp).map_err(|_| expected),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
            Address::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_as_written() {
        for text in ["127.0.0.1:9180", "[::1]:0", "unix:/run/torii/gate.sock", "systemd:gate"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn nothing_else_is_an_address() {
        for text in ["", "9180", ":9180", "localhost:9180", "unix:", "unix:gate.sock", "systemd:"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
