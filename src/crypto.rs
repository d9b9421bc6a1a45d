//! Calls into aws-lc that a child made by `fork` survives.
//!
//! aws-lc keeps state for each thread: an error queue and random number generators. It takes
//! process-wide locks to make that state and to free it when the thread ends, and more locks each
//! time it draws random numbers. A child that inherits one of these locked hangs. So all three
//! happen inside [`without_fork`]:
//!
//! - [`with_thread_state`] makes the error queue before the first use of aws-lc on a thread.
//! - It also has the state freed ahead of aws-lc's own destructor, which would run outside.
//! - [`tls_provider`] draws the random numbers of TLS. Verifying signatures draws none.
//!
//! Once a thread has an error queue, parsing keys and verifying signatures take no lock at all.

use std::cell::Cell;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use once_cell::race::OnceBox;
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SupportedKxGroup,
    aws_lc_rs as backend,
};
use rustls::{NamedGroup, ProtocolVersion};

use crate::fork::{clear_aws_lc_thread_state, without_fork};

thread_local! {
    /// Whether aws-lc has this thread's state.
    static READY: Cell<bool> = const { Cell::new(false) };
    static END: ThreadEnd = const { ThreadEnd };
}

/// Runs `work`, which parses keys or verifies signatures, on a thread whose aws-lc state exists.
pub(crate) fn with_thread_state<T>(work: impl FnOnce() -> T) -> T {
    if READY.get() { work() } else { with_new_thread_state(work) }
}

#[cold]
fn with_new_thread_state<T>(work: impl FnOnce() -> T) -> T {
    // Thread-local destructors of Rust run before those of pthread, which is where aws-lc frees its
    // state. Registering one takes the loader's lock, which a thread that forks may hold.
    if END.try_with(|_| ()).is_ok() {
        without_fork(make_thread_state);
        READY.set(true);
        return work();
    }
    // The host calls from a destructor, and the library's has already run on this thread.
    without_fork(|| {
        let result = work();
        clear_aws_lc_thread_state();
        result
    })
}

/// Frees this thread's aws-lc state at the thread's end.
struct ThreadEnd;

impl Drop for ThreadEnd {
    fn drop(&mut self) {
        READY.set(false);
        without_fork(clear_aws_lc_thread_state);
    }
}

/// Returns the SHA-256 digest in hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    let digest = with_thread_state(|| digest(&SHA256, bytes));
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The example of RFC 7515, appendix A.3.
mod example {
    pub(super) const KEY: [u8; 65] = [
        0x04, 0x7f, 0xcd, 0xce, 0x27, 0x70, 0xf6, 0xc4, 0x5d, 0x41, 0x83, 0xcb, 0xee, 0x6f, 0xdb,
        0x4b, 0x7b, 0x58, 0x07, 0x33, 0x35, 0x7b, 0xe9, 0xef, 0x13, 0xba, 0xcf, 0x6e, 0x3c, 0x7b,
        0xd1, 0x54, 0x45, 0xc7, 0xf1, 0x44, 0xcd, 0x1b, 0xbd, 0x9b, 0x7e, 0x87, 0x2c, 0xdf, 0xed,
        0xb9, 0xee, 0xb9, 0xf4, 0xb3, 0x69, 0x5d, 0x6e, 0xa9, 0x0b, 0x24, 0xad, 0x8a, 0x46, 0x23,
        0x28, 0x85, 0x88, 0xe5, 0xad,
    ];
    pub(super) const MESSAGE: &[u8] = b"eyJhbGciOiJFUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    pub(super) const SIGNATURE: [u8; 64] = [
        0x0e, 0xd1, 0x21, 0x53, 0x79, 0x63, 0x6c, 0x48, 0x3c, 0x2f, 0x7f, 0x15, 0x58, 0x07, 0xd4,
        0x02, 0xa3, 0xb2, 0x28, 0x03, 0x3a, 0xf9, 0x7c, 0x7e, 0x17, 0x81, 0x9a, 0xc3, 0x16, 0x9e,
        0xa6, 0x65, 0xc5, 0x0a, 0x07, 0xd3, 0x8c, 0x3c, 0x70, 0xe5, 0xd8, 0xf1, 0x2d, 0xaf, 0x08,
        0x4a, 0x54, 0x80, 0xa6, 0x65, 0x90, 0xc5, 0xf2, 0x93, 0x50, 0x9a, 0x8f, 0x3f, 0x7f, 0x8a,
        0x83, 0xa3, 0x54, 0xd5,
    ];
}

/// Makes this thread's error queue, by verifying a signature that is zero. The first thread of
/// the process also runs what aws-lc does once per process.
fn make_thread_state() {
    static KEY: OnceBox<Option<ParsedPublicKey>> = OnceBox::new();
    static BEGUN: AtomicBool = AtomicBool::new(false);
    // Parsing tries another encoding first and leaves errors in the queue.
    let parse = || ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, example::KEY).ok();
    let Some(key) = KEY.get_or_init(|| Box::new(parse())) else { return };
    if !BEGUN.swap(true, Ordering::Relaxed) {
        let _ = key.verify_sig(example::MESSAGE, &example::SIGNATURE);
    }
    let _ = key.verify_sig(b"", &[0; 64]);
}

/// Returns the cryptography of TLS: aws-lc-rs, which draws random numbers while no thread can
/// fork.
pub(crate) fn tls_provider() -> Arc<CryptoProvider> {
    static GROUPS: OnceBox<Vec<WithoutFork<dyn SupportedKxGroup>>> = OnceBox::new();
    static RANDOM: OnceBox<WithoutFork<dyn SecureRandom>> = OnceBox::new();
    let provider = backend::default_provider();
    let groups = || Box::new(provider.kx_groups.iter().map(|group| WithoutFork(*group)).collect());
    let random = || Box::new(WithoutFork(provider.secure_random));
    Arc::new(CryptoProvider {
        kx_groups: GROUPS.get_or_init(groups).iter().map(|group| group as _).collect(),
        secure_random: RANDOM.get_or_init(random),
        ..provider
    })
}

#[derive(Debug)]
struct WithoutFork<T: ?Sized + 'static>(&'static T);

impl SecureRandom for WithoutFork<dyn SecureRandom> {
    fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
        with_thread_state(|| without_fork(|| self.0.fill(buf)))
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}

impl SupportedKxGroup for WithoutFork<dyn SupportedKxGroup> {
    /// Generates the client's key. Completing the exchange draws no random numbers.
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, rustls::Error> {
        with_thread_state(|| without_fork(|| self.0.start()))
    }

    fn ffdhe_group(&self) -> Option<rustls::ffdhe_groups::FfdheGroup<'static>> {
        self.0.ffdhe_group()
    }

    fn name(&self) -> NamedGroup {
        self.0.name()
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        self.0.usable_for_version(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_verifies() {
        let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, example::KEY).unwrap();
        key.verify_sig(example::MESSAGE, &example::SIGNATURE).unwrap();
    }

    /// Two copies would each have their own thread state, and only one would be cleared.
    #[test]
    fn there_is_one_aws_lc() {
        let lock = include_str!("../Cargo.lock");
        assert_eq!(lock.matches("name = \"aws-lc-sys\"").count(), 1);
        assert_eq!(lock.matches("name = \"aws-lc-fips-sys\"").count(), 1);
    }
}
