//! Decides over a request.

use std::sync::Arc;
use std::time::Duration;

use hyper::HeaderMap;
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
    pub(crate) async fn answer(&self, policy: &Policy, headers: &HeaderMap) -> Answer {
        let decision = match self.decide(policy, headers) {
            Err(error) if error.status() == Status::KeysPending => {
                self.wait(policy, headers, error).await
            }
            decision => decision,
        };
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
    #[cold]
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
            if !self.keys.fetched(issuer, deadline).await {
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
