//! Invitations.

use serde_json::{Value, json};
use torii_emulator::{InvitationEnd, Settings};

use crate::client::{Service, ids, text};

fn new(email: &str) -> Value {
    json!({ "email": email, "publicMetadata": {}, "privateMetadata": {} })
}

fn invite(service: &Service, email: &str) -> String {
    text(&service.expect(201, "POST", "/invitations", new(email))["id"])
}

#[test]
fn an_invitation_has_its_bags_only_when_asked_for_alone() {
    let service = Service::start();
    let body = json!({
        "email": "eve@example.com", "expiresInDays": 2, "redirectUrl": null,
        "publicMetadata": { "a": 1 }, "privateMetadata": {},
    });
    let created = service.expect(201, "POST", "/invitations", body);
    assert_eq!((&created["status"], created.get("publicMetadata")), (&json!("PENDING"), None));
    assert_eq!(created["environmentId"], service.acme.environment_id());
    let path = format!("/invitations/{}", text(&created["id"]));
    let detail = service.expect(200, "GET", &path, None);
    assert_eq!(
        (&detail["email"], &detail["publicMetadata"]),
        (&json!("eve@example.com"), &json!({ "a": 1 }))
    );
    let changed =
        service.expect(200, "PATCH", &path, json!({ "publicMetadata": { "a": null, "b": 2 } }));
    assert_eq!(
        (&changed["publicMetadata"], &changed["privateMetadata"]),
        (&json!({ "b": 2 }), &json!({}))
    );
    service.expect(400, "PATCH", &path, json!({}));
    let large = json!({ "privateMetadata": { "k": "x".repeat(8192) } });
    assert_eq!(service.expect(400, "PATCH", &path, large)["code"], "metadata_too_large");
    assert_eq!(service.expect(200, "POST", &format!("{path}/resend"), None), created);
}

#[test]
fn revoking_answers_200_with_nothing_in_it() {
    let service = Service::start();
    let path = format!("/invitations/{}", invite(&service, "eve@example.com"));
    for _ in 0..2 {
        let answer = service.call("DELETE", &path, None);
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    }
    let revoked = service.expect(200, "GET", &path, None);
    assert_eq!(revoked["status"], "REVOKED");
    assert!(revoked["revokedAt"].is_string());
}

#[test]
fn only_pending_invitations_change() {
    let service = Service::start();
    let invited = |email| {
        let id = invite(&service, email);
        (format!("/invitations/{id}"), id.parse().unwrap())
    };
    let ((accepted, accepted_id), (expired, expired_id)) =
        (invited("a@example.com"), invited("e@example.com"));
    service.acme.end_invitation(accepted_id, InvitationEnd::Accepted);
    service.acme.end_invitation(expired_id, InvitationEnd::Expired);
    for (path, status) in [(accepted, "ACCEPTED"), (expired, "EXPIRED")] {
        assert_eq!(service.expect(200, "GET", &path, None)["status"], status);
        let bags = json!({ "publicMetadata": {} });
        for (method, path, body) in [
            ("PATCH", path.clone(), Some(bags)),
            ("DELETE", path.clone(), None),
            ("POST", format!("{path}/resend"), None),
        ] {
            let problem = service.expect(409, method, &path, body);
            assert_eq!(problem["code"], "invitation_not_pending");
            assert_eq!(problem["invitationStatus"], status);
        }
    }
    let users = service.expect(200, "POST", "/users/search", None);
    assert_eq!(users["items"].as_array().unwrap().len(), 1);
    assert_eq!(users["items"][0]["email"], "a@example.com");
    assert!(users["items"][0]["emailVerifiedAt"].is_string());
}

#[test]
fn lists_are_filtered_by_any_of_several_statuses_and_by_text() {
    let service = Service::start();
    let [a, b, c] = ["a@x.org", "b@x.org", "c@y.org"].map(|email| invite(&service, email));
    service.expect(200, "DELETE", &format!("/invitations/{a}"), None);
    service.acme.end_invitation(b.parse().unwrap(), InvitationEnd::Expired);
    let listed =
        |query: &str| ids(&service.expect(200, "GET", &format!("/invitations{query}"), None));
    assert_eq!(listed(""), [a.clone(), b.clone(), c.clone()]);
    assert_eq!(listed("?status=PENDING"), std::slice::from_ref(&c));
    assert_eq!(listed("?status=PENDING&status=REVOKED"), [a.clone(), c]);
    assert_eq!(listed("?search=X.ORG"), [a.clone(), b]);
    assert_eq!(listed("?status=REVOKED&search=x.org&limit=1"), [a]);
}

#[test]
fn invitations_are_refused_for_good_reasons() {
    let service = Service::start();
    service.user(json!({ "email": "ada@example.com" }));
    let refused = |status, body| service.expect(status, "POST", "/invitations", body);
    assert_eq!(refused(409, new("ADA@example.com"))["code"], "email_already_exists");
    assert_eq!(refused(400, new("nobody"))["code"], "invalid_email");
    let mut days = new("eve@example.com");
    days["expiresInDays"] = 0.into();
    assert_eq!(refused(400, days)["code"], "invalid_expiry");
    service.acme.set_settings(Settings { sign_up_url: None, ..Settings::default() });
    assert_eq!(refused(400, new("eve@example.com"))["code"], "no_sign_up_url");
    let unknown = "/invitations/01900000-0000-7000-8000-000000000000";
    for (method, path) in
        [("GET", unknown), ("DELETE", unknown), ("POST", &format!("{unknown}/resend"))]
    {
        service.expect(404, method, path, None);
    }
    service.expect(404, "PATCH", unknown, json!({ "publicMetadata": {} }));
}

#[test]
fn a_rate_limit_says_when_to_come_again() {
    let service = Service::start();
    service.acme.set_settings(Settings {
        invitation_quota: Some(1),
        retry_after: 7,
        ..Settings::default()
    });
    invite(&service, "a@example.com");
    let refused = service.call("POST", "/invitations", new("b@example.com"));
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("7")));
}
