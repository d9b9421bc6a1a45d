//! One process that calls the API.

use std::collections::VecDeque;
use std::thread;

use torii::{Client, ClientOptions, Error, Patch, Status};

use crate::record::{Outcome, Record};

pub const THREADS: u32 = 8;

/// A user that is there: its mark and its id.
struct User {
    mark: String,
    id: String,
}

/// Makes this number of calls on each of the threads, and returns their results.
pub fn work(url: &str, key: &str, name: &str, calls: u32) -> String {
    let open = descriptors();
    let mut options = ClientOptions::new();
    options.set_api_url(url).unwrap();
    let client = Client::new(key, &options).unwrap();
    let threads = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (client, name) = (&client, format!("{name}{thread}"));
                scope.spawn(move || call(client, &name, calls))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    drop(client);
    assert_eq!(descriptors(), open, "descriptors stayed open");
    threads.iter().map(Record::write).collect()
}

/// Makes calls on one thread, on users of its own.
fn call(client: &Client, name: &str, calls: u32) -> Record {
    let mut record = Record { calls: u64::from(calls), ..Record::default() };
    let mut there: VecDeque<User> = VecDeque::new();
    for number in 0..calls {
        let failure = match (number % 8, there.front()) {
            (0 | 4, _) | (_, None) => create(client, &mut record, &mut there, name, number),
            (1 | 5, Some(user)) => update(client, &mut record, user, number),
            (2, Some(user)) => {
                client.users().get(&user.id).map(|answer| assert_is(&answer, "", &user.id)).err()
            }
            (3, Some(user)) => {
                let filter = format!(r#"{{"userIds":["{}"]}}"#, user.id);
                let found = client.users().list(1, None, Some(&filter));
                found.map(|page| assert_is(&page, "/items/0", &user.id)).err()
            }
            (6, Some(user)) => client.sessions().list_for_user(&user.id).err(),
            (_, Some(_)) => delete(client, &mut record, &mut there),
        };
        if let Some(error) = failure {
            record.failed += 1;
            assert!(is_injected(&error), "{error:?}");
        }
    }
    record
}

fn create(
    client: &Client,
    record: &mut Record,
    there: &mut VecDeque<User>,
    name: &str,
    number: u32,
) -> Option<Error> {
    let mark = format!("{name}-{number}");
    match client.users().create(format!(r#"{{"publicMetadata":{{"mark":"{mark}"}}}}"#)) {
        Ok(user) => {
            assert_eq!(user.str("/publicMetadata/mark"), Some(mark.as_str()));
            record.create(&mark, Outcome::Done);
            there.push_back(User { mark, id: user.str("/id").unwrap().to_owned() });
            None
        }
        Err(error) => {
            record.create(&mark, Outcome::Unknown);
            Some(error)
        }
    }
}

fn update(client: &Client, record: &mut Record, user: &User, number: u32) -> Option<Error> {
    let mut patch = Patch::new();
    patch.set_json("publicMetadata", &format!(r#"{{"number":{number}}}"#)).unwrap();
    let outcome = client.users().update_metadata(&user.id, &patch);
    if let Ok(answer) = &outcome {
        assert_eq!(answer.int("/publicMetadata/number").unwrap(), i64::from(number));
    }
    let known = if outcome.is_ok() { Outcome::Done } else { Outcome::Unknown };
    record.set(&user.mark, i64::from(number), known);
    outcome.err()
}

fn delete(client: &Client, record: &mut Record, there: &mut VecDeque<User>) -> Option<Error> {
    let user = there.pop_front().unwrap();
    let outcome = client.users().delete(&user.id);
    record.delete(&user.mark, if outcome.is_ok() { Outcome::Done } else { Outcome::Unknown });
    // After a 503 that hid a deletion the next attempt finds no user, and that is not success.
    outcome.err().filter(|error| error.http_status() != Some(403))
}

/// Answers must not be mixed up.
fn assert_is(answer: &torii::Json, pointer: &str, id: &str) {
    assert_eq!(answer.str(&format!("{pointer}/id")), Some(id));
}

fn is_injected(error: &Error) -> bool {
    match error.status() {
        Status::Transport => true,
        Status::Api => matches!(error.http_status(), Some(503 | 429)),
        _ => false,
    }
}

/// How many descriptors are open, where the system says.
fn descriptors() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count())
}
