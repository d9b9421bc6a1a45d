//! Sockets on which the gate listens.

use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::fd::OwnedFd;
#[cfg(unix)]
use std::path::{Path, PathBuf};

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

use crate::address::Address;
use crate::error::Error;
use crate::{log, systemd};

/// A socket that accepts connections.
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// The sockets of a process.
pub(crate) struct Sockets {
    /// The permissions of Unix sockets, if they are not to be as the umask says.
    #[cfg(unix)]
    mode: Option<u32>,
    /// Sockets of systemd that are not used yet.
    #[cfg(unix)]
    passed: Vec<(String, OwnedFd)>,
    /// Unix sockets that were made here.
    #[cfg(unix)]
    made: Vec<PathBuf>,
}

impl Sockets {
    /// Takes over the sockets that systemd passes.
    ///
    /// # Errors
    /// If it passes a socket that is none of `addresses`: connections to it would wait forever.
    #[cfg_attr(not(unix), allow(unused_variables, reason = "for Unix sockets"))]
    pub(crate) fn new(mode: Option<u32>, addresses: &[&Address]) -> Result<Self, Error> {
        #[cfg(unix)]
        let passed = systemd::sockets().map_err(Error::Config)?;
        #[cfg(unix)]
        for (name, _) in &passed {
            let used =
                |address: &&Address| matches!(address, Address::Systemd(known) if known == name);
            if !addresses.iter().any(used) {
                let text = format!(
                    "systemd passes the socket `{name}`: unused (expected --listen systemd:{name})"
                );
                return Err(Error::Config(text));
            }
        }
        Ok(Sockets {
            #[cfg(unix)]
            mode,
            #[cfg(unix)]
            passed,
            #[cfg(unix)]
            made: Vec::new(),
        })
    }

    /// Listens at an address.
    pub(crate) fn bind(&mut self, address: &Address) -> Result<Listener, Error> {
        let (listener, place) = match address {
            Address::Tcp(address) => tcp(*address),
            #[cfg(unix)]
            Address::Unix(path) => self.unix(path),
            #[cfg(unix)]
            Address::Systemd(name) => self.systemd(name),
            #[cfg(not(unix))]
            Address::Unix(_) | Address::Systemd(_) => Err(io::ErrorKind::Unsupported.into()),
        }
        .map_err(|error| Error::Local(format!("cannot listen on {address}: {error}")))?;
        log::line(&format!("listening on {place}"));
        Ok(listener)
    }

    /// Removes the Unix sockets that were made here.
    pub(crate) fn remove(self) {
        #[cfg(unix)]
        for path in self.made {
            // It may be gone already.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn tcp(address: SocketAddr) -> io::Result<(Listener, String)> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let place = listener.local_addr()?.to_string();
    Ok((Listener::Tcp(TcpListener::from_std(listener)?), place))
}

#[cfg(unix)]
impl Sockets {
    fn unix(&mut self, path: &Path) -> io::Result<(Listener, String)> {
        use std::os::unix::fs::PermissionsExt;

        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over(path) => {
                std::fs::remove_file(path)?;
                UnixListener::bind(path)?
            }
            listener => listener?,
        };
        self.made.push(path.to_owned());
        if let Some(mode) = self.mode {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        }
        Ok((Listener::Unix(listener), format!("unix:{}", path.display())))
    }

    fn systemd(&mut self, name: &str) -> io::Result<(Listener, String)> {
        let Some(index) = self.passed.iter().position(|(known, _)| known == name) else {
            let why = "systemd does not pass it (expected FileDescriptorName= in a .socket unit)";
            return Err(io::Error::new(io::ErrorKind::NotFound, why));
        };
        let socket = socket2::Socket::from(self.passed.swap_remove(index).1);
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let place = match local.as_socket() {
            Some(address) => format!("{address} (systemd:{name})"),
            None => format!("systemd:{name}"),
        };
        let listener = match local.is_unix() {
            true => Listener::Unix(UnixListener::from_std(socket.into())?),
            false => Listener::Tcp(TcpListener::from_std(socket.into())?),
        };
        Ok((listener, place))
    }
}

/// Whether the path is a socket without a listener.
#[cfg(unix)]
fn is_left_over(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;

    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_socket());
    let refused = || std::os::unix::net::UnixStream::connect(path).map_err(|error| error.kind());
    is_socket && refused().is_err_and(|kind| kind == io::ErrorKind::ConnectionRefused)
}
