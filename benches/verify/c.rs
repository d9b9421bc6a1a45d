//! The C ABI of a shared library, called as C calls it.

#![expect(
    clippy::missing_transmute_annotations,
    reason = "each field has the type of its function"
)]

use std::ffi::{CString, c_char, c_void};
use std::ptr;

use torii_emulator::Issuer;

type Out = *mut *mut c_void;

/// The functions of one library, and which one it is.
pub(crate) struct Library {
    /// An earlier release, to compare with.
    pub(crate) earlier: bool,
    options_new: unsafe extern "C" fn() -> *mut c_void,
    options_free: unsafe extern "C" fn(*mut c_void),
    set_jwks: unsafe extern "C" fn(*mut c_void, *const c_char, usize, Out) -> u32,
    /// Not in libraries that do not have the option.
    set_fixed_base: Option<unsafe extern "C" fn(*mut c_void, bool, Out) -> u32>,
    verifier_new: unsafe extern "C" fn(*const c_char, usize, *const c_void, Out, Out) -> u32,
    verifier_free: unsafe extern "C" fn(*mut c_void),
    verify_token: unsafe extern "C" fn(*const c_void, *const c_char, usize, Out, Out) -> u32,
    verify_into: unsafe extern "C" fn(
        *const c_void,
        *const c_char,
        usize,
        u32,
        *const c_void,
        *mut c_void,
        usize,
        *mut usize,
        Out,
    ) -> u32,
    auth_free: unsafe extern "C" fn(*mut c_void),
    error_free: unsafe extern "C" fn(*mut c_void),
}

impl Library {
    /// Loads the library, for as long as the program runs.
    pub(crate) fn load(path: &str, earlier: bool) -> &'static Library {
        let name = CString::new(path).unwrap();
        // SAFETY: a NUL-terminated path; the library has no initializer that matters.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!handle.is_null(), "cannot load {path}");
        let find = |name: &str| {
            let name = CString::new(name).unwrap();
            // SAFETY: a live handle and a NUL-terminated name.
            unsafe { libc::dlsym(handle, name.as_ptr()) }
        };
        macro_rules! function {
            ($name:literal) => {{
                let symbol = find($name);
                assert!(!symbol.is_null(), concat!("no ", $name));
                // SAFETY: the function of this name has this type, as in torii.h.
                unsafe { std::mem::transmute(symbol) }
            }};
        }
        let set_fixed_base = find("torii_verifier_options_set_fixed_base");
        Box::leak(Box::new(Library {
            earlier,
            options_new: function!("torii_verifier_options_new"),
            options_free: function!("torii_verifier_options_free"),
            set_jwks: function!("torii_verifier_options_set_jwks_json"),
            // SAFETY: NULL is `None`, and else as above.
            set_fixed_base: unsafe { std::mem::transmute(set_fixed_base) },
            verifier_new: function!("torii_verifier_new"),
            verifier_free: function!("torii_verifier_free"),
            verify_token: function!("torii_verify_token"),
            verify_into: function!("torii_verify_into"),
            auth_free: function!("torii_auth_free"),
            error_free: function!("torii_error_free"),
        }))
    }

    /// A verifier with the issuer's keys; `None` if the library lacks the wanted `fixed_base`.
    pub(crate) fn verifier(&'static self, issuer: &Issuer, fixed_base: bool) -> Option<Verifier> {
        let (jwks, url) = (issuer.jwks().to_string(), issuer.url());
        let mut verifier = ptr::null_mut();
        // SAFETY: texts with their lengths, handles from the library, no err.
        unsafe {
            let options = (self.options_new)();
            let status =
                (self.set_jwks)(options, jwks.as_ptr().cast(), jwks.len(), ptr::null_mut());
            assert_eq!(status, 0);
            if fixed_base && (self.set_fixed_base?)(options, true, ptr::null_mut()) != 0 {
                return None;
            }
            let out = &mut verifier;
            let (url, len) = (url.as_ptr().cast(), url.len());
            assert_eq!((self.verifier_new)(url, len, options, out, ptr::null_mut()), 0);
            (self.options_free)(options);
        }
        Some(Verifier { library: self, handle: verifier })
    }
}

pub(crate) struct Verifier {
    library: &'static Library,
    handle: *mut c_void,
}

// SAFETY: a verifier may be used by any number of threads at once.
unsafe impl Send for Verifier {}
// SAFETY: as above.
unsafe impl Sync for Verifier {}

/// Room for any result of `torii_verify_into`, aligned as it has to be.
type Record = [u64; 4_096];

impl Verifier {
    /// Verifies a token and frees the result.
    pub(crate) fn verify(&self, token: &str) {
        let mut auth = ptr::null_mut();
        // SAFETY: a live verifier, a text with its length, an out-pointer, no err.
        let status = unsafe {
            let (token, len) = (token.as_ptr().cast(), token.len());
            (self.library.verify_token)(self.handle, token, len, &mut auth, ptr::null_mut())
        };
        assert_eq!(status, 0);
        // SAFETY: the library gave it to this program, which does not use it again.
        unsafe { (self.library.auth_free)(auth) };
    }

    /// Verifies a token, with the result in memory of this thread.
    pub(crate) fn verify_into(&self, token: &str) {
        thread_local! {
            static RECORD: std::cell::UnsafeCell<Record> =
                const { std::cell::UnsafeCell::new([0; 4_096]) };
        }
        let status = RECORD.with(|record| {
            let (token, len) = (token.as_ptr().cast(), token.len());
            let (none, size) = (ptr::null(), ptr::null_mut());
            // SAFETY: a live verifier, a text with its length, an aligned buffer of this thread, no
            // requirements, no size and no err.
            unsafe {
                let buffer = record.get().cast();
                let verify = self.library.verify_into;
                verify(self.handle, token, len, 0, none, buffer, 32_768, size, ptr::null_mut())
            }
        });
        assert_eq!(status, 0);
    }

    /// Has a token refused, with or without a report.
    pub(crate) fn refuse(&self, token: &str, with_err: bool) {
        let (mut auth, mut error) = (ptr::null_mut(), ptr::null_mut());
        let err = if with_err { &raw mut error } else { ptr::null_mut() };
        let (token, len) = (token.as_ptr().cast(), token.len());
        // SAFETY: a live verifier, a text with its length, out-pointers to locals or NULL.
        let status =
            unsafe { (self.library.verify_token)(self.handle, token, len, &mut auth, err) };
        assert!((100..150).contains(&status));
        // SAFETY: the library gave it to this program, which does not use it again, or it is NULL.
        unsafe { (self.library.error_free)(error) };
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        // SAFETY: the library gave it to this program, which does not use it again.
        unsafe { (self.library.verifier_free)(self.handle) };
    }
}
