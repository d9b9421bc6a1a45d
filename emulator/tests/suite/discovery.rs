//! The discovery document.

use serde_json::json;
use torii_emulator::{Emulator, Spelling};

use crate::client::{Service, get};

#[test]
fn names_the_issuer_its_keys_and_its_algorithm() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let url = format!("{}/.well-known/openid-configuration", issuer.url());
    assert_eq!(issuer.discovery_url(), url);
    let answer = get(&url);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let document = answer.json();
    assert_eq!(document["issuer"], issuer.url());
    assert_eq!(document["jwks_uri"], issuer.jwks_url());
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["ES256"]));
    let nobody = format!("{}/nobody/.well-known/openid-configuration", emulator.url());
    assert_eq!(get(&nobody).status, 404);
}

#[test]
fn its_members_can_be_spelled_in_camel_case() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let snake_case = get(&issuer.discovery_url()).json();
    issuer.set_discovery_spelling(Spelling::CamelCase);
    let document = get(&issuer.discovery_url()).json();
    assert_eq!(document["issuer"], snake_case["issuer"]);
    assert_eq!(document["jwksUri"], snake_case["jwks_uri"]);
    assert_eq!(document["idTokenSigningAlgValuesSupported"], json!(["ES256"]));
    assert_eq!(document.get("jwks_uri"), None);
}

#[test]
fn any_body_can_be_served_instead() {
    let service = Service::start();
    let set = |body: &str| service.control("PUT", "/issuers/acme/discovery", Some(body)).status;
    assert_eq!(set(r#"{"body":"not JSON"}"#), 204);
    assert_eq!(get(&service.acme.discovery_url()).body, "not JSON");
    assert_eq!(set(r#"{"body":{"issuer":"other"}}"#), 204);
    assert_eq!(get(&service.acme.discovery_url()).json(), json!({ "issuer": "other" }));
    assert_eq!(set(r#"{"spelling":"camel_case"}"#), 204);
    assert!(get(&service.acme.discovery_url()).json()["jwksUri"].is_string());
    assert_eq!(set(r#"{"spelling":"upper_case"}"#), 400);
    service.acme.set_discovery_body(Some("{}"));
    assert_eq!(get(&service.acme.discovery_url()).body, "{}");
    service.acme.set_discovery_body(None);
    service.acme.set_discovery_spelling(Spelling::SnakeCase);
    assert_eq!(get(&service.acme.discovery_url()).json()["issuer"], service.acme.url());
}
