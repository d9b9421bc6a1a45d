//! What to make of what was found.

use torii::Client;
use torii::inspect::{IssuerReport, Outcome, Visit};
use url::{Host, Url};

use super::record::Finding;
use crate::failure::Failure;
use crate::{keys, show};

/// How far the clocks may differ and nobody notices, in seconds.
const FINE: i64 = 5;
/// The leeway of a verifier when nobody says otherwise, in seconds.
const LEEWAY: i64 = 30;

/// The issuer's certificate and its keys.
pub(super) fn issuer(report: &IssuerReport) -> Vec<Finding> {
    let visit = &report.visit;
    let encrypted = visit.url.starts_with("https:");
    match &visit.outcome {
        Outcome::NotConnected(why) => {
            let advice = "is the certificate for this name, good today by this machine's clock, and \
                of an authority it knows? --ca-file names another one";
            let step = if encrypted { "tls" } else { "connect" };
            let tls = Finding::broken(step, why.clone(), advice);
            vec![tls, Finding::skipped("keys", "there is no connection")]
        }
        Outcome::NoAnswer(why) => {
            let advice = "is this the issuer, and does something between cut it off?";
            vec![Finding::broken("keys", format!("{}: {why}", visit.url), advice)]
        }
        Outcome::Answered { http_status, .. } => {
            let mut findings = vec![match encrypted {
                true => Finding::ok("tls", "the certificate is good"),
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
        return Finding::ok("tls", "plain http, which does not leave this machine");
    }
    let text = "plain http: anyone on the way can forge keys".to_owned();
    Finding::warning("tls", text, "use https")
}

fn answer(report: &IssuerReport, http_status: u16) -> Vec<Finding> {
    let Visit { url, took, .. } = &report.visit;
    let Some(set) = &report.key_set else {
        let advice = match http_status {
            300..400 => "redirects are not followed: name the issuer by where it leads to",
            404 => "is the issuer spelt right? It is the `iss` of its tokens",
            429 | 500.. => "the issuer has trouble: try again later",
            _ => "is this the issuer? It is the `iss` of its tokens",
        };
        return vec![Finding::broken("keys", format!("{url}: HTTP status {http_status}"), advice)];
    };
    let (usable, all, took) = (set.usable(), set.keys.len(), took.as_millis());
    let mut findings = vec![match set.refused {
        Some(why) => Finding::broken(
            "keys",
            format!("{url}: not a usable key set: {why}"),
            "is this the issuer? If so, it has to mend it; torii keys shows the keys",
        ),
        None => Finding::ok("keys", format!("{usable} of {all} usable, in {took} ms")),
    }];
    for key in &set.keys {
        if let Some(why) = key.skipped {
            let name = key.kid.as_deref().unwrap_or("one without a name");
            let advice = "tokens signed with it are refused";
            findings.push(Finding::warning("keys", format!("{name}: {why}"), advice));
        }
    }
    findings.push(Finding::ok("cache", format!("keys are kept for {}", keys::lifetime(report))));
    findings
}

/// By how many seconds the server's clock is ahead of this one.
pub(super) fn ahead(visit: &Visit) -> Option<i64> {
    match visit.outcome {
        Outcome::Answered { date: Some(date), age, .. } => {
            // Something on the way may have kept the answer.
            let kept = age.and_then(|age| i64::try_from(age).ok()).unwrap_or(0);
            Some(date.saturating_add(kept).saturating_sub(show::now()))
        }
        _ => None,
    }
}

/// The clock, when a server's is ahead by this.
pub(super) fn clock(ahead: Option<i64>) -> Finding {
    let Some(ahead) = ahead else {
        return Finding::skipped("clock", "no server told its time");
    };
    let apart = ahead.saturating_abs();
    let text = match ahead {
        0 => "as the server's, to the second".to_owned(),
        1.. => format!("{} behind the server's", show::span(apart)),
        _ => format!("{} ahead of the server's", show::span(apart)),
    };
    let advice = "set the clock: timedatectl set-ntp true";
    match apart {
        0..=FINE => Finding::ok("clock", text),
        ..=LEEWAY => Finding::warning("clock", text, advice),
        _ => Finding::broken("clock", format!("{text}, more than a leeway of {LEEWAY} s"), advice),
    }
}

/// The API, as it answers to who shows no key.
pub(super) fn api(visit: &Visit) -> Finding {
    let Visit { url, took, outcome, .. } = visit;
    let advice = "is --api-url right, does a firewall or a proxy stand between, and is the \
        certificate of an authority this machine knows? --ca-file names another one";
    match outcome {
        Outcome::Answered { http_status: http_status @ (200..300 | 401), .. } => {
            let took = took.as_millis();
            Finding::ok("api", format!("answers with {http_status}, without a key, in {took} ms"))
        }
        Outcome::Answered { http_status: http_status @ (429 | 500..), .. } => Finding::broken(
            "api",
            format!("{url}: HTTP status {http_status}"),
            "the API has trouble: try again later",
        ),
        Outcome::Answered { http_status, .. } => Finding::broken(
            "api",
            format!("{url}: HTTP status {http_status}, where 401 belongs"),
            "is --api-url right? This does not look like torii's API",
        ),
        Outcome::NotConnected(why) => {
            Finding::broken("api", format!("{url}: cannot connect: {why}"), advice)
        }
        Outcome::NoAnswer(why) => Finding::broken("api", format!("{url}: {why}"), advice),
    }
}

/// The secret key, tried on a call that changes nothing.
pub(super) fn key(client: &Client) -> Finding {
    let Err(error) = client.organizations().list(1, None, None) else {
        return Finding::ok("key", "the API takes the secret key");
    };
    let advice = match error.http_status() {
        Some(401) => "is the secret key whole, of this environment, and not revoked?",
        Some(429 | 500..) | None => "the API has trouble: try again later",
        Some(_) => "ask torii's support, naming the support id",
    };
    Finding::broken("key", Failure::from(error).to_string(), advice)
}
