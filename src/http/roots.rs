//! Which certificate authorities are trusted.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use once_cell::race::OnceBox;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::crypto;
use crate::error::{Error, Result, Status};
use crate::fork::ForkLocal;

/// Root certificates from a PEM file. Two are equal if they trust the same certificates.
#[derive(Clone)]
pub(crate) struct RootCertificates(Arc<Roots>);

struct Roots {
    certificates: Vec<CertificateDer<'static>>,
    /// Built once: every client and key fetch with these certificates shares it.
    verifier: Arc<dyn ServerCertVerifier>,
}

impl RootCertificates {
    /// Reads every certificate in the file, which must hold at least one.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let refuse = |why: &str| {
            let name = path.display();
            Error::text(Status::InvalidConfig, format!("CA file `{name}`: {why}"))
        };
        let pem = std::fs::read(path).map_err(|error| refuse(&error.to_string()))?;
        let certificates = CertificateDer::pem_slice_iter(&pem)
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|_| refuse("not PEM"))?;
        if certificates.is_empty() {
            return Err(refuse("no certificate in it"));
        }
        let verifier = verifier(certificates.iter().cloned())
            .map_err(|_| refuse("no usable certificate in it"))?;
        Ok(RootCertificates(Arc::new(Roots { certificates, verifier })))
    }

    /// The certificates, DER-encoded.
    pub(crate) fn der(&self) -> impl Iterator<Item = &[u8]> {
        self.0.certificates.iter().map(|certificate| certificate.as_ref())
    }

    pub(super) fn verifier(&self) -> Arc<dyn ServerCertVerifier> {
        self.0.verifier.clone()
    }
}

impl PartialEq for RootCertificates {
    fn eq(&self, other: &Self) -> bool {
        self.0.certificates == other.0.certificates
    }
}

impl Eq for RootCertificates {}

impl Hash for RootCertificates {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.certificates.hash(state);
    }
}

impl fmt::Debug for RootCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} certificates", self.0.certificates.len())
    }
}

/// The verifier for the platform's root certificates, loaded once per process: at the first
/// connection that needs them. A child made by `fork` inherits it. A failure is not kept.
///
/// On Unix (except Apple's) these are the files that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, as
/// for OpenSSL, else those of the system. Both variables are ignored in a program with raised
/// privileges (setuid, setgid, file capabilities).
pub(super) fn platform_verifier() -> std::result::Result<Arc<dyn ServerCertVerifier>, rustls::Error>
{
    /// Immutable and without a lock, so that a forked child can use it.
    static LOADED: ArcSwapOption<Arc<dyn ServerCertVerifier>> = ArcSwapOption::const_empty();
    /// Makes other threads wait for the first instead of loading the same files.
    static LOADING: OnceBox<ForkLocal<Mutex<()>>> = OnceBox::new();

    if let Some(verifier) = LOADED.load_full() {
        return Ok((*verifier).clone());
    }
    let loading = LOADING.get_or_init(|| Box::new(ForkLocal::new(Mutex::default)));
    let loading = loading.get();
    let _loading = loading.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(verifier) = LOADED.load_full() {
        return Ok((*verifier).clone());
    }
    let verifier = load_platform()?;
    LOADED.store(Some(Arc::new(verifier.clone())));
    Ok(verifier)
}

#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn load_platform() -> std::result::Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    verifier(system_certificates(crate::fork::has_raised_privileges()).into_iter())
}

/// The certificates of the environment's or the system's files. Unreadable files are skipped.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn system_certificates(ignore_environment: bool) -> Vec<CertificateDer<'static>> {
    if !ignore_environment {
        return rustls_native_certs::load_native_certs().certs;
    }
    let load = |directory| rustls_native_certs::load_certs_from_paths(None, Some(directory)).certs;
    openssl_probe::candidate_cert_dirs().flat_map(load).collect()
}

#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
fn load_platform() -> std::result::Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    Ok(Arc::new(rustls_platform_verifier::Verifier::new(crypto::tls_provider())?))
}

/// A verifier that trusts these certificates, except those that cannot be used.
fn verifier(
    certificates: impl Iterator<Item = CertificateDer<'static>>,
) -> std::result::Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates);
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), crypto::tls_provider())
            .build();
    let none = |_| rustls::Error::General("no root certificates found on this system".to_owned());
    Ok(verifier.map_err(none)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn ca_file() -> std::path::PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "tests", "api", "tls", "ca.pem"].iter().collect()
    }

    /// Runs in a child process, which is given the environment.
    #[cfg(target_os = "linux")]
    #[test]
    #[ignore = "run by raised_privileges_ignore_the_environment"]
    fn with_the_environment() {
        let ca = CertificateDer::from_pem_file(ca_file()).unwrap();
        assert_eq!(system_certificates(false), std::slice::from_ref(&ca));
        assert!(!system_certificates(true).contains(&ca));
        assert!(platform_verifier().is_ok());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn raised_privileges_ignore_the_environment() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "http::roots::tests::with_the_environment"])
            .env("SSL_CERT_FILE", ca_file())
            .env_remove("SSL_CERT_DIR")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
    }

    #[test]
    fn a_file_without_a_usable_certificate_is_refused() {
        let folder = std::env::temp_dir().join(format!("torii-roots-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text, why) in [
            ("empty.pem", "", "no certificate in it"),
            (
                "wrong.pem",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "no usable certificate in it",
            ),
            (
                "broken.pem",
                "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n",
                "not PEM",
            ),
        ] {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            let error = RootCertificates::read(&path).unwrap_err();
            assert_eq!(error.status(), Status::InvalidConfig);
            assert_eq!(error.to_string(), format!("CA file `{}`: {why}", path.display()));
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn copies_share_one_verifier() {
        let roots = RootCertificates::read(&ca_file()).unwrap();
        assert!(Arc::ptr_eq(&roots.verifier(), &roots.clone().verifier()));
        assert_eq!(roots, RootCertificates::read(&ca_file()).unwrap());
    }
}
