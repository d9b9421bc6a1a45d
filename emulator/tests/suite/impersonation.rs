//! Impersonation.

use serde_json::{Value, json};
use torii_emulator::{Mint, Settings};

use crate::client::{Service, text};
use crate::tokens::parts;

/// A service with a user, a second one as the actor, and one allowed origin.
fn prepared() -> (Service, String, String) {
    let service = Service::start();
    let (user, actor) = (service.user(json!({})), service.user(json!({})));
    service.expect(
        200,
        "PUT",
        "/allowed-origins",
        json!({ "origins": ["https://app.example.com"] }),
    );
    (service, format!("/users/{user}/impersonation-token"), actor)
}

fn wanted(actor: &str, more: Value) -> Value {
    let mut body = json!({ "actorUserId": actor, "reason": "" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn a_token_works_once() {
    let (service, path, actor) = prepared();
    let granted = service.expect(200, "POST", &path, wanted(&actor, json!({})));
    assert_eq!((&granted["expiresInSeconds"], &granted["url"]), (&json!(600), &Value::Null));
    let token = text(&granted["token"]);
    let session = service.acme.impersonate(&token);
    let (_, claims) = parts(&service.acme.mint(Mint::new().for_session(session)));
    assert_eq!(claims["impersonating"], true);
    let sessions = path.replace("impersonation-token", "sessions");
    let sessions = service.expect(200, "GET", &sessions, None);
    assert_eq!(sessions[0]["impersonatedBy"], json!(actor));
    assert_eq!(lifetime(&sessions[0]), 3600);
    let again = service.control(
        "POST",
        "/issuers/acme/impersonations",
        Some(&json!({ "token": token }).to_string()),
    );
    assert_eq!(again.status, 400);
}

/// How many seconds a session lasts.
fn lifetime(session: &Value) -> i64 {
    let time = |name: &str| text(&session[name]).parse::<jiff::Timestamp>().unwrap();
    time("expiresAt").duration_since(time("createdAt")).as_secs()
}

#[test]
fn an_impersonated_session_lasts_an_hour_at_most() {
    let service = Service::start();
    let user = service.user(json!({}));
    let actor = service.user(json!({}));
    let session = |more: Value| {
        let mut body = json!({ "user_id": user });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = service.control("POST", "/issuers/acme/sessions", Some(&body.to_string()));
        assert_eq!(answer.status, 201, "{answer:?}");
        lifetime(&answer.json()["session"])
    };
    assert_eq!(session(json!({ "expires_in": 7200 })), 7200);
    assert_eq!(session(json!({ "expires_in": 7200, "impersonated_by": actor })), 3600);
    assert_eq!(session(json!({ "expires_in": 60, "impersonated_by": actor })), 60);
}

#[test]
fn impersonation_can_be_disabled() {
    let (service, path, actor) = prepared();
    let settings = Settings { impersonation_enabled: false, ..Settings::default() };
    service.acme.set_settings(settings);
    let problem = service.expect(403, "POST", &path, wanted(&actor, json!({})));
    assert_eq!(problem["code"], "impersonation_disabled");
}

#[test]
fn the_url_needs_a_place_to_land() {
    let (service, path, actor) = prepared();
    let url = |more| service.expect(200, "POST", &path, wanted(&actor, more))["url"].clone();
    assert!(url(json!({ "redirectUrl": "https://app.example.com/a?b#c" })).is_string());
    assert_eq!(url(json!({ "redirectUrl": null, "expiresInSeconds": null })), Value::Null);
    let landing_url = Some("https://app.example.com".to_owned());
    service.acme.set_settings(Settings { landing_url, ..Settings::default() });
    assert!(url(json!({})).is_string());
}

#[test]
fn impersonation_is_refused_for_good_reasons() {
    let (service, path, actor) = prepared();
    let refused = |status, body| service.expect(status, "POST", &path, body);
    refused(400, wanted(&actor, json!({ "expiresInSeconds": 59 })));
    refused(400, wanted(&actor, json!({ "expiresInSeconds": 601 })));
    refused(400, wanted(&actor, json!({ "reason": "x".repeat(501) })));
    for url in [
        "https://evil.example.com/",
        "http://app.example.com/",
        "https://app.example.com.evil/",
        "/home",
        "%",
    ] {
        refused(400, wanted(&actor, json!({ "redirectUrl": url })));
    }
    let unknown = "01900000-0000-7000-8000-000000000000";
    refused(403, wanted(unknown, json!({})));
    service.expect(
        403,
        "POST",
        &format!("/users/{unknown}/impersonation-token"),
        wanted(&actor, json!({})),
    );
    let other = service.emulator.create_issuer("other");
    let foreign = service.try_call(&other, "POST", &path, Some(wanted(&actor, json!({})))).unwrap();
    assert_eq!(foreign.status, 403);

    service.acme.set_settings(Settings { impersonation_quota: Some(1), ..Settings::default() });
    service.expect(200, "POST", &path, wanted(&actor, json!({})));
    refused(402, wanted(&actor, json!({})));
    service.expect(204, "DELETE", &path.replace("/impersonation-token", ""), None);
    assert_eq!(refused(400, wanted(&actor, json!({})))["code"], "user_deleted");
    service.expect(204, "DELETE", &format!("/users/{actor}"), None);
    refused(403, wanted(&actor, json!({})));
}
