//! The backend API: torii's users, sessions, organizations and invitations.
//!
//! [`Transport`] makes every call; a resource only says what to call.

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

/// The secret key's environment, managed over torii's backend API.
///
/// Any number of threads may use one client at once: each call runs on the thread that makes it, and
/// connections are kept open between calls. A client made before `fork` works in the child.
///
/// The secret key is in no error and no `Debug`, and is wiped when the client is dropped. Who has the
/// `log` of a Rust program show `ureq_proto` at its most talkative level sees every byte of a request,
/// and with it the key.
///
/// Bodies are JSON objects, as text or as a [`Patch`](crate::Patch), and reach the API as they are:
/// fields this library has never heard of pass, null stays null, and what is absent stays absent.
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
    /// Makes a client for the environment of a secret key, `sk_live_…` or `sk_test_…`. Nothing is
    /// sent yet.
    pub fn new(secret_key: &str, options: &ClientOptions) -> Result<Client> {
        Ok(Client { transport: Transport::new(secret_key, options)? })
    }

    /// The users of the environment.
    pub fn users(&self) -> Users<'_> {
        Users(&self.transport)
    }

    /// Where users are signed in.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(&self.transport)
    }

    /// Organizations and who belongs to them.
    pub fn organizations(&self) -> Organizations<'_> {
        Organizations(&self.transport)
    }

    /// Invitations to sign up.
    pub fn invitations(&self) -> Invitations<'_> {
        Invitations(&self.transport)
    }

    /// Acting as a user.
    pub fn impersonation(&self) -> Impersonation<'_> {
        Impersonation(&self.transport)
    }

    /// The origins browsers may call torii from.
    pub fn allowed_origins(&self) -> AllowedOrigins<'_> {
        AllowedOrigins(&self.transport)
    }

    /// Calls an operation that is newer than this library. The path is the whole one below the API's
    /// URL, as in `/api/server/v1/users`; the query is encoded already; an answer without a body is
    /// null. GET is repeated after a failure, anything else only if nothing of it was sent.
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
