//! Allowed origins.

use serde_json::json;

use crate::client::Service;

#[test]
fn the_list_is_replaced_as_a_whole() {
    let service = Service::start();
    let list = || service.expect(200, "GET", "/allowed-origins", None);
    assert_eq!(list(), json!({ "origins": [] }));
    let origins = json!({ "origins": ["https://a.example.com", "myapp://"] });
    assert_eq!(service.expect(200, "PUT", "/allowed-origins", origins.clone()), origins);
    assert_eq!(list(), origins);
    let fewer = json!({ "origins": ["https://b.example.com"] });
    service.expect(200, "PUT", "/allowed-origins", fewer.clone());
    assert_eq!(list(), fewer);
    let other = service.emulator.create_issuer("other");
    let theirs = service.try_call(&other, "GET", "/allowed-origins", None).unwrap().json();
    assert_eq!(theirs, json!({ "origins": [] }));
}
