//! `torii allowed-origins`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use torii::Json;

use super::Call;
use crate::failure::Failure;
use crate::show;
use crate::terminal::{line, print};

#[derive(Subcommand)]
pub(crate) enum AllowedOrigins {
    /// Show the origins
    Get(Get),
    Set(Set),
}

#[derive(Args)]
pub(crate) struct Get {
    #[command(flatten)]
    call: Call,
}

/// Replace all origins
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii allowed-origins set https://app.example.com https://www.example.com")]
pub(crate) struct Set {
    /// The new origins
    #[arg(required_unless_present = "none")]
    origins: Vec<String>,
    /// Remove all origins
    #[arg(long, conflicts_with = "origins")]
    none: bool,
    #[command(flatten)]
    call: Call,
}

impl AllowedOrigins {
    pub(super) fn run(&self) -> Result<(), Failure> {
        match self {
            AllowedOrigins::Get(Get { call }) => {
                show(call, &call.client()?.allowed_origins().get()?)
            }
            AllowedOrigins::Set(Set { origins, none: _, call }) => {
                let body = json!({ "origins": origins }).to_string();
                show(call, &call.client()?.allowed_origins().set(body)?)
            }
        }
    }
}

/// Prints the origins, one a line.
fn show(call: &Call, answer: &Json) -> Result<(), Failure> {
    if call.json {
        return line(answer.text());
    }
    let origins: Value = super::read(answer)?;
    let origins = origins.get("origins").and_then(Value::as_array).into_iter().flatten();
    let lines: String = origins.map(|one| format!("{}\n", show::value(Some(one)))).collect();
    print(if lines.is_empty() { "none\n" } else { &lines })
}
