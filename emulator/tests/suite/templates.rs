//! Template tokens.

use serde_json::{Value, json};
use torii_emulator::{Issuer, Mint, NewSession, Template, Uuid};

use crate::client::{Answer, Service, send, text};
use crate::tokens::{parts, signed};

/// Asks for a token of a template with an `Authorization` header.
fn ask(issuer: &Issuer, template: &str, authorization: &str) -> Answer {
    let url = format!("{}/_torii/auth/session/token{template}", issuer.url());
    send("POST", &url, &[("authorization", authorization)], None).unwrap()
}

fn shop() -> Template {
    let claims = json!({ "plan": "pro", "n": [1, null], "sub": "other", "iss": "other" });
    let claims = claims.as_object().unwrap().clone();
    Template { expires_in: 7_200, aud: Some(json!("https://shop.example")), claims }
}

#[test]
fn a_template_token_has_its_own_lifetime_and_claims_and_the_stamped_ones() {
    let service = Service::start();
    service.acme.set_template("shop", shop());
    service.acme.set_template("plain", Template::default());
    let user: Uuid = service.user(json!({})).parse().unwrap();
    let actor: Uuid = service.user(json!({})).parse().unwrap();
    let session =
        service.acme.sign_in(NewSession { impersonated_by: Some(actor), ..NewSession::of(user) });
    let session_token = service.acme.mint(Mint::new().for_session(session));
    let issued = |template| {
        let answer = ask(&service.acme, template, &format!("Bearer {session_token}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        let token = text(&answer.json()["accessToken"]);
        assert!(signed(&service.acme, &token));
        assert!(answer.json()["expiresAt"].is_string());
        parts(&token).1
    };
    let payload = issued("?template=shop");
    assert_eq!(payload["exp"].as_i64().unwrap() - payload["iat"].as_i64().unwrap(), 7_200);
    let mut payload = payload.as_object().unwrap().clone();
    payload.retain(|name, _| name != "exp" && name != "iat");
    let expected = json!({
        "iss": service.acme.url(), "sub": user, "pid": service.acme.environment_id(),
        "act": { "sub": actor }, "impersonating": true,
        "aud": "https://shop.example", "plan": "pro", "n": [1, null],
    });
    assert_eq!(Value::from(payload), expected);

    let payload = issued("?template=plain");
    assert_eq!(payload["exp"].as_i64().unwrap() - payload["iat"].as_i64().unwrap(), 60);
    assert_eq!((payload.get("aud"), payload.get("email_verified")), (None, None));
}

#[test]
fn an_unknown_template_is_404() {
    let service = Service::start();
    service.acme.set_template("shop", shop());
    let authorization = format!("Bearer {}", service.acme.mint(Mint::new()));
    assert_eq!(ask(&service.acme, "?template=shop", &authorization).status, 200);
    for template in ["?template=other", "?template=", ""] {
        let answer = ask(&service.acme, template, &authorization);
        assert_eq!((answer.status, answer.json()["code"].clone()), (404, json!("not_found")));
    }
    let other = service.emulator.create_issuer("other");
    let theirs = format!("Bearer {}", other.mint(Mint::new()));
    assert_eq!(ask(&other, "?template=shop", &theirs).status, 404);
}

#[test]
fn only_a_valid_session_token_gets_one() {
    let service = Service::start();
    let acme = &service.acme;
    acme.set_template("shop", shop());
    let other = service.emulator.create_issuer("other");
    let user: Uuid = service.user(json!({})).parse().unwrap();
    let session = acme.sign_in(NewSession::of(user));
    let of_user = acme.mint(Mint::new().for_session(session));
    assert_eq!(ask(acme, "?template=shop", &format!("bearer {of_user}")).status, 200);
    service.expect(200, "POST", &format!("/users/{user}/ban"), None);
    let refused = [
        format!("Bearer {of_user}"),
        format!("Bearer {}", acme.mint(Mint::new().forged())),
        format!("Bearer {}", acme.mint(Mint::new().expires_in(-1))),
        format!("Bearer {}", acme.mint(Mint::new().claim("iss", "https://other.example"))),
        format!("Bearer {}", other.mint(Mint::new())),
        format!("Basic {}", acme.mint(Mint::new())),
        "Bearer a.b.c".to_owned(),
        String::new(),
    ];
    for authorization in refused {
        let answer = ask(acme, "?template=shop", &authorization);
        assert_eq!(answer.status, 401, "{authorization}");
    }
}

#[test]
fn the_control_api_sets_and_removes_templates() {
    let service = Service::start();
    let authorization = format!("Bearer {}", service.acme.mint(Mint::new()));
    let set = |body: Value| {
        let path = "/issuers/acme/templates/shop";
        service.control("PUT", path, Some(&body.to_string())).status
    };
    assert_eq!(set(json!({ "expires_in": 30, "aud": ["a", "b"], "claims": { "x": 1 } })), 204);
    let answer = ask(&service.acme, "?template=shop", &authorization).json();
    let payload = parts(&text(&answer["accessToken"])).1;
    assert_eq!((&payload["aud"], &payload["x"]), (&json!(["a", "b"]), &json!(1)));
    assert_eq!(set(json!({ "lifetime": 30 })), 400);
    assert_eq!(set(json!({ "expires_in": i64::MAX })), 400);
    let remove = || service.control("DELETE", "/issuers/acme/templates/shop", None).status;
    assert_eq!((remove(), remove()), (204, 404));
    assert_eq!(ask(&service.acme, "?template=shop", &authorization).status, 404);
}
