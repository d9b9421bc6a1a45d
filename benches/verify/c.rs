//! The C ABI, called as C calls it.

use std::ffi::{c_char, c_void};
use std::ptr;

use torii_emulator::Issuer;

#[allow(unused_extern_crates, reason = "its C functions are called by their symbols")]
extern crate torii;

unsafe extern "C" {
    fn torii_verifier_options_new() -> *mut c_void;
    fn torii_verifier_options_set_jwks_json(
        options: *mut c_void,
        json: *const c_char,
        json_len: usize,
        err: *mut *mut c_void,
    ) -> u32;
    fn torii_verifier_options_free(options: *mut c_void);
    fn torii_verifier_new(
        issuer: *const c_char,
        issuer_len: usize,
        options: *const c_void,
        out: *mut *mut c_void,
        err: *mut *mut c_void,
    ) -> u32;
    fn torii_verify_token(
        verifier: *const c_void,
        token: *const c_char,
        token_len: usize,
        out: *mut *mut c_void,
        err: *mut *mut c_void,
    ) -> u32;
    fn torii_auth_free(auth: *mut c_void);
    fn torii_error_free(error: *mut c_void);
    fn torii_verifier_free(verifier: *mut c_void);
}

pub(crate) struct Verifier(*mut c_void);

// SAFETY: a verifier may be used by any number of threads at once.
unsafe impl Send for Verifier {}
// SAFETY: as above.
unsafe impl Sync for Verifier {}

impl Verifier {
    pub(crate) fn new(issuer: &Issuer) -> Self {
        let (jwks, url) = (issuer.jwks().to_string(), issuer.url());
        let mut verifier = ptr::null_mut();
        // SAFETY: texts with their lengths, handles from the library, no err.
        let status = unsafe {
            let options = torii_verifier_options_new();
            torii_verifier_options_set_jwks_json(
                options,
                jwks.as_ptr().cast(),
                jwks.len(),
                ptr::null_mut(),
            );
            let out = &mut verifier;
            let status =
                torii_verifier_new(url.as_ptr().cast(), url.len(), options, out, ptr::null_mut());
            torii_verifier_options_free(options);
            status
        };
        assert_eq!(status, 0);
        Verifier(verifier)
    }

    pub(crate) fn verify(&self, token: &str) {
        let mut auth = ptr::null_mut();
        // SAFETY: a live verifier, a text with its length, an out-pointer, no err.
        let status = unsafe {
            let token_ptr = token.as_ptr().cast();
            torii_verify_token(self.0, token_ptr, token.len(), &mut auth, ptr::null_mut())
        };
        assert_eq!(status, 0);
        // SAFETY: the library gave it to this program, which does not use it again.
        unsafe { torii_auth_free(auth) };
    }

    pub(crate) fn refuse(&self, token: &str, with_err: bool) {
        let (mut auth, mut error) = (ptr::null_mut(), ptr::null_mut());
        let err = if with_err { &raw mut error } else { ptr::null_mut() };
        // SAFETY: a live verifier, a text with its length, out-pointers to locals or NULL.
        let status = unsafe {
            torii_verify_token(self.0, token.as_ptr().cast(), token.len(), &mut auth, err)
        };
        assert!((100..150).contains(&status));
        // SAFETY: the library gave it to this program, which does not use it again, or it is NULL.
        unsafe { torii_error_free(error) };
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        // SAFETY: the library gave it to this program, which does not use it again.
        unsafe { torii_verifier_free(self.0) };
    }
}
