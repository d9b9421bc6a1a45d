//! The process-wide cache: one [`Source`] for each place keys come from.
//!
//! It is read and replaced as a whole, without a lock, so that a child made by `fork` finds it
//! usable whatever another thread of the parent was doing.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use once_cell::race::OnceBox;

use super::fetch::over_http;
use super::source::Source;
use crate::error::Result;
use crate::http::Authorities;

/// The exact URL, and the CA file: whom to trust is part of where keys come from.
type Place = (String, Option<PathBuf>);
type Sources = HashMap<Place, Arc<Source>>;

static SOURCES: OnceBox<ArcSwap<Sources>> = OnceBox::new();

fn sources() -> &'static ArcSwap<Sources> {
    SOURCES.get_or_init(Box::default)
}

/// The process's source of the keys at `url`.
pub(crate) fn shared(url: &str, ca_file: Option<&PathBuf>) -> Result<Arc<Source>> {
    let place = (url.to_owned(), ca_file.cloned());
    if let Some(source) = sources().load().get(&place) {
        return Ok(source.clone());
    }
    let authorities = ca_file.map(|path| Authorities::read(path)).transpose()?;
    let made = Arc::new(Source::new(url, over_http(url, authorities)));
    sources().rcu(|sources| {
        let mut sources = Sources::clone(sources);
        sources.entry(place.clone()).or_insert_with(|| made.clone());
        sources
    });
    Ok(sources().load().get(&place).cloned().unwrap_or(made))
}

/// Forgets all keys: every verifier fetches them anew.
pub(crate) fn clear() {
    for source in sources().swap(Arc::default()).values() {
        source.forget();
    }
}
