//! No call waits longer than its own timeout, on whichever thread the fetch runs.

use std::thread;

use torii::{Status, Verifier};
use torii_emulator::Mint;

use crate::server::Server;
use crate::{Stage, options, seconds, status, with_timeout};

/// A short timeout: a call that reaches it has waited for the issuer.
const SHORT: u32 = 200;

/// A call with a short timeout ends while the fetch of another verifier goes on.
#[test]
fn a_short_timeout_holds_while_another_verifier_fetches() {
    let stage = Stage::take();
    let issuer = stage.issuer("held");
    let server = Server::start(&issuer, "");
    let token = issuer.mint(Mint::new().claim("iss", server.url()).expires_in(10_000));
    let unknown = issuer.mint(Mint::new().claim("iss", server.url()).kid("unknown"));
    let long_timeout = Verifier::new(server.url(), &options()).unwrap();
    let short_timeout = Verifier::new(server.url(), &with_timeout(SHORT)).unwrap();
    // No keys, a `kid` to look up, and keys past their lifetime.
    for (round, (asked, before, after)) in [
        (&token, Status::KeysUnavailable, Status::Ok),
        (&unknown, Status::KeysUnavailable, Status::TokenKeyUnknown),
        (&token, Status::Ok, Status::Ok),
    ]
    .into_iter()
    .enumerate()
    {
        thread::scope(|scope| {
            let leader = scope.spawn(|| status(long_timeout.verify(asked)));
            server.await_requests(round + 1);
            let error = short_timeout.verify(asked);
            assert!(!leader.is_finished(), "the issuer has not answered");
            if let Err(error) = &error {
                let text = error.to_string();
                assert!(text.ends_with(&format!("no answer within {SHORT} ms")), "{text}");
                assert_eq!(error.issuer(), Some(server.url()));
            }
            assert_eq!(status(error), before);
            assert_eq!(status(short_timeout.refresh_due(None)), Status::KeysUnavailable);
            assert!(!leader.is_finished(), "the issuer has not answered");
            server.answer(round + 1);
            assert_eq!(leader.join().unwrap(), after);
        });
        if round == 1 {
            seconds(301);
        }
    }
    assert_eq!(server.requests(), 3);
}

#[test]
fn clearing_during_a_fetch_makes_its_callers_fetch_again() {
    let stage = Stage::take();
    let issuer = stage.issuer("cleared");
    let server = Server::start(&issuer, "");
    let token = issuer.mint(Mint::new().claim("iss", server.url()));
    let verifier = Verifier::new(server.url(), &options()).unwrap();
    thread::scope(|scope| {
        let caller = scope.spawn(|| status(verifier.verify(&token)));
        server.await_requests(1);
        torii::clear_jwks_cache();
        server.answer(1);
        // The answer to the first request is discarded.
        server.await_requests(2);
        assert_eq!(status(verifier.verify_nowait(&token)), Status::KeysPending);
        server.answer(2);
        assert_eq!(caller.join().unwrap(), Status::Ok);
    });
    assert_eq!(server.requests(), 2);
}

#[test]
fn headers_set_the_lifetime_of_keys_that_the_library_fetched() {
    let stage = Stage::take();
    let issuer = stage.issuer("aged");
    for (headers, lifetime) in [
        ("Cache-Control: max-age=600\r\nAge: 500\r\n", 100_000),
        ("Cache-Control: max-age=600\r\nAge: 590\r\n", 60_000),
        ("Cache-Control: max-age=600\r\nAge: 86401\r\n", 600_000),
        ("Cache-Control: max-age=600\r\nAge: never\r\n", 600_000),
        ("Cache-Control: public\r\nCache-Control: max-age=100\r\n", 100_000),
        ("Cache-Control: max-age=600\r\nCache-Control: no-store\r\n", 60_000),
    ] {
        let server = Server::start(&issuer, headers);
        server.answer(1);
        let verifier = Verifier::new(server.url(), &options()).unwrap();
        verifier.refresh().unwrap();
        let (due, ahead) = (verifier.due_in_ms().unwrap(), lifetime / 5 * 4);
        assert!(due <= ahead && due > ahead / 2, "{headers}: {due}");
    }
}
