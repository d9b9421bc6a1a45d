//! The filter, with a host that is no Envoy, and keys of the local torii.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use torii_emulator::{Emulator, FaultKind, Issuer, Mint};

use super::*;
use crate::config::{Route, Settings};
use crate::host::Wake;
use crate::identity::Value;
use crate::stats::Counters;

/// Status, headers, body and details of an answer.
pub type Answered = (u16, Vec<(String, String)>, String, String);

pub struct FakeHost {
    headers: Vec<(String, String)>,
    metadata: Vec<(String, String)>,
    route: Option<Route>,
    pub broken: bool,
    pub answers: Rc<RefCell<Vec<Answered>>>,
    gone_on: usize,
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
            broken: false,
            answers: Rc::default(),
            gone_on: 0,
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

    fn set_header(&mut self, name: &str, value: &str) {
        self.remove_header(name.as_bytes());
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    fn remove_header(&mut self, name: &[u8]) {
        self.headers.retain(|(known, _)| known.as_bytes() != name);
    }

    fn set_metadata(&mut self, namespace: &str, key: &str, value: &Value<'_>) {
        self.metadata.push((format!("{namespace}.{key}"), format!("{value:?}")));
    }

    fn route(&self) -> Option<Route> {
        assert!(!self.broken, "as a defect would");
        self.route
    }

    fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &str, details: &str) {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers = headers.iter().map(own).collect();
        self.answers.borrow_mut().push((status, headers, body.to_owned(), details.to_owned()));
    }

    fn go_on(&mut self) {
        self.gone_on += 1;
    }

    fn waker(&mut self) -> Option<Box<dyn Wake>> {
        (!self.without_wakers).then(|| Box::new(Waker(self.wake.clone())) as Box<dyn Wake>)
    }

    fn count(&mut self, counter: usize, reason: Option<&str>, n: u64) {
        self.counts.push((counter, reason.map(str::to_owned), n));
    }
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
fn who_has_to_wait_is_let_through_afterwards() {
    let (_torii, issuer) = acme();
    let filter = filter_of(&issuer, "");
    let mut host = FakeHost::with_token(&issuer, Mint::new().subject("user-1"));
    host.headers.push(("x-user-id".to_owned(), "admin".to_owned()));
    assert_eq!(filter.request_headers(&mut host), Flow::Wait);
    assert_eq!((host.value("x-user-id"), filter.request_rest()), (None, Flow::Wait));
    assert_eq!(host.wait(), Event::Fetched);
    filter.woken(&mut host, Event::Fetched);
    assert_eq!((host.gone_on, filter.request_rest()), (1, Flow::Continue));
    assert_eq!(host.value("x-user-id"), Some("user-1"));
    assert_eq!(host.metadata.len(), 1);
    assert_eq!((host.counted(Counter::Parked), host.counted(Counter::Accepted)), (1, 1));
    assert_eq!((host.counted(Counter::Fetches), host.counted(Counter::FetchFailures)), (1, 0));
    // Woken once more, it does not go on again.
    filter.woken(&mut host, Event::Expired);
    assert_eq!((host.gone_on, host.statuses()), (1, vec![]));
}

#[test]
fn who_has_to_wait_is_refused_afterwards() {
    let (_torii, issuer) = acme();
    let filter = filter_of(&issuer, "");
    let mut host = FakeHost::with_token(&issuer, Mint::new().expires_in(-60));
    assert_eq!(filter.request_headers(&mut host), Flow::Wait);
    assert_eq!(host.wait(), Event::Fetched);
    filter.woken(&mut host, Event::Fetched);
    assert_eq!((host.statuses(), host.gone_on), (vec![401], 0));
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
    let filter = filter_of(&issuer, r#", "key_timeout_ms": 200"#);
    let mut host = FakeHost::with_token(&issuer, Mint::new());
    let began = Instant::now();
    assert_eq!(filter.request_headers(&mut host), Flow::Wait);
    let event = host.wait();
    assert!(began.elapsed() >= Duration::from_millis(190), "{:?}", began.elapsed());
    filter.woken(&mut host, event);
    assert_eq!(host.statuses(), [503]);
    torii.clear_faults();
    // What comes later finds it answered.
    filter.woken(&mut host, Event::Fetched);
    assert_eq!((host.statuses(), host.gone_on), (vec![503], 0));
}

#[test]
fn a_stream_that_is_gone_is_not_woken() {
    let (torii, issuer) = acme();
    issuer.fault(FaultKind::Hang { ms: None }, 1);
    let filter = filter_of(&issuer, "");
    let mut gone = FakeHost::with_token(&issuer, Mint::new());
    let mut stays = FakeHost::with_token(&issuer, Mint::new());
    let other = Filter::new(filter.config.clone());
    assert_eq!(filter.request_headers(&mut gone), Flow::Wait);
    assert_eq!(other.request_headers(&mut stays), Flow::Wait);
    filter.destroyed();
    torii.clear_faults();
    assert_eq!(stays.wait(), Event::Fetched);
    assert!(gone.woken.try_recv().is_err());
}

#[test]
fn nobody_is_woken_after_the_configuration_is_gone() {
    let (torii, issuer) = acme();
    issuer.fault(FaultKind::Hang { ms: None }, 1);
    let filter = filter_of(&issuer, "");
    let mut host = FakeHost::with_token(&issuer, Mint::new());
    assert_eq!(filter.request_headers(&mut host), Flow::Wait);
    let FakeHost { woken, wake, .. } = host;
    drop((filter, wake));
    torii.clear_faults();
    // The last waker is gone, and none was used.
    let outcome = woken.recv_timeout(Duration::from_secs(120));
    assert_eq!(outcome, Err(RecvTimeoutError::Disconnected));
}

#[test]
fn who_cannot_be_woken_does_not_wait() {
    let (_torii, issuer) = acme();
    let filter = filter_of(&issuer, "");
    let mut host = FakeHost::with_token(&issuer, Mint::new());
    host.without_wakers = true;
    assert_eq!(filter.request_headers(&mut host), Flow::Stop);
    assert_eq!(host.statuses(), [503]);
}

#[test]
fn routes_have_the_last_word() {
    let (_torii, issuer) = acme();
    let filter = filter_of(&issuer, r#", "mode": "off""#);
    let mut host = FakeHost::new(&[("x_user-id", "admin"), ("x-other", "1")]);
    assert_eq!(filter.request_headers(&mut host), Flow::Continue);
    assert_eq!((host.value("x_user-id"), host.value("x-other")), (None, Some("1")));
    assert_eq!(host.counted(Counter::Anonymous), 1);

    host.route = Some(Route::parse(br#"{"mode": "required"}"#).unwrap());
    let filter = Filter::new(filter.config.clone());
    assert_eq!(filter.request_headers(&mut host), Flow::Stop);
    assert_eq!(host.statuses(), [401]);
}
