//! `torii sessions`.

use clap::{Args, Subcommand};

use super::{Call, Columns};
use crate::failure::Failure;

const COLUMNS: &Columns = &[
    ("ID", "id"),
    ("LAST USED", "lastUsedAt"),
    ("EXPIRES", "expiresAt"),
    ("ADDRESS", "ipAddress"),
    ("BROWSER", "userAgent"),
    ("IMPERSONATED BY", "impersonatedBy"),
];

#[derive(Subcommand)]
pub(crate) enum Sessions {
    /// List the active sessions of a user
    List(OfUser),
    /// End a session of a user. Succeeds if it has already ended
    Revoke(Revoke),
    /// End all sessions of a user
    RevokeAll(OfUser),
}

#[derive(Args)]
pub(crate) struct OfUser {
    /// The user's id
    user_id: String,
    #[command(flatten)]
    call: Call,
}

#[derive(Args)]
pub(crate) struct Revoke {
    /// The user's id
    user_id: String,
    /// The session's id
    session_id: String,
    #[command(flatten)]
    call: Call,
}

impl Sessions {
    pub(super) fn run(&self) -> Result<(), Failure> {
        match self {
            Sessions::List(OfUser { user_id, call }) => {
                call.list(&call.client()?.sessions().list_for_user(user_id)?, COLUMNS)
            }
            Sessions::Revoke(Revoke { user_id, session_id, call }) => {
                call.client()?.sessions().revoke(user_id, session_id)?;
                call.done()
            }
            Sessions::RevokeAll(OfUser { user_id, call }) => {
                call.client()?.sessions().revoke_all_for_user(user_id)?;
                call.done()
            }
        }
    }
}
