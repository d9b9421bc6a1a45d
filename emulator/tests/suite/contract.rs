//! The whole contract: rules for every operation.

use serde_json::{Value, json};
use torii_emulator::Side;

use crate::client::{Service, send};

const CONTRACT: &str = include_str!("../../../api/server-v1.json");
const ANY_ID: &str = "01900000-0000-7000-8000-000000000000";

/// Method and path of every operation, with ids that do not exist.
fn operations() -> Vec<(String, String)> {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let mut operations = Vec::new();
    for (template, methods) in contract["paths"].as_object().unwrap() {
        let parts: Vec<&str> = template.split('/').collect();
        let parts: Vec<&str> = parts
            .into_iter()
            .map(|part| if part.starts_with('{') { ANY_ID } else { part })
            .collect();
        for method in methods.as_object().unwrap().keys() {
            operations.push((method.to_uppercase(), parts.join("/")));
        }
    }
    operations
}

#[test]
fn every_operation_exists_and_wants_a_secret_key() {
    let service = Service::start();
    let operations = operations();
    assert_eq!(operations.len(), 26);
    let key = service.acme.secret_key();
    let wrong =
        ["Bearer sk_test_wrong".to_owned(), format!("Basic {key}"), key, "Bearer ".to_owned()];
    for (method, path) in operations {
        let url = format!("{}{path}", service.emulator.url());
        let headers = wrong.iter().map(|wrong| vec![("authorization", wrong.as_str())]);
        for headers in headers.chain([Vec::new()]) {
            let answer = send(&method, &url, &headers, None).unwrap();
            assert_eq!(answer.status, 401, "{method} {path}");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
            let problem = answer.json();
            assert_eq!(problem["status"], 401);
            for member in ["type", "title", "detail", "code", "supportId"] {
                assert!(problem[member].is_string(), "{member}: {problem}");
            }
        }
    }
    assert!(service.emulator.violations().is_empty());
}

#[test]
fn the_accept_header_is_not_negotiated() {
    let service = Service::start();
    let key = format!("Bearer {}", service.acme.secret_key());
    let url = format!("{}/api/server/v1/allowed-origins", service.emulator.url());
    for accept in ["application/problem+json", "text/html", "nonsense"] {
        let headers = [("authorization", key.as_str()), ("accept", accept)];
        assert_eq!(send("GET", &url, &headers, None).unwrap().status, 200);
    }
}

#[test]
fn requests_that_break_the_contract_are_refused_and_recorded() {
    let service = Service::start();
    let user = service.user(json!({}));
    let refused = [
        ("GET", "/users/7".to_owned(), None),
        ("POST", "/users/search?limit=many".to_owned(), None),
        ("POST", "/users/search?cursor=7".to_owned(), None),
        ("POST", "/users/search".to_owned(), Some(json!({ "statuses": null }))),
        ("PATCH", format!("/users/{user}"), None),
        ("PATCH", format!("/users/{user}"), Some(json!({ "locale": "fr" }))),
        ("PATCH", format!("/users/{user}"), Some(json!({ "unsafeMetadata": null }))),
        ("POST", "/users".to_owned(), Some(json!([]))),
        ("POST", "/users".to_owned(), Some(json!({ "publicMetadata": [] }))),
        ("POST", "/invitations".to_owned(), Some(json!({ "email": "a@example.com" }))),
        ("PUT", "/allowed-origins".to_owned(), Some(json!({ "origins": null }))),
    ];
    for (index, (method, path, body)) in refused.into_iter().enumerate() {
        service.expect(400, method, &path, body);
        let violations = service.emulator.violations();
        assert_eq!(violations.len(), index + 1, "{method} {path}");
        assert_eq!(violations[index].side, Side::Request);
        assert!(!violations[index].errors.is_empty());
    }
}

#[test]
fn the_documented_error_codes_are_in_the_contract() {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let code = &contract["components"]["schemas"]["Problem"]["properties"]["code"];
    let known = code["x-known-codes"].as_array().unwrap();
    let status = |code: &str| {
        let found = known.iter().find(|known| known["code"] == code);
        found.unwrap_or_else(|| panic!("{code}"))["status"].as_u64()
    };
    assert_eq!(status("impersonation_disabled"), Some(403));
    assert_eq!(status("legal_consent_required"), Some(422));
    assert_eq!(status("invitation_not_pending"), Some(409));
    for client in ["invalid_credentials", "account_banned", "email_already_exists", "weak_password"]
    {
        assert_eq!(status(client), None);
    }
}

#[test]
fn an_unknown_path_is_a_problem_too() {
    let service = Service::start();
    assert_eq!(service.expect(404, "GET", "/nothing", None)["code"], "not_found");
    assert_eq!(service.expect(405, "GET", "/users", None)["code"], "method_not_allowed");
}
