//! Settings that an operator makes in the dashboard.

use serde::Deserialize;

use crate::claims::ClaimFormat;

/// The settings of an environment.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where invited people sign up. Without it there are no invitations (400).
    pub sign_up_url: Option<String>,
    /// Where impersonations land if the request names no place.
    pub landing_url: Option<String>,
    /// How many more invitations may be sent before 429; unlimited by default.
    pub invitation_quota: Option<u32>,
    /// The `Retry-After` of that 429, in seconds.
    pub retry_after: u32,
    /// How many more impersonation tokens may be issued before 402; unlimited by default.
    pub impersonation_quota: Option<u32>,
    /// Whether users can be impersonated. If not, the server API answers 403.
    pub impersonation_enabled: bool,
    /// Which claims tokens carry; [`Mint`](crate::Mint) can choose otherwise for one token.
    pub claims: ClaimFormat,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sign_up_url: Some("https://app.example.com/sign-up".to_owned()),
            landing_url: None,
            invitation_quota: None,
            retry_after: 30,
            impersonation_quota: None,
            impersonation_enabled: true,
            claims: ClaimFormat::default(),
        }
    }
}

/// Takes one from a quota. Returns false if it is used up.
pub(crate) fn take(quota: &mut Option<u32>) -> bool {
    match quota {
        None => true,
        Some(0) => false,
        Some(left) => {
            *left -= 1;
            true
        }
    }
}
