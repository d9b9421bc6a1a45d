//! The search for users.

use serde_json::{Value, json};
use torii_emulator::{NewMember, NewOrganization};

use crate::client::{Service, ids, text};

#[test]
fn filters_select() {
    let service = Service::start();
    let ada = service.user(json!({ "email": "ada@example.com", "firstName": "Ada" }));
    let bob = service.user(json!({ "email": "xada@example.com", "lastName": "Bobson" }));
    let nameless = service.user(json!({}));
    service.expect(200, "POST", &format!("/users/{bob}/ban"), None);
    let organization = service.acme.create_organization(NewOrganization::named("AE"));
    service.acme.add_member(organization, NewMember::of(ada.parse().unwrap()));
    let found = |filter: Value| ids(&service.expect(200, "POST", "/users/search", filter));

    let everybody = [ada.clone(), bob.clone(), nameless.clone()];
    let [ada, bob, nameless] = everybody.each_ref().map(|id| vec![id.clone()]);
    let nobody: Vec<String> = Vec::new();
    let unfiltered = service.expect(200, "POST", "/users/search", None);
    assert_eq!(ids(&unfiltered), everybody);
    assert_eq!(found(json!({})), everybody);
    assert_eq!(found(json!({ "name": "OBS" })), bob);
    assert_eq!(found(json!({ "name": null })), nameless);
    assert_eq!(found(json!({ "userIds": ada })), ada);
    assert_eq!(found(json!({ "userIds": [] })), nobody);
    assert_eq!(found(json!({ "emailAddresses": ["ADA@example.com", "no@example.com"] })), ada);
    assert_eq!(found(json!({ "emailAddresses": [] })), nobody);
    assert_eq!(found(json!({ "email": "ADA@" })).len(), 2);
    assert_eq!(found(json!({ "email": null })), everybody);
    assert_eq!(found(json!({ "email": " " })), everybody);
    assert_eq!(found(json!({ "statuses": ["banned"] })), bob);
    assert_eq!(found(json!({ "statuses": ["banned", "active"], "email": "xada" })), bob);
    assert_eq!(found(json!({ "userIds": ada, "emailAddresses": ["xada@example.com"] })), nobody);
    assert_eq!(found(json!({ "organizationId": organization })), ada);
    assert_eq!(found(json!({ "organizationId": "01900000-0000-7000-8000-000000000000" })), nobody);
    assert_eq!(
        found(json!({ "organizationId": null, "createdAfter": null, "createdBefore": null })),
        everybody
    );
}

#[test]
fn time_bounds_are_inclusive_and_in_any_offset() {
    let service = Service::start();
    let user = service.expect(201, "POST", "/users", json!({}));
    let created = text(&user["createdAt"]);
    let count = |filter| ids(&service.expect(200, "POST", "/users/search", filter)).len();
    assert_eq!(count(json!({ "createdAfter": created, "createdBefore": created })), 1);
    assert_eq!(count(json!({ "createdAfter": created.replace('Z', "-00:01") })), 0);
    assert_eq!(count(json!({ "createdBefore": created.replace('Z', "+00:01") })), 0);
    assert_eq!(count(json!({ "createdAfter": created.replace('Z', "+01:00") })), 1);
}

#[test]
fn a_selector_takes_a_hundred_entries() {
    let service = Service::start();
    let search = |filter: Value, status| service.expect(status, "POST", "/users/search", filter);
    let emails = |count| vec!["a@example.com"; count];
    search(json!({ "emailAddresses": emails(100) }), 200);
    search(json!({ "emailAddresses": emails(101) }), 400);
    search(json!({ "userIds": vec!["01900000-0000-7000-8000-000000000000"; 101] }), 400);
}

#[test]
fn pages_follow_each_other_to_the_end() {
    let service = Service::start();
    let everybody: Vec<String> = (0..25).map(|_| service.user(json!({}))).collect();
    let search = |query: &str| service.expect(200, "POST", &format!("/users/search{query}"), None);
    let first = search("");
    assert_eq!((ids(&first), &first["hasMore"]), (everybody[..20].to_vec(), &json!(true)));
    let last = search(&format!("?limit=5&cursor={}", text(&first["nextCursor"])));
    assert_eq!((ids(&last), &last["hasMore"]), (everybody[20..].to_vec(), &json!(false)));
    assert_eq!(last["nextCursor"], Value::Null);
    for (limit, length) in [("0", 1), ("-3", 1), ("1000", 25)] {
        assert_eq!(ids(&search(&format!("?limit={limit}"))).len(), length, "limit {limit}");
    }
}
