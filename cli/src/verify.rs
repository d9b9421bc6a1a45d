//! `torii verify`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use torii::{
    Auth, Error, REQUIRE_EMAIL_VERIFIED, REQUIRE_NOT_IMPERSONATED, REQUIRE_PROFILE_COMPLETE,
    Verifier,
};

use crate::failure::Failure;
use crate::issuer::Fetching;
use crate::terminal::{Tone, line, print, tame, tone};
use crate::{input, show, terminal};

/// Judge a token: is it good, and whose is it?
///
/// The exit status is the verdict: 0 for a good token, 1 for a bad one (a server answers 401), 3 for
/// a good one that does not meet --require (403), 4 if the issuer's keys cannot be had, so that
/// nothing is known (503), 2 if the command line makes no sense. Why a token is refused is on
/// standard error.
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii verify --issuer https://acme.torii.so \"$TOKEN\"
  pbpaste | torii verify --issuer https://acme.torii.so --require email-verified
  torii verify --issuer https://acme.torii.so --jwks keys.json --json < token | jq .claims")]
pub(crate) struct Verify {
    /// The token, or the value of an Authorization header; `-` or nothing: read it from standard
    /// input, where it stays out of the list of processes
    token: Option<String>,
    /// An issuer whose tokens are good; may be repeated
    #[arg(long, value_name = "URL", env = "TORII_ISSUER", hide_env_values = true, required = true)]
    issuer: Vec<String>,
    /// Demand that `aud` names this audience, or another one given
    #[arg(long, value_name = "NAME")]
    audience: Vec<String>,
    /// How many seconds the clocks of torii and of this machine may differ, 0 to 300
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=300))]
    leeway: u32,
    /// What a good token has to say besides; may be repeated
    #[arg(long, value_delimiter = ',', value_name = "CLAIM")]
    require: Vec<Require>,
    /// Take the keys from this file, a JWK Set, and fetch nothing
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Judge as of this time, in Unix seconds, instead of now
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    now: Option<i64>,
    /// Print the verdict and the claims as JSON, whatever the verdict is
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    fetching: Fetching,
}

#[derive(Clone, Copy, ValueEnum)]
enum Require {
    /// The user's email address is verified
    EmailVerified,
    /// All required profile fields are set
    ProfileComplete,
    /// Nobody else is acting as the user
    NotImpersonated,
}

impl Verify {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let verifier = self.verifier()?;
        let token = input::token(self.token.as_deref())?;
        terminal::wait_for("the issuer");
        let verdict = match input::is_header(&token) {
            true => verifier.authenticate(&token),
            false => verifier.verify(&token),
        };
        if self.json {
            let printed = line(&json_of(&verdict));
            // The verdict is the exit status, even if nobody reads on.
            return verdict.map_err(Failure::from).and(printed);
        }
        let auth = verdict?;
        print(&text_of(&auth, self.now.unwrap_or_else(show::now)))
    }

    fn verifier(&self) -> Result<Verifier, Failure> {
        let mut options = self.fetching.options()?;
        options.set_leeway_seconds(self.leeway)?;
        for audience in &self.audience {
            options.add_audience(audience)?;
        }
        for require in &self.require {
            options.require(match require {
                Require::EmailVerified => REQUIRE_EMAIL_VERIFIED,
                Require::ProfileComplete => REQUIRE_PROFILE_COMPLETE,
                Require::NotImpersonated => REQUIRE_NOT_IMPERSONATED,
            })?;
        }
        if let Some(now) = self.now {
            options.set_clock(move || now);
        }
        let Some((first, further)) = self.issuer.split_first() else {
            return Err(Failure::usage("--issuer is missing"));
        };
        if let Some(path) = &self.jwks {
            if !further.is_empty() {
                return Err(Failure::usage("--jwks has the keys of one issuer: name only one"));
            }
            options.set_jwks(input::file(path, "the key set")?.as_bytes())?;
        }
        for issuer in further {
            options.add_issuer(issuer)?;
        }
        Ok(Verifier::new(first, &options)?)
    }
}

fn text_of(auth: &Auth, now: i64) -> String {
    let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let fields = [
        ("user", tame(auth.user_id())),
        ("environment", tame(auth.environment_id())),
        ("issuer", tame(auth.issuer())),
        ("locale", auth.locale().map_or("-".to_owned(), tame)),
        ("email verified", yes_no(auth.email_verified())),
        ("profile complete", yes_no(auth.profile_complete())),
        ("impersonated", yes_no(auth.impersonating())),
        ("issued", show::time(auth.issued_at(), now)),
        ("expires", show::time(auth.expires_at(), now)),
        ("claims", tame(auth.claims_json())),
    ];
    format!("{}\n{}", tone(Tone::Good, "good"), show::fields(fields.into_iter()))
}

fn json_of(verdict: &Result<Auth, Error>) -> String {
    match verdict {
        Ok(auth) => {
            let said = json!({
                "good": true,
                "status": "TORII_OK",
                "http": 200,
                "userId": auth.user_id(),
                "environmentId": auth.environment_id(),
                "issuer": auth.issuer(),
                "locale": auth.locale(),
                "emailVerified": auth.email_verified(),
                "profileComplete": auth.profile_complete(),
                "impersonating": auth.impersonating(),
                "issuedAt": auth.issued_at(),
                "expiresAt": auth.expires_at(),
            });
            // As they were signed: no number is rounded, no order changed.
            let claims = auth.claims_json();
            format!("{},\"claims\":{claims}}}", said.to_string().trim_end_matches('}'))
        }
        Err(error) => {
            let said = json!({
                "good": false,
                "status": error.status().name(),
                "http": error.status().http(),
                "message": error.to_string(),
                "retryAfter": error.retry_after(),
            });
            said.to_string()
        }
    }
}
