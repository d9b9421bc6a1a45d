//! Cases in the making: start from a valid token, change one thing, state the result.

use crate::es256::Signature;
use crate::keys::{self, Key};
use crate::object::{Object, quoted};
use crate::{Auth, Case, Expect, Input, Issuer, Options, RequiredClaim, RequiredOrganization, Requirements};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The issuer of a case unless it says otherwise.
pub const ISSUER: &str = "https://acme.torii.so";
/// Claim `sub` of a valid token.
pub const USER: &str = "01975f2e-6c00-7a3b-8c4d-5e6f708192a3";
/// Claim `pid` of a valid token.
pub const ENVIRONMENT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
/// Claim `iat` of a valid token: November 2023.
pub const ISSUED_AT: i64 = 1_700_000_000;
/// Claim `exp` of a valid token: the year 2100.
pub const EXPIRES_AT: i64 = 4_102_444_800;
/// The time of the clock in cases about time: January 2027.
pub const NOW: i64 = 1_800_000_000;

/// The header of a valid token.
pub fn header() -> Object {
    Object::new(&[("alg", r#""ES256""#), ("kid", r#""key-1""#)])
}

/// The claims of a valid token: no more than there must be.
pub fn claims() -> Object {
    Object::new(&[
        ("iss", &quoted(ISSUER)),
        ("sub", &quoted(USER)),
        ("pid", &quoted(ENVIRONMENT)),
        ("iat", &ISSUED_AT.to_string()),
        ("exp", &EXPIRES_AT.to_string()),
    ])
}

/// Bytes in the alphabet of a token.
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A case in the making.
#[derive(Clone)]
pub struct Draft {
    name: String,
    about: String,
    header: Vec<u8>,
    payload: Vec<u8>,
    key: Key,
    signature: Option<Vec<u8>>,
    input: Option<Input>,
    key_set: String,
    options: Options,
}

/// A draft of a case with a valid token: header, claims and key as above.
pub fn draft(name: &str, about: &str) -> Draft {
    Draft {
        name: name.to_owned(),
        about: about.to_owned(),
        header: header().into(),
        payload: claims().into(),
        key: keys::first(),
        signature: None,
        input: None,
        key_set: "main".to_owned(),
        options: Options {
            issuer: ISSUER.to_owned(),
            issuers: Vec::new(),
            audiences: Vec::new(),
            leeway: None,
            require: Vec::new(),
            ignore_audience: false,
            max_lifetime_seconds: None,
            legacy_organization: false,
            requirements: None,
            now: None,
        },
    }
}

impl Draft {
    /// With this header.
    pub fn header(mut self, header: impl Into<Vec<u8>>) -> Self {
        self.header = header.into();
        self
    }

    /// With this payload.
    pub fn payload(mut self, payload: impl Into<Vec<u8>>) -> Self {
        self.payload = payload.into();
        self
    }

    /// With one claim set to this JSON text.
    pub fn claim(self, name: &str, value: impl Into<String>) -> Self {
        self.payload(claims().with(name, value))
    }

    /// With one claim missing.
    pub fn without(self, name: &str) -> Self {
        self.payload(claims().without(name))
    }

    /// Signed by this key, regardless of the header.
    pub fn signed_by(mut self, key: &Key) -> Self {
        self.key = key.clone();
        self
    }

    /// Signed by this key, and the header names it.
    pub fn minted_with(self, key: &Key) -> Self {
        self.header(header().with("kid", quoted(&key.kid))).signed_by(key)
    }

    /// With these bytes as the signature.
    pub fn signature(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.signature = Some(bytes.into());
        self
    }

    /// With other bytes made from the valid signature.
    pub fn signature_from(self, make: impl FnOnce(Signature) -> Vec<u8>) -> Self {
        let signature = make(self.key.sign(self.signed_text().as_bytes()));
        self.signature(signature)
    }

    /// The header and payload as they are signed.
    pub fn signed_text(&self) -> String {
        format!("{}.{}", base64url(&self.header), base64url(&self.payload))
    }

    /// The token so far.
    pub fn token(&self) -> String {
        let text = self.signed_text();
        let signature = match &self.signature {
            Some(bytes) => base64url(bytes),
            None => base64url(self.key.sign(text.as_bytes()).bytes()),
        };
        format!("{text}.{signature}")
    }

    /// Not the token itself is verified, but what is made of it.
    pub fn sent_as(mut self, make: impl FnOnce(String) -> String) -> Self {
        let sent = make(self.token());
        assert_ne!(sent, self.token(), "{}: nothing was changed", self.name);
        self.input = Some(Input::Token(sent.into()));
        self
    }

    /// The token arrives in the value of an `Authorization` header.
    pub fn in_header(mut self, make: impl FnOnce(String) -> String) -> Self {
        self.input = Some(Input::Header(make(self.token()).into()));
        self
    }

    /// Verified with these keys.
    pub fn key_set(mut self, name: &str) -> Self {
        self.key_set = name.to_owned();
        self
    }

    /// Verified for this issuer.
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.options.issuer = issuer.to_owned();
        self
    }

    /// Verified for this issuer as well.
    pub fn further_issuer(mut self, issuer: &str, key_set: &str) -> Self {
        self.options.issuers.push(Issuer { issuer: issuer.to_owned(), key_set: key_set.to_owned() });
        self
    }

    /// Verified for these audiences.
    pub fn audiences(mut self, audiences: &[&str]) -> Self {
        self.options.audiences = owned(audiences);
        self
    }

    /// Verified with this leeway.
    pub fn leeway(mut self, seconds: i64) -> Self {
        self.options.leeway = Some(seconds);
        self
    }

    /// Verified with these requirements.
    pub fn require(mut self, requirements: &[&str]) -> Self {
        self.options.require = owned(requirements);
        self
    }

    /// Verified without `aud`.
    pub fn ignore_audience(mut self) -> Self {
        self.options.ignore_audience = true;
        self
    }

    /// Verified with a longest lifetime.
    pub fn max_lifetime(mut self, seconds: i64) -> Self {
        self.options.max_lifetime_seconds = Some(seconds);
        self
    }

    /// Verified with the older claims of the organization.
    pub fn legacy_organization(mut self) -> Self {
        self.options.legacy_organization = true;
        self
    }

    fn requirements(&mut self) -> &mut Requirements {
        self.options.requirements.get_or_insert_default()
    }

    /// Verified with these required flags.
    pub fn require_flags(mut self, flags: u32) -> Self {
        self.requirements().flags |= flags;
        self
    }

    /// Verified with this required claim.
    pub fn require_claim(mut self, pointer: &str, json: &str) -> Self {
        let claim = RequiredClaim { pointer: pointer.to_owned(), json: json.to_owned() };
        self.requirements().claims.push(claim);
        self
    }

    /// Verified with this organization among those required.
    pub fn require_organization(mut self, id: &str, role: Option<&str>) -> Self {
        let organization = RequiredOrganization { id: id.to_owned(), role: role.map(str::to_owned) };
        self.requirements().organizations.push(organization);
        self
    }

    /// Verified at `NOW`.
    pub fn now(mut self) -> Self {
        self.options.now = Some(NOW);
        self
    }

    /// Accepted, with the claims of a valid token.
    pub fn accepted(self) -> Case {
        self.accepted_with(|_| ())
    }

    /// Accepted, with the claims of a valid token but for some changes.
    pub fn accepted_with(self, change: impl FnOnce(&mut Auth)) -> Case {
        let claims = String::from_utf8(self.payload.clone()).expect("good claims are text");
        let mut auth = Auth {
            user_id: USER.to_owned(),
            environment_id: ENVIRONMENT.to_owned(),
            issuer: ISSUER.to_owned(),
            locale: None,
            email_verified: false,
            profile_complete: true,
            impersonating: false,
            actor_id: None,
            organization_id: None,
            organization_role: None,
            flags: 0,
            issued_at: ISSUED_AT,
            expires_at: EXPIRES_AT,
            claims_json: claims.into(),
        };
        change(&mut auth);
        let flags = [auth.email_verified, auth.profile_complete, !auth.impersonating, auth.organization_id.is_some()];
        auth.flags = flags.into_iter().enumerate().map(|(bit, met)| u32::from(met) << bit).sum();
        self.finish("TORII_OK", Some(auth))
    }

    /// Refused with this status.
    pub fn refused(self, status: &str) -> Case {
        self.finish(status, None)
    }

    fn finish(self, status: &str, auth: Option<Auth>) -> Case {
        let token = self.token();
        Case {
            name: self.name,
            about: self.about,
            input: self.input.unwrap_or_else(|| Input::Token(token.into())),
            key_set: self.key_set,
            options: self.options,
            expect: Expect { status: status.to_owned(), auth },
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
