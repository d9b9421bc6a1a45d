//! The filter without Envoy, with keys of the local torii.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use torii_emulator::{Emulator, FaultKind, Issuer, Mint};

use super::*;
use crate::config::{Route, Settings};
use crate::host::{Level, Value, Wake};
use crate::stats::Counters;

/// Status, headers, body and details of an answer.
pub type Answered = (u16, Vec<(String, String)>, String, String);

pub struct FakeHost {
    headers: Vec<(String, String)>,
    metadata: Vec<(String, String)>,
    route: Option<Arc<Route>>,
    /// The route once Envoy has chosen it again.
    next_route: Option<Arc<Route>>,
    cleared: usize,
    pub answers: Rc<RefCell<Vec<Answered>>>,
    resumed: usize,
    counts: Vec<(usize, Option<String>, u64)>,
    wake: Sender<Event>,
    woken: Receiver<Event>,
    without_wakers: bool,
}

impl FakeHost {
    pub fn new(headers: &[(&str, &str)]) -> Self {
        let (wake, woken) = channel();
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        FakeHost {
            headers: headers.iter().map(own).collect(),
            metadata: Vec::new(),
            route: None,
            next_route: None,
            cleared: 0,
            answers: Rc::default(),
            resumed: 0,
            counts: Vec::new(),
            wake,
            woken,
            without_wakers: false,
        }
    }

    fn with_token(issuer: &Issuer, mint: Mint) -> Self {
        FakeHost::new(&[("authorization", &format!("Bearer {}", issuer.mint(mint)))])
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    fn statuses(&self) -> Vec<u16> {
        self.answers.borrow().iter().map(|answer| answer.0).collect()
    }

    fn wait(&self) -> Event {
        self.woken.recv_timeout(Duration::from_secs(120)).unwrap()
    }

    fn counted(&self, counter: Counter) -> u64 {
        let of = |(id, _, n): &(usize, _, u64)| if *id == counter as usize { *n } else { 0 };
        self.counts.iter().map(of).sum()
    }
}

impl Host for FakeHost {
    fn header(&self, name: &str, index: usize) -> Option<(&[u8], usize)> {
        let values: Vec<_> = self.headers.iter().filter(|(known, _)| known == name).collect();
        values.get(index).map(|(_, value)| (value.as_bytes(), values.len()))
    }

    fn each_header_name(&self, show: &mut dyn FnMut(&[u8])) {
        self.headers.iter().for_each(|(name, _)| show(name.as_bytes()));
    }

    fn set_header(&mut self, name: &str, value: &[u8]) {
        self.remove_header(name.as_bytes());
        self.headers.push((name.to_owned(), str::from_utf8(value).unwrap().to_owned()));
    }

    fn remove_header(&mut self, name: &[u8]) {
        self.headers.retain(|(known, _)| known.as_bytes() != name);
    }

    fn set_metadata(&mut self, namespace: &str, key: &str, value: &Value<'_>) {
        self.metadata.push((format!("{namespace}.{key}"), format!("{value:?}")));
    }

    fn clear_route(&mut self) {
        self.cleared += 1;
        self.route = self.next_route.take().or(self.route.take());
    }

    fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &str, details: &str) {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers = headers.iter().map(own).collect();
        self.answers.borrow_mut().push((status, headers, body.to_owned(), details.to_owned()));
    }

    fn resume(&mut self) {
        self.resumed += 1;
    }

    fn waker(&mut self) -> Option<Box<dyn Wake>> {
        (!self.without_wakers).then(|| Box::new(Waker(self.wake.clone())) as Box<dyn Wake>)
    }

    fn count(&mut self, counter: usize, tag: Option<&str>, n: u64) {
        self.counts.push((counter, tag.map(str::to_owned), n));
    }

    fn set_gauge(&mut self, _gauge: usize, _value: u64) {}
}

fn route(host: &FakeHost) -> Option<Arc<Route>> {
    host.route.clone()
}

struct Waker(Sender<Event>);

impl Wake for Waker {
    fn wake(&self, event: Event) {
        let _ = self.0.send(event);
    }
}

/// A configuration whose counters have their own numbers.
pub fn config(json: &str) -> Arc<Config> {
    let mut next = 0;
    let counters = Counters::define(|_, _| {
        next += 1;
        Some(next - 1)
    });
    let settings = Settings::parse(json.as_bytes()).unwrap();
    Arc::new(settings.build(counters.unwrap(), |_, _| {}).unwrap())
}

fn acme() -> (Emulator, Issuer) {
    let torii = Emulator::start();
    let issuer = torii.issuer("acme");
    (torii, issuer)
}

fn filter_of(issuer: &Issuer, more: &str) -> Filter {
    let url = issuer.url();
    Filter::new(config(&format!(
        r#"{{"issuers": ["{url}"], "headers": {{"x-user-id": "sub"}}, "metadata": {{"exp": "exp"}}{more}}}"#
    )))
}

#[test]
fn a_parked_request_is_let_through_if_its_token_is_valid() {
    let (_torii, issuer) = acme();
    let filter = filter_of(&issuer, "");
    let mut host = FakeHost::with_token(&issuer, Mint::new().subject("user-1"));
    host.headers.push(("x-user-id".to_owned(), "admin".to_owned()));
    assert_eq!(filter.request_headers(&mut host, &route), Flow::Wait);
    assert_eq!((host.value("x-user-id"), filter.request_rest()), (None, Flow::Wait));
    assert_eq!(host.wait(), Event::Fetched);
    filter.woken(&mut host, &route, Event::Fetched);
    assert_eq!((host.resumed, filter.request_rest()), (1, Flow::Continue));
    assert_eq!(host.value("x-user-id"), Some("user-1"));
    assert_eq!(host.metadata.len(), 1);
    assert_eq!((host.counted(Counter::Parked), host.counted(Counter::Accepted)), (1, 1));
    assert_eq!((host.counted(Counter::Fetches), host.counted(Counter::FetchFailures)), (1, 0));
    // Woken once more, it does not go on again.
    filter.woken(&mut host, &route, Event::Expired);
    assert_eq!((host.resumed, host.statuses()), (1, vec![]));
}

#[test]
fn a_parked_request_is_refused_if_its_token_is_expired() {
    let (_torii, issuer) = acme();
    let filter = filter_of(&issuer, "");
    let mut host = FakeHost::with_token(&issuer, Mint::new().expires_in(-60));
    assert_eq!(filter.request_headers(&mut host, &route), Flow::Wait);
    assert_eq!(host.wait(), Event::Fetched);
    filter.woken(&mut host, &route, Event::Fetched);
    assert_eq!((host.statuses(), host.resumed), (vec![401], 0));
    assert_eq!(host.answers.borrow()[0].3, "torii_token_expired");
    assert_eq!(filter.request_rest(), Flow::Stop);
}

#[test]
fn nothing_is_let_through_before_the_headers() {
    let filter = Filter::new(config(r#"{"issuers": ["https://acme.torii.so"]}"#));
    assert_eq!(filter.request_rest(), Flow::Wait);
}

#[test]
fn a_wait_has_an_end() {
    let (torii, issuer) = acme();
    issuer.fault(FaultKind::Hang { ms: None }, None);
    let filter = filter_of(&issuer, r#", "fetch_timeout_ms": 200"#);
    let mut host = FakeHost::with_token(&issuer, Mint::new());
    let began = Instant::now();
    assert_eq!(filter.request_headers(&mut host, &route), Flow::Wait);
    let event = host.wait();
    assert!(began.elapsed() >= Duration::from_millis(190), "{:?}", began.elapsed());
    filter.woken(&mut host, &route, event);
    assert_eq!(host.statuses(), [503]);
    torii.clear_faults();
    // Later parts find it answered.
    filter.woken(&mut host, &route, Event::Fetched);
    assert_eq!((host.statuses(), host.resumed), (vec![503], 0));
}

#[test]
fn a_request_does_not_wait_for_a_fetch_that_may_take_longer() {
    let (torii, issuer) = acme();
    issuer.fault(FaultKind::Hang { ms: None }, None);
    let mut options = torii::VerifierOptions::new();
    options.set_fetch_timeout_ms(60_000).unwrap();
    let long_timeout = torii::Verifier::new(&issuer.url(), &options).unwrap();
    let fetching = std::thread::spawn(move || long_timeout.refresh());
    assert!(torii.wait_for(&issuer.jwks_path(), 1, Duration::from_secs(120)));
    let filter = filter_of(&issuer, r#", "fetch_timeout_ms": 100"#);
    let mut host = FakeHost::with_token(&issuer, Mint::new());
    assert_eq!(filter.request_headers(&mut host, &route), Flow::Wait);
    // A thread that follows the fetch gives up first, and the request waits again until its time is up.
    for _ in 0..50 {
        if host.statuses().is_empty() {
            let event = host.wait();
            filter.woken(&mut host, &route, event);
        }
    }
    assert_eq!(host.statuses(), [503]);
    assert_eq!(host.answers.borrow()[0].3, "torii_keys_pending");
    assert!(!fetching.is_finished());
    torii.clear_faults();
    let _ = fetching.join();
}

#[test]
fn a_stream_that_is_gone_is_not_woken() {
    let (torii, issuer) = acme();
    issuer.fault(FaultKind::Hang { ms: None }, 1);
    let filter = filter_of(&issuer, "");
    let mut gone = FakeHost::with_token(&issuer, Mint::new());
    let mut stays = FakeHost::with_token(&issuer, Mint::new());
    let other = Filter::new(filter.config.clone());
    assert_eq!(filter.request_headers(&mut gone, &route), Flow::Wait);
    assert_eq!(other.request_headers(&mut stays, &route), Flow::Wait);
    filter.destroyed();
    torii.clear_faults();
    assert_eq!(stays.wait(), Event::Fetched);
    assert!(gone.woken.try_recv().is_err());
}

#[test]
fn no_stream_is_woken_after_the_configuration_is_gone() {
    let (torii, issuer) = acme();
    issuer.fault(FaultKind::Hang { ms: None }, 1);
    let filter = filter_of(&issuer, "");
    let mut host = FakeHost::with_token(&issuer, Mint::new());
    assert_eq!(filter.request_headers(&mut host, &route), Flow::Wait);
    let FakeHost { woken, wake, .. } = host;
    drop((filter, wake));
    torii.clear_faults();
    // The last waker is gone, and none was used.
    let outcome = woken.recv_timeout(Duration::from_secs(120));
    assert_eq!(outcome, Err(RecvTimeoutError::Disconnected));
}

#[test]
fn a_request_that_cannot_be_woken_is_refused() {
    let (_torii, issuer) = acme();
    let filter = filter_of(&issuer, "");
    let mut host = FakeHost::with_token(&issuer, Mint::new());
    host.without_wakers = true;
    assert_eq!(filter.request_headers(&mut host, &route), Flow::Stop);
    assert_eq!(host.statuses(), [503]);
}

fn routed(json: &str) -> Option<Arc<Route>> {
    Some(Arc::new(Route::parse(json.as_bytes()).unwrap()))
}

#[test]
fn a_route_overrides_the_filter() {
    let (_torii, issuer) = acme();
    let filter = filter_of(&issuer, r#", "optional": true"#);
    let mut host = FakeHost::new(&[("x_user-id", "admin"), ("x-other", "1")]);
    assert_eq!(filter.request_headers(&mut host, &route), Flow::Continue);
    assert_eq!((host.value("x_user-id"), host.value("x-other")), (None, Some("1")));
    assert_eq!(host.counted(Counter::Anonymous), 1);

    // Requirements of a route need an identity.
    for json in [r#"{"optional": false}"#, r#"{"requirements": {"flags": ["email_verified"]}}"#] {
        host.route = routed(json);
        host.answers.borrow_mut().clear();
        let filter = Filter::new(filter.config.clone());
        assert_eq!(filter.request_headers(&mut host, &route), Flow::Stop, "{json}");
        assert_eq!(host.statuses(), [401]);
        assert_eq!(host.answers.borrow()[0].3, "torii_token_missing");
    }
}

/// A filter of this issuer whose keys are there.
fn ready(issuer: &Issuer, more: &str) -> Arc<Config> {
    let filter = filter_of(issuer, more);
    filter.config.verifier.refresh_due(None).unwrap();
    filter.config.clone()
}

fn run(config: &Arc<Config>, host: &mut FakeHost) -> Flow {
    Filter::new(config.clone()).request_headers(host, &route)
}

#[test]
fn a_new_route_has_to_let_the_request_through_as_well() {
    let (_torii, issuer) = acme();
    let config = ready(&issuer, r#", "clear_route_cache": true, "remove_token": true"#);
    let strict = r#"{"requirements": {"claims": [{"pointer": "/plan", "json": "\"pro\""}]}}"#;
    // The headers that a client sent choose no route, not even one that is skipped.
    let mut host = FakeHost::new(&[("x-user-id", "admin")]);
    (host.route, host.next_route) = (routed(r#"{"skip": true}"#), routed(strict));
    assert_eq!((run(&config, &mut host), host.statuses()), (Flow::Stop, vec![401]));

    // Nor does a token that is removed.
    let mut host = FakeHost::with_token(&issuer, Mint::new());
    (host.route, host.next_route) = (routed(r#"{"skip": true}"#), routed(strict));
    assert_eq!((run(&config, &mut host), host.statuses()), (Flow::Stop, vec![401]));

    for (plan, flow, statuses) in [("free", Flow::Stop, vec![403]), ("pro", Flow::Continue, vec![])]
    {
        let mut host = FakeHost::with_token(&issuer, Mint::new().claim("plan", plan));
        host.next_route = routed(strict);
        assert_eq!((run(&config, &mut host), host.statuses()), (flow, statuses), "{plan}");
        assert_eq!(host.cleared, 1);
    }
    // Nor does an identity header of a client hide a token that comes with it.
    let mut host = FakeHost::with_token(&issuer, Mint::new().claim("plan", "pro"));
    host.headers.push(("x-user-id".to_owned(), "admin".to_owned()));
    (host.route, host.next_route) = (routed(r#"{"skip": true}"#), routed(strict));
    assert_eq!(run(&config, &mut host), Flow::Continue);
    assert_eq!(host.counted(Counter::Accepted), 1);
    let mut host = FakeHost::with_token(&issuer, Mint::new());
    host.next_route = routed(r#"{"skip": true}"#);
    assert_eq!(run(&config, &mut host), Flow::Continue);
}

#[test]
fn a_token_is_removed_from_header_and_cookie() {
    let (_torii, issuer) = acme();
    let config = ready(&issuer, r#", "cookie": "session", "remove_token": true, "optional": true"#);
    for (cookie, left) in [
        ("session=x", None),
        ("a=b; session=x;session2=y", Some("a=b; session2=y")),
        ("a=b; Session=x", Some("a=b; Session=x")),
    ] {
        let mut host = FakeHost::with_token(&issuer, Mint::new());
        host.headers.push(("cookie".to_owned(), cookie.to_owned()));
        assert_eq!(run(&config, &mut host), Flow::Continue);
        assert_eq!((host.value("authorization"), host.value("cookie")), (None, left));
    }
}

#[test]
fn a_claim_that_cannot_be_forwarded_refuses_the_request() {
    let (_torii, issuer) = acme();
    let config = config(&format!(
        r#"{{"issuers": ["{}"], "metadata_namespace": "me", "realm": "api",
            "headers": {{"x-user-id": "sub", "x-banned": "banned"}}}}"#,
        issuer.url()
    ));
    config.verifier.refresh_due(None).unwrap();
    for value in ["yes\n", " yes", "yes\t", "a\u{0}b", "\u{7f}"] {
        let mut host = FakeHost::with_token(&issuer, Mint::new().claim("banned", value));
        assert_eq!(
            (run(&config, &mut host), host.statuses()),
            (Flow::Stop, vec![403]),
            "{value:?}"
        );
        assert_eq!(host.value("x-user-id"), None);
        let (_, headers, body, details) = host.answers.borrow()[0].clone();
        let challenge = "Bearer realm=\"api\", error=\"insufficient_scope\"".to_owned();
        assert!(headers.contains(&("www-authenticate".to_owned(), challenge)), "{headers:?}");
        assert!(body.contains("\"forbidden\""), "{body}");
        assert_eq!(details, "torii_claim_unreadable");
        let refusal = Value::Text("claim_unreadable".into());
        assert_eq!(host.metadata, [("me.refusal".to_owned(), format!("{refusal:?}"))]);
    }
}

#[test]
fn an_unreachable_issuer_is_logged_once_until_it_is_back() {
    static LOG: std::sync::Mutex<Vec<(Level, String)>> = std::sync::Mutex::new(Vec::new());
    let (torii, issuer) = acme();
    issuer.fault(FaultKind::Close { handled: false }, None);
    // Renewals for another issuer say nothing about this one.
    let other = torii.create_issuer("other").url();
    let settings =
        format!(r#"{{"issuers": ["{}", "{other}"], "key_lifetime_seconds": 1}}"#, issuer.url());
    let settings = Settings::parse(settings.as_bytes()).unwrap();
    let counters = Counters::define(|_, _| Some(0)).unwrap();
    let log = |level, text: &str| LOG.lock().unwrap().push((level, text.to_owned()));
    let config = settings.build(counters, log).unwrap();
    config.keys.keep_fresh();
    let wait = |done: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !done() {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let failures = std::cell::Cell::new(0);
    wait(&|| {
        failures.set(failures.get() + config.keys.take_counts().1);
        failures.get() >= 3
    });
    torii.clear_faults();
    wait(&|| LOG.lock().unwrap().len() >= 2);
    drop(config);
    let log = LOG.lock().unwrap();
    assert_eq!(log.iter().map(|(level, _)| *level).collect::<Vec<_>>(), [Level::Warn, Level::Info]);
    assert!(log[0].1.starts_with(&format!("cannot fetch keys of {}: ", issuer.url())), "{log:?}");
    assert_eq!(log[1].1, format!("fetched keys of {} again", issuer.url()));
}
