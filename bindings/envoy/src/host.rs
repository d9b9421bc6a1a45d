//! The interface of the filter to Envoy.

use std::borrow::Cow;

/// The stream of a request, on the worker thread it belongs to.
pub trait Host {
    /// Returns a value of a request header, and how many values the header has.
    fn header(&self, name: &str, index: usize) -> Option<(&[u8], usize)>;

    /// Shows the name of each request header, as it was sent but in lower case.
    fn each_header_name(&self, show: &mut dyn FnMut(&[u8]));

    /// Sets a request header, in place of any values it had.
    fn set_header(&mut self, name: &str, value: &[u8]);

    /// Removes every value of a request header.
    fn remove_header(&mut self, name: &[u8]);

    /// Sets a value of the request's dynamic metadata.
    fn set_metadata(&mut self, namespace: &str, key: &str, value: &Value<'_>);

    /// Has Envoy choose the route again, by the headers as they are now.
    fn clear_route(&mut self);

    /// Answers the request. The stream must not be used afterwards.
    fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &str, details: &str);

    /// Resumes a request that was stopped. The stream must not be used afterwards.
    fn resume(&mut self);

    /// Returns what wakes this stream from another thread.
    fn waker(&mut self) -> Option<Box<dyn Wake>>;

    /// Adds to a counter, by Envoy's number of it; `tag` is for one that is divided by a tag.
    fn count(&mut self, counter: usize, tag: Option<&str>, n: u64);

    /// Sets a gauge, by Envoy's number of it.
    fn set_gauge(&mut self, gauge: usize, value: u64);
}

/// A value in the dynamic metadata.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number.
    Number(f64),
    /// A boolean.
    Bool(bool),
}

/// Wakes a stream on its own thread, at most once; harmless if the stream is gone.
pub trait Wake: Send {
    /// Has the filter of the stream called.
    fn wake(&self, event: Event);
}

/// Why a stream was woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A fetch of keys ended, with success or not.
    Fetched,
    /// The request has waited for as long as it may.
    Expired,
}

/// The severity of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Normal operation.
    Info,
    /// An operator should look.
    Warn,
    /// A configuration was refused.
    Error,
}

/// Writes a line to Envoy's log, from any thread, while a configuration is in use.
pub type Log = fn(Level, &str);
