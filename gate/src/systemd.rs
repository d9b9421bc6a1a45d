//! systemd: sockets that it passes (`sd_listen_fds(3)`), and readiness (`sd_notify(3)`).

#[cfg(unix)]
use std::os::fd::OwnedFd;

/// The sockets passed to this process, by name.
#[cfg(unix)]
pub(crate) fn sockets() -> Result<Vec<(String, OwnedFd)>, String> {
    let sockets = sd_listen_fds::get().map_err(|error| format!("systemd: {error}"))?;
    let named = |(name, socket): (Option<String>, sd_listen_fds::OwnedFd)| {
        (name.unwrap_or_default(), socket.into_std())
    };
    Ok(sockets.into_iter().map(named).collect())
}

/// Tells the service manager about the state of this process, if it wants to know.
#[cfg(target_os = "linux")]
pub(crate) fn notify(state: &str) {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let address = match path.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&path),
    };
    let sent = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    if let Err(error) = sent {
        crate::log::line(&format!("cannot notify systemd: {error}"));
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn notify(_: &str) {}
