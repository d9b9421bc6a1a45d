//! The control API: everything the Rust types do, as JSON.

use serde_json::{Value, json};
use torii_emulator::FaultKind;

use crate::client::{Service, get, text};
use crate::tokens::parts;

/// Calls the control API and expects a status.
fn told(service: &Service, status: u16, method: &str, path: &str, body: Value) -> Value {
    let body = if body.is_null() { None } else { Some(body.to_string()) };
    let answer = service.control(method, path, body.as_deref());
    assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

#[test]
fn issuers_are_created_and_shown() {
    let service = Service::start();
    let card = told(&service, 201, "POST", "/issuers", json!({ "name": "other" }));
    let other = service.emulator.issuer("other");
    assert_eq!(
        card,
        json!({
            "name": "other", "issuer": other.url(), "jwks_path": other.jwks_path(), "kid": other.kid(),
            "environment_id": other.environment_id(), "secret_key": other.secret_key(),
            "published": [other.kid()],
        })
    );
    assert!(other.secret_key().starts_with("sk_test_"));
    assert_eq!(told(&service, 200, "GET", "/issuers/other", Value::Null), card);
    for name in ["other", "api", "_emulator", "", "a/b", "a b", ".."] {
        told(&service, 400, "POST", "/issuers", json!({ "name": name }));
    }
}

#[test]
fn tokens_are_minted() {
    let service = Service::start();
    let mint = |body| text(&told(&service, 200, "POST", "/issuers/acme/tokens", body)["token"]);
    let (header, payload) = parts(&mint(json!({
        "claims": { "sub": "u", "aud": null }, "without": ["iat"],
        "header": { "alg": "none" }, "without_header": ["typ"],
        "expires_in": 10, "now_offset": -10, "signer": "none",
    })));
    assert_eq!(header, json!({ "alg": "none", "kid": service.acme.kid() }));
    assert_eq!(
        (&payload["sub"], &payload["aud"], payload.get("iat")),
        (&json!("u"), &Value::Null, None)
    );
    assert!(mint(json!({ "raw_header": "{", "raw_payload": "" })).starts_with("ew.."));
    assert!(mint(Value::Null).len() > 200);
    for signer in [
        json!("forged"),
        json!("current"),
        json!({ "kid": service.acme.kid() }),
        json!({ "issuer": "acme" }),
    ] {
        mint(json!({ "signer": signer }));
    }
    for bad in [
        json!({ "signer": { "kid": "x" } }),
        json!({ "signer": { "issuer": "x" } }),
        json!({ "clams": {} }),
    ] {
        told(&service, 400, "POST", "/issuers/acme/tokens", bad);
    }
    let signed = told(&service, 200, "POST", "/issuers/acme/signatures", json!({ "input": "a.b" }));
    assert_eq!(text(&signed["signature"]).len(), 86);
}

#[test]
fn keys_and_the_key_set_are_changed() {
    let service = Service::start();
    let first = service.acme.kid();
    let add = |body| text(&told(&service, 201, "POST", "/issuers/acme/keys", body)["kid"]);
    let second = add(Value::Null);
    assert_eq!(service.acme.kid(), second);
    assert_eq!(add(json!({ "kid": "third", "sign": false })), "third");
    assert_eq!(service.acme.kid(), second);
    told(&service, 204, "DELETE", &format!("/issuers/acme/keys/{first}"), Value::Null);
    told(&service, 404, "DELETE", &format!("/issuers/acme/keys/{first}"), Value::Null);
    assert_eq!(service.acme.published(), [second, "third".to_owned()]);

    let serve = |body| {
        told(&service, 204, "PUT", "/issuers/acme/jwks", body);
        get(&service.acme.jwks_url())
    };
    let plain = serve(json!({ "body": "not JSON", "cache_control": null, "etag": false }));
    assert_eq!(plain.body, "not JSON");
    assert_eq!((plain.header("cache-control"), plain.header("etag")), (None, None));
    let short = serve(json!({ "body": { "keys": [] }, "cache_control": "max-age=1" }));
    assert_eq!(
        (short.body.as_str(), short.header("cache-control")),
        (r#"{"keys":[]}"#, Some("max-age=1"))
    );
    assert!(short.header("etag").is_some());
    assert_eq!(serve(json!({})).json(), service.acme.jwks());
    told(&service, 400, "PUT", "/issuers/acme/jwks", json!({ "cache_control": "a\nb" }));
}

#[test]
fn faults_are_added_listed_and_cleared() {
    let service = Service::start();
    let kinds = [
        json!({ "kind": "delay", "ms": 1 }),
        json!({ "kind": "hang" }),
        json!({ "kind": "status", "status": 503 }),
        json!({ "kind": "status", "status": 503, "headers": { "retry-after": "1" }, "body": "x", "handled": true }),
        json!({ "kind": "replace", "headers": { "content-type": "text/html" }, "body": "x" }),
        json!({ "kind": "oversize", "bytes": 10 }),
        json!({ "kind": "truncate" }),
        json!({ "kind": "drip", "ms": 1 }),
        json!({ "kind": "chunked" }),
        json!({ "kind": "informational" }),
        json!({ "kind": "hang_up" }),
        json!({ "kind": "raw", "text": "x" }),
        json!({ "kind": "close" }),
        json!({ "kind": "reset", "handled": true }),
    ];
    for kind in &kinds {
        told(&service, 204, "POST", "/faults", json!({ "path": "/nowhere", "fault": kind }));
    }
    let listed = told(&service, 200, "GET", "/faults", Value::Null);
    assert_eq!(listed.as_array().unwrap().len(), kinds.len());
    told(&service, 204, "DELETE", "/faults", Value::Null);
    assert_eq!(told(&service, 200, "GET", "/faults", Value::Null), json!([]));

    let once = json!({ "path": "/acme/", "method": "GET", "times": 1, "probability": 1, "seed": 7,
        "fault": { "kind": "status", "status": 500 } });
    told(&service, 204, "POST", "/faults", once);
    assert_eq!(get(&service.acme.jwks_url()).status, 500);
    assert_eq!(get(&service.acme.jwks_url()).status, 200);
    for bad in [
        json!({}),
        json!({ "fault": { "kind": "nonsense" } }),
        json!({ "fault": { "kind": "hang", "seconds": 1 } }),
        json!({ "fault": { "kind": "status", "status": 99 } }),
        json!({ "pathh": "/", "fault": { "kind": "hang" } }),
    ] {
        told(&service, 400, "POST", "/faults", bad);
    }
}

#[test]
fn faults_do_not_strike_the_control_api() {
    let service = Service::start();
    service.emulator.fault(torii_emulator::Fault::on("/", FaultKind::status(500)));
    told(&service, 200, "GET", "/issuers/acme", Value::Null);
}

#[test]
fn the_log_is_shown_filtered_awaited_and_cleared() {
    let service = Service::start();
    get(&service.acme.jwks_url());
    get(&format!("{}/elsewhere?q", service.emulator.url()));
    let log = told(&service, 200, "GET", "/requests?path=/acme/&at_least=1", Value::Null);
    assert_eq!((&log["total"], log["requests"].as_array().unwrap().len()), (&json!(1), 1));
    assert_eq!(
        log["counts"],
        json!([{ "method": "GET", "path": service.acme.jwks_path(), "count": 1 }])
    );
    assert_eq!(log["connections"]["accepted"], 2);
    let log = told(&service, 200, "GET", "/requests?at_least=3&timeout_ms=1", Value::Null);
    assert_eq!((&log["total"], &log["requests"][1]["query"]), (&json!(2), &json!("q")));
    told(&service, 204, "DELETE", "/requests", Value::Null);
    assert_eq!(told(&service, 200, "GET", "/requests", Value::Null)["total"], 0);
    told(&service, 400, "GET", "/requests?paht=/", Value::Null);
}

#[test]
fn people_sign_in_and_impersonate() {
    let service = Service::start();
    let user = service.user(json!({}));
    let change = json!({ "email_verified": true, "profile_complete": false });
    let changed = told(&service, 200, "PATCH", &format!("/issuers/acme/users/{user}"), change);
    assert!(changed["emailVerifiedAt"].is_string());
    let new = json!({ "user_id": user, "user_agent": "Lynx", "expires_in": 60 });
    let signed_in = told(&service, 201, "POST", "/issuers/acme/sessions", new);
    let (_, claims) = parts(&text(&signed_in["token"]));
    assert_eq!((&claims["sub"], &claims["profile_complete"]), (&json!(user), &json!(false)));
    assert_eq!(signed_in["session"]["userAgent"], "Lynx");
    let session = &signed_in["session"]["id"];
    let again = told(&service, 200, "POST", "/issuers/acme/tokens", json!({ "session": session }));
    assert_eq!(parts(&text(&again["token"])).1["sub"], json!(user));
    let over = json!({ "user_id": user, "expires_in": -1 });
    assert_eq!(told(&service, 201, "POST", "/issuers/acme/sessions", over)["token"], Value::Null);

    let wanted = json!({ "actorUserId": user, "reason": "" });
    let granted =
        service.expect(200, "POST", &format!("/users/{user}/impersonation-token"), wanted);
    let redeem = json!({ "token": granted["token"] });
    let impersonation = told(&service, 201, "POST", "/issuers/acme/impersonations", redeem);
    assert_eq!(parts(&text(&impersonation["token"])).1["impersonating"], true);
}

#[test]
fn organizations_invitations_and_settings_are_made_up() {
    let service = Service::start();
    let user = service.user(json!({}));
    let new = json!({ "name": "AE", "slug": "ae", "role_set_id": null });
    let organization = text(&told(&service, 201, "POST", "/issuers/acme/organizations", new)["id"]);
    let members = format!("/issuers/acme/organizations/{organization}/members");
    let join =
        json!({ "user_id": user, "role": "org:administrator", "role_name": "Administrator" });
    assert_eq!(told(&service, 201, "POST", &members, join)["roleName"], "Administrator");
    let again = told(&service, 201, "POST", &members, json!({ "user_id": user }));
    assert_eq!((&again["role"], &again["roleName"]), (&json!("org:member"), &Value::Null));

    let new = json!({ "email": "eve@example.com", "publicMetadata": {}, "privateMetadata": {} });
    let invitation = text(&service.expect(201, "POST", "/invitations", new.clone())["id"]);
    let path = format!("/issuers/acme/invitations/{invitation}/status");
    let accepted = told(&service, 200, "PUT", &path, json!({ "status": "ACCEPTED" }));
    assert_eq!(accepted["status"], "ACCEPTED");
    told(&service, 400, "PUT", &path, json!({ "status": "EXPIRED" }));

    told(&service, 204, "PUT", "/issuers/acme/settings", json!({ "invitation_quota": 0 }));
    let mut other = new;
    other["email"] = "other@example.com".into();
    service.expect(429, "POST", "/invitations", other.clone());
    told(&service, 204, "PUT", "/issuers/acme/settings", json!({}));
    service.expect(201, "POST", "/invitations", other);
}

#[test]
fn violations_are_shown_and_cleared() {
    let service = Service::start();
    service.expect(400, "POST", "/users", json!({ "email": 7 }));
    let violations = told(&service, 200, "GET", "/violations", Value::Null);
    assert_eq!(
        (&violations[0]["side"], &violations[0]["operation"]),
        (&json!("request"), &json!("users_create"))
    );
    told(&service, 204, "DELETE", "/violations", Value::Null);
    assert_eq!(told(&service, 200, "GET", "/violations", Value::Null), json!([]));
}

#[test]
fn unknown_issuers_and_paths_are_404_with_a_reason() {
    let service = Service::start();
    for (method, path) in [
        ("GET", "/issuers/nobody"),
        ("POST", "/issuers/nobody/tokens"),
        ("POST", "/issuers/nobody/keys"),
        ("PUT", "/issuers/nobody/jwks"),
        ("PUT", "/issuers/nobody/settings"),
        ("POST", "/nothing"),
    ] {
        assert!(told(&service, 404, method, path, Value::Null)["error"].is_string());
    }
    told(&service, 204, "POST", "/reset", Value::Null);
}
