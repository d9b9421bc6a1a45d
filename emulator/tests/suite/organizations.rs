//! Organizations and memberships.

use serde_json::{Value, json};
use torii_emulator::{NewMember, NewOrganization, Uuid};

use crate::client::{Service, ids, text};

const UNKNOWN: &str = "01900000-0000-7000-8000-000000000000";

fn member(service: &Service, organization: Uuid) -> Uuid {
    let user = service.user(json!({})).parse().unwrap();
    service.acme.add_member(organization, NewMember::of(user));
    user
}

#[test]
fn organizations_are_found_by_name_and_by_id() {
    let service = Service::start();
    let engines = service.acme.create_organization(NewOrganization {
        slug: Some("engines".to_owned()),
        ..NewOrganization::named("Analytical Engines")
    });
    let looms = service.acme.create_organization(NewOrganization::named("Looms"));
    let listed =
        |query: &str| ids(&service.expect(200, "GET", &format!("/organizations{query}"), None));
    assert_eq!(listed(""), [engines.to_string(), looms.to_string()]);
    assert_eq!(listed("?name=ENGINE&limit=500"), [engines.to_string()]);
    let page = service.expect(200, "GET", "/organizations?limit=0", None);
    assert_eq!((ids(&page), &page["hasMore"]), (vec![engines.to_string()], &json!(true)));
    assert_eq!(listed(&format!("?cursor={}", text(&page["nextCursor"]))), [looms.to_string()]);

    let organization = service.expect(200, "GET", &format!("/organizations/{engines}"), None);
    assert_eq!(
        (&organization["name"], &organization["slug"]),
        (&json!("Analytical Engines"), &json!("engines"))
    );
    service.expect(404, "GET", &format!("/organizations/{UNKNOWN}"), None);
    let other = service.emulator.create_issuer("other");
    let foreign =
        service.try_call(&other, "GET", &format!("/organizations/{engines}"), None).unwrap();
    assert_eq!(foreign.status, 404);
}

#[test]
fn bags_have_a_budget_each_and_one_has_to_be_named() {
    let service = Service::start();
    let organization = service.acme.create_organization(NewOrganization::named("AE"));
    let user = member(&service, organization);
    for path in [
        format!("/organizations/{organization}/metadata"),
        format!("/organizations/{organization}/members/{user}/metadata"),
    ] {
        let bag = json!({ "k": "x".repeat(8000) });
        let both = json!({ "publicMetadata": bag, "privateMetadata": bag });
        let changed = service.expect(200, "PATCH", &path, both);
        assert_eq!((&changed["publicMetadata"], &changed["privateMetadata"]), (&bag, &bag));
        let more = json!({ "publicMetadata": { "l": "x".repeat(200) } });
        assert_eq!(service.expect(400, "PATCH", &path, more)["code"], "metadata_too_large");
        let cleared =
            service.expect(200, "PATCH", &path, json!({ "publicMetadata": { "k": null } }));
        assert_eq!((&cleared["publicMetadata"], &cleared["privateMetadata"]), (&json!({}), &bag));
        service.expect(400, "PATCH", &path, json!({}));
        assert_eq!(service.expect(400, "PATCH", &path, json!({ "x": 1 }))["code"], "no_metadata");
    }
    let bags = json!({ "publicMetadata": {} });
    for path in [
        format!("/organizations/{UNKNOWN}/metadata"),
        format!("/organizations/{UNKNOWN}/members/{user}/metadata"),
        format!("/organizations/{organization}/members/{UNKNOWN}/metadata"),
    ] {
        service.expect(404, "PATCH", &path, bags.clone());
    }
}

#[test]
fn members_are_sorted_by_user_and_not_by_the_time_they_joined() {
    let service = Service::start();
    let organization = service.acme.create_organization(NewOrganization::named("AE"));
    let (early, late): (Uuid, Uuid) =
        (service.user(json!({})).parse().unwrap(), service.user(json!({})).parse().unwrap());
    let role_name = Some("Administrator".to_owned());
    let new = NewMember { role: "org:administrator".to_owned(), role_name, ..NewMember::of(late) };
    service.acme.add_member(organization, new);
    service.acme.add_member(organization, NewMember::of(early));
    let path = format!("/organizations/{organization}/members");
    let page = service.expect(200, "GET", &format!("{path}?limit=1"), None);
    assert_eq!(page["items"][0]["userId"], json!(early));
    assert_eq!(
        (&page["items"][0]["role"], &page["items"][0]["roleName"]),
        (&json!("org:member"), &Value::Null)
    );
    let page =
        service.expect(200, "GET", &format!("{path}?cursor={}", text(&page["nextCursor"])), None);
    assert_eq!((&page["items"][0]["userId"], &page["hasMore"]), (&json!(late), &json!(false)));
    assert_eq!(page["items"][0]["roleName"], "Administrator");
    service.expect(404, "GET", &format!("/organizations/{UNKNOWN}/members"), None);
}

#[test]
fn a_user_has_memberships_with_bags_of_their_own() {
    let service = Service::start();
    let organization = service.acme.create_organization(NewOrganization::named("AE"));
    let user = member(&service, organization);
    let (own, of_organization) =
        (json!({ "publicMetadata": { "m": 1 } }), json!({ "publicMetadata": { "o": 1 } }));
    service.expect(
        200,
        "PATCH",
        &format!("/organizations/{organization}/metadata"),
        of_organization,
    );
    service.expect(
        200,
        "PATCH",
        &format!("/organizations/{organization}/members/{user}/metadata"),
        own,
    );
    let page = service.expect(200, "GET", &format!("/users/{user}/organizations"), None);
    let membership = &page["items"][0];
    assert_eq!(
        (&membership["organizationId"], &membership["name"]),
        (&json!(organization), &json!("AE"))
    );
    assert_eq!(membership["publicMetadata"], json!({ "m": 1 }));

    let loner = service.user(json!({}));
    assert_eq!(
        service.expect(200, "GET", &format!("/users/{loner}/organizations"), None)["items"],
        json!([])
    );
    service.expect(403, "GET", &format!("/users/{UNKNOWN}/organizations"), None);
    let other = service.emulator.create_issuer("other");
    let foreign =
        service.try_call(&other, "GET", &format!("/users/{user}/organizations"), None).unwrap();
    assert_eq!(foreign.status, 403);
}
