//! `torii users`.

use clap::{Args, Subcommand};

use super::body::Body;
use super::pages::Paging;
use super::{Call, Columns};
use crate::failure::Failure;

const COLUMNS: &Columns = &[
    ("ID", "id"),
    ("EMAIL", "email"),
    ("NAME", "name"),
    ("STATUS", "status"),
    ("CREATED", "createdAt"),
];

const ORGANIZATIONS: &Columns = &[
    ("ID", "organizationId"),
    ("NAME", "name"),
    ("SLUG", "slug"),
    ("ROLE", "role"),
    ("JOINED", "joinedAt"),
];

#[derive(Subcommand)]
pub(crate) enum Users {
    List(List),
    /// Show a user
    Get(OfUser),
    Create(Create),
    Update(Update),
    UpdateMetadata(UpdateMetadata),
    /// Delete a user
    Delete(OfUser),
    /// Ban a user and end all sessions. Issued tokens stay valid until they expire
    Ban(OfUser),
    /// Lift a ban
    Unban(OfUser),
    /// List the organizations a user belongs to
    Organizations(Organizations),
}

/// List users, optionally filtered
#[derive(Args)]
#[command(after_help = "\
Filter fields: name, email (both match a part), statuses, userIds, emailAddresses, createdAfter,
createdBefore, organizationId.

Examples:
  torii users list --set email=@example.com --set-json 'statuses=[\"active\",\"banned\"]'
  torii users list --all --json | jq -r '.[].email'")]
pub(crate) struct List {
    #[command(flatten)]
    filter: Body,
    #[command(flatten)]
    paging: Paging,
}

#[derive(Args)]
pub(crate) struct OfUser {
    /// The user's id
    user_id: String,
    #[command(flatten)]
    call: Call,
}

/// Create a user
#[derive(Args)]
#[command(after_help = "\
Fields: email, password, firstName, lastName, publicMetadata, privateMetadata, unsafeMetadata.
Pass a password with --body -: arguments are visible in the process list.

Examples:
  torii users create --set email=ada@example.com --set firstName=Ada
  jq -n '{email: \"ada@example.com\", password: env.PASSWORD}' | torii users create --body -")]
pub(crate) struct Create {
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    call: Call,
}

/// Update a user: set or clear fields
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii users update \"$USER_ID\" --set firstName=Ada --null lastName
  echo '{\"locale\": \"da\"}' | torii users update \"$USER_ID\" --body -")]
pub(crate) struct Update {
    /// The user's id
    user_id: String,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    call: Call,
}

/// Merge into a user's metadata
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii users update-metadata \"$USER_ID\" --set publicMetadata.plan=pro --null publicMetadata.trial")]
pub(crate) struct UpdateMetadata {
    /// The user's id
    user_id: String,
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    call: Call,
}

#[derive(Args)]
pub(crate) struct Organizations {
    /// The user's id
    user_id: String,
    #[command(flatten)]
    paging: Paging,
}

impl Users {
    pub(super) fn run(&self) -> Result<(), Failure> {
        match self {
            Users::List(List { filter, paging }) => {
                let (client, filter) = (paging.call.client()?, filter.optional()?);
                let (users, filter) = (client.users(), filter.as_deref());
                paging.show(
                    COLUMNS,
                    |limit, cursor| users.list(limit, cursor, filter),
                    || users.all(filter),
                )
            }
            Users::Get(OfUser { user_id, call }) => {
                call.object(&call.client()?.users().get(user_id)?)
            }
            Users::Create(Create { body, call }) => {
                // All fields are optional.
                let body = body.optional()?.unwrap_or("{}".to_owned());
                call.object(&call.client()?.users().create(body)?)
            }
            Users::Update(Update { user_id, body, call }) => {
                let body = body.required()?;
                call.object(&call.client()?.users().update(user_id, body)?)
            }
            Users::UpdateMetadata(UpdateMetadata { user_id, body, call }) => {
                let body = body.required()?;
                call.object(&call.client()?.users().update_metadata(user_id, body)?)
            }
            Users::Delete(OfUser { user_id, call }) => {
                call.client()?.users().delete(user_id)?;
                call.done()
            }
            Users::Ban(OfUser { user_id, call }) => {
                call.object(&call.client()?.users().ban(user_id)?)
            }
            Users::Unban(OfUser { user_id, call }) => {
                call.object(&call.client()?.users().unban(user_id)?)
            }
            Users::Organizations(Organizations { user_id, paging }) => {
                let client = paging.call.client()?;
                let users = client.users();
                paging.show(
                    ORGANIZATIONS,
                    |limit, cursor| users.list_organizations(user_id, limit, cursor),
                    || users.all_organizations(user_id),
                )
            }
        }
    }
}
