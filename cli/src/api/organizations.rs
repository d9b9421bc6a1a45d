//! `torii organizations`.

use clap::{Args, Subcommand};

use super::body::Body;
use super::pages::Paging;
use super::{Call, Columns};
use crate::failure::Failure;

const COLUMNS: &Columns =
    &[("ID", "id"), ("NAME", "name"), ("SLUG", "slug"), ("CREATED", "createdAt")];

const MEMBERS: &Columns =
    &[("USER", "userId"), ("ROLE", "role"), ("ROLE NAME", "roleName"), ("JOINED", "joinedAt")];

#[derive(Subcommand)]
pub(crate) enum Organizations {
    /// List organizations, all of them or those whose name contains a text
    List(List),
    /// Show an organization
    Get(Get),
    /// List the users who belong to an organization
    Members(Members),
    /// Merge into an organization's metadata
    UpdateMetadata(UpdateMetadata),
    /// Merge into the metadata of a membership
    UpdateMemberMetadata(UpdateMemberMetadata),
}

#[derive(Args)]
pub(crate) struct List {
    /// A text their name contains
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Args)]
pub(crate) struct Get {
    /// The organization's id
    organization_id: String,
    #[command(flatten)]
    call: Call,
}

#[derive(Args)]
pub(crate) struct Members {
    /// The organization's id
    organization_id: String,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Args)]
pub(crate) struct UpdateMetadata {
    /// The organization's id
    organization_id: String,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    call: Call,
}

#[derive(Args)]
pub(crate) struct UpdateMemberMetadata {
    /// The organization's id
    organization_id: String,
    /// The member's user id
    user_id: String,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    call: Call,
}

impl Organizations {
    pub(super) fn run(&self) -> Result<(), Failure> {
        match self {
            Organizations::List(List { name, paging }) => {
                let (client, name) = (paging.call.client()?, name.as_deref());
                let organizations = client.organizations();
                paging.show(
                    COLUMNS,
                    |limit, cursor| organizations.list(limit, cursor, name),
                    || organizations.all(name),
                )
            }
            Organizations::Get(Get { organization_id, call }) => {
                call.object(&call.client()?.organizations().get(organization_id)?)
            }
            Organizations::Members(Members { organization_id, paging }) => {
                let client = paging.call.client()?;
                let organizations = client.organizations();
                paging.show(
                    MEMBERS,
                    |limit, cursor| organizations.list_members(organization_id, limit, cursor),
                    || organizations.all_members(organization_id),
                )
            }
            Organizations::UpdateMetadata(UpdateMetadata { organization_id, body, call }) => {
                let (body, client) = (body.required()?, call.client()?);
                call.object(&client.organizations().update_metadata(organization_id, body)?)
            }
            Organizations::UpdateMemberMetadata(update) => {
                let UpdateMemberMetadata { organization_id, user_id, body, call } = update;
                let (body, client) = (body.required()?, call.client()?);
                let organizations = client.organizations();
                call.object(&organizations.update_member_metadata(
                    organization_id,
                    user_id,
                    body,
                )?)
            }
        }
    }
}
