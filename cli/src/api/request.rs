//! `torii request`.

use clap::Args;

use super::Call;
use super::body::Body;
use crate::failure::Failure;
use crate::terminal::line;

/// Call any operation, such as one newer than this program
///
/// The answer is printed unchanged. GET requests are retried; others only if nothing was sent.
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii request GET 'users/0191d3c0-0000-7000-8000-0123456789ab/organizations?limit=5'
  torii request PATCH /api/server/v1/users/0191d3c0-0000-7000-8000-0123456789ab --set locale=da")]
pub(crate) struct Request {
    /// GET, POST, PUT, PATCH or DELETE
    method: String,
    /// The path and the optional query, encoded. A path without a leading slash is relative to
    /// /api/server/v1/
    path: String,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    call: Call,
}

impl Request {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let (path, query) = match self.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.path.as_str(), None),
        };
        let path = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("/api/server/v1/{path}"),
        };
        let (method, body) = (self.method.to_ascii_uppercase(), self.body.optional()?);
        let answer = self.call.client()?.request(&method, &path, query, body.as_deref())?;
        // An empty answer is null.
        if answer.is_null("") { self.call.done() } else { line(answer.text()) }
    }
}
