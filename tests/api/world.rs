//! A torii and a client of it.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::str::FromStr;

use torii::{Client, ClientOptions, Error, Json, Status};
use torii_emulator::{Emulator, Issuer, NewMember, NewOrganization, NewSession, Request, Uuid};

/// Where the API is.
pub const API: &str = "/api/server/v1";

/// A UUID that no user has.
pub const NOBODY: &str = "0191d3c0-0000-7000-8000-000000000000";

pub struct World {
    pub emulator: Emulator,
    pub issuer: Issuer,
    pub client: Client,
}

impl World {
    pub fn new() -> Self {
        World::with(|_| {})
    }

    pub fn with(set: impl FnOnce(&mut ClientOptions)) -> Self {
        let emulator = Emulator::start();
        let issuer = emulator.issuer("acme");
        let mut options = ClientOptions::new();
        options.set_api_url(emulator.url()).unwrap();
        set(&mut options);
        let client = Client::new(&issuer.secret_key(), &options).unwrap();
        World { emulator, issuer, client }
    }

    /// A user without anything; the log is empty afterwards.
    pub fn user(&self) -> String {
        let user = self.client.users().create("{}").unwrap();
        self.emulator.clear_requests();
        text(&user, "/id")
    }

    /// A sign-in of the user.
    pub fn session(&self, user_id: &str) -> String {
        self.issuer.sign_in(NewSession::of(uuid(user_id))).to_string()
    }

    pub fn organization(&self, name: &str) -> String {
        let new = NewOrganization { name: name.to_owned(), ..NewOrganization::default() };
        self.issuer.create_organization(new).to_string()
    }

    pub fn join(&self, organization_id: &str, user_id: &str) {
        let role = "org:member".to_owned();
        let new = NewMember { user_id: uuid(user_id), role, role_name: None };
        self.issuer.add_member(uuid(organization_id), new);
    }

    /// A user of another environment.
    pub fn stranger(&self) -> String {
        let issuer = self.emulator.create_issuer("elsewhere");
        let mut options = ClientOptions::new();
        options.set_api_url(self.emulator.url()).unwrap();
        let client = Client::new(&issuer.secret_key(), &options).unwrap();
        text(&client.users().create("{}").unwrap(), "/id")
    }

    /// The one request since the log was empty, which it is again afterwards.
    pub fn sent(&self) -> Request {
        let mut requests = self.emulator.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        self.emulator.clear_requests();
        requests.remove(0)
    }

    /// Checks the one request since the log was empty, byte by byte.
    #[track_caller]
    pub fn assert_sent(&self, line: &str, body: Option<&str>) {
        let sent = self.sent();
        let query = if sent.query.is_empty() { String::new() } else { format!("?{}", sent.query) };
        assert_eq!(format!("{} {}{query}", sent.method, sent.path), line.replace("~", API));
        assert_eq!(sent.body, body.unwrap_or_default());
        let has_body = matches!(sent.method.as_str(), "POST" | "PUT" | "PATCH");
        let length = sent.body.len().to_string();
        assert_eq!(header(&sent, "content-length"), has_body.then_some(length.as_str()));
        assert_eq!(header(&sent, "content-type"), body.map(|_| "application/json"));
        let authorization = format!("Bearer {}", self.issuer.secret_key());
        assert_eq!(header(&sent, "authorization"), Some(authorization.as_str()));
    }
}

pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The head of a request, for servers of a few lines.
pub fn head(stream: &mut TcpStream) -> String {
    let mut head = String::new();
    let mut lines = BufReader::new(stream);
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(lines.read_line(&mut head).unwrap(), 0, "closed after {head:?}");
    }
    head
}

pub fn text(json: &Json, pointer: &str) -> String {
    json.str(pointer).unwrap_or_else(|| panic!("no text at {pointer} of {json:?}")).to_owned()
}

pub fn uuid(text: &str) -> Uuid {
    Uuid::from_str(text).unwrap()
}

/// Checks that a call failed with this answer of the API.
#[track_caller]
pub fn assert_refused<T: std::fmt::Debug>(outcome: Result<T, Error>, http_status: u16, code: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error.status(), Status::Api, "{error}");
    assert_eq!((error.http_status(), error.code()), (Some(http_status), Some(code)));
    assert!(error.support_id().is_some());
}
