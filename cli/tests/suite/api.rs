//! Every operation: the request, the output, and the message of a failure.

use std::collections::BTreeSet;

use torii_emulator::InvitationEnd;

use crate::world::{NOBODY, World, json, text, uuid};

/// A page of a list, as a table.
fn rows(table: &str) -> Vec<Vec<&str>> {
    table
        .lines()
        .skip(1)
        .map(|line| line.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect())
        .collect()
}

#[test]
fn users() {
    let world = World::new();
    let created =
        world.run(&["users", "create", "--set", "email=ada@example.com", "--set", "firstName=Ada"]);
    let created = created.succeeds();
    world.assert_sent("POST ~/users", r#"{"email":"ada@example.com","firstName":"Ada"}"#);
    assert!(created.contains("\nemail            ada@example.com\n"), "{created}");
    assert!(created.contains("\nlastName         -\n"), "{created}");

    let page = world.json(&["users", "list", "--set", "email=ADA", "--limit", "7"]);
    world.assert_sent("POST ~/users/search?limit=7", r#"{"email":"ADA"}"#);
    let id = text(&page["items"][0]["id"]);
    let shown = world.run(&["users", "list"]).succeeds();
    world.assert_sent("POST ~/users/search", "");
    assert_eq!(rows(&shown)[0][..4], [&id, "ada@example.com", "Ada", "active"]);

    assert_eq!(text(&world.json(&["users", "get", &id])["firstName"]), "Ada");
    world.assert_sent(&format!("GET ~/users/{id}"), "");
    let update = [
        "users",
        "update",
        &id,
        "--set",
        "firstName=G=ce",
        "--null",
        "lastName",
        "--set-json",
        "unsafeMetadata={\"a\": 1.50}",
    ];
    let updated = world.run(&update).succeeds();
    let body = r#"{"firstName":"G=ce","unsafeMetadata":{"a": 1.50},"lastName":null}"#;
    world.assert_sent(&format!("PATCH ~/users/{id}"), body);
    assert!(updated.contains("firstName        G=ce\n"), "{updated}");
    world
        .run(&[
            "users",
            "update-metadata",
            &id,
            "--set",
            "publicMetadata.plan=pro",
            "--null",
            "publicMetadata.trial",
            "--set",
            "privateMetadata.a.b=c",
        ])
        .succeeds();
    let body =
        r#"{"publicMetadata":{"plan":"pro","trial":null},"privateMetadata":{"a":{"b":"c"}}}"#;
    world.assert_sent(&format!("PATCH ~/users/{id}/metadata"), body);

    let organization = world.organization("Engines");
    world.join(&organization, &id);
    let shown = world.run(&["users", "organizations", &id, "--limit", "3"]).succeeds();
    world.assert_sent(&format!("GET ~/users/{id}/organizations?limit=3"), "");
    assert_eq!(rows(&shown)[0][..2], [&organization, "Engines"]);

    for (verb, status) in [("ban", "banned"), ("unban", "active")] {
        assert_eq!(text(&world.json(&["users", verb, &id])["status"]), status);
        world.assert_sent(&format!("POST ~/users/{id}/{verb}"), "");
    }
    assert_eq!(world.run(&["users", "delete", &id]).succeeds(), "done\n");
    world.assert_sent(&format!("DELETE ~/users/{id}"), "");
    let again = world.run(&["users", "delete", &id, "--json"]);
    assert_eq!((again.code, again.stdout.as_str()), (5, ""));
    assert!(again.stderr.contains("(HTTP status 403, code forbidden, support id "), "{again:?}");
}

#[test]
fn sessions() {
    let world = World::new();
    let user = world.user();
    let (first, second) = (world.session(&user), world.session(&user));
    let shown = world.run(&["sessions", "list", &user]).succeeds();
    world.assert_sent(&format!("GET ~/users/{user}/sessions"), "");
    assert_eq!((rows(&shown)[0][0], rows(&shown)[1][0]), (second.as_str(), first.as_str()));
    assert_eq!(world.run(&["sessions", "revoke", &user, &first, "--json"]).succeeds(), "");
    world.assert_sent(&format!("DELETE ~/users/{user}/sessions/{first}"), "");
    assert_eq!(world.json(&["sessions", "list", &user]).as_array().unwrap().len(), 1);
    world.emulator.clear_requests();
    assert_eq!(world.run(&["sessions", "revoke-all", &user]).succeeds(), "done\n");
    world.assert_sent(&format!("DELETE ~/users/{user}/sessions"), "");
    assert_eq!(rows(&world.run(&["sessions", "list", &user]).succeeds()).len(), 0);
}

#[test]
fn organizations() {
    let world = World::new();
    let (user, id) = (world.user(), world.organization("Ac & me"));
    world.organization("Other");
    world.join(&id, &user);
    let shown = world.run(&["organizations", "list", "--name", "c & m"]).succeeds();
    world.assert_sent("GET ~/organizations?name=c%20%26%20m", "");
    assert_eq!(rows(&shown).len(), 1, "{shown}");
    assert_eq!(text(&world.json(&["organizations", "get", &id])["name"]), "Ac & me");
    world.assert_sent(&format!("GET ~/organizations/{id}"), "");
    let shown = world.run(&["organizations", "members", &id]).succeeds();
    world.assert_sent(&format!("GET ~/organizations/{id}/members"), "");
    assert_eq!(rows(&shown)[0][..2], [&user, "org:member"]);
    let set = ["--set", "publicMetadata.plan=pro"];
    let body = r#"{"publicMetadata":{"plan":"pro"}}"#;
    world.run(&[&["organizations", "update-metadata", &id][..], &set].concat()).succeeds();
    world.assert_sent(&format!("PATCH ~/organizations/{id}/metadata"), body);
    world
        .run(&[&["organizations", "update-member-metadata", &id, &user][..], &set].concat())
        .succeeds();
    world.assert_sent(&format!("PATCH ~/organizations/{id}/members/{user}/metadata"), body);
}

#[test]
fn invitations() {
    let world = World::new();
    let create = [
        "invitations",
        "create",
        "--set",
        "email=ada@example.com",
        "--set-json",
        "expiresInDays=3",
    ];
    let id = text(&world.json(&create)["id"]);
    let body =
        r#"{"email":"ada@example.com","expiresInDays":3,"publicMetadata":{},"privateMetadata":{}}"#;
    world.assert_sent("POST ~/invitations", body);
    let list =
        ["invitations", "list", "--status", "PENDING", "--status", "EXPIRED", "--search", "ada"];
    let shown = world.run(&list).succeeds();
    world.assert_sent("GET ~/invitations?status=PENDING&status=EXPIRED&search=ada", "");
    assert_eq!(rows(&shown)[0][..3], [&id, "ada@example.com", "PENDING"]);
    let update = ["invitations", "update-metadata", &id, "--set", "privateMetadata.by=me"];
    world.run(&update).succeeds();
    world.assert_sent(&format!("PATCH ~/invitations/{id}"), r#"{"privateMetadata":{"by":"me"}}"#);
    let shown = world.run(&["invitations", "get", &id]).succeeds();
    world.assert_sent(&format!("GET ~/invitations/{id}"), "");
    assert!(shown.contains("privateMetadata  {\"by\":\"me\"}\n"), "{shown}");
    world.run(&["invitations", "resend", &id]).succeeds();
    world.assert_sent(&format!("POST ~/invitations/{id}/resend"), "");
    assert_eq!(world.run(&["invitations", "revoke", &id]).succeeds(), "done\n");
    world.assert_sent(&format!("DELETE ~/invitations/{id}"), "");

    let id = text(&world.json(&["invitations", "create", "--set", "email=b@example.com"])["id"]);
    world.issuer.end_invitation(uuid(&id), InvitationEnd::Accepted);
    let ended = world.run(&["invitations", "update-metadata", &id, "--set", "publicMetadata.a=b"]);
    assert_eq!(ended.code, 5);
    assert!(ended.stderr.contains("HTTP status 409, code invitation_not_pending"), "{ended:?}");
}

#[test]
fn impersonation_and_origins() {
    let world = World::new();
    let (user, actor) = (world.user(), world.user());
    let actor_field = format!("actorUserId={actor}");
    let create =
        ["impersonation", "create-token", &user, "--set", &actor_field, "--set", "reason=a b"];
    assert!(text(&world.json(&create)["token"]).starts_with("imp_"));
    let body = format!(r#"{{"actorUserId":"{actor}","reason":"a b"}}"#);
    world.assert_sent(&format!("POST ~/users/{user}/impersonation-token"), &body);

    assert_eq!(world.run(&["allowed-origins", "get"]).succeeds(), "none\n");
    world.assert_sent("GET ~/allowed-origins", "");
    let (a, b) = ("https://a.example", "https://b.example");
    let shown = world.run(&["allowed-origins", "set", a, b]).succeeds();
    assert_eq!(shown, format!("{a}\n{b}\n"));
    world.assert_sent("PUT ~/allowed-origins", &format!(r#"{{"origins":["{a}","{b}"]}}"#));
    assert_eq!(world.json(&["allowed-origins", "get"])["origins"][1], b);
    assert_eq!(world.run(&["allowed-origins", "set", "--none"]).succeeds(), "none\n");
}

#[test]
fn any_request() {
    let world = World::new();
    let user = world.user();
    let answer = world.run(&["request", "get", &format!("users/{user}/organizations?limit=2")]);
    assert_eq!(json(&answer.succeeds())["hasMore"], false);
    world.assert_sent(&format!("GET ~/users/{user}/organizations?limit=2"), "");
    let whole = format!("/api/server/v1/users/{user}");
    let answer = world.run(&["request", "PATCH", &whole, "--set", "firstName=Ada"]);
    assert_eq!(json(&answer.succeeds())["firstName"], "Ada");
    world.assert_sent(&format!("PATCH ~/users/{user}"), r#"{"firstName":"Ada"}"#);
    assert_eq!(world.run(&["request", "DELETE", &whole]).succeeds(), "done\n");
    world
        .run(&["request", "FETCH", "/x"])
        .fails(2, "method: none of GET, POST, PUT, PATCH and DELETE");
    world.run(&["request", "GET", "/a/../b"]).fails(2, "path: holds a dot segment");
    world
        .run(&["request", "GET", "/x?a b"])
        .fails(2, "query: holds a character that has to be percent-encoded");
    let ended = world.run(&["request", "GET", "/nowhere"]);
    assert_eq!(ended.code, 5);
    assert!(ended.stderr.contains("HTTP status 404"), "{ended:?}");
}

#[test]
fn a_body_is_sent_as_it_is() {
    let world = World::new();
    let body = "{ \"firstName\": \"Ada\",\n  \"newField\": [1.50, null] }";
    world.torii(&["users", "create", "--body", "-"]).reading(body.as_bytes()).succeeds();
    world.assert_sent("POST ~/users", body);
    let folder = crate::world::Folder::new();
    let file = folder.file("body.json", r#"{"userIds":[]}"#);
    let shown = world.run(&["users", "list", "--body", &file]).succeeds();
    assert_eq!(rows(&shown).len(), 0);
    world.assert_sent("POST ~/users/search", r#"{"userIds":[]}"#);
}

/// The answer is what the API sent, byte for byte.
#[test]
fn json_is_the_answer_itself() {
    let world = World::new();
    let odd = "{ \"id\" : 1.50,\n\"a\":[ ] }";
    let path = format!("/api/server/v1/users/{NOBODY}");
    let fault = torii_emulator::Fault::on(
        &path,
        torii_emulator::FaultKind::Status {
            status: 200,
            headers: Default::default(),
            body: odd.to_owned(),
            handled: false,
        },
    );
    world.emulator.fault(fault);
    assert_eq!(world.run(&["users", "get", NOBODY, "--json"]).succeeds(), format!("{odd}\n"));
    assert_eq!(world.run(&["users", "get", NOBODY]).succeeds(), "id  1.5\na   []\n");
}

/// There are as many commands as operations of the contract.
#[test]
fn there_is_a_command_for_every_operation() {
    let contract = include_str!("../../../api/server-v1.json");
    let contract = json(contract);
    let paths = contract["paths"].as_object().unwrap();
    let methods = ["get", "post", "put", "patch", "delete"];
    let operations =
        paths.values().flat_map(|path| methods.iter().filter(|m| path.get(**m).is_some()));
    assert_eq!(operations.count(), 26);
    let mut commands = BTreeSet::new();
    for resource in
        ["users", "sessions", "organizations", "invitations", "impersonation", "allowed-origins"]
    {
        let help = crate::world::Torii::new(&[resource, "--help"]).run().succeeds();
        let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
        let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names = names.map(|line| line.split_whitespace().next().unwrap().to_owned());
        commands
            .extend(names.filter(|name| name != "help").map(|name| format!("{resource} {name}")));
    }
    assert_eq!(commands.len(), 26, "{commands:?}");
}
