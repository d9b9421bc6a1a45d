//! Whether a byte of a request was sent.
//!
//! A request that changes something may be repeated only while the answer is no, and the errors of
//! `ureq` do not tell. So every connection is wrapped, and notes that it was written to.

use std::cell::Cell;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use super::lookup::LookingUp;

thread_local! {
    /// Of the request under way on this thread: `ureq` writes on the thread that asks.
    static SENT: Cell<bool> = const { Cell::new(false) };
}

/// Runs a request, and tells whether any of it was sent. A TLS handshake is not of the request.
pub(super) fn watch<T>(request: impl FnOnce() -> T) -> (T, bool) {
    SENT.set(false);
    let outcome = request();
    (outcome, SENT.get())
}

/// Connects, and wraps the connection.
#[derive(Debug, Default)]
pub(super) struct WatchingConnector(LookingUp);

impl Connector<()> for WatchingConnector {
    type Out = Watched;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Watched>, Error> {
        let connected = self.0.connect(details, chained);
        // What a proxy was told comes through here as well, and is not of the request.
        SENT.set(false);
        Ok(connected?.map(Watched))
    }
}

/// A connection that notes that it was written to.
#[derive(Debug)]
pub(super) struct Watched(Box<dyn Transport>);

impl Transport for Watched {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        SENT.set(true);
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
