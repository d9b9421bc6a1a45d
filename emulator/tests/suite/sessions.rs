//! Sessions and the tokens for them.

use serde_json::{Value, json};
use torii_emulator::{Mint, NewOrganization, NewSession, UserChange, Uuid};

use crate::client::{Service, ids};
use crate::tokens::parts;

fn signed_in(service: &Service) -> (String, Uuid) {
    let user = service.user(json!({}));
    let session = service.acme.sign_in(NewSession::of(user.parse().unwrap()));
    (user, session)
}

#[test]
fn a_session_tells_where_it_comes_from() {
    let service = Service::start();
    let user: Uuid = service.user(json!({})).parse().unwrap();
    let organization = service.acme.create_organization(NewOrganization::named("AE"));
    let id = service.acme.sign_in(NewSession {
        user_agent: Some("Lynx".to_owned()),
        ip_address: Some("::1".to_owned()),
        active_organization_id: Some(organization),
        ..NewSession::of(user)
    });
    let sessions = service.expect(200, "GET", &format!("/users/{user}/sessions"), None);
    let session = &sessions[0];
    assert_eq!((&session["id"], &session["userId"]), (&json!(id), &json!(user)));
    assert_eq!(session["environmentId"], service.acme.environment_id());
    assert_eq!((&session["userAgent"], &session["ipAddress"]), (&json!("Lynx"), &json!("::1")));
    assert_eq!(session["activeOrganizationId"], json!(organization));
    assert_eq!(session["impersonatedBy"], Value::Null);
}

#[test]
fn only_active_sessions_are_listed_the_last_used_first() {
    let service = Service::start();
    let (user, first) = signed_in(&service);
    let id: Uuid = user.parse().unwrap();
    let second = service.acme.sign_in(NewSession::of(id));
    let over = service.acme.sign_in(NewSession { expires_in: -1, ..NewSession::of(id) });
    let path = format!("/users/{user}/sessions");
    let listed = || ids(&service.expect(200, "GET", &path, None));
    assert_eq!(listed(), [second.to_string(), first.to_string()]);
    // The times have milliseconds, so one that is used later may still be as old.
    while listed()[0] != first.to_string() {
        let _ = service.acme.mint(Mint::new().for_session(first));
    }
    for _ in 0..2 {
        service.expect(204, "DELETE", &format!("{path}/{first}"), None);
        service.expect(204, "DELETE", &format!("{path}/{over}"), None);
    }
    assert_eq!(listed(), [second.to_string()]);
    for _ in 0..2 {
        service.expect(204, "DELETE", &path, None);
    }
    assert_eq!(listed(), Vec::<String>::new());
}

#[test]
fn everything_foreign_or_unknown_is_forbidden() {
    let service = Service::start();
    let (user, session) = signed_in(&service);
    let other_user = service.user(json!({}));
    let other = service.emulator.create_issuer("other");
    let unknown = "01900000-0000-7000-8000-000000000000";
    for (method, rest) in [("GET", ""), ("DELETE", ""), ("DELETE", &format!("/{session}"))] {
        let path = |user: &str| format!("/users/{user}/sessions{rest}");
        assert_eq!(service.try_call(&other, method, &path(&user), None).unwrap().status, 403);
        service.expect(403, method, &path(unknown), None);
    }
    service.expect(403, "DELETE", &format!("/users/{other_user}/sessions/{session}"), None);
    assert_eq!(ids(&service.expect(200, "GET", &format!("/users/{user}/sessions"), None)).len(), 1);
}

#[test]
fn a_token_says_what_its_session_knows_of_the_user() {
    let service = Service::start();
    let user: Uuid = service.user(json!({})).parse().unwrap();
    service.expect(200, "PATCH", &format!("/users/{user}"), json!({ "locale": "da" }));
    service
        .acme
        .change_user(user, &UserChange { email_verified: None, profile_complete: Some(false) });
    let organization = service.acme.create_organization(NewOrganization::named("AE"));
    let session = service.acme.sign_in(NewSession {
        active_organization_id: Some(organization),
        impersonated_by: Some(user),
        ..NewSession::of(user)
    });
    let claims = |mint: Mint| parts(&service.acme.mint(mint.for_session(session))).1;
    let payload = claims(Mint::new());
    assert_eq!((&payload["sub"], &payload["o"]), (&json!(user), &json!(organization)));
    assert_eq!(
        (&payload["email_verified"], &payload["profile_complete"]),
        (&json!(false), &json!(false))
    );
    assert_eq!((&payload["locale"], &payload["impersonating"]), (&json!("da"), &json!(true)));
    assert_eq!(payload["pid"], service.acme.environment_id());

    service
        .acme
        .change_user(user, &UserChange { email_verified: Some(true), profile_complete: None });
    let payload = claims(Mint::new().without("o").claim("locale", "en"));
    assert_eq!(
        (&payload["email_verified"], &payload["profile_complete"]),
        (&json!(true), &json!(false))
    );
    assert_eq!((payload.get("o"), &payload["locale"]), (None, &json!("en")));
}

#[test]
#[should_panic(expected = "no active session")]
fn a_session_that_is_revoked_makes_no_tokens() {
    let service = Service::start();
    let (user, session) = signed_in(&service);
    service.expect(204, "DELETE", &format!("/users/{user}/sessions"), None);
    let _ = service.acme.mint(Mint::new().for_session(session));
}

#[test]
#[should_panic(expected = "no active user")]
fn banned_users_do_not_sign_in() {
    let service = Service::start();
    let user = service.user(json!({}));
    service.expect(200, "POST", &format!("/users/{user}/ban"), None);
    let _ = service.acme.sign_in(NewSession::of(user.parse().unwrap()));
}
