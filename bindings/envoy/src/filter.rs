//! What a request goes through.

use std::cell::Cell;
use std::sync::Arc;

use torii::{Auth, Status};

use crate::answer::Refusal;
use crate::config::{Config, Mode};
use crate::host::{Event, Host};
use crate::identity;
use crate::keys::{Source, Ticket};
use crate::stats::Counter;
use crate::token::{self, Found};

/// The filter of one request.
///
/// Envoy may destroy a stream while it is answered or sent on its way, and calls the filter for it:
/// nothing is borrowed mutably while Envoy is asked for something.
pub struct Filter {
    config: Arc<Config>,
    state: Cell<State>,
}

#[derive(Clone, Copy)]
enum State {
    /// Nothing was received yet.
    New,
    /// Kept, and woken when there is something new.
    Parked(Ticket),
    LetThrough,
    Answered,
}

/// What becomes of what was just received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It goes on to the next filter.
    Continue,
    /// It is kept, and so is all that follows.
    Wait,
    /// It is dropped: the request has been answered.
    Stop,
}

/// What becomes of a request.
enum Verdict {
    /// It is let through: as this user's, or as nobody's.
    Pass(Option<Auth>),
    Refuse(Refusal),
    /// The keys of an issuer have to be fetched first.
    Wait(Arc<Source>),
}

impl Filter {
    /// A filter for a request that is about to come.
    pub fn new(config: Arc<Config>) -> Self {
        Filter { config, state: Cell::new(State::New) }
    }

    /// The request's headers have been received.
    pub fn request_headers(&self, host: &mut dyn Host) -> Flow {
        // Whatever becomes of the request, a client does not say whose it is.
        identity::remove(host, &self.config);
        self.proceed(host, None)
    }

    /// Whether a part of the request after its headers may go on.
    pub fn request_rest(&self) -> Flow {
        match self.state.get() {
            State::New | State::Parked(_) => Flow::Wait,
            State::LetThrough => Flow::Continue,
            State::Answered => Flow::Stop,
        }
    }

    /// The request was woken.
    pub fn woken(&self, host: &mut dyn Host, event: Event) {
        let State::Parked(ticket) = self.state.get() else { return };
        match event {
            Event::Fetched => {
                if self.proceed(host, Some(ticket)) == Flow::Continue {
                    host.go_on();
                }
            }
            Event::Expired => self.refuse(host, &Refusal::timeout()),
        }
    }

    /// The stream is gone.
    pub fn destroyed(&self) {
        if let State::Parked(ticket) = self.state.get() {
            self.config.keys.unpark(ticket);
        }
    }

    /// Answers the request as one that met a defect of this filter.
    pub fn fail(&self, host: &mut dyn Host) {
        self.destroyed();
        self.refuse(host, &Refusal::internal());
    }

    fn proceed(&self, host: &mut dyn Host, waited: Option<Ticket>) -> Flow {
        self.count_fetches(host);
        match self.judge(host) {
            Verdict::Pass(auth) => {
                match auth {
                    Some(auth) => {
                        identity::tell(host, &self.config, &auth);
                        self.count(host, Counter::Accepted, None, 1);
                    }
                    None => self.count(host, Counter::Anonymous, None, 1),
                }
                self.state.set(State::LetThrough);
                Flow::Continue
            }
            Verdict::Refuse(refusal) => {
                self.refuse(host, &refusal);
                Flow::Stop
            }
            Verdict::Wait(source) => {
                if waited.is_none() {
                    self.count(host, Counter::Parked, None, 1);
                }
                let timeout = self.config.key_timeout;
                let ticket = host.waker().and_then(|waker| source.park(waited, timeout, waker));
                match ticket {
                    Some(ticket) => {
                        self.state.set(State::Parked(ticket));
                        Flow::Wait
                    }
                    None => {
                        self.refuse(host, &Refusal::timeout());
                        Flow::Stop
                    }
                }
            }
        }
    }

    fn judge(&self, host: &dyn Host) -> Verdict {
        let config = &self.config;
        let route = host.route().unwrap_or_default();
        let mode = route.mode.unwrap_or(config.mode);
        if mode == Mode::Off {
            return Verdict::Pass(None);
        }
        let found = token::find(&config.token, host);
        let judged = match found {
            Found::Header(value) => config.verifier.authenticate_nowait(value),
            Found::Token(token) => config.verifier.verify_nowait(token),
            Found::Nothing => config.verifier.authenticate_nowait(""),
            Found::Repeated => return Verdict::Refuse(Refusal::repeated()),
        };
        match judged {
            Ok(auth) => {
                if let Some(source) = config.keys.of(auth.issuer()) {
                    source.renew();
                }
                match route.require.unwrap_or(config.require).check(&auth) {
                    Ok(()) => Verdict::Pass(Some(auth)),
                    Err(error) => Verdict::Refuse(error.into()),
                }
            }
            Err(error) => match error.status() {
                Status::TokenMissing if mode == Mode::Optional => Verdict::Pass(None),
                Status::KeysPending => {
                    let issuer = token::claimed_issuer(&found);
                    match issuer.and_then(|issuer| config.keys.of(&issuer)) {
                        Some(source) => Verdict::Wait(source.clone()),
                        None => Verdict::Refuse(Refusal::timeout()),
                    }
                }
                _ => Verdict::Refuse(error.into()),
            },
        }
    }

    fn refuse(&self, host: &mut dyn Host, refusal: &Refusal) {
        self.count(host, Counter::Refused, Some(&refusal.reason), 1);
        let answer = refusal.answer(&self.config.realm);
        let mut headers: Vec<_> =
            answer.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        // Envoy makes an answer to gRPC of it, whose status would be OK if we did not say.
        let media_type = host.header("content-type", 0);
        if media_type.is_some_and(|(value, _)| value.starts_with(b"application/grpc")) {
            headers.push(("grpc-status", refusal.grpc_status()));
        }
        let details = format!("torii_{}", refusal.reason);
        self.state.set(State::Answered);
        host.answer(refusal.status, &headers, &answer.body, &details);
    }

    fn count(&self, host: &mut dyn Host, counter: Counter, reason: Option<&str>, n: u64) {
        if let Some(id) = self.config.counters.id(counter) {
            host.count(id, reason, n);
        }
    }

    /// Tells Envoy's statistics of fetches that ended elsewhere.
    fn count_fetches(&self, host: &mut dyn Host) {
        let (ended, failed) = self.config.keys.take_counts();
        if ended > 0 {
            self.count(host, Counter::Fetches, None, ended);
        }
        if failed > 0 {
            self.count(host, Counter::FetchFailures, None, failed);
        }
    }
}

#[cfg(test)]
pub mod tests;
