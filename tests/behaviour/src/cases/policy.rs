//! Requirements that a valid token must meet.

use super::POLICY;
use crate::Corpus;
use crate::draft::{claims, draft};

const EMAIL: &str = "email_verified";
const PROFILE: &str = "profile_complete";
const OWNER: &str = "not_impersonated";

pub fn add(corpus: &mut Corpus) {
    corpus.cases.extend([
        draft("policy-email-verified", "Required, and so.").require(&[EMAIL]).claim(EMAIL, "true").accepted_with(|auth| auth.email_verified = true),
        draft("policy-email-not-verified", "Required, and not so.").require(&[EMAIL]).claim(EMAIL, "false").refused(POLICY),
        draft("policy-email-unknown", "Required, and not mentioned.").require(&[EMAIL]).refused(POLICY),
        draft("policy-email-string", "Required, and a text that looks like it.").require(&[EMAIL]).claim(EMAIL, r#""true""#).refused(POLICY),
        draft("policy-profile-complete", "Required, and so.").require(&[PROFILE]).claim(PROFILE, "true").accepted(),
        draft("policy-profile-unknown", "Required, and not mentioned, which means so.").require(&[PROFILE]).accepted(),
        draft("policy-profile-incomplete", "Required, and not so.").require(&[PROFILE]).claim(PROFILE, "false").refused(POLICY),
        draft("policy-not-impersonated", "Required, and so.").require(&[OWNER]).claim("impersonating", "false").accepted(),
        draft("policy-impersonation-unknown", "Required, and not mentioned, which means so.").require(&[OWNER]).accepted(),
        draft("policy-impersonated", "Required, and not so.").require(&[OWNER]).claim("impersonating", "true").refused(POLICY),
        draft("policy-all-met", "All three required, all three so.")
            .require(&[EMAIL, PROFILE, OWNER])
            .claim(EMAIL, "true")
            .accepted_with(|auth| auth.email_verified = true),
        draft("policy-one-of-three", "All three required, one not so.")
            .require(&[EMAIL, PROFILE, OWNER])
            .payload(claims().with(EMAIL, "true").with("impersonating", "true"))
            .refused(POLICY),
        draft("policy-none", "Nothing required: every user passes.")
            .payload(claims().with(PROFILE, "false").with("impersonating", "true"))
            .accepted_with(|auth| {
                auth.profile_complete = false;
                auth.impersonating = true;
            }),
    ]);
}
