//! `torii verify`.

use torii_emulator::{FaultKind, Mint};

use crate::world::{Folder, Torii, World, text};

#[test]
fn a_good_token_is_good_wherever_it_comes_from() {
    let world = World::new();
    let token = world.issuer.mint(Mint::new().subject("user-1").claim("locale", "da"));
    let argument = world.run(&["verify", &token]).succeeds();
    assert!(argument.starts_with("good\nuser              user-1\n"), "{argument}");
    assert!(argument.contains("\nlocale            da\n"));
    let expires = argument.lines().find(|line| line.starts_with("expires ")).unwrap();
    assert!(expires.contains(" (in 5 min)") || expires.contains(" (in 4 min 5"), "{expires}");
    // But for how long ago things were.
    let lasting = |text: &str| {
        let lines = text.lines().map(|line| line.split(" (").next().unwrap_or_default().to_owned());
        lines.collect::<Vec<_>>()
    };
    for arguments in [&["verify"][..], &["verify", "-"]] {
        let input = format!("\n{token}\r\n");
        let piped = world.torii(arguments).reading(input.as_bytes()).succeeds();
        assert_eq!(lasting(&piped), lasting(&argument));
    }
    let header = format!("bearer  {token}");
    world.run(&["verify", &header]).succeeds();
}

#[test]
fn json_has_the_verdict_and_the_claims_as_they_were_signed() {
    let world = World::new();
    let exp = 4_102_444_800_i64;
    let payload = format!(
        r#"{{"sub":"user-1","pid":"env-1","iss":"{}","iat":1700000000,"exp":{exp},"n":12345678901234567890.10}}"#,
        world.issuer.url()
    );
    let token = world.issuer.mint(Mint::new().raw_payload(&payload));
    let good = world.run(&["verify", "--json", &token]).succeeds();
    assert!(good.ends_with(&format!(",\"claims\":{payload}}}\n")), "{good}");
    let good = crate::world::json(&good);
    assert_eq!(good["good"], true);
    assert_eq!((&good["userId"], &good["expiresAt"]), (&"user-1".into(), &exp.into()));

    let bad = world.run(&["verify", "--json", "--audience", "shop", &token]);
    bad.fails(
        1,
        "bad token: claim `aud`: names none of the configured audiences (TORII_ERR_TOKEN_AUDIENCE)",
    );
    let bad = crate::world::json(&bad.stdout);
    assert_eq!((&bad["good"], &bad["http"]), (&false.into(), &401.into()));
    assert_eq!(text(&bad["status"]), "TORII_ERR_TOKEN_AUDIENCE");
}

#[test]
fn a_bad_token_is_refused_with_its_reason() {
    let world = World::new();
    let mint = |mint: Mint| world.issuer.mint(mint);
    for (token, why) in [
        (
            mint(Mint::new().forged()),
            "token signature: not made by the issuer's key (TORII_ERR_TOKEN_SIGNATURE)",
        ),
        (
            mint(Mint::new().alg("HS256")),
            "token header: `alg` is not ES256 (TORII_ERR_TOKEN_ALGORITHM)",
        ),
        (
            mint(Mint::new().kid("other")),
            "token header: the issuer has no key named by `kid` (TORII_ERR_TOKEN_KEY_UNKNOWN)",
        ),
        (
            mint(Mint::new().claim("iss", "https://evil.example")),
            "claim `iss`: not a configured issuer (TORII_ERR_TOKEN_ISSUER)",
        ),
        (mint(Mint::new().without("sub")), "claim `sub`: missing (TORII_ERR_TOKEN_CLAIM)"),
        (String::new(), "token: empty (TORII_ERR_TOKEN_MISSING)"),
        (
            "Bearer ".to_owned(),
            "token: not three parts separated by dots (TORII_ERR_TOKEN_MALFORMED)",
        ),
        ("a.b".to_owned(), "token: not three parts separated by dots (TORII_ERR_TOKEN_MALFORMED)"),
        ("x".repeat(20_000), "token: longer than 16384 bytes (TORII_ERR_TOKEN_TOO_LARGE)"),
    ] {
        let ended = world.run(&["verify", &token]);
        ended.fails(1, &format!("bad token: {why}"));
        assert_eq!(ended.stdout, "");
    }
    let ended = world.torii(&["verify"]).reading(b"\xff\xfe.\x00.\n");
    ended.fails(1, "bad token: token header: not canonical base64url (TORII_ERR_TOKEN_MALFORMED)");
}

#[test]
fn a_wrong_clock_shows() {
    let world = World::new();
    let late = world.issuer.mint(Mint::new().now_offset(-1_000));
    let early = world.issuer.mint(Mint::new().now_offset(1_000));
    let ended = world.run(&["verify", &late]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.starts_with("torii: bad token: claim `exp`: expired 70"), "{ended:?}");
    let ended = world.run(&["verify", &early]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("s in the future (TORII_ERR_TOKEN_NOT_YET_VALID)"), "{ended:?}");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for (token, then) in [(late, now - 1_000), (early, now + 1_000)] {
        world.run(&["verify", "--now", &then.to_string(), &token]).succeeds();
    }
    let ended = world.run(&["verify", "--now", "-1", &world.token()]);
    assert!(ended.stderr.contains("TORII_ERR_TOKEN_NOT_YET_VALID"), "{ended:?}");

    let a_little = world.issuer.mint(Mint::new().expires_in(-20));
    world.run(&["verify", &a_little]).succeeds();
    assert_eq!(world.run(&["verify", "--leeway", "0", &a_little]).code, 1);
}

#[test]
fn what_is_required_is_a_status_of_its_own() {
    let world = World::new();
    let token = world.issuer.mint(Mint::new().claim("email_verified", false));
    let ended = world.run(&["verify", "--require", "not-impersonated,email-verified", &token]);
    ended.fails(
        3,
        "good token, but not enough: claim `email_verified`: has to be true (TORII_ERR_POLICY)",
    );
    let token = world.issuer.mint(
        Mint::new().claim("email_verified", true).claim("profile_complete", true).claim("aud", "b"),
    );
    let all = "email-verified,profile-complete,not-impersonated";
    let arguments = ["verify", "--require", all, "--audience", "a", "--audience", "b", &token];
    world.run(&arguments).succeeds();
}

#[test]
fn several_issuers_may_be_named() {
    let world = World::new();
    let other = world.emulator.create_issuer("other");
    let token = other.mint(Mint::new());
    assert_eq!(world.run(&["verify", &token]).code, 1);
    let issuers = ["--issuer", &world.issuer.url(), "--issuer", &other.url()];
    let good = world.run(&[&["verify"][..], &issuers, &[&token]].concat()).succeeds();
    assert!(good.contains(&other.url()));
}

#[test]
fn keys_may_be_given() {
    let world = World::new();
    let (folder, token) = (Folder::new(), world.token());
    let keys = folder.file("keys.json", &world.issuer.jwks().to_string());
    let offline =
        |issuer: &str| Torii::new(&["verify", "--issuer", issuer, "--jwks", &keys, &token]);
    offline(&world.issuer.url()).run().succeeds();
    assert_eq!(world.issuer.jwks_requests(), 0);
    assert_eq!(offline("https://acme.torii.so").run().code, 1);
    let none = folder.file("none.json", r#"{"keys":[]}"#);
    world.run(&["verify", "--jwks", &none, &token]).fails(2, "jwks: no usable key");
}

#[test]
fn keys_that_cannot_be_had_are_a_status_of_their_own() {
    let world = World::new();
    world.issuer.fault(FaultKind::status(500), None);
    let ended = world.run(&["verify", "--json", &world.token()]);
    let url = world.issuer.jwks_url();
    let why =
        format!("cannot fetch keys from {url}: HTTP status 500 (expected 200) (try again in 1 s)");
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.starts_with(&format!("torii: {}", &why[..why.len() - 5])), "{ended:?}");
    assert_eq!(crate::world::json(&ended.stdout)["http"], 503);
}
