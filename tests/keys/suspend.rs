//! Keys age while the machine is suspended.

#![cfg(any(target_os = "linux", target_os = "android"))]

use torii::Status;
use torii_emulator::{FaultKind, Mint};

use crate::{Stage, fetches, status, verifier, without_threads};

#[test]
fn keys_and_cached_tokens_do_not_outlive_a_suspend() {
    let stage = Stage::take();
    let issuer = stage.issuer("suspended");
    let verifier = verifier(&issuer, &without_threads());
    let token = issuer.mint(Mint::new());
    let verify = || status(verifier.verify(&token));
    assert_eq!((verify(), verify(), fetches(&verifier)), (Status::Ok, Status::Ok, 1));
    torii::suspend_clock(301_000);
    assert_eq!(status(verifier.verify_nowait(&token)), Status::KeysPending);
    assert_eq!((verify(), fetches(&verifier)), (Status::Ok, 2));
    issuer.fault(FaultKind::status(500), None);
    torii::suspend_clock(301_000);
    assert_eq!((verify(), fetches(&verifier)), (Status::Ok, 3), "stale, and the issuer is down");
    torii::suspend_clock(24 * 3_600_000);
    assert_eq!(verify(), Status::KeysUnavailable);
    assert_eq!(verifier.stats().unwrap().int("/cached_tokens").unwrap(), 1);
}
