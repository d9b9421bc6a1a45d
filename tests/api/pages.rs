//! Lists, over the wire.

use torii::Status;
use torii_emulator::{Fault, FaultKind};

use crate::world::{API, World, text};

#[test]
fn a_list_is_fetched_page_by_page() {
    let world = World::new();
    let ids: Vec<String> = (0..101).map(|_| world.user()).collect();
    let all: Vec<String> =
        world.client.users().all(Some("{}")).map(|user| text(&user.unwrap(), "/id")).collect();
    assert_eq!(all, ids);
    let bodies: Vec<_> = world.emulator.requests().into_iter().map(|r| (r.query, r.body)).collect();
    let second = format!("limit=100&cursor={}", ids[99]);
    assert_eq!(bodies, [("limit=100".to_owned(), "{}".to_owned()), (second, "{}".to_owned())]);
}

#[test]
fn a_page_that_leads_nowhere_ends_the_list() {
    let world = World::new();
    let cursor = "0191d3c0-0000-7000-8000-0123456789ab";
    let page = format!(r#"{{"items":[1],"nextCursor":"{cursor}","hasMore":true}}"#);
    world.emulator.fault(Fault::on(API, FaultKind::body(&page)));
    let mut all = world.client.organizations().all(None);
    assert_eq!(all.next().unwrap().unwrap().text(), "1");
    let error = all.next().unwrap().unwrap_err();
    assert_eq!(error.status(), Status::Response);
    assert!(error.to_string().contains(cursor), "{error}");
    assert!(all.next().is_none());
    assert_eq!(world.emulator.count(API), 2);
}
