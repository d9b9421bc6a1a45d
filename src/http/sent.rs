//! Whether any of a request was sent, and wiping it from memory afterwards.
//!
//! A request that must not be made twice may be retried only if nothing of it was sent, and the
//! errors of `ureq` do not tell. So every connection is wrapped. The wrapper also wipes the output
//! buffer, which holds the secret key in clear, after each write and when the connection is closed.

use std::cell::Cell;

use ureq::Error;
use ureq::unversioned::transport::time::Duration;
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
            .and_then(|timeout| self.0.transmit_output(amount, in_steps(timeout)));
        self.0.buffers().output().get_mut(..amount).unwrap_or_default().zeroize();
        outcome
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(in_steps(within_tunnel_limit(timeout)?))
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

/// Rounds a timeout of a second or more up to the next twentieth of a second.
///
/// `ureq` sets the timeout of a socket when it is not the one it set last. With the exact time that
/// is left, it would make two system calls more for each request.
fn in_steps(mut timeout: NextTimeout) -> NextTimeout {
    const STEP: u128 = 50;
    if let Duration::Exact(left) = timeout.after
        && left >= std::time::Duration::from_secs(1)
    {
        let steps = left.as_micros().div_ceil(1_000 * STEP);
        timeout.after = Duration::from_millis((steps * STEP).try_into().unwrap_or(u64::MAX));
    }
    timeout
}

impl Drop for RequestTransport {
    fn drop(&mut self) {
        // A request that was written to the buffer but not transmitted, as when time was up.
        self.0.buffers().output().zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_stays_the_same_while_little_time_passes() {
        let rounded = |ms: u64| {
            let after = Duration::from_millis(ms);
            match in_steps(NextTimeout { after, ..NextTimeout::default() }).after {
                Duration::Exact(left) => left.as_millis(),
                Duration::NotHappening => 0,
            }
        };
        assert_eq!([rounded(29_999), rounded(29_951), rounded(30_000)], [30_000; 3]);
        assert_eq!([rounded(30_001), rounded(1_000), rounded(1_001)], [30_050, 1_000, 1_050]);
        assert_eq!([rounded(999), rounded(1)], [999, 1], "short ones are exact");
        let never = NextTimeout { after: Duration::NotHappening, ..NextTimeout::default() };
        assert_eq!(in_steps(never).after, Duration::NotHappening);
    }
}
