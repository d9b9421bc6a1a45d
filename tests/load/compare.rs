//! Compares the users of the API with the records of the workers.

use std::collections::HashMap;

use torii::{Client, ClientOptions, Json};
use torii_emulator::Emulator;

use crate::record::{Outcome, Record};

pub fn compare(emulator: &Emulator, key: &str, record: &Record) {
    let sent = count(&client(&emulator.control_url(), key), "POST", "/api/server/v1/users");
    assert_eq!(sent, record.created.len() as i64, "each user was requested once");

    let filter = r#"{"statuses":["active","banned","deleted"]}"#;
    let client = client(emulator.url(), key);
    let mut users: HashMap<String, Json> = HashMap::new();
    for user in client.users().all(Some(filter)) {
        let user = user.unwrap();
        let mark = user.str("/publicMetadata/mark").unwrap().to_owned();
        assert!(record.created.contains_key(&mark), "no worker requested {mark}");
        assert!(users.insert(mark.clone(), user).is_none(), "{mark} is there twice");
    }
    for (mark, outcome) in &record.created {
        assert!(*outcome == Outcome::Unknown || users.contains_key(mark), "{mark} is lost");
    }
    for (mark, numbers) in &record.numbers {
        let number = users[mark].int("/publicMetadata/number").ok();
        assert!(numbers.contains(&number), "{mark}: {number:?} {numbers:?}");
    }
    for (mark, user) in &users {
        let deleted = user.str("/status") == Some("deleted");
        match record.deleted.get(mark) {
            Some(Outcome::Done) => assert!(deleted, "{mark} is still there"),
            Some(Outcome::Unknown) => {}
            None => assert!(!deleted, "{mark} is gone"),
        }
    }
}

fn client(url: &str, key: &str) -> Client {
    let mut options = ClientOptions::new();
    options.set_api_url(url).unwrap();
    Client::new(key, &options).unwrap()
}

/// How many such requests arrived.
fn count(control: &Client, method: &str, path: &str) -> i64 {
    let query = format!("path={path}");
    let log = control.request("GET", "/requests", Some(&query), None).unwrap();
    let routes = log.len("/counts").unwrap();
    let found = (0..routes).map(|index| format!("/counts/{index}")).find(|route| {
        let is = |name, value| log.str(&format!("{route}/{name}")) == Some(value);
        is("method", method) && is("path", path)
    });
    log.int(&format!("{}/count", found.unwrap())).unwrap()
}
