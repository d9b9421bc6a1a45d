//! Every moment in the life of keys, with everything that can come of a fetch.

use torii::{Status, Verifier};
use torii_emulator::{FaultKind, Issuer, Mint};

use crate::{
    Stage, await_fetches, await_until, fetches, of_unknown_key, options, seconds, status, verifier,
    with_timeout,
};

/// The result of the fetch.
const FAULTS: [&str; 13] = [
    "ok",
    "304",
    "slow",
    "hang",
    "reset",
    "500",
    "429",
    "garbage",
    "truncated",
    "oversized",
    "redirect",
    "empty set",
    "other keys",
];

/// The calls that wait until the fetch has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Waits {
    Caller,
    Nobody,
}

use Status::{KeysUnavailable as Unavailable, Ok as Good, TokenKeyUnknown as Unknown};
use Waits::{Caller, Nobody};

/// The status, the number of fetches, and which calls waited.
type Cell = (Status, i64, Waits);

/// A row: the moment, then for each result of the fetch: it returns the issuer's keys (`ok`,
/// `slow`), nothing new (`304`), foreign keys, or nothing of use (all others).
struct Row {
    moment: &'static str,
    brings: Cell,
    unchanged: Cell,
    foreign: Cell,
    fails: Cell,
}

const ROWS: [Row; 8] = [
    // Nothing is held, so a 304 answers a question that was not asked.
    Row {
        moment: "first use",
        brings: (Good, 1, Caller),
        unchanged: (Unavailable, 1, Caller),
        foreign: (Unknown, 1, Caller),
        fails: (Unavailable, 1, Caller),
    },
    Row {
        moment: "fresh",
        brings: (Good, 0, Nobody),
        unchanged: (Good, 0, Nobody),
        foreign: (Good, 0, Nobody),
        fails: (Good, 0, Nobody),
    },
    Row {
        moment: "ahead",
        brings: (Good, 1, Nobody),
        unchanged: (Good, 1, Nobody),
        foreign: (Good, 1, Nobody),
        fails: (Good, 1, Nobody),
    },
    Row {
        moment: "expired",
        brings: (Good, 1, Caller),
        unchanged: (Good, 1, Caller),
        foreign: (Unknown, 1, Caller),
        fails: (Good, 1, Caller),
    },
    // Expired, and the issuer was found down before: no call waits for it again.
    Row {
        moment: "stale",
        brings: (Good, 1, Nobody),
        unchanged: (Good, 1, Nobody),
        foreign: (Good, 1, Nobody),
        fails: (Good, 1, Nobody),
    },
    Row {
        moment: "unknown kid",
        brings: (Unknown, 1, Caller),
        unchanged: (Unknown, 1, Caller),
        foreign: (Unknown, 1, Caller),
        fails: (Unavailable, 1, Caller),
    },
    Row {
        moment: "rotated",
        brings: (Good, 1, Caller),
        unchanged: (Unknown, 1, Caller),
        foreign: (Unknown, 1, Caller),
        fails: (Unavailable, 1, Caller),
    },
    // The key of the token is no longer published, and the keys at hand have expired.
    Row {
        moment: "removed",
        brings: (Unknown, 1, Caller),
        unchanged: (Good, 1, Caller),
        foreign: (Unknown, 1, Caller),
        fails: (Good, 1, Caller),
    },
];

impl Row {
    fn cell(&self, fault: &str) -> Cell {
        match fault {
            "ok" | "slow" => self.brings,
            "304" => self.unchanged,
            "other keys" => self.foreign,
            _ => self.fails,
        }
    }
}

fn fault(name: &str, stage: &Stage) -> Option<FaultKind> {
    Some(match name {
        "ok" => return None,
        "304" => FaultKind::status(304),
        "slow" => FaultKind::Delay { ms: 150 },
        "hang" => FaultKind::Hang { ms: None },
        "reset" => FaultKind::Reset { handled: false },
        "500" => FaultKind::status(500),
        "429" => FaultKind::status(429),
        "garbage" => FaultKind::body("<html>not a key set</html>"),
        "truncated" => FaultKind::Truncate { bytes: None },
        "oversized" => FaultKind::Oversize { bytes: 256 * 1024 + 1 },
        "redirect" => FaultKind::redirect(&stage.emulator.issuer("acme").jwks_url()),
        "empty set" => FaultKind::body(r#"{"keys":[]}"#),
        "other keys" => FaultKind::body(&stage.emulator.issuer("acme").jwks().to_string()),
        other => panic!("{other}"),
    })
}

/// Brings verifier and issuer to the moment, and returns the token to ask about.
fn prepare(moment: &str, issuer: &Issuer, verifier: &Verifier) -> String {
    let token = issuer.mint(Mint::new());
    if moment == "first use" {
        return token;
    }
    assert_eq!(status(verifier.verify(&token)), Status::Ok);
    match moment {
        "fresh" => token,
        "ahead" => {
            seconds(255);
            token
        }
        "expired" => {
            seconds(301);
            token
        }
        "stale" => {
            seconds(301);
            issuer.fault(FaultKind::status(503), Some(1));
            assert_eq!(status(verifier.verify(&token)), Status::Ok);
            seconds(2);
            token
        }
        "unknown kid" => of_unknown_key(issuer),
        "rotated" => {
            issuer.rotate();
            issuer.mint(Mint::new())
        }
        "removed" => {
            let old = issuer.kid();
            issuer.rotate();
            issuer.remove_key(&old);
            seconds(301);
            token
        }
        other => panic!("{other}"),
    }
}

#[test]
fn every_moment_with_every_fault() {
    let stage = Stage::take();
    println!("{:12} {:10} {:30} fetches", "moment", "fetch", "result");
    for row in ROWS {
        for name in FAULTS {
            let (moment, expected) = (row.moment, row.cell(name));
            let issuer = stage.issuer(&format!("{moment}-{name}").replace(' ', "-"));
            let long_timeout = verifier(&issuer, &options());
            let token = prepare(moment, &issuer, &long_timeout);
            // A call that waits for an issuer that hangs times out; a call that does not wait never learns of it.
            let hangs = name == "hang";
            let verifier = match expected.2 {
                Caller if hangs => verifier(&issuer, &with_timeout(400)),
                _ => long_timeout,
            };
            let before = (issuer.jwks_requests(), fetches(&verifier));
            if let Some(kind) = fault(name, &stage) {
                // A 304 would leave no body to spoil.
                issuer.set_etag(false);
                issuer.fault(kind, None);
            }

            let result = status(verifier.verify(&token));
            let ended = fetches(&verifier) - before.1;
            match expected.2 {
                Caller => assert_eq!(ended, expected.1, "{moment}, {name}: did not wait"),
                Nobody if hangs => assert_eq!(ended, 0, "{moment}, {name}: waited"),
                // The fetch may or may not have ended by now.
                Nobody => {}
            }
            let requests = || i64::try_from(issuer.jwks_requests() - before.0).unwrap();
            if hangs && expected.2 == Nobody {
                await_until("the request", || requests() >= expected.1);
            } else {
                await_fetches(&verifier, before.1 + expected.1);
            }
            println!("{moment:12} {name:10} {:30} {:7}", result.name(), requests());
            assert_eq!((result, requests()), (expected.0, expected.1), "{moment}, {name}");
            stage.emulator.clear_faults();
        }
    }
}
