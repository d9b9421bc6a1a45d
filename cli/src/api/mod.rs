//! The backend API: one command for each operation.

mod allowed_origins;
mod body;
mod impersonation;
mod invitations;
mod organizations;
mod pages;
mod request;
mod sessions;
mod users;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use torii::{Client, ClientOptions, Json};

use crate::failure::{Class, Failure};
use crate::input::SecretKey;
use crate::show::{self, Members};
use crate::terminal::{self, line, print};

/// The commands, one for each resource.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Users of the environment
    #[command(subcommand)]
    Users(users::Users),
    /// Sessions of users
    #[command(subcommand)]
    Sessions(sessions::Sessions),
    /// Organizations and their members
    #[command(subcommand)]
    Organizations(organizations::Organizations),
    /// Invitations to sign up
    #[command(subcommand)]
    Invitations(invitations::Invitations),
    /// Impersonation of users
    #[command(subcommand)]
    Impersonation(impersonation::Impersonation),
    /// Origins that browsers may call torii from
    #[command(subcommand)]
    AllowedOrigins(allowed_origins::AllowedOrigins),
    Request(request::Request),
}

impl Command {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match self {
            Command::Users(users) => users.run(),
            Command::Sessions(sessions) => sessions.run(),
            Command::Organizations(organizations) => organizations.run(),
            Command::Invitations(invitations) => invitations.run(),
            Command::Impersonation(impersonation) => impersonation.run(),
            Command::AllowedOrigins(origins) => origins.run(),
            Command::Request(request) => request.run(),
        }
    }
}

/// Options for calling the API.
#[derive(Args)]
#[command(next_help_heading = "API")]
pub(crate) struct ApiArgs {
    /// The base URL of the API
    #[arg(
        long,
        value_name = "URL",
        env = "TORII_API_URL",
        hide_env_values = true,
        default_value = "https://api.torii.so"
    )]
    api_url: String,
    /// Trust the certificate authorities in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Allow plain http to hosts other than this one. It exposes the secret key on the network
    #[arg(long)]
    allow_http: bool,
    /// Timeout of a call, retries included, in seconds, 1 to 600
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    timeout: u32,
    /// Retries of idempotent calls, 0 to 10
    #[arg(long, value_name = "TIMES", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=10))]
    retries: u32,
}

/// Options of every call.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Call {
    /// Print the JSON of the API unchanged
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    secret_key: SecretKey,
    #[command(flatten)]
    api: ApiArgs,
}

/// The columns of a table: heading and member name.
pub(crate) type Columns = [(&'static str, &'static str)];

impl Call {
    /// Creates a client, and shows the wait for its call.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let mut options = ClientOptions::new();
        options
            .set_api_url(&self.api.api_url)?
            .set_allow_http(self.api.allow_http)
            .set_timeout_ms(self.api.timeout * 1_000)?
            .set_max_retries(self.api.retries)?
            .set_user_agent_suffix(concat!("torii-cli/", env!("CARGO_PKG_VERSION")))?;
        if let Some(path) = &self.api.ca_file {
            options.set_ca_file(path)?;
        }
        let client = Client::new(&self.secret_key.get()?, &options)?;
        terminal::wait_for("the API");
        Ok(client)
    }

    /// Prints an object.
    pub(crate) fn object(&self, answer: &Json) -> Result<(), Failure> {
        if self.json {
            return line(answer.text());
        }
        let members: Members = read(answer)?;
        print(&show::fields(members.iter().map(|(name, value)| (name, show::value(Some(value))))))
    }

    /// Prints a list without pages.
    pub(crate) fn list(&self, answer: &Json, columns: &Columns) -> Result<(), Failure> {
        if self.json {
            return line(answer.text());
        }
        let all: Vec<Members> = read(answer)?;
        print(&table(columns, &all))
    }

    /// Reports the success of an operation without an answer.
    pub(crate) fn done(&self) -> Result<(), Failure> {
        if self.json { Ok(()) } else { line("done") }
    }
}

pub(crate) fn table(columns: &Columns, all: &[Members]) -> String {
    let headings: Vec<_> = columns.iter().map(|(heading, _)| *heading).collect();
    let row = |members: &Members| {
        columns.iter().map(|(_, name)| show::value(members.get(name))).collect()
    };
    show::table(&headings, &all.iter().map(row).collect::<Vec<_>>())
}

/// Reads an answer of the expected form.
pub(crate) fn read<T: serde::de::DeserializeOwned>(answer: &Json) -> Result<T, Failure> {
    serde_json::from_str(answer.text()).map_err(|_| {
        Failure::new(Class::Unreachable, "answer: unexpected form; --json prints it unchanged")
    })
}
