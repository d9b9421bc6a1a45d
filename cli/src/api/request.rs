//! `torii request`.

use clap::Args;

use super::Call;
use super::body::Body;
use crate::failure::Failure;
use crate::terminal::line;

/// Call an operation that is newer than this program. The answer is printed as it is
///
/// GET is repeated after a failure, anything else only if nothing of it was sent.
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii request GET 'users/0191d3c0-0000-7000-8000-0123456789ab/organizations?limit=5'
  torii request PATCH /api/server/v1/users/0191d3c0-0000-7000-8000-0123456789ab --set locale=da")]
pub(crate) struct Request {
    /// GET, POST, PUT, PATCH or DELETE
    method: String,
    /// The path, and the query if there is one, encoded; without a slash in front it is below
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
        // Nothing is null.
        if answer.is_null("") { self.call.done() } else { line(answer.text()) }
    }
}
