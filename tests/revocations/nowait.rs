//! The revocations file, with calls that may not block.

use super::file::Folder;
use super::*;

fn nowait(verifier: &Verifier, token: &str) -> Status {
    status(verifier.verify_nowait(token))
}

#[test]
fn a_thread_checks_for_calls_that_may_not_wait() {
    let stage = Stage::take();
    let folder = Folder::of(&[]);
    let verifier = stage.verifier(&folder.options(&stage));
    let token = stage.token("user", NOW);
    for _ in 0..5 {
        folder.revoke(&["user"]);
        milliseconds(1_000);
        await_until("revoked", || nowait(&verifier, &token) == Status::TokenRevoked);
        folder.revoke(&[]);
        milliseconds(1_000);
        await_until("lifted", || nowait(&verifier, &token) == Status::Ok);
    }
    // A list that is too old is not used, and the thread starts without being asked.
    folder.revoke(&["user"]);
    milliseconds(6_000);
    await_until("revoked", || match nowait(&verifier, &token) {
        Status::KeysPending => false,
        status => {
            assert_eq!(status, Status::TokenRevoked);
            true
        }
    });
}

#[test]
fn without_threads_refresh_due_checks() {
    let stage = Stage::take();
    let folder = Folder::of(&[]);
    let mut options = folder.options(&stage);
    let verifier = stage.verifier(options.set_background_refresh(false));
    let token = stage.token("user", NOW);
    let url = stage.issuer.url();
    for issuer in [None, Some(url.as_str())] {
        for (users, expected) in [(["user"], Status::TokenRevoked), (["other"], Status::Ok)] {
            folder.revoke(&users);
            milliseconds(1_000);
            assert_eq!(verifier.due_in_ms(), Some(0));
            assert_ne!(nowait(&verifier, &token), expected);
            verifier.refresh_due(issuer).unwrap();
            assert_eq!(nowait(&verifier, &token), expected);
        }
    }
    assert!(verifier.due_in_ms().is_some_and(|due| due <= 1_000));
}

#[test]
fn a_list_older_than_five_seconds_is_not_used() {
    let stage = Stage::take();
    let folder = Folder::of(&["user"]);
    let mut options = folder.options(&stage);
    let verifier = stage.verifier(options.set_background_refresh(false));
    let [user, other] = ["user", "other"].map(|user| stage.token(user, NOW));
    let both = || [nowait(&verifier, &user), nowait(&verifier, &other)];
    assert_eq!(both(), [Status::TokenRevoked, Status::Ok]);
    milliseconds(5_000);
    assert_eq!(both(), [Status::KeysPending; 2]);
    let error = verifier.verify_nowait(&other).unwrap_err();
    assert_eq!(error.issuer(), Some(stage.issuer.url().as_str()));
    let text = "revocations file: must be checked first; this call performs no I/O";
    assert_eq!(error.to_string(), text);
    // A revocation by a call, and an expired token, need no file.
    verifier.revoke("user", NOW).unwrap();
    let expired = stage.issuer.mint(mint("other", NOW - 10).claim("exp", NOW));
    assert_eq!(both(), [Status::TokenRevoked, Status::KeysPending]);
    assert_eq!(nowait(&verifier, &expired), Status::TokenExpired);
    // Without a file there is nothing to wait for.
    assert_eq!(nowait(&stage.verifier(&stage.options()), &other), Status::Ok);
    verifier.refresh_due(error.issuer()).unwrap();
    assert_eq!(both(), [Status::TokenRevoked, Status::Ok]);
    // A call that may wait checks for itself.
    folder.revoke(&["other"]);
    milliseconds(10_000);
    assert_eq!(verify(&verifier, &other), Status::TokenRevoked);
    assert_eq!(nowait(&verifier, &other), Status::TokenRevoked);
}

#[test]
fn a_host_that_fetches_keys_checks_the_file_by_refresh_due() {
    let stage = Stage::take();
    let folder = Folder::of(&["user"]);
    let mut options = VerifierOptions::new();
    options.set_revocations_file(folder.file()).unwrap();
    options.set_background_refresh(false).set_clock(|| NOW);
    options.set_key_lifetime_seconds(86_400).unwrap();
    let verifier = stage.verifier(&options);
    let jwks = stage.issuer.jwks().to_string();
    let mut fetch = verifier.claim_fetch().unwrap();
    fetch.done(200, jwks.as_bytes(), None, None, None).unwrap();
    let [user, other] = ["user", "other"].map(|user| stage.token(user, NOW));
    milliseconds(6_000);
    assert_eq!(nowait(&verifier, &other), Status::KeysPending);
    assert!(verifier.claim_fetch().is_none(), "the keys are fresh");
    assert_eq!(verifier.due_in_ms(), Some(0));
    verifier.refresh_due(None).unwrap();
    assert_eq!(
        [nowait(&verifier, &user), nowait(&verifier, &other)],
        [Status::TokenRevoked, Status::Ok]
    );
}

#[test]
fn an_invalid_file_makes_no_call_wait() {
    let stage = Stage::take();
    let folder = Folder::of(&["user"]);
    let mut options = folder.options(&stage);
    let verifier = stage.verifier(options.set_background_refresh(false));
    let token = stage.token("user", NOW);
    std::fs::remove_file(folder.file()).unwrap();
    milliseconds(6_000);
    assert_eq!(nowait(&verifier, &token), Status::KeysPending);
    verifier.refresh_due(None).unwrap();
    assert_eq!(nowait(&verifier, &token), Status::TokenRevoked, "by the last good list");
    assert_eq!(stat(&verifier, "/revocations/file/failures"), 1);
}
