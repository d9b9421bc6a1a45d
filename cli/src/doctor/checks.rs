//! Turns what was observed into findings.

use std::path::Path;

use torii::inspect::{
    DiscoveryReport, IssuerReport, KeyCacheReport, KeyCacheState, Outcome, Visit,
};
use torii::{Client, Verifier};
use url::{Host, Url};

use super::report::Finding;
use crate::failure::Failure;
use crate::{key_facts, show};

/// A clock difference that needs no warning, in seconds.
const FINE: i64 = 5;
/// The default leeway of a verifier, in seconds.
const LEEWAY: i64 = 30;

/// The issuer's certificate and its keys.
pub(super) fn issuer(report: &IssuerReport) -> Vec<Finding> {
    let visit = &report.visit;
    let encrypted = visit.url.starts_with("https:");
    match &visit.outcome {
        Outcome::NotConnected(why) => {
            let advice = "check the certificate's name and dates, and this machine's clock; --ca-file \
                names another certificate authority";
            let step = if encrypted { "tls" } else { "connect" };
            let tls = Finding::failed(step, why.clone(), advice);
            vec![tls, Finding::skipped("keys", "no connection")]
        }
        Outcome::NoAnswer(why) => {
            let advice = "check the issuer URL, and any firewall or proxy on the way";
            vec![Finding::failed("keys", format!("{}: {why}", visit.url), advice)]
        }
        Outcome::Answered { http_status, .. } => {
            let mut findings = vec![match encrypted {
                true => Finding::ok("tls", "the certificate is valid"),
                false => plain(&visit.url),
            }];
            findings.extend(answer(report, *http_status));
            findings
        }
    }
}

fn plain(url: &str) -> Finding {
    let url = Url::parse(url).ok();
    let local = match url.as_ref().and_then(Url::host) {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if local {
        return Finding::ok("tls", "plain http to this machine");
    }
    let text = "plain http: anyone on the network path can forge keys".to_owned();
    Finding::warning("tls", text, "use https")
}

fn answer(report: &IssuerReport, http_status: u16) -> Vec<Finding> {
    let Visit { url, took, .. } = &report.visit;
    let Some(set) = &report.key_set else {
        let advice = match http_status {
            300..400 => "redirects are not followed: configure the issuer it redirects to",
            403 => {
                "a proxy of /_torii has to set the Host header to torii's; else check the issuer URL"
            }
            404 => "check the issuer URL: it is the `iss` of its tokens",
            429 | 500.. => "the issuer is unavailable: retry later",
            _ => "check the issuer URL: it is the `iss` of its tokens",
        };
        return vec![Finding::failed("keys", format!("{url}: HTTP status {http_status}"), advice)];
    };
    let (usable, all, took) = (set.usable(), set.keys.len(), took.as_millis());
    let mut findings = vec![match set.refused {
        Some(why) => Finding::failed(
            "keys",
            format!("{url}: not a usable key set: {why}"),
            "check the issuer URL; torii keys shows the keys",
        ),
        None => Finding::ok("keys", format!("{usable} of {all} usable, in {took} ms")),
    }];
    for key in &set.keys {
        if let Some(why) = key.skipped {
            let name = key.kid.as_deref().unwrap_or("a key without `kid`");
            let advice = "tokens signed with it are rejected";
            findings.push(Finding::warning("keys", format!("{name}: {why}"), advice));
        }
    }
    findings
        .push(Finding::ok("cache", format!("keys are cached for {}", key_facts::lifetime(report))));
    findings
}

/// The issuer's file in the key cache directory.
pub(super) fn key_cache(report: &KeyCacheReport) -> Finding {
    const STEP: &str = "key cache";
    let text = key_facts::cache_text(report);
    match &report.state {
        KeyCacheState::Missing => {
            let note = "written at the first fetch with the same certificate authorities and proxy";
            Finding::skipped(STEP, &format!("{text}; {note}"))
        }
        KeyCacheState::Ignored(_) => {
            let advice = "run this as the user of the server; that user or root has to own the \
                directory and the file, with the modes 700 and 600. Deleting the file is safe";
            Finding::failed(STEP, text, advice)
        }
        KeyCacheState::Used { age, max_stale, .. } if age >= max_stale => {
            Finding::warning(STEP, text, "check last_error in the server's statistics")
        }
        KeyCacheState::Used { .. } => Finding::ok(STEP, text),
    }
}

/// The revocations file, as a verifier reads it at the start.
pub(super) fn revocations(path: &Path, verifier: torii::Result<Verifier>) -> Finding {
    const STEP: &str = "revoked";
    match verifier {
        Ok(_) => Finding::ok(STEP, format!("{} can be used", path.display())),
        Err(error) => {
            let advice = "a server does not start with this file; one that runs keeps the last good \
                list";
            Finding::failed(STEP, error.to_string(), advice)
        }
    }
}

/// Compares the discovery document with the configured issuer and the URL its keys come from.
pub(super) fn discovery(report: &DiscoveryReport) -> Finding {
    const STEP: &str = "discovery";
    let Visit { url, outcome, .. } = &report.visit;
    let document = match (&report.document, outcome) {
        (Some(document), _) if document.issuer.is_some() => document,
        (_, Outcome::Answered { http_status: http_status @ (429 | 500..), .. }) => {
            let text = format!("{url}: HTTP status {http_status}");
            return Finding::warning(STEP, text, "the issuer is unavailable: retry later");
        }
        (_, Outcome::Answered { http_status, .. }) => {
            let why = match http_status {
                200 => "the answer is not a discovery document".to_owned(),
                _ => format!("HTTP status {http_status}"),
            };
            let note = "a proxy of /_torii and older servers do not serve it";
            return Finding::skipped(STEP, &format!("not served at {url} ({why}); {note}"));
        }
        (_, Outcome::NotConnected(why) | Outcome::NoAnswer(why)) => {
            let advice = "check the issuer URL, and any firewall or proxy on the way";
            return Finding::warning(STEP, format!("{url}: {why}"), advice);
        }
    };
    let named = |value: &Option<String>| match value {
        Some(value) => format!("`{value}`"),
        None => "missing".to_owned(),
    };
    if document.issuer.as_deref().map(|issuer| issuer.trim_end_matches('/'))
        != Some(report.issuer.as_str())
    {
        let issuer = named(&document.issuer);
        let text = format!("other issuer: {issuer} (expected `{}`)", report.issuer);
        let advice = "configure the issuer that the tokens name in `iss`; during a move to a custom \
            domain, both";
        return Finding::failed(STEP, text, advice);
    }
    if document.jwks_uri.as_deref() != Some(report.jwks_url.as_str()) {
        let jwks_uri = named(&document.jwks_uri);
        let text = format!("other key URL: {jwks_uri} (expected `{}`)", report.jwks_url);
        let advice =
            "keys are fetched from the expected URL only; check that both serve the same keys";
        return Finding::warning(STEP, text, advice);
    }
    Finding::ok(STEP, "issuer and key URL are the configured ones")
}

/// Returns by how many seconds the server's clock is ahead of this one.
pub(super) fn ahead(visit: &Visit) -> Option<i64> {
    match visit.outcome {
        Outcome::Answered { date: Some(date), age, .. } => {
            // A cache may have stored the answer for this long.
            let stored = age.and_then(|age| i64::try_from(age).ok()).unwrap_or(0);
            Some(date.saturating_add(stored).saturating_sub(show::now()))
        }
        _ => None,
    }
}

/// Checks this clock, of which the server's is ahead by this many seconds.
pub(super) fn clock(ahead: Option<i64>) -> Finding {
    let Some(ahead) = ahead else {
        return Finding::skipped("clock", "no server sent its time");
    };
    let apart = ahead.saturating_abs();
    let text = match ahead {
        0 => "same as the server's, to the second".to_owned(),
        1.. => format!("{} behind the server's", show::span(apart)),
        _ => format!("{} ahead of the server's", show::span(apart)),
    };
    let advice = "set the clock: timedatectl set-ntp true";
    match apart {
        0..=FINE => Finding::ok("clock", text),
        ..=LEEWAY => Finding::warning("clock", text, advice),
        _ => Finding::failed(
            "clock",
            format!("{text}, more than the default leeway of {LEEWAY} s"),
            advice,
        ),
    }
}

/// Checks that the API answers a request without a key.
pub(super) fn api(visit: &Visit) -> Finding {
    let Visit { url, took, outcome, .. } = visit;
    let advice = "check --api-url, any firewall or proxy on the way, and the certificate; --ca-file \
        names another certificate authority";
    match outcome {
        Outcome::Answered { http_status: http_status @ (200..300 | 401), .. } => {
            let took = took.as_millis();
            Finding::ok(
                "api",
                format!("answers a request without a key with {http_status}, in {took} ms"),
            )
        }
        Outcome::Answered { http_status: http_status @ (429 | 500..), .. } => Finding::failed(
            "api",
            format!("{url}: HTTP status {http_status}"),
            "the API is unavailable: retry later",
        ),
        Outcome::Answered { http_status, .. } => Finding::failed(
            "api",
            format!("{url}: HTTP status {http_status} (expected 401)"),
            "check --api-url: this does not look like torii's API",
        ),
        Outcome::NotConnected(why) => {
            Finding::failed("api", format!("{url}: cannot connect: {why}"), advice)
        }
        Outcome::NoAnswer(why) => Finding::failed("api", format!("{url}: {why}"), advice),
    }
}

/// Checks the secret key with a call that changes nothing.
pub(super) fn key(client: &Client) -> Finding {
    let Err(error) = client.organizations().list(1, None, None) else {
        return Finding::ok("key", "the API accepts the secret key");
    };
    let advice = match error.http_status() {
        Some(401) => "check that the secret key is complete, of this environment, and not revoked",
        Some(429 | 500..) | None => "the API is unavailable: retry later",
        Some(_) => "contact torii's support with the support id",
    };
    Finding::failed("key", Failure::from(error).to_string(), advice)
}
