//! `torii decode`.

use torii_emulator::{Mint, Signer};

use crate::world::{Torii, World, json};

/// `{"alg":"HS256"}`, `{"sub":"a"}` and an impossible signature.
const FOREIGN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.AAAA";

#[test]
fn any_token_is_shown_and_none_is_verified() {
    let world = World::new();
    let mint = |mint: Mint| world.issuer.mint(mint);
    for token in [
        FOREIGN.to_owned(),
        mint(Mint::new()),
        mint(Mint::new().forged()),
        mint(Mint::new().signed_by(Signer::None).alg("none")),
        mint(Mint::new().now_offset(-1_000_000)),
    ] {
        let shown = Torii::new(&["decode", &token]).run().succeeds();
        let first = "Not verified: anyone can write a token with this content.\n";
        assert!(shown.starts_with(first), "{shown}");
        let read = Torii::new(&["decode", "--json"]).reading(token.as_bytes()).succeeds();
        assert_eq!(json(&read)["verified"], false);
        for said in [shown, read] {
            assert!(!said.to_lowercase().contains("valid"), "{said}");
            assert!(!said.to_lowercase().contains("trusted"), "{said}");
        }
    }
    assert_eq!(world.issuer.jwks_requests(), 0);
    let header = format!("BEARER {FOREIGN}");
    Torii::new(&["decode", &header]).run().succeeds();
    // Padding and unused trailing bits are accepted.
    Torii::new(&["decode", "e31.e30=."]).run().succeeds();
}

#[test]
fn times_are_readable_and_json_is_unchanged() {
    let mint = r#"{"exp":1700000000,"iat":"soon","big":12345678901234567890.10,"a":"\u001b[31m"}"#;
    let token = World::new().issuer.mint(Mint::new().raw_payload(mint));
    let shown = Torii::new(&["decode", &token]).run().succeeds();
    assert!(shown.contains("  exp  1700000000  2023-11-14T22:13:20Z ("), "{shown}");
    assert!(shown.contains("  iat  soon\n"), "{shown}");
    assert!(shown.contains("  a    \\u{1b}[31m\n"), "control characters are escaped: {shown}");
    let read = Torii::new(&["decode", "--json", &token]).run().succeeds();
    assert!(read.ends_with(&format!(",\"claims\":{mint}}}\n")), "{read}");
}

#[test]
fn an_unreadable_token_is_named() {
    for (text, why) in [
        ("", "token: empty"),
        ("a.b", "token: not three parts separated by dots"),
        ("a.b.c.d.e", "token: encrypted (five parts); it cannot be read"),
        ("!.e30.", "header: not base64url"),
        ("_w.e30.", "header: not UTF-8"),
        ("e30.W10.", "claims: not a JSON object"),
        ("e30.\u{e9}.", "claims: not base64url"),
    ] {
        Torii::new(&["decode"]).reading(text.as_bytes()).fails(1, why);
    }
}
