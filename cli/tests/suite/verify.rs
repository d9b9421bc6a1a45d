//! `torii verify`.

use torii_emulator::{FaultKind, ImpersonationClaims, Mint, OrganizationClaims};

use crate::world::{Folder, Torii, World, text};

#[test]
fn a_valid_token_may_be_an_argument_or_standard_input() {
    let world = World::new();
    let token = world.issuer.mint(Mint::new().subject("user-1").claim("locale", "da"));
    let argument = world.run(&["verify", &token]).succeeds();
    assert!(argument.starts_with("valid\nuser              user-1\n"), "{argument}");
    assert!(argument.contains("\nlocale            da\n"));
    let expires = argument.lines().find(|line| line.starts_with("expires ")).unwrap();
    assert!(expires.contains(" (in 5 min)") || expires.contains(" (in 4 min 5"), "{expires}");
    // Without the distances from now.
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
fn json_has_the_result_and_the_claims_as_signed() {
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
    assert_eq!(good["valid"], true);
    assert_eq!((&good["userId"], &good["expiresAt"]), (&"user-1".into(), &exp.into()));

    let bad = world.run(&["verify", "--json", "--audience", "shop", &token]);
    bad.fails(
        1,
        "invalid token: claim `aud`: names none of the configured audiences (TORII_ERR_TOKEN_AUDIENCE)",
    );
    let bad = crate::world::json(&bad.stdout);
    assert_eq!((&bad["valid"], &bad["http"]), (&false.into(), &401.into()));
    assert_eq!(text(&bad["status"]), "TORII_ERR_TOKEN_AUDIENCE");
}

#[test]
fn an_invalid_token_is_rejected_with_its_reason() {
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
            "token header: `kid` names no key of the issuer (TORII_ERR_TOKEN_KEY_UNKNOWN)",
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
        ended.fails(1, &format!("invalid token: {why}"));
        assert_eq!(ended.stdout, "");
    }
    let ended = world.torii(&["verify"]).reading(b"\xff\xfe.\x00.\n");
    ended.fails(
        1,
        "invalid token: token header: not canonical base64url (TORII_ERR_TOKEN_MALFORMED)",
    );
}

#[test]
fn times_are_checked_with_a_leeway() {
    let world = World::new();
    let late = world.issuer.mint(Mint::new().now_offset(-1_000));
    let early = world.issuer.mint(Mint::new().now_offset(1_000));
    let ended = world.run(&["verify", &late]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.starts_with("torii: invalid token: claim `exp`: expired 70"), "{ended:?}");
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
fn an_unmet_requirement_has_its_own_exit_status() {
    let world = World::new();
    let required = "not-impersonated,email-verified";
    for (mint, why) in [
        (Mint::new().claim("email_verified", false), "not true"),
        (
            Mint::new().stamped_only(true),
            "absent (add it to the environment's default JWT template)",
        ),
    ] {
        let token = world.issuer.mint(mint);
        let why = format!("claim `email_verified`: {why} (TORII_ERR_POLICY)");
        let ended = world.run(&["verify", "--require", required, &token]);
        ended.fails(3, &format!("valid token, requirement not met: {why}"));
    }
    let token = world.issuer.mint(
        Mint::new().claim("email_verified", true).claim("profile_complete", true).claim("aud", "b"),
    );
    let all = "email-verified,profile-complete,not-impersonated";
    let arguments = ["verify", "--require", all, "--audience", "a", "--audience", "b", &token];
    world.run(&arguments).succeeds();
}

#[test]
fn several_issuers_may_be_accepted() {
    let world = World::new();
    let other = world.emulator.create_issuer("other");
    let token = other.mint(Mint::new());
    assert_eq!(world.run(&["verify", &token]).code, 1);
    let issuers = ["--issuer", &world.issuer.url(), "--issuer", &other.url()];
    let good = world.run(&[&["verify"][..], &issuers, &[&token]].concat()).succeeds();
    assert!(good.contains(&other.url()));
}

#[test]
fn keys_may_come_from_a_file() {
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
fn unavailable_keys_have_their_own_exit_status() {
    let world = World::new();
    world.issuer.fault(FaultKind::status(500), None);
    let ended = world.run(&["verify", "--json", &world.token()]);
    let url = world.issuer.jwks_url();
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.contains(&url) && ended.stderr.contains("HTTP status 500"), "{ended:?}");
    assert!(ended.stderr.contains(" (retry in "), "{ended:?}");
    assert_eq!(crate::world::json(&ended.stdout)["http"], 503);
}

#[test]
fn an_audience_has_to_be_expected_or_ignored() {
    let world = World::new();
    let plain = world.token();
    let for_shop = world.issuer.mint(Mint::new().claim("aud", "shop"));
    for (arguments, token, code) in [
        (&["verify"][..], &plain, 0),
        (&["verify"], &for_shop, 1),
        (&["verify", "--ignore-audience"], &for_shop, 0),
        (&["verify", "--ignore-audience"], &plain, 0),
        (&["verify", "--audience", "shop"], &for_shop, 0),
        (&["verify", "--audience", "other"], &for_shop, 1),
    ] {
        let ended = world.run(&[arguments, &[token]].concat());
        assert_eq!(ended.code, code, "{arguments:?} {ended:?}");
        assert_eq!(ended.stderr.contains("TORII_ERR_TOKEN_AUDIENCE"), code == 1, "{ended:?}");
    }
}

#[test]
fn a_lifetime_may_be_limited() {
    let world = World::new();
    let token = world.issuer.mint(Mint::new().expires_in(600));
    world.run(&["verify", &token]).succeeds();
    world.run(&["verify", "--max-lifetime", "600", &token]).succeeds();
    let ended = world.run(&["verify", "--max-lifetime", "599", &token]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("(TORII_ERR_TOKEN_LIFETIME)"), "{ended:?}");
}

#[test]
fn the_actor_the_organization_and_the_role_are_shown() {
    let world = World::new();
    let mint = Mint::new().impersonated_by("operator-7").in_organization("org-1", Some("admin"));
    let mint = mint.impersonation_claims(ImpersonationClaims::Act);
    let token = world.issuer.mint(mint.organization_claims(OrganizationClaims::ObjectRol));
    let shown = world.run(&["verify", &token]).succeeds();
    let fields = "\nimpersonated      yes\nactor             operator-7\n\
        organization      org-1\nrole              admin\n";
    assert!(shown.contains(fields), "{shown}");
    let read = world.json(&["verify", &token]);
    assert_eq!((&read["impersonating"], &read["actorId"]), (&true.into(), &"operator-7".into()));
    assert_eq!(
        (&read["organizationId"], &read["organizationRole"]),
        (&"org-1".into(), &"admin".into())
    );

    let shown = world.run(&["verify", &world.token()]).succeeds();
    let fields = "\nimpersonated      no\nactor             -\n\
        organization      -\nrole              -\n";
    assert!(shown.contains(fields), "{shown}");
    let read = world.json(&["verify", &world.token()]);
    assert!(read["actorId"].is_null() && read["organizationId"].is_null(), "{read}");
}

#[test]
fn an_impersonated_login_may_be_refused_by_either_claim() {
    let world = World::new();
    for claims in
        [ImpersonationClaims::Act, ImpersonationClaims::Impersonating, ImpersonationClaims::Both]
    {
        let mint = Mint::new().impersonated_by("operator-7").impersonation_claims(claims);
        let token = world.issuer.mint(mint);
        world.run(&["verify", &token]).succeeds();
        let ended = world.run(&["verify", "--require", "not-impersonated", &token]);
        assert_eq!(ended.code, 3, "{claims:?} {ended:?}");
    }
}

#[test]
fn an_organization_may_be_required() {
    let world = World::new();
    let token = |form| {
        let mint = Mint::new().in_organization("org-1", Some("admin"));
        world.issuer.mint(mint.organization_claims(form))
    };
    let required = ["verify", "--require", "organization"];
    let run =
        |more: &[&str], token: &str| world.run(&[&required[..], more, &[token]].concat()).code;
    for form in
        [OrganizationClaims::Text, OrganizationClaims::ObjectRol, OrganizationClaims::ObjectRole]
    {
        assert_eq!(run(&[], &token(form)), 0, "{form:?}");
    }
    assert_eq!(run(&[], &world.token()), 3);
    let older = token(OrganizationClaims::OrgId);
    assert_eq!(run(&[], &older), 3, "older claims are read only on request");
    assert_eq!(run(&["--legacy-organization"], &older), 0);
    let read = world.json(&["verify", "--legacy-organization", &older]);
    assert_eq!(
        (&read["organizationId"], &read["organizationRole"]),
        (&"org-1".into(), &"admin".into())
    );
}
