//! Which claims tokens carry, and in which form.

use serde_json::{Value, json};
use torii_emulator::{
    ClaimFormat, Emulator, ImpersonationClaims, Mint, NewMember, NewOrganization, NewSession,
    OrganizationClaims, Settings, Uuid,
};

use crate::client::{Service, text};
use crate::tokens::parts;

fn names(payload: &Value) -> Vec<&str> {
    payload.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The members of the payload with these names, as an object.
fn selected(payload: &Value, selection: &[&str]) -> Value {
    let members = payload.as_object().unwrap().iter();
    members
        .filter(|(name, _)| selection.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn stamped_claims_only_is_a_choice_of_a_token_and_of_an_environment() {
    const STAMPED: [&str; 5] = ["exp", "iat", "iss", "pid", "sub"];
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let payload = |mint| parts(&issuer.mint(mint)).1;
    assert_eq!(names(&payload(Mint::new())).len(), 7, "also email_verified and profile_complete");
    assert_eq!(names(&payload(Mint::new().stamped_only(true))), STAMPED);
    let claims = ClaimFormat { stamped_only: true, ..ClaimFormat::default() };
    issuer.set_settings(Settings { claims, ..Settings::default() });
    assert_eq!(names(&payload(Mint::new())), STAMPED);
    assert_eq!(names(&payload(Mint::new().stamped_only(false))).len(), 7);
}

#[test]
fn a_token_of_a_session_can_have_the_stamped_claims_only() {
    let service = Service::start();
    let user: Uuid = service.user(json!({})).parse().unwrap();
    let session = service.acme.sign_in(NewSession::of(user));
    let mint = Mint::new().for_session(session);
    let payload = parts(&service.acme.mint(mint.clone())).1;
    assert_eq!(payload["impersonating"], false);
    let payload = parts(&service.acme.mint(mint.stamped_only(true))).1;
    assert_eq!(names(&payload), ["exp", "iat", "iss", "pid", "sub"]);
}

#[test]
fn impersonation_is_marked_by_act_by_impersonating_or_by_both() {
    let service = Service::start();
    let user: Uuid = service.user(json!({})).parse().unwrap();
    let actor: Uuid = service.user(json!({})).parse().unwrap();
    let session =
        service.acme.sign_in(NewSession { impersonated_by: Some(actor), ..NewSession::of(user) });
    let mark = |mint: Mint| {
        let payload = parts(&service.acme.mint(mint.for_session(session))).1;
        assert_eq!(payload["sub"], json!(user));
        selected(&payload, &["act", "impersonating"])
    };
    let act = json!({ "act": { "sub": actor } });
    let both = json!({ "act": { "sub": actor }, "impersonating": true });
    assert_eq!(mark(Mint::new()), both);
    let of = |claims| Mint::new().impersonation_claims(claims);
    assert_eq!(mark(of(ImpersonationClaims::Act)), act);
    assert_eq!(mark(of(ImpersonationClaims::Act).stamped_only(true)), act);
    assert_eq!(mark(of(ImpersonationClaims::Impersonating)), json!({ "impersonating": true }));
    let claims = ClaimFormat { impersonation: ImpersonationClaims::Act, ..ClaimFormat::default() };
    service.acme.set_settings(Settings { claims, ..Settings::default() });
    assert_eq!(mark(Mint::new()), act);
    assert_eq!(mark(of(ImpersonationClaims::Both)), both);

    let made_up = parts(&service.acme.mint(Mint::new().impersonated_by("operator-7"))).1;
    assert_eq!(made_up["act"], json!({ "sub": "operator-7" }));
}

#[test]
fn the_organization_is_a_text_an_object_or_has_the_older_names() {
    let service = Service::start();
    let user: Uuid = service.user(json!({})).parse().unwrap();
    let organization = service.acme.create_organization(NewOrganization::named("AE"));
    let session = service
        .acme
        .sign_in(NewSession { active_organization_id: Some(organization), ..NewSession::of(user) });
    let claims = |mint: Mint| {
        let payload = parts(&service.acme.mint(mint)).1;
        selected(&payload, &["o", "org_id", "org_role"])
    };
    let forms = [
        OrganizationClaims::Text,
        OrganizationClaims::ObjectRol,
        OrganizationClaims::ObjectRole,
        OrganizationClaims::OrgId,
    ];
    let for_session = |form| Mint::new().for_session(session).organization_claims(form);
    let id = json!(organization);
    assert_eq!(
        forms.map(for_session).map(claims),
        [
            json!({ "o": id }),
            json!({ "o": { "id": id } }),
            json!({ "o": { "id": id } }),
            json!({ "org_id": id }),
        ],
        "a user who is not a member has no role"
    );
    service.acme.add_member(organization, NewMember::of(user));
    let with_role = [
        json!({ "o": id }),
        json!({ "o": { "id": id, "rol": "org:member" } }),
        json!({ "o": { "id": id, "role": "org:member" } }),
        json!({ "org_id": id, "org_role": "org:member" }),
    ];
    assert_eq!(forms.map(for_session).map(claims), with_role);
    for (form, expected) in forms.into_iter().zip(with_role) {
        let format = ClaimFormat { organization: form, ..ClaimFormat::default() };
        service.acme.set_settings(Settings { claims: format, ..Settings::default() });
        assert_eq!(claims(Mint::new().for_session(session)), expected);
    }

    let made_up = Mint::new().in_organization("org-1", Some("admin"));
    let made_up = made_up.organization_claims(OrganizationClaims::ObjectRol);
    assert_eq!(claims(made_up), json!({ "o": { "id": "org-1", "rol": "admin" } }));
}

#[test]
fn the_control_api_chooses_the_claims_too() {
    let service = Service::start();
    let minted = |body: Value| {
        let answer = service.control("POST", "/issuers/acme/tokens", Some(&body.to_string()));
        assert_eq!(answer.status, 200, "{answer:?}");
        parts(&text(&answer.json()["token"])).1
    };
    let payload = minted(json!({
        "stamped_only": true, "actor": "operator-7", "impersonation_claims": "act",
        "organization": { "id": "org-1", "role": "admin" }, "organization_claims": "object_role",
    }));
    assert_eq!(names(&payload), ["act", "exp", "iat", "iss", "o", "pid", "sub"]);
    assert_eq!(payload["o"], json!({ "id": "org-1", "role": "admin" }));
    let settings = json!({ "claims": {
        "stamped_only": true, "impersonation": "impersonating", "organization": "org_id",
    } });
    let set = service.control("PUT", "/issuers/acme/settings", Some(&settings.to_string()));
    assert_eq!(set.status, 204);
    let payload =
        minted(json!({ "actor": "operator-7", "organization": { "id": "org-1", "role": "r" } }));
    assert_eq!(
        selected(&payload, &["act", "impersonating", "o", "org_id", "org_role"]),
        json!({ "impersonating": true, "org_id": "org-1", "org_role": "r" })
    );
    for wrong in [json!({ "claims": { "act": true } }), json!({ "claims": { "organization": 1 } })]
    {
        let answer = service.control("PUT", "/issuers/acme/settings", Some(&wrong.to_string()));
        assert_eq!(answer.status, 400);
    }
}
