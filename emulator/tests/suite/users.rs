//! Users.

use serde_json::{Value, json};
use torii_emulator::{NewMember, NewOrganization, NewSession};

use crate::client::{Service, ids, text};

const NOBODY: &str = "/users/01900000-0000-7000-8000-000000000000";

#[test]
fn a_new_user_has_what_was_given_and_is_active() {
    let service = Service::start();
    let body = json!({
        "email": "ada@example.com", "password": "correct horse", "firstName": "Ada",
        "lastName": "Lovelace", "publicMetadata": { "a": 1 },
    });
    let user = service.expect(201, "POST", "/users", body);
    assert_eq!(user["environmentId"], service.acme.environment_id());
    assert_eq!(
        (&user["email"], &user["name"]),
        (&json!("ada@example.com"), &json!("Ada Lovelace"))
    );
    assert_eq!((&user["status"], &user["publicMetadata"]), (&json!("active"), &json!({ "a": 1 })));
    assert_eq!((&user["privateMetadata"], &user["unsafeMetadata"]), (&json!({}), &json!({})));
    for missing in ["locale", "emailVerifiedAt", "deletedAt"] {
        assert_eq!(user[missing], Value::Null);
    }
    assert_eq!(user.get("password"), None);
    assert_eq!(service.expect(200, "GET", &format!("/users/{}", text(&user["id"])), None), user);
}

#[test]
fn null_on_create_counts_as_absent() {
    let service = Service::start();
    let body = json!({ "email": null, "password": null, "firstName": null, "lastName": null });
    let user = service.expect(201, "POST", "/users", body);
    assert_eq!(
        (&user["email"], &user["name"], &user["firstName"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert!(service.emulator.violations().is_empty());
}

#[test]
fn bad_new_users_are_refused() {
    let service = Service::start();
    let ada = service.user(json!({ "email": "ada@example.com" }));
    let refused = |status, body, code| {
        assert_eq!(service.expect(status, "POST", "/users", body)["code"], code);
    };
    refused(400, json!({ "email": "ada" }), "invalid_email");
    refused(400, json!({ "password": "short" }), "weak_password");
    refused(409, json!({ "email": "ADA@example.com" }), "email_already_exists");
    refused(400, json!({ "publicMetadata": { "k": "x".repeat(8192) } }), "metadata_too_large");
    service.expect(204, "DELETE", &format!("/users/{ada}"), None);
    service.user(json!({ "email": "ada@example.com" }));
}

#[test]
fn an_update_leaves_clears_and_sets() {
    let service = Service::start();
    let id = service.user(json!({ "firstName": "Ada", "lastName": "Byron" }));
    let update = |body| service.expect(200, "PATCH", &format!("/users/{id}"), body);
    let user =
        update(json!({ "lastName": null, "locale": "da", "unsafeMetadata": { "a": 1, "b": 2 } }));
    assert_eq!((&user["firstName"], &user["lastName"]), (&json!("Ada"), &Value::Null));
    assert_eq!((&user["name"], &user["locale"]), (&json!("Ada"), &json!("da")));
    let user = update(json!({ "unsafeMetadata": { "a": null, "c": 3 } }));
    assert_eq!(user["unsafeMetadata"], json!({ "b": 2, "c": 3 }));
    let unchanged = update(json!({}));
    assert_eq!((&unchanged["firstName"], &unchanged["locale"]), (&json!("Ada"), &json!("da")));
}

#[test]
fn profile_fields_of_older_servers_are_kept() {
    let service = Service::start();
    let id = service.user(json!({
        "email": "ada@example.com", "name": "A", "phone": "+44 1", "dateOfBirth": "1815-12-10",
        "address": { "city": "London" },
    }));
    let user = service.expect(
        200,
        "PATCH",
        &format!("/users/{id}"),
        json!({ "name": "Ada", "phone": null }),
    );
    assert_eq!((&user["name"], user.get("phone")), (&json!("Ada"), None));
    assert_eq!(
        (&user["address"]["city"], &user["dateOfBirth"]),
        (&json!("London"), &json!("1815-12-10"))
    );
}

#[test]
fn metadata_is_merged_and_has_one_budget() {
    let service = Service::start();
    let id = service.user(json!({ "publicMetadata": { "deep": { "a": 1, "b": 2 } } }));
    let path = format!("/users/{id}/metadata");
    let user = service.expect(
        200,
        "PATCH",
        &path,
        json!({ "publicMetadata": { "deep": { "a": null, "c": 3 } }, "privateMetadata": { "x": [1] } }),
    );
    assert_eq!(user["publicMetadata"], json!({ "deep": { "b": 2, "c": 3 } }));
    assert_eq!(user["privateMetadata"], json!({ "x": [1] }));
    let half = json!({ "k": "x".repeat(4500) });
    service.expect(200, "PATCH", &path, json!({ "unsafeMetadata": half }));
    let refused = service.expect(400, "PATCH", &path, json!({ "privateMetadata": half }));
    assert_eq!(refused["code"], "metadata_too_large");
    service.expect(
        400,
        "PATCH",
        &format!("/users/{id}"),
        json!({ "unsafeMetadata": { "l": "x".repeat(4500) } }),
    );
    let user = service.expect(200, "GET", &format!("/users/{id}"), None);
    assert_eq!(user["privateMetadata"], json!({ "x": [1] }), "nothing of a refused change is kept");
}

#[test]
fn deleting_is_soft_and_happens_once() {
    let service = Service::start();
    let id = service.user(json!({}));
    let organization = service.acme.create_organization(NewOrganization::named("AE"));
    service.acme.add_member(organization, NewMember::of(id.parse().unwrap()));
    let path = format!("/users/{id}");
    assert_eq!(service.call("DELETE", &path, None).body, "");
    for (method, body) in [("DELETE", None), ("GET", None), ("PATCH", Some(json!({})))] {
        service.expect(403, method, &path, body);
    }
    let found = service.expect(200, "POST", "/users/search", json!({ "statuses": ["deleted"] }));
    assert_eq!(ids(&found), [id]);
    assert!(found["items"][0]["deletedAt"].is_string());
    let members =
        service.expect(200, "GET", &format!("/organizations/{organization}/members"), None);
    assert_eq!(members["items"], json!([]));
}

#[test]
fn a_ban_ends_all_sessions() {
    let service = Service::start();
    let id = service.user(json!({}));
    let path = format!("/users/{id}");
    let session = service.acme.sign_in(NewSession::of(id.parse().unwrap()));
    for _ in 0..2 {
        assert_eq!(service.expect(200, "POST", &format!("{path}/ban"), None)["status"], "banned");
    }
    assert_eq!(service.expect(200, "GET", &format!("{path}/sessions"), None), json!([]));
    for _ in 0..2 {
        assert_eq!(service.expect(200, "POST", &format!("{path}/unban"), None)["status"], "active");
    }
    assert_eq!(service.expect(200, "GET", &format!("{path}/sessions"), None), json!([]));
    service.expect(204, "DELETE", &format!("{path}/sessions/{session}"), None);
}

#[test]
fn foreign_users_are_forbidden_and_unknown_ones_unknown() {
    let service = Service::start();
    let other = service.emulator.create_issuer("other");
    let foreign = format!("/users/{}", service.user(json!({})));
    let calls = [
        ("GET", "", None),
        ("PATCH", "", Some(json!({}))),
        ("DELETE", "", None),
        ("POST", "/ban", None),
        ("POST", "/unban", None),
        ("PATCH", "/metadata", Some(json!({}))),
    ];
    for (method, rest, body) in calls {
        let path = format!("{foreign}{rest}");
        let answer = service.try_call(&other, method, &path, body.clone()).unwrap();
        assert_eq!(answer.status, 403, "{method} {rest}");
        service.expect(404, method, &format!("{NOBODY}{rest}"), body);
    }
    service.expect(200, "GET", &foreign, None);
    let found = service.try_call(&other, "POST", "/users/search", None).unwrap().json();
    assert_eq!(found["items"], json!([]));
}
