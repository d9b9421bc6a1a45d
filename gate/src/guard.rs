//! Decides over a request.

use std::future::{self, Ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::{HeaderMap, Request};
use tokio::time::sleep;
use torii::{Auth, Check, Error, Requirements, Status, Verifier};

use crate::answer::{self, Answer, Outcome, Refusal};
use crate::credentials::{Credentials, Found};
use crate::identity::{self, IdentityHeader, Unreadable};
use crate::keys::Keys;
use crate::metrics::Metrics;

/// Shared by all addresses.
pub(crate) struct Guard {
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) credentials: Credentials,
    pub(crate) identity: Vec<IdentityHeader>,
    /// A requirement that no login meets, for the answer to one whose claims cannot be forwarded.
    pub(crate) unmet: Requirements,
    pub(crate) metrics: Metrics,
}

/// The settings of one address: the proxy chooses one for each of its routes. Nothing that the
/// client sends, such as a path, chooses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    /// Requirements beyond the verifier's own.
    pub(crate) requirements: Option<Requirements>,
    /// Whether a request without credentials passes.
    pub(crate) optional: bool,
}

/// The least time between two looks at missing keys.
const SPACING: Duration = Duration::from_millis(20);

impl Guard {
    /// Answers an authorization request, which has the headers of the client's request.
    pub(crate) fn answer<'a, B>(&'a self, policy: &'a Policy, request: Request<B>) -> Answering<'a>
    where
        B: Send + 'a,
    {
        match self.decide(policy, request.headers()) {
            Err(error) if error.status() == Status::KeysPending => {
                Answering::Later(Box::pin(async move {
                    self.conclude(self.wait(policy, request.headers(), error).await)
                }))
            }
            decision => Answering::Now(future::ready(self.conclude(decision))),
        }
    }

    /// The answer that a decision stands for, counted.
    fn conclude(&self, decision: Result<Option<Auth>, Error>) -> Answer {
        let (outcome, answer) =
            match decision.map_err(Refusal::from).and_then(|auth| self.pass(auth)) {
                Ok(passed) => passed,
                Err(refusal) => (refusal.outcome(), refusal.answer()),
            };
        self.metrics.answered(outcome);
        answer
    }

    /// Returns the user, or `None` for an anonymous request where that is allowed. Never blocks.
    fn decide(&self, policy: &Policy, headers: &HeaderMap) -> Result<Option<Auth>, Error> {
        let check = |text: &[u8], header| {
            let how = Check { header, nowait: true };
            self.verifier.check(text, how, policy.requirements.as_ref()).map(Some)
        };
        match self.credentials.find(headers) {
            Found::Header(value) => check(&value, true),
            Found::Cookie(token) => check(&token, false),
            Found::Nothing if policy.optional => Ok(None),
            // The error of a missing token.
            Found::Nothing => check(b"", true),
        }
    }

    /// Decides again whenever keys have been fetched, until the time is up.
    async fn wait(
        &self,
        policy: &Policy,
        headers: &HeaderMap,
        mut pending: Error,
    ) -> Result<Option<Auth>, Error> {
        let _waiting = self.metrics.waiting().count();
        let deadline = self.keys.deadline();
        loop {
            let Some(issuer) = pending.issuer() else { return Err(pending) };
            if !self.keys.changed(issuer, deadline).await {
                return Err(pending);
            }
            match self.decide(policy, headers) {
                Err(error) if error.status() == Status::KeysPending => pending = error,
                decision => return decision,
            }
            sleep(SPACING).await;
        }
    }

    fn pass(&self, auth: Option<Auth>) -> Result<(Outcome, Answer), Refusal> {
        let mut answer = answer::pass();
        let headers = answer.headers_mut();
        let Some(auth) = auth else {
            identity::clear(&self.identity, headers);
            return Ok((Outcome::Anonymous, answer));
        };
        match identity::set(&self.identity, &auth, headers) {
            Ok(()) => Ok((Outcome::Accepted, answer)),
            Err(Unreadable) => {
                Err(auth.require(&self.unmet).map_or_else(Refusal::from, |()| Refusal::Defect))
            }
        }
    }
}

/// An answer, at once or later. hyper moves the future of each request several times, so that one
/// that waits for keys, which is large, has memory of its own.
pub(crate) enum Answering<'a> {
    Now(Ready<Answer>),
    Later(Pin<Box<dyn Future<Output = Answer> + Send + 'a>>),
}

impl Future for Answering<'_> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        match self.get_mut() {
            Answering::Now(answer) => Pin::new(answer).poll(context),
            Answering::Later(answer) => answer.as_mut().poll(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use hyper::header;
    use torii::VerifierOptions;

    use super::*;

    /// Of the issuer https://acme.torii.so, with a `kid`, in time until 2100. Its signature is wrong.
    const TOKEN: &str = "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.\
        eyJpc3MiOiJodHRwczovL2FjbWUudG9yaWkuc28iLCJzdWIiOiJ1IiwicGlkIjoicCIsImlhdCI6MSwiZXhwIjo0MTAyNDQ0ODAwfQ.\
        AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ";

    /// A fetch of keys may take longer than a request may wait, if it began later or never ends.
    #[test]
    fn a_request_waits_no_longer_than_its_own_deadline() {
        // A proxy that accepts the connection, and answers nothing until it is closed.
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut options = VerifierOptions::new();
        options.set_proxy(&format!("http://{}", proxy.local_addr().unwrap())).unwrap();
        options.set_fetch_timeout_ms(60_000).unwrap().set_background_refresh(false);
        let verifier = Arc::new(Verifier::new("https://acme.torii.so", &options).unwrap());
        let keys = Arc::new(Keys::new(verifier.clone(), Duration::from_millis(50)));
        let guard = Guard {
            verifier: verifier.clone(),
            keys,
            credentials: Credentials { header: header::AUTHORIZATION, cookie: None },
            identity: Vec::new(),
            unmet: Requirements::new(),
            metrics: Metrics::default(),
        };
        let request = Request::builder().header(header::AUTHORIZATION, TOKEN).body(()).unwrap();

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(guard.answer(&Policy::default(), request));
        assert_eq!(answer.status(), 503);
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
        let stats = verifier.stats().unwrap();
        assert_eq!(stats.int("/issuers/0/fetches").unwrap(), 0, "the fetch is still in progress");
        // Ends the fetch, for which the runtime waits.
        drop(proxy);
    }
}
