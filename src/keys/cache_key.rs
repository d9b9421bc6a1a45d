//! The cache key: verifiers with equal ones share keys.

use super::cache_dir::KeyCacheDir;
use crate::crypto::sha256_hex;
use crate::http::{Proxy, RootCertificates};

/// Identifies keys that verifiers share. The URL is compared byte by byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    pub(crate) url: String,
    pub(crate) root_certificates: Option<RootCertificates>,
    pub(crate) proxy: Option<Proxy>,
    /// A user who can write there must not add keys to a verifier without the directory.
    pub(crate) cache_dir: Option<KeyCacheDir>,
    pub(crate) fetched_by: FetchedBy,
}

/// The party that makes the HTTP requests for keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FetchedBy {
    Library,
    Host,
}

impl CacheKey {
    /// The name of the file with the keys of this cache key: 64 hexadecimal digits.
    ///
    /// Two proxies that differ only in the password share a file: with the password in the digest, a
    /// user who can list the directory could try passwords.
    pub(crate) fn file_name(&self) -> String {
        let mut identity = Vec::new();
        let mut add = |part: &[u8]| {
            identity.extend((part.len() as u64).to_be_bytes());
            identity.extend(part);
        };
        add(self.url.as_bytes());
        add(self
            .proxy
            .as_ref()
            .map(|proxy| proxy.without_password())
            .unwrap_or_default()
            .as_bytes());
        self.root_certificates.iter().flat_map(|roots| roots.der()).for_each(add);
        sha256_hex(&identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://acme.example/_torii/.well-known/jwks.json";

    #[test]
    fn the_name_tells_cache_keys_apart_and_no_password() {
        let tls = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/tls/");
        let read = |name| RootCertificates::read(format!("{tls}{name}").as_ref()).ok();
        let proxy = |url| Some(Proxy::parse(url).unwrap());
        let base = || CacheKey {
            url: URL.to_owned(),
            root_certificates: read("ca.pem"),
            proxy: proxy("http://ada:secret@proxy.example:3128"),
            cache_dir: None,
            fetched_by: FetchedBy::Library,
        };
        let first = base().file_name();
        assert!(first.len() == 64 && first.bytes().all(|byte| byte.is_ascii_hexdigit()), "{first}");
        let same = CacheKey { proxy: proxy("http://ada:other@proxy.example:3128"), ..base() };
        assert_eq!(same.file_name(), first);
        let mut names = std::collections::HashSet::from([first]);
        for other in [
            CacheKey { url: format!("{URL}/"), ..base() },
            CacheKey { root_certificates: read("server.pem"), ..base() },
            CacheKey { root_certificates: None, ..base() },
            CacheKey { proxy: proxy("http://ada:secret@proxy.example:3129"), ..base() },
            CacheKey { proxy: proxy("https://ada:secret@proxy.example:3128"), ..base() },
            CacheKey { proxy: proxy("http://bob:secret@proxy.example:3128"), ..base() },
            CacheKey { proxy: proxy("http://proxy.example:3128"), ..base() },
            CacheKey { proxy: None, ..base() },
            CacheKey { proxy: None, root_certificates: None, ..base() },
        ] {
            assert!(names.insert(other.file_name()), "{other:?}");
        }
    }
}
