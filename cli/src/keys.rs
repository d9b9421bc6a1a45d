//! `torii keys`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use torii::inspect::{self, IssuerReport, KeyReport, KeySetReport, Outcome};

use crate::failure::{Class, Failure};
use crate::issuer::FetchArgs;
use crate::terminal::{Style, escape, line, print, styled};
use crate::{input, show, terminal};

/// Show an issuer's keys: used, or skipped and why.
///
/// Fetches the keys once, as a verifier does. The exit status is 0 if a key is usable, 4 if none is.
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii keys --issuer https://acme.torii.so
  torii keys --jwks keys.json")]
pub(crate) struct Keys {
    /// The issuer
    #[arg(
        long,
        value_name = "URL",
        env = "TORII_ISSUER",
        hide_env_values = true,
        required_unless_present = "jwks"
    )]
    issuer: Option<String>,
    /// Read this file, a JWK Set, and fetch nothing; `-`: standard input
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    fetch: FetchArgs,
}

impl Keys {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        if let Some(path) = &self.jwks {
            let set = KeySetReport::read(input::file(path, "key set")?.as_bytes());
            return self.show(None, &set, &path.display().to_string());
        }
        let issuer = self.issuer.as_deref().unwrap_or_default();
        terminal::wait_for("the issuer");
        let report = inspect::issuer(issuer, &self.fetch.options()?)?;
        let why = match (&report.key_set, &report.visit.outcome) {
            (Some(set), Outcome::Answered { .. }) => {
                return self.show(Some(&report), set, &report.visit.url);
            }
            (_, Outcome::Answered { http_status, .. }) => format!("HTTP status {http_status}"),
            (_, Outcome::NotConnected(why) | Outcome::NoAnswer(why)) => why.clone(),
        };
        let url = &report.visit.url;
        Err(Failure::new(Class::Keys, format!("cannot fetch keys from {url}: {why}")))
    }

    fn show(
        &self,
        report: Option<&IssuerReport>,
        set: &KeySetReport,
        place: &str,
    ) -> Result<(), Failure> {
        let printed = if self.json {
            line(&json_of(report, set, place))
        } else {
            print(&text_of(report, set, place))
        };
        let refused =
            |why| Failure::new(Class::Keys, format!("{place}: not a usable key set: {why}"));
        match set.refused {
            Some(why) => Err(refused(why)),
            None => printed,
        }
    }
}

fn text_of(report: Option<&IssuerReport>, set: &KeySetReport, place: &str) -> String {
    let mut facts = vec![("keys of", escape(place))];
    if let Some(report) = report {
        facts.push(("fetched", format!("in {} ms", report.visit.took.as_millis())));
        facts.push(("age", age(report)));
        facts.push(("lifetime", lifetime(report)));
    }
    let (usable, all) = (set.usable(), set.keys.len());
    facts.push(("usable", format!("{usable} of {all}")));
    let rows: Vec<_> = set.keys.iter().map(row).collect();
    let table = show::table(&["KID", "TYPE", "CURVE", "ALG", "USE", "STATE"], &rows);
    let facts = show::fields(facts.into_iter());
    if rows.is_empty() { facts } else { format!("{facts}\n{table}") }
}

fn row(key: &KeyReport) -> Vec<String> {
    let cell = |text: &Option<String>| text.as_deref().map_or("-".to_owned(), escape);
    let state = match key.skipped {
        None => styled(Style::Success, "used"),
        Some(why) => styled(Style::Warning, &format!("skipped: {why}")),
    };
    vec![cell(&key.kid), cell(&key.kty), cell(&key.crv), cell(&key.alg), cell(&key.key_use), state]
}

/// The age of the answer, as told by a cache on the way.
fn age(report: &IssuerReport) -> String {
    match report.visit.outcome {
        Outcome::Answered { age: Some(age), .. } => {
            format!("{age} s, from an intermediate cache")
        }
        _ => "0 s".to_owned(),
    }
}

/// How long the keys are used, and why.
pub(crate) fn lifetime(report: &IssuerReport) -> String {
    let seconds = report.lifetime.as_secs();
    match report.max_age {
        None => format!("{seconds} s (the issuer sends no max-age)"),
        Some(max_age) if max_age == seconds => format!("{seconds} s (the issuer's max-age)"),
        Some(max_age) => format!("{seconds} s (the issuer's max-age of {max_age} s is limited)"),
    }
}

fn json_of(report: Option<&IssuerReport>, set: &KeySetReport, place: &str) -> String {
    let keys = set.keys.iter().map(|key| {
        json!({
            "kid": key.kid,
            "kty": key.kty,
            "crv": key.crv,
            "alg": key.alg,
            "use": key.key_use,
            "usable": key.skipped.is_none(),
            "skipped": key.skipped,
        })
    });
    let age = report.map(|report| match report.visit.outcome {
        Outcome::Answered { age: Some(age), .. } => age,
        _ => 0,
    });
    let all = json!({
        "place": place,
        "usable": set.usable(),
        "refused": set.refused,
        "age": age,
        "maxAge": report.and_then(|report| report.max_age),
        "lifetime": report.map(|report| report.lifetime.as_secs()),
        "keys": keys.collect::<Vec<_>>(),
    });
    all.to_string()
}
