//! The backend API: torii's users, sessions, organizations and invitations.
//!
//! [`Transport`] makes every call; each resource describes its calls.

mod allowed_origins;
mod arguments;
mod impersonation;
mod invitations;
mod options;
mod organizations;
mod pages;
mod problem;
mod secret;
mod sessions;
mod transport;
mod users;

use std::fmt;

pub use self::allowed_origins::AllowedOrigins;
pub use self::impersonation::Impersonation;
pub use self::invitations::Invitations;
pub use self::options::ClientOptions;
pub use self::organizations::Organizations;
pub use self::pages::Paginator;
pub use self::sessions::Sessions;
pub use self::users::Users;
use crate::error::{Error, Result};
use crate::http;
use crate::json::Json;
pub(crate) use arguments::states;
use arguments::{encoded_query, object, path};
pub(crate) use transport::probe;
use transport::{Call, Transport};

/// Manages the environment of a secret key over torii's backend API.
///
/// Any number of threads may use one client at once. Each call blocks its caller's thread;
/// connections and TLS sessions are reused. A client created before `fork` works in the child.
///
/// The secret key is in no error and no `Debug`. It is wiped from memory after each request and when
/// the client is dropped. The exception is a Rust program that logs `ureq_proto` at level `trace`,
/// which shows every byte of a request.
///
/// Bodies are JSON objects, as text or as a [`Patch`](crate::Patch), and are sent unchanged, with
/// fields this library does not know.
///
/// Unless a CA file is set, the client trusts the platform's root certificates, loaded once per
/// process. On Linux and BSD `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them, as for OpenSSL, except
/// in programs with raised privileges (setuid). No other environment variable is read.
///
/// ```no_run
/// use torii::{Client, ClientOptions, Patch};
///
/// # fn handle(secret_key: &str, user_id: &str) -> torii::Result<()> {
/// let client = Client::new(secret_key, &ClientOptions::new())?;
/// let mut patch = Patch::new();
/// patch.set_string("firstName", "Ada")?.set_null("lastName")?;
/// let user = client.users().update(user_id, &patch)?;
/// println!("{:?}", user.str("/email"));
/// # Ok(())
/// # }
/// ```
pub struct Client {
    transport: Transport,
}

impl Client {
    /// Creates a client with a secret key, `sk_live_…` or `sk_test_…`. Sends nothing.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`](crate::Status::InvalidArgument) for a malformed key,
    /// [`Status::InvalidConfig`](crate::Status::InvalidConfig) for a plain `http` URL of another host.
    pub fn new(secret_key: &str, options: &ClientOptions) -> Result<Client> {
        Ok(Client { transport: Transport::new(secret_key, options)? })
    }

    /// Returns the operations on users.
    pub fn users(&self) -> Users<'_> {
        Users(&self.transport)
    }

    /// Returns the operations on sessions.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(&self.transport)
    }

    /// Returns the operations on organizations.
    pub fn organizations(&self) -> Organizations<'_> {
        Organizations(&self.transport)
    }

    /// Returns the operations on invitations.
    pub fn invitations(&self) -> Invitations<'_> {
        Invitations(&self.transport)
    }

    /// Returns the operations for impersonation.
    pub fn impersonation(&self) -> Impersonation<'_> {
        Impersonation(&self.transport)
    }

    /// Returns the operations on allowed origins.
    pub fn allowed_origins(&self) -> AllowedOrigins<'_> {
        AllowedOrigins(&self.transport)
    }

    /// Calls an operation this library does not know. The path starts below the API's URL, as in
    /// `/api/server/v1/users`; the query is already encoded. An answer without a body is `null`. GET
    /// is retried after a transient failure, other methods only if nothing was sent.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        query: Option<&str>,
        body: Option<&str>,
    ) -> Result<Json> {
        let method = match method {
            "GET" => http::Method::GET,
            "POST" => http::Method::POST,
            "PUT" => http::Method::PUT,
            "PATCH" => http::Method::PATCH,
            "DELETE" => http::Method::DELETE,
            _ => {
                let why = "none of GET, POST, PUT, PATCH and DELETE";
                return Err(Error::argument("method", why));
            }
        };
        let path = self::path(path)?;
        let target = match query {
            Some(query) => format!("{path}?{}", encoded_query(query)?),
            None => path.to_owned(),
        };
        let body = body.map(|body| object("body", body)).transpose()?;
        let call = match method {
            http::Method::GET if body.is_some() => {
                return Err(Error::argument("body", "not for GET"));
            }
            http::Method::GET => Call::idempotent(method, target),
            _ => Call::once(method, target).body(body),
        };
        self.transport.json_or_nothing(&call.with_whole_path())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api_url", &self.transport.base()).finish_non_exhaustive()
    }
}
