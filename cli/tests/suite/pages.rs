//! Lists that come in pages.

use crate::world::{World, json, text};

#[test]
fn a_page_says_how_to_go_on() {
    let world = World::new();
    let ids = [world.user(), world.user(), world.user()];
    let page = world.run(&["users", "list", "--limit", "2"]);
    assert_eq!(page.code, 0);
    assert_eq!(page.stdout.lines().count(), 3, "{page:?}");
    let cursor = &ids[1];
    assert_eq!(page.stderr, format!("torii: more items: --cursor {cursor}, or --all\n"));
    let rest = world.run(&["users", "list", "--limit", "2", "--cursor", cursor]).succeeds();
    assert!(rest.lines().nth(1).unwrap().starts_with(&ids[2]), "{rest}");
    let page = world.json(&["users", "list", "--limit", "2"]);
    assert_eq!((&page["hasMore"], text(&page["nextCursor"])), (&true.into(), cursor.clone()));
}

#[test]
fn all_follows_the_cursors() {
    let world = World::new();
    for number in 0..101 {
        world.organization(&format!("Engine {number}"));
    }
    let shown = world.run(&["organizations", "list", "--all"]).succeeds();
    assert_eq!(shown.lines().count(), 102);
    assert_eq!(world.emulator.count("/api/server/v1/organizations"), 2);
    let list = world.json(&["organizations", "list", "--all", "--name", "Engine 10"]);
    let names: Vec<_> = list.as_array().unwrap().iter().map(|one| text(&one["name"])).collect();
    assert_eq!(names, ["Engine 10", "Engine 100"]);
    let empty = world.run(&["users", "list", "--all", "--json"]).succeeds();
    assert_eq!(json(&empty), json("[]"));
}

/// An incomplete list is not valid JSON.
#[test]
fn a_list_that_breaks_off_is_not_json() {
    let world = World::new();
    for number in 0..101 {
        world.organization(&format!("Engine {number}"));
    }
    let page = world.run(&["request", "GET", "organizations?limit=100"]).succeeds();
    world.emulator.fault(once(200, &page));
    world.emulator.fault(once(500, ""));
    let ended = world.run(&["organizations", "list", "--all", "--json"]);
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    assert!(ended.stdout.starts_with("[\n{"));
    assert!(serde_json::from_str::<serde_json::Value>(&ended.stdout).is_err());
}

fn once(status: u16, body: &str) -> torii_emulator::Fault {
    let kind = torii_emulator::FaultKind::Status {
        status,
        headers: Default::default(),
        body: body.to_owned(),
        handled: false,
    };
    torii_emulator::Fault::on("/api/server/v1/organizations", kind).times(1)
}

#[test]
fn every_list_has_pages() {
    let world = World::new();
    let (user, organization) = (world.user(), world.organization("Engines"));
    world.join(&organization, &user);
    world.run(&["invitations", "create", "--set", "email=a@example.com"]).succeeds();
    for list in [
        &["users", "list"][..],
        &["users", "organizations", &user],
        &["organizations", "list"],
        &["organizations", "members", &organization],
        &["invitations", "list", "--status", "PENDING"],
    ] {
        let all = world.json(&[list, &["--all"]].concat());
        assert_eq!(all.as_array().unwrap().len(), 1, "{list:?}");
        let shown = world.run(&[list, &["--all"]].concat()).succeeds();
        assert_eq!(shown.lines().count(), 2, "{list:?}");
    }
}
