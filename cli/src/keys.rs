//! `torii keys`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use torii::inspect::{self, IssuerReport, KeyCacheReport, KeyReport, KeySetReport};

use crate::failure::{Class, Failure};
use crate::issuer::FetchArgs;
use crate::key_facts::{cache_json, cache_text, lifetime, why_unfetched};
use crate::terminal::{Style, escape, line, print, styled};
use crate::{input, show, terminal, watch};

/// Show an issuer's keys: used, or skipped and why.
///
/// Fetches the keys once, as a verifier does. The exit status is 0 if a key is usable, 4 if none is.
/// With --key-cache it also shows the keys in that directory, and changes nothing there.
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii keys --issuer https://acme.torii.so
  torii keys --issuer https://acme.torii.so --key-cache /var/cache/torii
  torii keys --issuer https://acme.torii.so --watch
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
    #[arg(long, value_name = "FILE", conflicts_with_all = ["watch", "key_cache"])]
    jwks: Option<PathBuf>,
    /// Fetch again and again, and print what changes: keys, errors, the key cache directory. Ends with
    /// Ctrl-C
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    watching: watch::Watching,
    /// Print JSON; with --watch one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    fetch: FetchArgs,
}

impl Keys {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        if let Some(path) = &self.jwks {
            let set = KeySetReport::read(input::file(path, "key set")?.as_bytes());
            return self.show(None, None, &set, &path.display().to_string());
        }
        let (issuer, options) = (self.issuer.as_deref().unwrap_or_default(), self.fetch.options()?);
        if self.watch {
            return self.watching.run(issuer, &options, self.json);
        }
        terminal::wait_for("the issuer");
        let cache = inspect::key_cache(issuer, &options)?;
        let report = inspect::issuer(issuer, &options)?;
        if let Some(set) = &report.key_set {
            return self.show(Some(&report), cache.as_ref(), set, &report.visit.url);
        }
        if let Some(cache) = &cache {
            match self.json {
                true => line(&json!({ "keyCache": cache_json(cache) }).to_string())?,
                false => line(&format!("key cache  {}", escape(&cache_text(cache))))?,
            }
        }
        Err(Failure::new(Class::Keys, why_unfetched(&report.visit)))
    }

    fn show(
        &self,
        report: Option<&IssuerReport>,
        cache: Option<&KeyCacheReport>,
        set: &KeySetReport,
        place: &str,
    ) -> Result<(), Failure> {
        let printed = if self.json {
            line(&json_of(report, cache, set, place))
        } else {
            print(&text_of(report, cache, set, place))
        };
        let refused =
            |why| Failure::new(Class::Keys, format!("{place}: not a usable key set: {why}"));
        match set.refused {
            Some(why) => Err(refused(why)),
            None => printed,
        }
    }
}

fn text_of(
    report: Option<&IssuerReport>,
    cache: Option<&KeyCacheReport>,
    set: &KeySetReport,
    place: &str,
) -> String {
    let mut facts = vec![("keys of", escape(place))];
    if let Some(report) = report {
        facts.push(("fetched", format!("in {} ms", report.visit.took.as_millis())));
        facts.push(("age", age(report)));
        facts.push(("lifetime", lifetime(report)));
    }
    facts.extend(cache.map(|cache| ("key cache", escape(&cache_text(cache)))));
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
    match report.visit.age() {
        0 => "0 s".to_owned(),
        age => format!("{age} s, from an intermediate cache"),
    }
}

fn json_of(
    report: Option<&IssuerReport>,
    cache: Option<&KeyCacheReport>,
    set: &KeySetReport,
    place: &str,
) -> String {
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
    let age = report.map(|report| report.visit.age());
    let all = json!({
        "place": place,
        "usable": set.usable(),
        "refused": set.refused,
        "age": age,
        "maxAge": report.and_then(|report| report.max_age),
        "lifetime": report.map(|report| report.lifetime.as_secs()),
        "keyCache": cache.map(cache_json),
        "keys": keys.collect::<Vec<_>>(),
    });
    all.to_string()
}
