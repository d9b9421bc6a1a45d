//! The options: of the command line, of the environment and of the file.

use std::path::PathBuf;

use clap::{Args, ValueEnum, value_parser};
use torii::{
    REQUIRE_EMAIL_VERIFIED, REQUIRE_NOT_IMPERSONATED, REQUIRE_ORGANIZATION,
    REQUIRE_PROFILE_COMPLETE, Requirements,
};

use crate::address::Address;
use crate::identity::IdentityHeader;

/// Answer authorization requests of reverse proxies (forward authentication).
///
/// For Traefik, Caddy, nginx (auth_request), ingress-nginx, HAProxy and Envoy (ext_authz). Every request
/// to --listen is one, with any path. The answer is 200 with identity headers, or 401, 403 or 503 for
/// the client. Ends with SIGTERM or SIGINT, after the requests in progress.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = "\
Each option is also a variable, such as TORII_GATE_KEY_CACHE, with commas between several values, and a \
key of the file, such as key-cache, with an array of several values. The command line comes first, then \
the environment, then the file.

Examples:
  torii gate --issuer https://acme.torii.so --header X-User-Id=/sub
  torii gate --config /etc/torii/gate.toml --check")]
pub struct Options {
    /// Read options from this TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Check the configuration, and exit
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Options that the environment and the file can set as well.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Answer requests here: IP:PORT, unix:/PATH or systemd:NAME; repeatable [default: 127.0.0.1:9180]
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub(crate) listen: Vec<Address>,
    /// Answer /healthy, /ready and /metrics here; never where clients or proxies reach it
    #[arg(long, value_name = "ADDRESS", help_heading = "Addresses")]
    pub(crate) admin: Option<Address>,
    /// The permissions of Unix sockets, in octal, such as 660
    #[arg(long, value_name = "MODE", value_parser = mode, help_heading = "Addresses")]
    pub(crate) socket_mode: Option<Mode>,
    /// The most open connections; further ones wait [default: 20000]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1_000_000), help_heading = "Addresses")]
    pub(crate) max_connections: Option<u32>,
    /// Threads that answer requests [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=1024), help_heading = "Addresses")]
    pub(crate) threads: Option<u32>,
    /// How long requests in progress may take at the end, in seconds, 0 to 3600 [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u32).range(0..=3600), help_heading = "Addresses")]
    pub(crate) shutdown_timeout: Option<u32>,

    /// A trusted issuer; repeatable
    #[arg(long, value_name = "URL", help_heading = "Tokens")]
    pub(crate) issuer: Vec<String>,
    /// An accepted audience; repeatable. The claim `aud` has to name one of them
    #[arg(long, value_name = "NAME", help_heading = "Tokens")]
    pub(crate) audience: Vec<String>,
    /// Do not check `aud`. Without this option and --audience, a token with `aud` is invalid
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, help_heading = "Tokens")]
    pub(crate) ignore_audience: Option<bool>,
    /// Clock difference to tolerate, in seconds, 0 to 300 [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u32).range(0..=300), help_heading = "Tokens")]
    pub(crate) leeway: Option<u32>,
    /// The longest accepted lifetime of a token, `exp` - `iat`, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u32).range(1..), help_heading = "Tokens")]
    pub(crate) max_lifetime: Option<u32>,
    /// Also read the organization from the older claims `org_id` and `org_role`. A JWT template can
    /// set claims with these names
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, help_heading = "Tokens")]
    pub(crate) legacy_organization: Option<bool>,
    /// Revoked users: this file, read again when it changes
    #[arg(long, value_name = "FILE", help_heading = "Tokens")]
    pub(crate) revocations: Option<PathBuf>,
    /// Read the token from this cookie if the header is absent or empty
    #[arg(long, value_name = "NAME", help_heading = "Tokens")]
    pub(crate) cookie: Option<String>,
    /// The header with `Bearer TOKEN` [default: Authorization]
    #[arg(long, value_name = "NAME", help_heading = "Tokens")]
    pub(crate) token_header: Option<String>,

    #[command(flatten)]
    pub(crate) access: Access,

    /// An identity header of the answer 200, and its claim: a JSON pointer, the name of a claim, or
    /// actor_id, organization_id, organization_role, impersonating, email_verified,
    /// profile_complete; repeatable
    #[arg(long, value_name = "NAME=CLAIM", help_heading = "Answers")]
    pub(crate) header: Vec<IdentityHeader>,
    /// The realm in WWW-Authenticate [default: torii]
    #[arg(long, value_name = "TEXT", help_heading = "Answers")]
    pub(crate) realm: Option<String>,
    /// The URL of the protected resource metadata in WWW-Authenticate (RFC 9728)
    #[arg(long, value_name = "URL", help_heading = "Answers")]
    pub(crate) resource_metadata: Option<String>,

    /// Use the keys in this file, a JWK Set, and fetch none; with one issuer
    #[arg(long, value_name = "FILE", help_heading = "Keys")]
    pub(crate) jwks: Option<PathBuf>,
    /// Keep fetched keys in this directory for the next start. Anyone who can write there can log in as any user
    #[arg(long, value_name = "DIR", help_heading = "Keys")]
    pub(crate) key_cache: Option<PathBuf>,
    /// How long keys last, in seconds, 1 to 86400, regardless of the issuer's headers
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u32).range(1..=86_400), help_heading = "Keys")]
    pub(crate) key_lifetime: Option<u32>,
    /// How long keys stay in use while the issuer is unreachable, in seconds [default: 86400]
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u32).range(0..=2_592_000), help_heading = "Keys")]
    pub(crate) max_stale: Option<u32>,
    /// Timeout for fetching keys, and how long a request may wait for them, in seconds, 1 to 60
    /// [default: 5]
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u32).range(1..=60), help_heading = "Keys")]
    pub(crate) timeout: Option<u32>,
    /// Trust the certificate authorities in this PEM file instead of the system's
    #[arg(long, value_name = "FILE", help_heading = "Keys")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Fetch keys through this proxy, such as http://proxy.example:3128
    #[arg(long, value_name = "URL", help_heading = "Keys")]
    pub(crate) proxy: Option<String>,
    /// Allow plain http to hosts other than this one. Anyone on the network path can then forge keys
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, help_heading = "Keys")]
    pub(crate) allow_http: Option<bool>,
    /// Verify signatures with tables of the keys: faster, and more memory
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, help_heading = "Keys")]
    pub(crate) fixed_base: Option<bool>,
    /// Memory for tokens that were verified before, in bytes; 0: none [default: 8388608]
    #[arg(long, value_name = "BYTES", help_heading = "Keys")]
    pub(crate) token_cache: Option<usize>,
}

/// The requirements: options of the gate, and of an address of its own in the file.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Access {
    /// A requirement for every login; repeatable
    #[arg(long, value_name = "FLAG", value_delimiter = ',', help_heading = "Access")]
    pub(crate) require: Vec<Flag>,
    /// A claim that every login has to have: it equals the JSON scalar, or is an array that holds it;
    /// repeatable
    #[arg(long, value_name = "POINTER=JSON", value_parser = required_claim, help_heading = "Access")]
    pub(crate) require_claim: Vec<RequiredClaim>,
    /// An organization that has to be active, and the role in it; one of those named
    #[arg(long, value_name = "ID[=ROLE]", value_parser = required_organization, help_heading = "Access")]
    pub(crate) require_organization: Vec<RequiredOrganization>,
    /// Answer 200 to requests without credentials, with empty identity headers. Invalid credentials
    /// are still refused
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true, help_heading = "Access")]
    pub(crate) optional: Option<bool>,
}

/// `[[route]]` in the file: further requirements, at addresses of their own.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Route {
    #[arg(long)]
    pub(crate) listen: Vec<Address>,
    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Flag {
    /// The user's email address is verified
    EmailVerified,
    /// The profile is complete
    ProfileComplete,
    /// No impersonator is acting as the user
    NotImpersonated,
    /// An organization is active
    Organization,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequiredClaim {
    pointer: String,
    json: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequiredOrganization {
    id: String,
    role: Option<String>,
}

fn required_claim(text: &str) -> Result<RequiredClaim, String> {
    let (pointer, json) =
        text.split_once('=').ok_or("expected POINTER=JSON, such as /plan=\"pro\"")?;
    let added = Requirements::new().add_claim(pointer, json).map(drop);
    added.map_err(|error| format!("{error} (expected POINTER=JSON, such as /plan=\"pro\")"))?;
    Ok(RequiredClaim { pointer: pointer.to_owned(), json: json.to_owned() })
}

fn required_organization(text: &str) -> Result<RequiredOrganization, String> {
    let (id, role) = match text.split_once('=') {
        Some((id, role)) => (id, Some(role)),
        None => (text, None),
    };
    Requirements::new().add_organization(id, role).map_err(|error| error.to_string())?;
    Ok(RequiredOrganization { id: id.to_owned(), role: role.map(str::to_owned) })
}

/// Permissions of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mode(pub(crate) u32);

fn mode(text: &str) -> Result<Mode, &'static str> {
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let mode = u32::from_str_radix(text, 8).ok().filter(|_| digits);
    mode.map(Mode).ok_or("not permissions (expected three octal digits, such as 660)")
}

impl Access {
    /// The requirements, if there are any.
    pub(crate) fn requirements(&self) -> torii::Result<Option<Requirements>> {
        let Access { require, require_claim, require_organization, optional: _ } = self;
        if require.is_empty() && require_claim.is_empty() && require_organization.is_empty() {
            return Ok(None);
        }
        let mut requirements = Requirements::new();
        for flag in require {
            requirements.add_flags(match flag {
                Flag::EmailVerified => REQUIRE_EMAIL_VERIFIED,
                Flag::ProfileComplete => REQUIRE_PROFILE_COMPLETE,
                Flag::NotImpersonated => REQUIRE_NOT_IMPERSONATED,
                Flag::Organization => REQUIRE_ORGANIZATION,
            })?;
        }
        for RequiredClaim { pointer, json } in require_claim {
            requirements.add_claim(pointer, json)?;
        }
        for RequiredOrganization { id, role } in require_organization {
            requirements.add_organization(id, role.as_deref())?;
        }
        Ok(Some(requirements))
    }

    fn over(self, below: Access) -> Access {
        Access {
            require: self.require.over(below.require),
            require_claim: self.require_claim.over(below.require_claim),
            require_organization: self.require_organization.over(below.require_organization),
            optional: self.optional.over(below.optional),
        }
    }
}

impl Settings {
    /// These settings; where one is absent, that of `below`. Lists are not joined.
    pub(crate) fn over(self, below: Settings) -> Settings {
        Settings {
            listen: self.listen.over(below.listen),
            admin: self.admin.over(below.admin),
            socket_mode: self.socket_mode.over(below.socket_mode),
            max_connections: self.max_connections.over(below.max_connections),
            threads: self.threads.over(below.threads),
            shutdown_timeout: self.shutdown_timeout.over(below.shutdown_timeout),
            issuer: self.issuer.over(below.issuer),
            audience: self.audience.over(below.audience),
            ignore_audience: self.ignore_audience.over(below.ignore_audience),
            leeway: self.leeway.over(below.leeway),
            max_lifetime: self.max_lifetime.over(below.max_lifetime),
            legacy_organization: self.legacy_organization.over(below.legacy_organization),
            revocations: self.revocations.over(below.revocations),
            cookie: self.cookie.over(below.cookie),
            token_header: self.token_header.over(below.token_header),
            access: self.access.over(below.access),
            header: self.header.over(below.header),
            realm: self.realm.over(below.realm),
            resource_metadata: self.resource_metadata.over(below.resource_metadata),
            jwks: self.jwks.over(below.jwks),
            key_cache: self.key_cache.over(below.key_cache),
            key_lifetime: self.key_lifetime.over(below.key_lifetime),
            max_stale: self.max_stale.over(below.max_stale),
            timeout: self.timeout.over(below.timeout),
            ca_file: self.ca_file.over(below.ca_file),
            proxy: self.proxy.over(below.proxy),
            allow_http: self.allow_http.over(below.allow_http),
            fixed_base: self.fixed_base.over(below.fixed_base),
            token_cache: self.token_cache.over(below.token_cache),
        }
    }
}

trait Over {
    fn over(self, below: Self) -> Self;
}

impl<T> Over for Option<T> {
    fn over(self, below: Self) -> Self {
        self.or(below)
    }
}

impl<T> Over for Vec<T> {
    fn over(self, below: Self) -> Self {
        if self.is_empty() { below } else { self }
    }
}
