//! `torii impersonation`.

use clap::{Args, Subcommand};

use super::Call;
use super::body::Body;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Impersonation {
    CreateToken(CreateToken),
}

/// Create a single-use token that signs an impersonator in as a user
#[derive(Args)]
#[command(after_help = "\
Fields: actorUserId (who acts) and reason, both required; redirectUrl, expiresInSeconds (60 to 600).

Examples:
  torii impersonation create-token \"$USER_ID\" --set actorUserId=\"$OWN_ID\" --set reason='ticket 4711'")]
pub(crate) struct CreateToken {
    /// The id of the user to impersonate
    user_id: String,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    call: Call,
}

impl Impersonation {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let Impersonation::CreateToken(CreateToken { user_id, body, call }) = self;
        let body = body.required()?;
        call.object(&call.client()?.impersonation().create_token(user_id, body)?)
    }
}
