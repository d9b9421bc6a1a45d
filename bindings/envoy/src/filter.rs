//! The filter of a request.

use std::cell::Cell;
use std::sync::Arc;

use torii::{Auth, Error, Status};

use crate::answer::Refusal;
use crate::config::{Config, REFUSAL, Route};
use crate::credentials::Found;
use crate::host::{Event, Host, Value};
use crate::keys::Ticket;
use crate::stats::Counter;

/// The filter of one request.
///
/// Envoy may destroy a stream while it is answered or resumed, and calls the filter for it: nothing
/// is borrowed mutably while Envoy is called.
pub struct Filter {
    config: Arc<Config>,
    state: Cell<State>,
}

#[derive(Clone, Copy)]
enum State {
    /// The headers have not been received.
    New,
    /// Waits for keys.
    Parked(Ticket),
    LetThrough,
    Answered,
}

/// Envoy's next step with the part of the request that it just received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Passes it to the next filter.
    Continue,
    /// Keeps it, and all that follows.
    Wait,
    /// Drops it: the request has been answered.
    Stop,
}

/// The decision over a request.
enum Decision {
    /// It is let through, with or without an identity.
    Pass(Option<Auth>),
    Refuse(Refusal),
    /// Keys have to be fetched first, as the error says.
    Wait(Error),
}

/// The configuration of the stream's route, if it has any.
pub type Routed<'a, H> = &'a dyn Fn(&H) -> Option<Arc<Route>>;

impl Filter {
    /// Creates the filter for a request.
    pub fn new(config: Arc<Config>) -> Self {
        Filter { config, state: Cell::new(State::New) }
    }

    /// The request's headers have been received.
    pub fn request_headers<H: Host>(&self, host: &mut H, route: Routed<'_, H>) -> Flow {
        // A client neither claims an identity nor chooses a route by one, on any route.
        if self.config.identity.remove(host) && self.config.clear_route_cache {
            host.clear_route();
        }
        self.proceed(host, route, None, false)
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
    pub fn woken<H: Host>(&self, host: &mut H, route: Routed<'_, H>, event: Event) {
        let State::Parked(ticket) = self.state.get() else { return };
        if self.proceed(host, route, Some(ticket), event == Event::Expired) == Flow::Continue {
            host.resume();
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
        self.refuse(host, &Refusal::Defect);
    }

    fn proceed<H: Host>(
        &self,
        host: &mut H,
        route: Routed<'_, H>,
        waited: Option<Ticket>,
        expired: bool,
    ) -> Flow {
        self.count_fetches(host);
        self.config.metrics.update(&self.config.verifier, host);
        match self.decide(host, route(host).as_deref()) {
            Decision::Pass(auth) => match self.forward(host, route, auth.as_ref()) {
                Ok(()) => {
                    let counter = auth.map_or(Counter::Anonymous, |_| Counter::Accepted);
                    self.count(host, counter, None, 1);
                    self.state.set(State::LetThrough);
                    Flow::Continue
                }
                Err(refusal) => self.refuse(host, &refusal),
            },
            Decision::Refuse(refusal) => self.refuse(host, &refusal),
            Decision::Wait(pending) if expired => self.refuse(host, &pending.into()),
            Decision::Wait(pending) => self.wait(host, pending, waited),
        }
    }

    /// Parks the request until its issuer's keys have been fetched.
    fn wait(&self, host: &mut dyn Host, pending: Error, waited: Option<Ticket>) -> Flow {
        if waited.is_none() {
            self.count(host, Counter::Parked, None, 1);
        }
        let parked = pending.issuer().zip(host.waker());
        match parked.and_then(|(issuer, waker)| self.config.keys.park(issuer, waited, waker)) {
            Some(ticket) => {
                self.state.set(State::Parked(ticket));
                Flow::Wait
            }
            None => self.refuse(host, &pending.into()),
        }
    }

    fn decide(&self, host: &dyn Host, route: Option<&Route>) -> Decision {
        if self.skips(host, route) {
            return Decision::Pass(None);
        }
        let verified = match self.config.credentials.find(host) {
            Found::Header(value) => self.config.verifier.authenticate_nowait(value),
            Found::Cookie(token) => self.config.verifier.verify_nowait(token),
            Found::Nothing => return self.permit(route, None),
        };
        match verified {
            Ok(auth) => self.permit(route, Some(auth)),
            Err(error) if error.status() == Status::KeysPending => Decision::Wait(error),
            Err(error) => Decision::Refuse(error.into()),
        }
    }

    fn skips(&self, host: &dyn Host, route: Option<&Route>) -> bool {
        let path = || host.header(":path", 0)?.0.split(|byte| *byte == b'?').next();
        let listed = |path: &[u8]| self.config.skip.iter().any(|skip| skip.as_bytes() == path);
        route.is_some_and(|route| route.skip)
            || !self.config.skip.is_empty() && path().is_some_and(listed)
    }

    /// Whether a route lets a request with this identity, or with none, through.
    fn permit(&self, route: Option<&Route>, auth: Option<Auth>) -> Decision {
        let required = route.map(|route| &route.requirements);
        let met = match &auth {
            Some(auth) => self
                .config
                .requirements
                .check(auth)
                .and_then(|()| required.map_or(Ok(()), |required| required.check(auth))),
            None => {
                let optional = route.and_then(|route| route.optional);
                let anonymous = optional.unwrap_or(self.config.optional)
                    && required.is_none_or(|required| required.is_empty());
                if anonymous {
                    Ok(())
                } else {
                    self.config.verifier.authenticate_nowait("").map(drop)
                }
            }
        };
        met.map_or_else(|error| Decision::Refuse(error.into()), |()| Decision::Pass(auth))
    }

    /// Changes the headers of a request that is let through. With other headers it may take another
    /// route, which has to let it through as well.
    fn forward<H: Host>(
        &self,
        host: &mut H,
        route: Routed<'_, H>,
        auth: Option<&Auth>,
    ) -> Result<(), Refusal> {
        let config = &self.config;
        if let Some(auth) = auth
            && config.identity.tell(host, auth).is_err()
        {
            let error = auth.require(&config.unmet).err();
            return Err(error.map_or(Refusal::Defect, Refusal::Claim));
        }
        if config.remove_token {
            config.credentials.remove(host);
        }
        if config.clear_route_cache {
            host.clear_route();
            let route = route(host);
            if !self.skips(host, route.as_deref())
                && let Decision::Refuse(refusal) = self.permit(route.as_deref(), auth.cloned())
            {
                return Err(refusal);
            }
        }
        Ok(())
    }

    fn refuse(&self, host: &mut dyn Host, refusal: &Refusal) -> Flow {
        let reason = refusal.reason();
        self.count(host, Counter::Refused, Some(&reason), 1);
        let namespace = &self.config.identity.namespace;
        host.set_metadata(namespace, REFUSAL, &Value::Text(reason.as_str().into()));
        let headers = refusal.headers();
        let mut headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        // Envoy turns the answer into one to gRPC, with the status OK unless there is another.
        let media_type = host.header("content-type", 0);
        if media_type.is_some_and(|(value, _)| value.starts_with(b"application/grpc")) {
            headers.push(("grpc-status", refusal.grpc_status()));
        }
        self.state.set(State::Answered);
        host.answer(refusal.status(), &headers, &refusal.body(), &format!("torii_{reason}"));
        Flow::Stop
    }

    fn count(&self, host: &mut dyn Host, counter: Counter, tag: Option<&str>, n: u64) {
        if let Some(id) = self.config.counters.id(counter) {
            host.count(id, tag, n);
        }
    }

    /// Adds fetches that ended elsewhere to Envoy's statistics.
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
