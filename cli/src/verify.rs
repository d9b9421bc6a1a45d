//! `torii verify`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use torii::{
    Auth, Error, REQUIRE_EMAIL_VERIFIED, REQUIRE_NOT_IMPERSONATED, REQUIRE_ORGANIZATION,
    REQUIRE_PROFILE_COMPLETE, Verifier,
};

use crate::failure::Failure;
use crate::issuer::FetchArgs;
use crate::terminal::{Style, escape, line, print, styled};
use crate::{input, show, terminal};

/// Verify a token and show its claims.
///
/// Exit status: 0 for a valid token, 1 for an invalid one (HTTP 401), 3 for a valid one that does not
/// meet a requirement (403), 4 if the signing keys are unavailable (503), 2 for an invalid command
/// line. The reason is on standard error.
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii verify --issuer https://acme.torii.so \"$TOKEN\"
  pbpaste | torii verify --issuer https://acme.torii.so --require email-verified
  torii verify --issuer https://acme.torii.so --jwks keys.json --json < token | jq .claims")]
pub(crate) struct Verify {
    /// The token, or the value of an Authorization header. `-` or no argument: read it from standard
    /// input, which keeps it out of the process list
    token: Option<String>,
    /// An accepted issuer; repeatable
    #[arg(long, value_name = "URL", env = "TORII_ISSUER", hide_env_values = true, required = true)]
    issuer: Vec<String>,
    /// An accepted audience; repeatable. The claim `aud` has to name one of them
    #[arg(long, value_name = "NAME")]
    audience: Vec<String>,
    /// Do not check `aud`. Without this option and --audience, a token with `aud` is invalid
    #[arg(long, conflicts_with = "audience")]
    ignore_audience: bool,
    /// The longest accepted lifetime of a token, `exp` - `iat`, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    max_lifetime: Option<u32>,
    /// Also read the organization from the older claims `org_id` and `org_role`. A JWT template can
    /// set claims with these names
    #[arg(long)]
    legacy_organization: bool,
    /// Clock difference to tolerate, in seconds, 0 to 300
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=300))]
    leeway: u32,
    /// A requirement that a valid token has to meet; repeatable
    #[arg(long, value_delimiter = ',', value_name = "CLAIM")]
    require: Vec<Require>,
    /// Use the keys in this file, a JWK Set, and fetch none
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Verify as of this time, in Unix seconds, instead of now
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    now: Option<i64>,
    /// Print the result and the claims as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    fetch: FetchArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum Require {
    /// The user's email address is verified
    EmailVerified,
    /// The profile is complete
    ProfileComplete,
    /// No impersonator is acting as the user
    NotImpersonated,
    /// An organization is active
    Organization,
}

impl Verify {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let verifier = self.verifier()?;
        let token = input::token(self.token.as_deref())?;
        terminal::wait_for("the issuer");
        let result = match input::is_header(&token) {
            true => verifier.authenticate(&token),
            false => verifier.verify(&token),
        };
        if self.json {
            let printed = line(&json_of(&result));
            // The exit status is the result even if the reader has closed the pipe.
            return result.map_err(Failure::from).and(printed);
        }
        let auth = result?;
        print(&text_of(&auth, self.now.unwrap_or_else(show::now)))
    }

    fn verifier(&self) -> Result<Verifier, Failure> {
        let mut options = self.fetch.options()?;
        options
            .set_leeway_seconds(self.leeway)?
            .set_max_lifetime_seconds(self.max_lifetime.unwrap_or(0))
            .set_ignore_audience(self.ignore_audience)
            .set_legacy_organization(self.legacy_organization);
        for audience in &self.audience {
            options.add_audience(audience)?;
        }
        for require in &self.require {
            options.require(match require {
                Require::EmailVerified => REQUIRE_EMAIL_VERIFIED,
                Require::ProfileComplete => REQUIRE_PROFILE_COMPLETE,
                Require::NotImpersonated => REQUIRE_NOT_IMPERSONATED,
                Require::Organization => REQUIRE_ORGANIZATION,
            })?;
        }
        if let Some(now) = self.now {
            options.set_clock(move || now);
        }
        let Some((first, further)) = self.issuer.split_first() else {
            return Err(Failure::usage("issuer: missing (expected --issuer or $TORII_ISSUER)"));
        };
        if let Some(path) = &self.jwks {
            if !further.is_empty() {
                return Err(Failure::usage(
                    "--jwks: given with several issuers (expected one: the file has the keys of one)",
                ));
            }
            options.set_jwks(input::file(path, "key set")?.as_bytes())?;
        }
        for issuer in further {
            options.add_issuer(issuer)?;
        }
        Ok(Verifier::new(first, &options)?)
    }
}

fn text_of(auth: &Auth, now: i64) -> String {
    let or_none = |text: Option<&str>| text.map_or("-".to_owned(), escape);
    let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let fields = [
        ("user", escape(auth.user_id())),
        ("environment", escape(auth.environment_id())),
        ("issuer", escape(auth.issuer())),
        ("locale", or_none(auth.locale())),
        ("email verified", yes_no(auth.email_verified())),
        ("profile complete", yes_no(auth.profile_complete())),
        ("impersonated", yes_no(auth.impersonating())),
        ("actor", or_none(auth.actor_id())),
        ("organization", or_none(auth.organization_id())),
        ("role", or_none(auth.organization_role())),
        ("issued", show::time(auth.issued_at(), now)),
        ("expires", show::time(auth.expires_at(), now)),
        ("claims", escape(auth.claims_json())),
    ];
    format!("{}\n{}", styled(Style::Success, "valid"), show::fields(fields.into_iter()))
}

fn json_of(result: &Result<Auth, Error>) -> String {
    match result {
        Ok(auth) => {
            let members = json!({
                "valid": true,
                "status": "TORII_OK",
                "http": 200,
                "userId": auth.user_id(),
                "environmentId": auth.environment_id(),
                "issuer": auth.issuer(),
                "locale": auth.locale(),
                "emailVerified": auth.email_verified(),
                "profileComplete": auth.profile_complete(),
                "impersonating": auth.impersonating(),
                "actorId": auth.actor_id(),
                "organizationId": auth.organization_id(),
                "organizationRole": auth.organization_role(),
                "issuedAt": auth.issued_at(),
                "expiresAt": auth.expires_at(),
            });
            // Exactly as signed: numbers and order unchanged.
            let claims = auth.claims_json();
            format!("{},\"claims\":{claims}}}", members.to_string().trim_end_matches('}'))
        }
        Err(error) => {
            let members = json!({
                "valid": false,
                "status": error.status().name(),
                "http": error.status().http(),
                "message": error.to_string(),
                "retryAfter": error.retry_after(),
            });
            members.to_string()
        }
    }
}
