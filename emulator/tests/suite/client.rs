//! A plain HTTP client, and a service to call with it.

use serde_json::Value;
use torii_emulator::{Emulator, Issuer, Side};
use ureq::http;

/// An answer, read in full.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Sends a request with these headers; transport errors are the caller's.
pub fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Result<Answer, ureq::Error> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
    let mut request = http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = match body {
        Some(body) => agent.run(request.body(body.to_owned()).unwrap())?,
        None => agent.run(request.body(()).unwrap())?,
    };
    let body = response.body_mut().with_config().limit(64 << 20).read_to_string()?;
    Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
}

/// Asks for a URL.
pub fn get(url: &str) -> Answer {
    send("GET", url, &[], None).unwrap()
}

/// A running service, called with the secret key of one of its environments. The service's own
/// answers must keep the contract; that is checked in the end.
pub struct Service {
    pub emulator: Emulator,
    pub acme: Issuer,
}

impl Service {
    pub fn start() -> Self {
        let emulator = Emulator::start();
        let acme = emulator.issuer("acme");
        Self { emulator, acme }
    }

    /// Calls the server API for an environment; the call may fail.
    pub fn try_call(
        &self,
        issuer: &Issuer,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, ureq::Error> {
        let key = format!("Bearer {}", issuer.secret_key());
        let url = format!("{}/api/server/v1{path}", self.emulator.url());
        let body = body.map(|body| body.to_string());
        send(method, &url, &[("authorization", &key)], body.as_deref())
    }

    /// Calls the server API for the default environment.
    pub fn call(&self, method: &str, path: &str, body: impl Into<Option<Value>>) -> Answer {
        self.try_call(&self.acme, method, path, body.into()).unwrap()
    }

    /// The same, and the status has to be this one.
    pub fn expect(
        &self,
        status: u16,
        method: &str,
        path: &str,
        body: impl Into<Option<Value>>,
    ) -> Value {
        let answer = self.call(method, path, body);
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    /// A new user's id.
    pub fn user(&self, body: Value) -> String {
        text(&self.expect(201, "POST", "/users", body)["id"])
    }

    /// Calls the control API.
    pub fn control(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        send(method, &format!("{}{path}", self.emulator.control_url()), &[], body).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let violations = self.emulator.violations();
            let own: Vec<_> = violations.iter().filter(|one| one.side == Side::Answer).collect();
            assert!(own.is_empty(), "the emulator breaks the contract: {own:#?}");
        }
    }
}

/// The text in a JSON value.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

/// The ids of the items of a page, or of a bare list.
pub fn ids(page: &Value) -> Vec<String> {
    let items = page.get("items").unwrap_or(page).as_array().unwrap();
    items.iter().map(|item| text(&item["id"])).collect()
}
