//! Every operation: its request, its answer, and each error it declares.

use torii::{Client, ClientOptions, Patch};
use torii_emulator::{InvitationEnd, Settings};

use crate::world::{NOBODY, World, assert_refused, text, uuid};

#[test]
fn users_are_created() {
    let world = World::new();
    let users = world.client.users();
    let body = r#"{ "email": "ada@example.com", "firstName": "Ada", "newField": [1.50, null] }"#;
    let user = users.create(body).unwrap();
    assert_eq!(user.str("/email"), Some("ada@example.com"));
    assert_eq!(user.str("/status"), Some("active"));
    world.assert_sent("POST ~/users", Some(body));
    assert_refused(users.create(body), 409, "email_already_exists");
    assert_refused(users.create(r#"{"email":"no"}"#), 400, "invalid_email");
}

#[test]
fn users_are_read() {
    let world = World::new();
    let (users, id) = (world.client.users(), world.user());
    assert_eq!(text(&users.get(&id).unwrap(), "/id"), id);
    world.assert_sent(&format!("GET ~/users/{id}"), None);
    assert_refused(users.get(NOBODY), 404, "not_found");
    assert_refused(users.get(&world.stranger()), 403, "forbidden");
}

#[test]
fn a_field_is_set_cleared_or_left_alone() {
    let world = World::new();
    let (users, id) = (world.client.users(), world.user());
    let mut patch = Patch::new();
    patch.set_string("name", "Ada").unwrap().set_null("phone").unwrap();
    users.update(&id, &patch).unwrap();
    world.assert_sent(&format!("PATCH ~/users/{id}"), Some(r#"{"name":"Ada","phone":null}"#));

    let mut patch = Patch::new();
    patch.set_string("firstName", "Ada").unwrap().set_string("lastName", "Lovelace").unwrap();
    users.update(&id, &patch).unwrap();
    let user = users.update(&id, patch.unset("firstName").unwrap().set_null("lastName").unwrap());
    let user = user.unwrap();
    assert_eq!(user.str("/firstName"), Some("Ada"), "left alone");
    assert_eq!(user.str("/lastName"), None, "cleared");
    world.emulator.clear_requests();

    users.update(&id, Patch::new()).unwrap();
    world.assert_sent(&format!("PATCH ~/users/{id}"), Some("{}"));
    assert_refused(users.update(NOBODY, "{}"), 404, "not_found");
    assert_refused(users.update(&world.stranger(), "{}"), 403, "forbidden");
    assert_refused(users.update(&id, r#"{"firstName":1}"#), 400, "invalid_request");
}

#[test]
fn metadata_of_users_is_merged() {
    let world = World::new();
    let (users, id) = (world.client.users(), world.user());
    users.update_metadata(&id, r#"{"publicMetadata":{"a":1,"b":2}}"#).unwrap();
    world.emulator.clear_requests();
    let body = r#"{"publicMetadata":{"a":null},"privateMetadata":{"c":{}}}"#;
    let user = users.update_metadata(&id, body).unwrap();
    world.assert_sent(&format!("PATCH ~/users/{id}/metadata"), Some(body));
    assert_eq!(user.len("/publicMetadata").unwrap(), 1);
    assert_eq!(user.int("/publicMetadata/b").unwrap(), 2);
    assert_refused(users.update_metadata(NOBODY, body), 404, "not_found");
    assert_refused(users.update_metadata(&world.stranger(), body), 403, "forbidden");
    let long = format!(r#"{{"publicMetadata":{{"a":"{}"}}}}"#, "x".repeat(9000));
    let error = users.update_metadata(&id, long).unwrap_err();
    assert_eq!(error.http_status(), Some(400));
}

#[test]
fn users_are_searched() {
    let world = World::new();
    let (users, id) = (world.client.users(), world.user());
    let page = users.list(0, None, None).unwrap();
    assert_eq!(page.len("/items").unwrap(), 1);
    assert!(!page.bool("/hasMore").unwrap());
    world.assert_sent("POST ~/users/search", None);
    for (filter, found) in [
        ("{}", 1),
        (r#"{"name":null}"#, 1),
        (r#"{"userIds":[]}"#, 0),
        (r#"{ "statuses": ["active"], "organizationId": null }"#, 1),
    ] {
        let page = users.list(7, Some(NOBODY), Some(filter)).unwrap();
        assert_eq!(page.len("/items").unwrap(), found, "{filter}");
        let line = format!("POST ~/users/search?limit=7&cursor={NOBODY}");
        world.assert_sent(&line, Some(filter));
    }
    let filter = r#"{"statuses":null}"#;
    assert_refused(users.list(0, None, Some(filter)), 400, "invalid_request");
    assert_eq!(text(&users.all(None).next().unwrap().unwrap(), "/id"), id);
}

#[test]
fn users_are_deleted() {
    let world = World::new();
    let (users, id) = (world.client.users(), world.user());
    users.delete(&id).unwrap();
    world.assert_sent(&format!("DELETE ~/users/{id}"), None);
    assert_refused(users.delete(&id), 403, "forbidden");
    assert_refused(users.delete(NOBODY), 404, "not_found");
}

#[test]
fn a_ban_ends_sessions() {
    let world = World::new();
    let (users, id) = (world.client.users(), world.user());
    world.session(&id);
    let user = users.ban(&id).unwrap();
    world.assert_sent(&format!("POST ~/users/{id}/ban"), None);
    assert_eq!(user.str("/status"), Some("banned"));
    assert_eq!(world.client.sessions().list_for_user(&id).unwrap().len("").unwrap(), 0);
    world.emulator.clear_requests();
    let user = users.unban(&id).unwrap();
    world.assert_sent(&format!("POST ~/users/{id}/unban"), None);
    assert_eq!(user.str("/status"), Some("active"));
    let stranger = world.stranger();
    for outcome in [users.ban(NOBODY), users.unban(NOBODY)] {
        assert_refused(outcome, 404, "not_found");
    }
    for outcome in [users.ban(&stranger), users.unban(&stranger)] {
        assert_refused(outcome, 403, "forbidden");
    }
}

#[test]
fn sessions_are_listed_and_revoked() {
    let world = World::new();
    let (sessions, id) = (world.client.sessions(), world.user());
    let (first, second) = (world.session(&id), world.session(&id));
    let list = sessions.list_for_user(&id).unwrap();
    world.assert_sent(&format!("GET ~/users/{id}/sessions"), None);
    assert_eq!((text(&list, "/0/id"), text(&list, "/1/id")), (second, first.clone()));

    sessions.revoke(&id, &first).unwrap();
    world.assert_sent(&format!("DELETE ~/users/{id}/sessions/{first}"), None);
    sessions.revoke(&id, &first).unwrap();
    world.emulator.clear_requests();
    sessions.revoke_all_for_user(&id).unwrap();
    world.assert_sent(&format!("DELETE ~/users/{id}/sessions"), None);
    assert_eq!(sessions.list_for_user(&id).unwrap().len("").unwrap(), 0);

    assert_refused(sessions.list_for_user(NOBODY), 403, "forbidden");
    assert_refused(sessions.revoke_all_for_user(NOBODY), 403, "forbidden");
    assert_refused(sessions.revoke(&id, NOBODY), 403, "forbidden");
}

#[test]
fn organizations_are_read() {
    let world = World::new();
    let (organizations, user) = (world.client.organizations(), world.user());
    let id = world.organization("Ac & me");
    world.organization("Other");
    world.join(&id, &user);

    let page = organizations.list(0, None, Some("c & M")).unwrap();
    world.assert_sent("GET ~/organizations?name=c%20%26%20M", None);
    assert_eq!(page.len("/items").unwrap(), 1);
    let page = organizations.list(1, None, None).unwrap();
    world.assert_sent("GET ~/organizations?limit=1", None);
    assert!(page.bool("/hasMore").unwrap());
    assert_eq!(organizations.all(None).count(), 2);
    world.emulator.clear_requests();

    assert_eq!(organizations.get(&id).unwrap().str("/name"), Some("Ac & me"));
    world.assert_sent(&format!("GET ~/organizations/{id}"), None);
    let page = organizations.list_members(&id, 100, Some(NOBODY)).unwrap();
    let line = format!("GET ~/organizations/{id}/members?limit=100&cursor={NOBODY}");
    world.assert_sent(&line, None);
    assert_eq!(text(&page, "/items/0/userId"), user);
    assert_eq!(organizations.all_members(&id).count(), 1);
    world.emulator.clear_requests();

    let page = world.client.users().list_organizations(&user, 5, Some(NOBODY)).unwrap();
    let line = format!("GET ~/users/{user}/organizations?limit=5&cursor={NOBODY}");
    world.assert_sent(&line, None);
    assert_eq!(text(&page, "/items/0/organizationId"), id);
    assert_eq!(world.client.users().all_organizations(&user).count(), 1);

    assert_refused(organizations.get(NOBODY), 404, "not_found");
    assert_refused(organizations.list_members(NOBODY, 0, None), 404, "not_found");
    assert_refused(world.client.users().list_organizations(NOBODY, 0, None), 403, "forbidden");
}

#[test]
fn metadata_of_organizations_and_members_is_merged() {
    let world = World::new();
    let (organizations, user) = (world.client.organizations(), world.user());
    let id = world.organization("Acme");
    world.join(&id, &user);
    let body = r#"{"publicMetadata":{"a":1,"b":null}}"#;
    let organization = organizations.update_metadata(&id, body).unwrap();
    world.assert_sent(&format!("PATCH ~/organizations/{id}/metadata"), Some(body));
    assert_eq!(organization.int("/publicMetadata/a").unwrap(), 1);
    let member = organizations.update_member_metadata(&id, &user, body).unwrap();
    world.assert_sent(&format!("PATCH ~/organizations/{id}/members/{user}/metadata"), Some(body));
    assert_eq!(text(&member, "/userId"), user);

    assert_eq!(organizations.update_metadata(&id, "{}").unwrap_err().http_status(), Some(400));
    let nothing = organizations.update_member_metadata(&id, &user, "{}");
    assert_eq!(nothing.unwrap_err().http_status(), Some(400));
    assert_refused(organizations.update_metadata(NOBODY, body), 404, "not_found");
    assert_refused(organizations.update_member_metadata(&id, NOBODY, body), 404, "not_found");
}

#[test]
fn invitations_are_sent_and_followed() {
    let world = World::new();
    let invitations = world.client.invitations();
    let body =
        r#"{"email":"ada@example.com","publicMetadata":{},"privateMetadata":{"plan":"pro"}}"#;
    let id = text(&invitations.create(body).unwrap(), "/id");
    world.assert_sent("POST ~/invitations", Some(body));

    let page = invitations.list(10, None, &["PENDING", "EXPIRED"], Some("ada@")).unwrap();
    let line = "GET ~/invitations?limit=10&status=PENDING&status=EXPIRED&search=ada%40";
    world.assert_sent(line, None);
    assert_eq!(text(&page, "/items/0/id"), id);
    assert_eq!(invitations.all(&["ACCEPTED"], None).count(), 0);
    world.emulator.clear_requests();

    assert_eq!(invitations.get(&id).unwrap().str("/privateMetadata/plan"), Some("pro"));
    world.assert_sent(&format!("GET ~/invitations/{id}"), None);
    let bags = r#"{"publicMetadata":{"a":1}}"#;
    let invitation = invitations.update_metadata(&id, bags).unwrap();
    world.assert_sent(&format!("PATCH ~/invitations/{id}"), Some(bags));
    assert_eq!(invitation.int("/publicMetadata/a").unwrap(), 1);
    invitations.resend(&id).unwrap();
    world.assert_sent(&format!("POST ~/invitations/{id}/resend"), None);
    invitations.revoke(&id).unwrap();
    world.assert_sent(&format!("DELETE ~/invitations/{id}"), None);
    assert_eq!(invitations.get(&id).unwrap().str("/status"), Some("REVOKED"));
}

#[test]
fn invitations_are_refused() {
    let world = World::new();
    let invitations = world.client.invitations();
    let body =
        |email| format!(r#"{{"email":"{email}","publicMetadata":{{}},"privateMetadata":{{}}}}"#);
    world.client.users().create(r#"{"email":"ada@example.com"}"#).unwrap();
    assert_refused(invitations.create(body("ada@example.com")), 409, "email_already_exists");
    assert_refused(invitations.create(r#"{"email":"a@b.c"}"#), 400, "invalid_request");
    world.issuer.set_settings(Settings { invitation_quota: Some(1), ..Settings::default() });
    let id = text(&invitations.create(body("bob@example.com")).unwrap(), "/id");
    world.emulator.clear_requests();
    let error = invitations.create(body("eve@example.com")).unwrap_err();
    assert_eq!((error.http_status(), error.retry_after()), (Some(429), Some(30)));
    world.assert_sent("POST ~/invitations", Some(&body("eve@example.com")));

    world.issuer.end_invitation(uuid(&id), InvitationEnd::Accepted);
    let error = invitations.update_metadata(&id, r#"{"publicMetadata":{}}"#).unwrap_err();
    assert_eq!(error.code(), Some("invitation_not_pending"));
    assert!(error.body().unwrap().contains(r#""invitationStatus":"ACCEPTED""#));
    let nothing = invitations.update_metadata(&id, "{}").unwrap_err();
    assert_eq!(nothing.http_status(), Some(400));
    for error in [
        invitations.get(NOBODY).unwrap_err(),
        invitations.resend(NOBODY).unwrap_err(),
        invitations.revoke(NOBODY).unwrap_err(),
        invitations.update_metadata(NOBODY, r#"{"publicMetadata":{}}"#).unwrap_err(),
    ] {
        assert_eq!(error.http_status(), Some(404));
    }
}

#[test]
fn users_are_impersonated() {
    let world = World::new();
    let (impersonation, user, actor) = (world.client.impersonation(), world.user(), world.user());
    let body = format!(r#"{{"actorUserId":"{actor}","reason":"support","expiresInSeconds":60}}"#);
    let token = impersonation.create_token(&user, &body).unwrap();
    world.assert_sent(&format!("POST ~/users/{user}/impersonation-token"), Some(&body));
    assert_eq!(token.int("/expiresInSeconds").unwrap(), 60);
    let _ = world.issuer.impersonate(&text(&token, "/token"));

    assert_refused(impersonation.create_token(NOBODY, &body), 403, "forbidden");
    assert_refused(impersonation.create_token(&user, "{}"), 400, "invalid_request");
    world.issuer.set_settings(Settings { impersonation_quota: Some(0), ..Settings::default() });
    assert_refused(impersonation.create_token(&user, &body), 402, "quota_exceeded");
}

#[test]
fn origins_are_replaced() {
    let world = World::new();
    let origins = world.client.allowed_origins();
    let body = r#"{"origins":["https://app.example.com"]}"#;
    assert_eq!(origins.set(body).unwrap().len("/origins").unwrap(), 1);
    world.assert_sent("PUT ~/allowed-origins", Some(body));
    assert_eq!(origins.get().unwrap().str("/origins/0"), Some("https://app.example.com"));
    world.assert_sent("GET ~/allowed-origins", None);
    assert_eq!(origins.set("{}").unwrap_err().http_status(), Some(400));
}

#[test]
fn a_wrong_key_is_refused_everywhere() {
    let world = World::new();
    let mut options = ClientOptions::new();
    options.set_api_url(world.emulator.url()).unwrap();
    let client = Client::new("sk_test_wrong", &options).unwrap();
    let (users, sessions) = (client.users(), client.sessions());
    let (organizations, invitations) = (client.organizations(), client.invitations());
    let bags = r#"{"publicMetadata":{}}"#;
    let answers = [
        users.list(0, None, None),
        users.get(NOBODY),
        users.create("{}"),
        users.update(NOBODY, "{}"),
        users.update_metadata(NOBODY, bags),
        users.ban(NOBODY),
        users.unban(NOBODY),
        users.list_organizations(NOBODY, 0, None),
        sessions.list_for_user(NOBODY),
        organizations.list(0, None, None),
        organizations.get(NOBODY),
        organizations.list_members(NOBODY, 0, None),
        organizations.update_metadata(NOBODY, bags),
        organizations.update_member_metadata(NOBODY, NOBODY, bags),
        invitations.create("{}"),
        invitations.list(0, None, &[], None),
        invitations.get(NOBODY),
        invitations.resend(NOBODY),
        invitations.update_metadata(NOBODY, bags),
        client.impersonation().create_token(NOBODY, "{}"),
        client.allowed_origins().get(),
        client.allowed_origins().set(r#"{"origins":[]}"#),
    ];
    let nothings = [
        users.delete(NOBODY),
        sessions.revoke_all_for_user(NOBODY),
        sessions.revoke(NOBODY, NOBODY),
        invitations.revoke(NOBODY),
    ];
    assert_eq!(answers.len() + nothings.len(), 26);
    for outcome in answers.into_iter().map(|answer| answer.map(drop)).chain(nothings) {
        assert_refused(outcome, 401, "unauthorized");
    }
    assert_eq!(world.emulator.count("/"), 26, "a refusal is not repeated");
}

#[test]
fn what_is_newer_than_the_library_can_be_called() {
    let world = World::new();
    let id = world.user();
    let client = &world.client;
    let path = format!("/api/server/v1/users/{id}");
    assert_eq!(text(&client.request("GET", &path, None, None).unwrap(), "/id"), id);
    world.assert_sent(&format!("GET ~/users/{id}"), None);
    let query = Some("name=a%20b&limit=1");
    client.request("GET", "/api/server/v1/organizations", query, None).unwrap();
    world.assert_sent("GET ~/organizations?name=a%20b&limit=1", None);
    client.request("PATCH", &path, None, Some(r#"{"firstName":"A"}"#)).unwrap();
    world.assert_sent(&format!("PATCH ~/users/{id}"), Some(r#"{"firstName":"A"}"#));
    let nothing = client.request("DELETE", &path, None, None).unwrap();
    assert_eq!(nothing.text(), "null");
    world.assert_sent(&format!("DELETE ~/users/{id}"), None);

    for (outcome, why) in [
        (
            client.request("get", "/", None, None),
            "method: none of GET, POST, PUT, PATCH and DELETE",
        ),
        (client.request("GET", "/a?b", None, None), "path: holds a query or a fragment"),
        (client.request("GET", "/a/../b", None, None), "path: holds a dot segment"),
        (
            client.request("GET", "/", Some("a b"), None),
            "query: holds a character that has to be percent-encoded",
        ),
        (client.request("GET", "/", None, Some("{}")), "body: not for GET"),
        (client.request("POST", "/", None, Some("[]")), "body: not a JSON object"),
    ] {
        assert_eq!(outcome.unwrap_err().to_string(), why);
    }
    assert_eq!(world.emulator.count("/"), 0);
}

#[test]
fn nothing_is_sent_for_a_wrong_argument() {
    let world = World::new();
    let (client, bad) = (&world.client, "../../admin");
    let (users, organizations) = (client.users(), client.organizations());
    for (outcome, why) in [
        (users.get(bad), "user_id: not a UUID"),
        (users.update(bad, "{}"), "user_id: not a UUID"),
        (users.update(NOBODY, "[]"), "body: not a JSON object"),
        (users.create(r#"{"a":}"#), "body: not JSON (line 1, column 6)"),
        (users.list(101, None, None), "limit: not within 0 to 100"),
        (users.list(0, Some("x"), None), "cursor: not a UUID"),
        (users.list(0, None, Some("null")), "filter: not a JSON object"),
        (organizations.get(bad), "organization_id: not a UUID"),
        (organizations.update_member_metadata(NOBODY, bad, "{}"), "user_id: not a UUID"),
        (client.invitations().get(bad), "invitation_id: not a UUID"),
        (client.sessions().revoke(NOBODY, bad).map(|()| panic!()), "session_id: not a UUID"),
        (users.all(Some("x")).next().unwrap(), "filter: not a JSON object"),
    ] {
        assert_eq!(outcome.unwrap_err().to_string(), why);
    }
    assert_eq!(world.emulator.count("/"), 0);
}
