//! `torii doctor`.

use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use torii::inspect::{self, IssuerReport, Outcome, Visit};
use torii::{Client, ClientOptions, VerifierOptions};
use url::{Host, Url};

use crate::failure::{Class, Failure};
use crate::input::SecretKey;
use crate::keys;
use crate::show;
use crate::terminal::{Tone, line, tame, tone};

/// Find out what is wrong between this machine and torii.
///
/// Looks up the issuer's name, connects, checks its certificate, asks for its keys, compares the
/// clocks, reads the keys as a verifier does, and asks the API, with the secret key if there is one
/// in $TORII_SECRET_KEY or as named. Each line is ok or says what to do. The exit status is 1 if
/// anything is broken; a warning is not.
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii doctor --issuer https://acme.torii.so
  torii doctor --issuer https://acme.torii.so --secret-key-file /run/secrets/torii --json")]
pub(crate) struct Doctor {
    /// The issuer
    #[arg(long, value_name = "URL", env = "TORII_ISSUER", hide_env_values = true)]
    issuer: String,
    /// Where the API is
    #[arg(
        long,
        value_name = "URL",
        env = "TORII_API_URL",
        hide_env_values = true,
        default_value = "https://api.torii.so"
    )]
    api_url: String,
    /// Print JSON: a list of what was looked at
    #[arg(long)]
    json: bool,
    /// Trust the certificate authorities in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Allow plain http to hosts other than this one
    #[arg(long)]
    allow_http: bool,
    /// How long each step may take, in seconds, 1 to 60
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=60))]
    timeout: u32,
    #[command(flatten)]
    secret_key: SecretKey,
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    Skipped,
    Warning,
    Broken,
}

/// A step, and what came of it.
struct Finding {
    step: &'static str,
    state: State,
    text: String,
    /// What to do.
    advice: Option<String>,
}

/// How far the clocks may differ and nobody notices.
const FINE: i64 = 5;
/// The leeway of a verifier, when nobody says otherwise.
const LEEWAY: i64 = 30;

impl Finding {
    fn new(step: &'static str, state: State, text: impl Into<String>) -> Self {
        Finding { step, state, text: text.into(), advice: None }
    }

    fn ok(step: &'static str, text: impl Into<String>) -> Self {
        Finding::new(step, State::Ok, text)
    }

    fn broken(step: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Finding::new(step, State::Broken, text).advise(advice)
    }

    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// Collects findings and, for people, shows each as it comes.
struct Record {
    findings: Vec<Finding>,
    json: bool,
}

impl Record {
    fn add(&mut self, finding: Finding) -> Result<(), Failure> {
        if !self.json {
            let (meaning, word) = match finding.state {
                State::Ok => (Tone::Good, "ok"),
                State::Skipped => (Tone::Faint, "skipped"),
                State::Warning => (Tone::Doubtful, "warning"),
                State::Broken => (Tone::Bad, "broken"),
            };
            let word = tone(meaning, &format!("{word:7}"));
            line(&format!("{word}  {:7}  {}", finding.step, tame(&finding.text)))?;
            if let Some(advice) = &finding.advice {
                line(&format!("{:7}  {:7}  -> {advice}", "", ""))?;
            }
        }
        self.findings.push(finding);
        Ok(())
    }

    fn end(self) -> Result<(), Failure> {
        let broken = self.findings.iter().filter(|finding| finding.state == State::Broken).count();
        if self.json {
            let all = self.findings.iter().map(|finding| {
                let state = match finding.state {
                    State::Ok => "ok",
                    State::Skipped => "skipped",
                    State::Warning => "warning",
                    State::Broken => "broken",
                };
                let Finding { step, text, advice, .. } = finding;
                json!({ "step": step, "state": state, "text": text, "advice": advice })
            });
            line(&json!(all.collect::<Vec<_>>()).to_string())?;
        }
        match broken {
            0 => Ok(()),
            1 => Err(Failure::new(Class::No, "1 thing is broken")),
            more => Err(Failure::new(Class::No, format!("{more} things are broken"))),
        }
    }
}

impl Doctor {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        // Whatever is wrong with the command line is said before anything is done.
        let (options, client_options) = (self.options()?, self.client_options()?);
        let secret_key = self.secret_key.find()?;
        let client = secret_key.map(|key| Client::new(&key, &client_options)).transpose()?;
        let url = Url::parse(&self.issuer).ok();

        let mut record = Record { findings: Vec::new(), json: self.json };
        let reachable = match url.as_ref().and_then(|url| Some((url, url.host()?))) {
            Some((url, host)) => self.reach(&mut record, url, &host)?,
            // The core says what is wrong with it.
            None => true,
        };
        let mut clock = None;
        if reachable {
            let report = inspect::issuer(&self.issuer, &options)?;
            clock = self.issuer(&mut record, &report)?;
        } else {
            for step in ["tls", "keys"] {
                record.add(Finding::new(step, State::Skipped, "there is no connection"))?;
            }
        }
        let visit = inspect::api(&client_options)?;
        record.add(api(&visit))?;
        match clock.or(server_time(&visit)) {
            Some(ahead) => record.add(skew(ahead))?,
            None => record.add(Finding::new("clock", State::Skipped, "no server told its time"))?,
        }
        record.add(match client {
            Some(client) if matches!(visit.outcome, Outcome::Answered { .. }) => key(&client),
            Some(_) => Finding::new("key", State::Skipped, "the API cannot be reached"),
            None => Finding::new("key", State::Skipped, "no secret key in $TORII_SECRET_KEY"),
        })?;
        record.end()
    }

    fn options(&self) -> Result<VerifierOptions, Failure> {
        let mut options = VerifierOptions::new();
        options.set_allow_http(self.allow_http).set_fetch_timeout_ms(self.timeout * 1_000)?;
        if let Some(path) = &self.ca_file {
            options.set_ca_file(path)?;
        }
        torii::Verifier::new(&self.issuer, &options)?;
        Ok(options)
    }

    fn client_options(&self) -> Result<ClientOptions, Failure> {
        let mut options = ClientOptions::new();
        options
            .set_api_url(&self.api_url)?
            .set_allow_http(self.allow_http)
            .set_timeout_ms(self.timeout * 1_000)?
            .set_connect_timeout_ms(self.timeout * 1_000)?
            .set_max_retries(0)?;
        if let Some(path) = &self.ca_file {
            options.set_ca_file(path)?;
        }
        Ok(options)
    }

    /// Looks up the name and connects. Whether there is more to find out.
    fn reach(&self, record: &mut Record, url: &Url, host: &Host<&str>) -> Result<bool, Failure> {
        let timeout = Duration::from_secs(u64::from(self.timeout));
        let port = url.port_or_known_default().unwrap_or(443);
        let addresses = match host {
            Host::Ipv4(address) => vec![SocketAddr::new(IpAddr::V4(*address), port)],
            Host::Ipv6(address) => vec![SocketAddr::new(IpAddr::V6(*address), port)],
            Host::Domain(name) => match look_up(name, port, timeout) {
                Ok(addresses) => addresses,
                Err(why) => {
                    record.add(Finding::broken(
                        "dns",
                        format!("{name} cannot be looked up: {why}"),
                        "is the issuer spelt right, and does this machine reach its name server?",
                    ))?;
                    return Ok(false);
                }
            },
        };
        let listed: Vec<_> = addresses.iter().map(|a| a.ip().to_string()).collect();
        record.add(match host {
            Host::Domain(name) => Finding::ok("dns", format!("{name} is {}", listed.join(", "))),
            _ => Finding::ok("dns", "an address, nothing to look up"),
        })?;
        let start = Instant::now();
        let mut why = "it has no address".to_owned();
        for address in &addresses {
            match TcpStream::connect_timeout(address, timeout) {
                Ok(_) => {
                    let took = start.elapsed().as_millis();
                    record.add(Finding::ok("connect", format!("{address} in {took} ms")))?;
                    return Ok(true);
                }
                Err(error) => why = format!("{address}: {error}"),
            }
        }
        let advice = format!("does a firewall or a proxy stand between, and is {port} the port?");
        record.add(Finding::broken("connect", why, advice))?;
        Ok(false)
    }

    /// Looks at what the issuer answered. By how much its clock is ahead, if it says.
    fn issuer(&self, record: &mut Record, report: &IssuerReport) -> Result<Option<i64>, Failure> {
        let visit = &report.visit;
        let encrypted = visit.url.starts_with("https:");
        if let Outcome::NotConnected(why) = &visit.outcome {
            let advice = "is the certificate of this name, still good, and of an authority this \
                machine knows? --ca-file names another one";
            let step = if encrypted { "tls" } else { "connect" };
            record.add(Finding::broken(step, why.clone(), advice))?;
            record.add(Finding::new("keys", State::Skipped, "there is no connection"))?;
            return Ok(None);
        }
        record.add(match (encrypted, self.allow_http) {
            (true, _) => Finding::ok("tls", "the certificate is good"),
            (false, false) => Finding::ok("tls", "plain http, which does not leave this machine"),
            (false, true) => {
                let text = "plain http: anyone on the way can forge keys";
                Finding::new("tls", State::Warning, text).advise("use https")
            }
        })?;
        let url = &visit.url;
        let (http_status, took) = match &visit.outcome {
            Outcome::Answered { http_status, .. } => (*http_status, visit.took.as_millis()),
            Outcome::NoAnswer(why) => {
                let advice = "is this the issuer, and is something between that cuts it off?";
                record.add(Finding::broken("keys", format!("{url}: {why}"), advice))?;
                return Ok(None);
            }
            other => {
                record.add(Finding::broken("keys", format!("{other:?}"), "tell libtorii"))?;
                return Ok(None);
            }
        };
        let Some(set) = &report.key_set else {
            let advice = match http_status {
                300..400 => "redirects are not followed: name the issuer by where it leads to",
                404 => "is the issuer spelt right? It is the `iss` of its tokens",
                429 | 500.. => "the issuer has trouble: try again later",
                _ => "is this the issuer? It is the `iss` of its tokens",
            };
            record.add(Finding::broken(
                "keys",
                format!("{url}: HTTP status {http_status}"),
                advice,
            ))?;
            return Ok(server_time(visit));
        };
        let (usable, all) = (set.usable(), set.keys.len());
        record.add(match set.refused {
            Some(why) => Finding::broken(
                "keys",
                format!("{url}: not a usable key set: {why}"),
                "torii keys shows it; the issuer has to mend it",
            ),
            None => Finding::ok("keys", format!("{usable} of {all} usable, in {took} ms")),
        })?;
        for key in &set.keys {
            if let Some(why) = key.skipped {
                let name = key.kid.as_deref().unwrap_or("without a name");
                let finding = Finding::new("keys", State::Warning, format!("{name}: {why}"));
                record.add(finding.advise("tokens signed with it are refused"))?;
            }
        }
        record
            .add(Finding::ok("cache", format!("keys are kept for {}", keys::lifetime(report))))?;
        Ok(server_time(visit))
    }
}

/// Looks a name up, and does not wait for ever.
fn look_up(name: &str, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, String> {
    let (sender, receiver) = mpsc::channel();
    let name = name.to_owned();
    thread::spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect);
        // Too late, nobody listens.
        let _ = sender.send(found);
    });
    match receiver.recv_timeout(timeout) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", timeout.as_secs())),
    }
}

/// By how many seconds the server's clock is ahead of this one.
fn server_time(visit: &Visit) -> Option<i64> {
    match visit.outcome {
        Outcome::Answered { date: Some(date), age, .. } => {
            let kept = age.and_then(|age| i64::try_from(age).ok()).unwrap_or(0);
            Some(date.saturating_add(kept).saturating_sub(show::now()))
        }
        _ => None,
    }
}

fn skew(ahead: i64) -> Finding {
    let apart = ahead.saturating_abs();
    let text = match ahead {
        0 => "as the server's, to the second".to_owned(),
        1.. => format!("{} behind the server's", show::span(apart)),
        _ => format!("{} ahead of the server's", show::span(apart)),
    };
    let advice = "set the clock: timedatectl set-ntp true";
    match apart {
        0..=FINE => Finding::ok("clock", text),
        ..=LEEWAY => Finding::new("clock", State::Warning, text).advise(advice),
        _ => Finding::broken("clock", format!("{text}, more than a leeway of {LEEWAY} s"), advice),
    }
}

fn api(visit: &Visit) -> Finding {
    let advice = "is --api-url right, and does a firewall or a proxy stand between?";
    let url = &visit.url;
    match &visit.outcome {
        Outcome::Answered { http_status: http_status @ (200..300 | 401), .. } => {
            let took = visit.took.as_millis();
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
            "is --api-url right? That does not look like torii's API",
        ),
        Outcome::NotConnected(why) => {
            Finding::broken("api", format!("{url}: cannot connect: {why}"), advice)
        }
        Outcome::NoAnswer(why) => Finding::broken("api", format!("{url}: {why}"), advice),
        other => Finding::broken("api", format!("{other:?}"), "tell libtorii"),
    }
}

fn key(client: &Client) -> Finding {
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
