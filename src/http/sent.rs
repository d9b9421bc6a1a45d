//! Whether any of a request was sent, and wiping it from memory afterwards.
//!
//! A request that must not be made twice may be retried only if nothing of it was sent, and the
//! errors of `ureq` do not tell. So every connection is wrapped. The wrapper also wipes the output
//! buffer, which holds the secret key in clear, after each write and when the connection is closed.

use std::cell::Cell;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use zeroize::Zeroize;

use super::connect::{ResolvingConnector, within_tunnel_limit};

thread_local! {
    /// For the request in progress on this thread: `ureq` writes on the caller's thread.
    static SENT: Cell<bool> = const { Cell::new(false) };
}

/// Runs a request and tells whether any of it was sent. The handshakes with a proxy and of TLS are
/// not part of the request.
pub(super) fn watch<T>(request: impl FnOnce() -> T) -> (T, bool) {
    SENT.set(false);
    let outcome = request();
    (outcome, SENT.get())
}

/// Connects, and wraps the connection.
#[derive(Debug)]
pub(super) struct RequestConnector(pub(super) ResolvingConnector);

impl Connector<()> for RequestConnector {
    type Out = RequestTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<RequestTransport>, Error> {
        let connected = self.0.connect(details, chained);
        // The connection to a proxy was wrapped as well, and its handshake counted.
        SENT.set(false);
        Ok(connected?.map(RequestTransport))
    }
}

/// A connection that notes that it was written to, and wipes what was.
#[derive(Debug)]
pub(super) struct RequestTransport(Box<dyn Transport>);

impl Transport for RequestTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        SENT.set(true);
        let outcome = within_tunnel_limit(timeout)
            .and_then(|timeout| self.0.transmit_output(amount, timeout));
        self.0.buffers().output().get_mut(..amount).unwrap_or_default().zeroize();
        outcome
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(within_tunnel_limit(timeout)?)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

impl Drop for RequestTransport {
    fn drop(&mut self) {
        // A request that was written to the buffer but not transmitted, as when time was up.
        self.0.buffers().output().zeroize();
    }
}
