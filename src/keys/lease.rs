//! The right to fetch an issuer's keys once, and the handle by which a host exercises it.

use std::sync::Arc;

use super::fetch::{FetchError, JwksResponse};
use super::fetch_id::FetchId;
use super::freshness::CacheHeaders;
use super::issuer_keys::{IssuerKeys, NewKeys};
use super::jwks::KeySet;
use super::snapshot::Snapshot;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::text::{NulStr, NulString};

/// A fetch that one caller leads. Dropped before it is completed, the fetch has failed.
pub(crate) struct Lease {
    keys: Arc<IssuerKeys>,
    id: FetchId,
    /// The keys when the fetch began: a 304 renews these and no others.
    base: Option<Arc<Snapshot>>,
    /// Until when the call that leads the fetch may take. A host writes no file, and waits for none.
    pub(super) deadline: Millis,
    completed: bool,
}

/// Why a completed fetch stored nothing.
pub(crate) enum Refused {
    /// The response is not a usable key set.
    Response(String),
    /// The lease ended before.
    Late,
}

impl Lease {
    pub(super) fn new(keys: Arc<IssuerKeys>, id: FetchId, base: Option<Arc<Snapshot>>) -> Self {
        Lease { keys, id, base, deadline: 0, completed: false }
    }

    /// The `ETag` of the keys when the fetch began, to be sent as `If-None-Match`.
    pub(super) fn etag(&self) -> Option<&str> {
        self.base.as_ref()?.etag.as_deref()
    }

    /// Stores the keys of this response.
    pub(super) fn complete(self, response: &JwksResponse<'_>) -> std::result::Result<(), Refused> {
        match self.new_keys(response) {
            Ok(new) => self.end(Ok(new)).then_some(()).ok_or(Refused::Late),
            Err(reason) => {
                let error = FetchError { reason: reason.clone(), timed_out: false };
                let in_time = self.end(Err(error));
                Err(if in_time { Refused::Response(reason) } else { Refused::Late })
            }
        }
    }

    fn new_keys(&self, response: &JwksResponse<'_>) -> std::result::Result<NewKeys, String> {
        let headers = response.headers;
        match (response.status, self.base.as_deref()) {
            (200, base) => match KeySet::parse(&response.body, base.map(|base| &*base.set)) {
                Ok(set) => {
                    let etag = usable_etag(response.etag.as_deref());
                    let body = self.keys.file().map(|_| Arc::from(&*response.body));
                    Ok(NewKeys { set: Arc::new(set), etag, headers, body })
                }
                Err(why) => Err(format!("not a usable key set: {why}")),
            },
            (304, Some(Snapshot { set, etag: Some(etag), body, .. })) => Ok(NewKeys {
                set: set.clone(),
                etag: Some(etag.clone()),
                headers,
                body: body.clone(),
            }),
            (status @ 300..400, _) => {
                Err(format!("HTTP status {status} (expected 200; redirects are not followed)"))
            }
            (status, _) => Err(format!("HTTP status {status} (expected 200)")),
        }
    }

    /// Ends the fetch without a response.
    pub(super) fn fail(self, error: FetchError) {
        self.end(Err(error));
    }

    /// Ends a fetch that was not needed.
    pub(super) fn cancel(mut self) {
        self.completed = true;
        self.keys.cancel(self.id);
    }

    /// Returns false if the lease ended before.
    fn end(mut self, outcome: std::result::Result<NewKeys, FetchError>) -> bool {
        self.completed = true;
        self.keys.complete(self.id, outcome, self.deadline)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.completed {
            let reason = "the fetch was abandoned".to_owned();
            let error = FetchError { reason, timed_out: false };
            self.keys.complete(self.id, Err(error), self.deadline);
        }
    }
}

/// An `ETag` (RFC 9110 §8.8.3) that can be sent back.
fn usable_etag(text: Option<&str>) -> Option<Arc<str>> {
    let text = text.filter(|text| (1..=1024).contains(&text.len()))?;
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ').then(|| Arc::from(text))
}

/// A key fetch that the host performs with its own HTTP client.
///
/// The handle belongs to one fetch of one issuer's keys: a late answer never reaches another. It may
/// outlive the verifier. Dropped before [`done`](Self::done), the fetch has failed.
#[derive(Debug)]
pub struct KeyFetch {
    url: NulString,
    etag: Option<NulString>,
    lease: Option<Lease>,
}

impl KeyFetch {
    pub(crate) fn new(lease: Lease) -> Self {
        KeyFetch {
            url: NulString::new(lease.keys.url()),
            etag: lease.etag().map(NulString::new),
            lease: Some(lease),
        }
    }

    /// Returns the URL to request.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    pub(crate) fn nul_url(&self) -> NulStr<'_> {
        self.url.borrow()
    }

    /// Returns the value to send as `If-None-Match`, if there is one.
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_ref().map(NulString::as_str)
    }

    pub(crate) fn nul_etag(&self) -> Option<NulStr<'_>> {
        self.etag.as_ref().map(NulString::borrow)
    }

    /// Stores the keys of the issuer's response.
    ///
    /// A 304 renews only the key set whose [`etag`](Self::etag) this handle carries. `max_age` (of
    /// `Cache-Control`) and `age` (of `Age`) are in seconds. `age` shortens the lifetime, but not
    /// below 60 s, and never counts toward the maximum staleness; above 86400 it is ignored.
    ///
    /// # Errors
    /// [`Status::KeysUnavailable`](crate::Status::KeysUnavailable) if the response is not a usable
    /// key set, which counts as a failed fetch; or if it is late: 30 s after the claim, after
    /// [`clear_jwks_cache`](crate::clear_jwks_cache), or in a forked child. Nothing is stored then.
    /// [`Status::InvalidArgument`](crate::Status::InvalidArgument) at a second call.
    pub fn done(
        &mut self,
        status: u16,
        body: &[u8],
        etag: Option<&str>,
        max_age: Option<u64>,
        age: Option<u64>,
    ) -> Result<()> {
        let done = "done already (expected one call for each fetch)";
        let lease = self.lease.take().ok_or(Error::argument("fetch", done))?;
        let keys = lease.keys.clone();
        let response = JwksResponse {
            status,
            body: body.into(),
            etag: etag.map(Into::into),
            headers: CacheHeaders { max_age, age },
        };
        lease.complete(&response).map_err(|refused| match refused {
            Refused::Response(reason) => keys.cannot_fetch(&reason),
            Refused::Late => keys.cannot_fetch("the answer is late; nothing was stored"),
        })
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Lease").field(&self.id).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sane_etag_is_sent_back() {
        assert_eq!(usable_etag(Some("\"v1\"")).as_deref(), Some("\"v1\""));
        assert_eq!(usable_etag(Some("")), None);
        assert_eq!(usable_etag(Some("a\nb")), None);
        assert_eq!(usable_etag(Some(&"a".repeat(1025))), None);
    }
}
