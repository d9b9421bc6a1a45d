//! The REST client.

use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi_derive::napi;
use torii::{ClientOptions, Json};

use crate::failure::thrown;

/// The options of a client. Absent ones keep the core's default.
#[napi(object)]
pub struct ClientSettings {
    pub api_url: Option<String>,
    pub timeout_ms: Option<u32>,
    pub connect_timeout_ms: Option<u32>,
    pub max_retries: Option<u32>,
    pub ca_file: Option<String>,
    pub proxy: Option<String>,
    pub user_agent_suffix: Option<String>,
    pub allow_http: Option<bool>,
}

/// The arguments of a call. Each operation uses some of them.
#[napi(object)]
pub struct Request {
    pub ids: Vec<String>,
    /// A JSON object.
    pub body: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
    /// A text that the name or the invitation contains.
    pub text: Option<String>,
    pub statuses: Option<Vec<String>>,
    pub method: Option<String>,
    pub path: Option<String>,
    pub query: Option<String>,
}

/// A client; [`crate::threads::Calls`] makes its calls.
#[napi]
pub struct Client(Arc<torii::Client>);

#[napi]
impl Client {
    #[napi(constructor, catch_unwind)]
    pub fn new(secret_key: String, settings: ClientSettings) -> Result<Self> {
        let made = options(&settings)
            .and_then(|options| torii::Client::new(&secret_key, &options))
            .map_err(|error| thrown(&error))?;
        Ok(Client(Arc::new(made)))
    }
}

impl Client {
    pub(crate) fn shared(&self) -> Arc<torii::Client> {
        self.0.clone()
    }
}

fn options(settings: &ClientSettings) -> torii::Result<ClientOptions> {
    let mut options = ClientOptions::new();
    if let Some(url) = &settings.api_url {
        options.set_api_url(url)?;
    }
    if let Some(milliseconds) = settings.timeout_ms {
        options.set_timeout_ms(milliseconds)?;
    }
    if let Some(milliseconds) = settings.connect_timeout_ms {
        options.set_connect_timeout_ms(milliseconds)?;
    }
    if let Some(retries) = settings.max_retries {
        options.set_max_retries(retries)?;
    }
    if let Some(path) = &settings.ca_file {
        options.set_ca_file(path)?;
    }
    if let Some(url) = &settings.proxy {
        options.set_proxy(url)?;
    }
    if let Some(suffix) = &settings.user_agent_suffix {
        options.set_user_agent_suffix(suffix)?;
    }
    options.set_allow_http(settings.allow_http.unwrap_or(false));
    Ok(options)
}

/// Makes a call, on this thread. An operation has the name that it has in JavaScript.
pub(crate) fn call(
    client: &torii::Client,
    operation: &str,
    request: &Request,
) -> torii::Result<Option<Json>> {
    let id = |index: usize| request.ids.get(index).map_or("", String::as_str);
    let body = || request.body.as_deref().unwrap_or("{}");
    let text = request.text.as_deref();
    let (limit, cursor) = (request.limit.unwrap_or(0), request.cursor.as_deref());
    let (users, sessions) = (client.users(), client.sessions());
    let (organizations, invitations) = (client.organizations(), client.invitations());
    let nothing = |done: torii::Result<()>| done.map(|()| None);
    let answer = match operation {
        "users.list" => users.list(limit, cursor, request.body.as_deref()),
        "users.get" => users.get(id(0)),
        "users.create" => users.create(body()),
        "users.update" => users.update(id(0), body()),
        "users.updateMetadata" => users.update_metadata(id(0), body()),
        "users.delete" => return nothing(users.delete(id(0))),
        "users.ban" => users.ban(id(0)),
        "users.unban" => users.unban(id(0)),
        "users.listOrganizations" => users.list_organizations(id(0), limit, cursor),
        "sessions.listForUser" => sessions.list_for_user(id(0)),
        "sessions.revokeAllForUser" => return nothing(sessions.revoke_all_for_user(id(0))),
        "sessions.revoke" => return nothing(sessions.revoke(id(0), id(1))),
        "organizations.list" => organizations.list(limit, cursor, text),
        "organizations.get" => organizations.get(id(0)),
        "organizations.updateMetadata" => organizations.update_metadata(id(0), body()),
        "organizations.listMembers" => organizations.list_members(id(0), limit, cursor),
        "organizations.updateMemberMetadata" => {
            organizations.update_member_metadata(id(0), id(1), body())
        }
        "invitations.create" => invitations.create(body()),
        "invitations.list" => {
            let statuses = request.statuses.as_deref().unwrap_or_default();
            let statuses: Vec<&str> = statuses.iter().map(String::as_str).collect();
            invitations.list(limit, cursor, &statuses, text)
        }
        "invitations.get" => invitations.get(id(0)),
        "invitations.resend" => invitations.resend(id(0)),
        "invitations.revoke" => return nothing(invitations.revoke(id(0))),
        "invitations.updateMetadata" => invitations.update_metadata(id(0), body()),
        "impersonation.createToken" => client.impersonation().create_token(id(0), body()),
        "allowedOrigins.get" => client.allowed_origins().get(),
        "allowedOrigins.set" => client.allowed_origins().set(body()),
        _ => {
            let (method, path) = (request.method.as_deref(), request.path.as_deref());
            let (query, body) = (request.query.as_deref(), request.body.as_deref());
            client.request(method.unwrap_or_default(), path.unwrap_or_default(), query, body)
        }
    };
    answer.map(Some)
}
