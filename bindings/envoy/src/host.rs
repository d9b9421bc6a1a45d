//! What is asked of Envoy.

use crate::config::Route;
use crate::identity::Value;

/// The stream of a request, on the worker thread it belongs to.
pub trait Host {
    /// A value of a request header, and how many values the header has.
    fn header(&self, name: &str, index: usize) -> Option<(&[u8], usize)>;

    /// Shows the name of each request header, as it was sent but in lower case.
    fn each_header_name(&self, show: &mut dyn FnMut(&[u8]));

    /// Sets a request header, in place of any values it had.
    fn set_header(&mut self, name: &str, value: &str);

    /// Removes every value of a request header.
    fn remove_header(&mut self, name: &[u8]);

    /// Sets a value of the request's dynamic metadata.
    fn set_metadata(&mut self, namespace: &str, key: &str, value: &Value<'_>);

    /// What the route says in its own configuration of the filter.
    fn route(&self) -> Option<Route>;

    /// Answers the request. Nothing may be asked of the stream afterwards.
    fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &str, details: &str);

    /// Sends a request that was stopped on its way. Nothing may be asked of the stream afterwards.
    fn go_on(&mut self);

    /// What wakes this stream from another thread.
    fn waker(&mut self) -> Option<Box<dyn Wake>>;

    /// Adds to a counter, by Envoy's number of it; `reason` is for one that is divided by reason.
    fn count(&mut self, counter: usize, reason: Option<&str>, n: u64);
}

/// Wakes a stream on its own thread, at most once; harmless when the stream is gone.
pub trait Wake: Send {
    /// Has the filter of the stream called.
    fn wake(&self, event: Event);
}

/// Why a stream was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A fetch of keys has ended, well or not.
    Fetched,
    /// The request has waited for as long as it may.
    Expired,
}

/// How grave a line of the log is.
#[derive(Clone, Copy, Debug)]
pub enum Level {
    /// Something went as it should.
    Info,
    /// Something needs a look.
    Warn,
    /// Something was refused.
    Error,
}

/// Writes a line to Envoy's log, from any thread, while a configuration is in use.
pub type Log = fn(Level, &str);
