//! `torii invitations`.

use clap::{Args, Subcommand};

use super::body::Body;
use super::pages::Paging;
use super::{Call, Columns};
use crate::failure::Failure;

const COLUMNS: &Columns = &[
    ("ID", "id"),
    ("EMAIL", "email"),
    ("STATUS", "status"),
    ("EXPIRES", "expiresAt"),
    ("CREATED", "createdAt"),
];

#[derive(Subcommand)]
pub(crate) enum Invitations {
    /// List invitations
    List(List),
    /// Show an invitation, with its metadata
    Get(OfInvitation),
    Create(Create),
    /// Send an invitation again, with a new link
    Resend(OfInvitation),
    /// Revoke an invitation
    Revoke(OfInvitation),
    /// Merge into the metadata of a pending invitation
    UpdateMetadata(UpdateMetadata),
}

#[derive(Args)]
pub(crate) struct List {
    /// Only invitations in this state, such as PENDING; repeatable
    #[arg(long, value_name = "STATE")]
    status: Vec<String>,
    /// Only invitations that contain this text
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Args)]
pub(crate) struct OfInvitation {
    /// The invitation's id
    invitation_id: String,
    #[command(flatten)]
    call: Call,
}

/// Send an invitation by email
#[derive(Args)]
#[command(after_help = "\
Fields: email, expiresInDays, redirectUrl, publicMetadata, privateMetadata. Metadata is empty
unless set.

Examples:
  torii invitations create --set email=ada@example.com --set-json expiresInDays=3")]
pub(crate) struct Create {
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    call: Call,
}

#[derive(Args)]
pub(crate) struct UpdateMetadata {
    /// The invitation's id
    invitation_id: String,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    call: Call,
}

impl Invitations {
    pub(super) fn run(&self) -> Result<(), Failure> {
        match self {
            Invitations::List(List { status, search, paging }) => {
                let (client, search) = (paging.call.client()?, search.as_deref());
                let statuses: Vec<_> = status.iter().map(String::as_str).collect();
                let invitations = client.invitations();
                paging.show(
                    COLUMNS,
                    |limit, cursor| invitations.list(limit, cursor, &statuses, search),
                    || invitations.all(&statuses, search),
                )
            }
            Invitations::Get(OfInvitation { invitation_id, call }) => {
                call.object(&call.client()?.invitations().get(invitation_id)?)
            }
            Invitations::Create(Create { body, call }) => {
                let bags = [("publicMetadata", "{}"), ("privateMetadata", "{}")];
                call.object(&call.client()?.invitations().create(body.with_defaults(&bags)?)?)
            }
            Invitations::Resend(OfInvitation { invitation_id, call }) => {
                call.object(&call.client()?.invitations().resend(invitation_id)?)
            }
            Invitations::Revoke(OfInvitation { invitation_id, call }) => {
                call.client()?.invitations().revoke(invitation_id)?;
                call.done()
            }
            Invitations::UpdateMetadata(UpdateMetadata { invitation_id, body, call }) => {
                let (body, client) = (body.required()?, call.client()?);
                call.object(&client.invitations().update_metadata(invitation_id, body)?)
            }
        }
    }
}
