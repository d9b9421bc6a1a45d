//! The process-wide cache: one [`Source`] for each place keys come from.
//!
//! It is read and replaced as a whole, without a lock, so that a child made by `fork` finds it
//! usable whatever another thread of the parent was doing.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use once_cell::race::OnceBox;

use super::fetch::over_http;
use super::source::Source;
use crate::http::RootCertificates;

/// The exact URL, and the root_certificates: whom to trust is part of where keys come from.
type Place = (String, Option<RootCertificates>);
type Sources = HashMap<Place, Arc<Source>>;

static SOURCES: OnceBox<ArcSwap<Sources>> = OnceBox::new();

fn sources() -> &'static ArcSwap<Sources> {
    SOURCES.get_or_init(Box::default)
}

/// The process's source of the keys at `url`.
pub(crate) fn shared(url: &str, root_certificates: Option<&RootCertificates>) -> Arc<Source> {
    let place = (url.to_owned(), root_certificates.cloned());
    if let Some(source) = sources().load().get(&place) {
        return source.clone();
    }
    let made = Arc::new(Source::new(url, over_http(url, root_certificates.cloned())));
    sources().rcu(|sources| {
        let mut sources = Sources::clone(sources);
        sources.entry(place.clone()).or_insert_with(|| made.clone());
        sources
    });
    sources().load().get(&place).cloned().unwrap_or(made)
}

/// Forgets all keys: every verifier fetches them anew.
pub(crate) fn clear() {
    for source in sources().swap(Arc::default()).values() {
        source.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shared_by_those_who_trust_the_same() {
        let tls = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/tls/");
        let read = |name| RootCertificates::read(format!("{tls}{name}").as_ref()).unwrap();
        let url = "https://acme.example/shared";
        let with =
            |root_certificates: Option<RootCertificates>| shared(url, root_certificates.as_ref());
        let first = with(Some(read("ca.pem")));
        assert!(Arc::ptr_eq(&first, &with(Some(read("ca.pem")))));
        for other in [Some(read("server.pem")), None] {
            assert!(!Arc::ptr_eq(&first, &with(other)));
        }
        assert!(!Arc::ptr_eq(&first, &shared("https://acme.example/", Some(&read("ca.pem")))));
    }
}
