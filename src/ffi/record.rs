//! `torii_record_t`: a result in the caller's own memory.

use std::ffi::{c_char, c_void};
use std::ops::Range;

use super::call::fallible;
use super::error::torii_error_t;
use super::pointer::{bytes, optional_out, shared};
use super::requirements::torii_requirements_t;
use super::status::torii_status_t;
use super::verifier::torii_verifier_t;
use crate::error::{Error, Result, Status};
use crate::verify::{Auth, Check, Field};

/// A text in a record: an offset from the start of the record, and the length in bytes. Offset 0
/// means absent; an empty text has another offset. The text is followed by NUL.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct torii_span_t {
    /// From the start of the record; 0: absent.
    pub offset: u32,
    /// In bytes, without the NUL.
    pub len: u32,
}

/// A result without a handle: this header, followed by the texts its spans point to. Later releases
/// may append fields to the header; the spans of this release stay where they are.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct torii_record_t {
    /// The size of the record with its texts.
    pub size: u32,
    /// The size of the header in the library that wrote it: a field is present if it ends below this.
    pub header_size: u32,
    /// The TORII_REQUIRE_… flags that this login meets. 0 after a failure.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
    /// Claim `iat` in Unix seconds, rounded down.
    pub issued_at: i64,
    /// Claim `exp` in Unix seconds, rounded down.
    pub expires_at: i64,
    /// The user id, claim `sub`.
    pub user_id: torii_span_t,
    /// The id of the user's environment, claim `pid`.
    pub environment_id: torii_span_t,
    /// The configured issuer that signed the token, without trailing slashes.
    pub issuer: torii_span_t,
    /// The user's preferred locale.
    pub locale: torii_span_t,
    /// The id of the active organization.
    pub organization_id: torii_span_t,
    /// The user's role in the active organization: check it together with the id.
    pub organization_role: torii_span_t,
    /// The id of the party that acts as the user. Absent does not mean that there is none.
    pub actor_id: torii_span_t,
    /// All claims as JSON, exactly as signed.
    pub claims_json: torii_span_t,
}

/// Flags for `how` of torii_verify_into().
#[derive(Clone, Copy)]
#[repr(C)]
pub enum torii_verify_t {
    /// `text` is the value of an `Authorization` header, not a bare token.
    TORII_VERIFY_HEADER = 1,
    /// Perform no I/O and do not wait for I/O on another thread.
    TORII_VERIFY_NOWAIT = 2,
}

const HEADER_SIZE: usize = size_of::<torii_record_t>();

/// == Verifying without a handle ==
/// One call for bindings, and for C without malloc().
///
/// Verifies a token as torii_verify_token() does and writes the result to `buf`: nothing to free.
///
/// `how` is a combination of TORII_VERIFY_… flags, or 0. `requirements` [may be NULL] apply to this call
/// in addition to the verifier's. `buf` receives a torii_record_t with its texts; it must be 8-byte
/// aligned and must not overlap `text`. TORII_RECORD_MAX bytes always suffice. Its header is zeroed on
/// entry, so that a reused buffer never shows an earlier user. `size` [may be NULL] receives the size of
/// the record.
/// Blocks as torii_verify_token() does, unless TORII_VERIFY_NOWAIT is set.
/// Errors: TORII_ERR_BUFFER_TOO_SMALL if the token was accepted but the record does not fit: `*size` is
/// the size it needs, and the call is not counted. TORII_ERR_INVALID_ARGUMENT for an unknown flag, a
/// misaligned or overlapping buffer; else as torii_verify_token() and torii_verifier_authenticate().
/// Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verify_into(
    verifier: *const torii_verifier_t,
    text: *const c_char,
    text_len: usize,
    how: u32,
    requirements: *const torii_requirements_t,
    buf: *mut c_void,
    cap: usize,
    size: *mut usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the handles are NULL or live, `text` is readable, `buf` writable for `cap` bytes, and the
    // out-pointers are NULL or writable, by the caller's promise.
    unsafe {
        fallible(err, || {
            let size = optional_out(size);
            let buffer = Buffer::new(buf, cap, text, text_len)?;
            let text = bytes(text, text_len, "text")?;
            let verifier = &shared(verifier, "verifier")?.0;
            let requirements = requirements.as_ref().map(|requirements| &requirements.0);
            let mut needed = 0;
            let written = verifier.check_then(text, check(how)?, requirements, |auth| {
                needed = size_of_record(&auth)?;
                buffer.write(&auth, needed)
            });
            if let Some(size) = size {
                *size = needed;
            }
            written
        })
    }
}

fn check(how: u32) -> Result<Check> {
    let flag = |flag: torii_verify_t| how & flag as u32 != 0;
    let check = Check {
        header: flag(torii_verify_t::TORII_VERIFY_HEADER),
        nowait: flag(torii_verify_t::TORII_VERIFY_NOWAIT),
    };
    match how {
        0..=3 => Ok(check),
        _ => Err(Error::argument("how", "not a combination of TORII_VERIFY_ flags")),
    }
}

/// The texts of a record, in the order of its spans.
const FIELDS: [Field; 8] = [
    Field::UserId,
    Field::EnvironmentId,
    Field::Issuer,
    Field::Locale,
    Field::OrganizationId,
    Field::OrganizationRole,
    Field::ActorId,
    Field::Claims,
];

fn size_of_record(auth: &Auth) -> Result<usize> {
    let size = HEADER_SIZE + auth.0.texts().len();
    u32::try_from(size).map_err(|_| too_small())?;
    Ok(size)
}

const fn too_small() -> Error {
    Error::fixed(Status::BufferTooSmall, "cap", "smaller than the record")
}

/// The caller's buffer, with its header zeroed.
struct Buffer {
    start: *mut u8,
    cap: usize,
}

impl Buffer {
    /// Zeroes the header, even if an argument is invalid, and checks the buffer against the text.
    ///
    /// # Safety
    ///
    /// `buf` is NULL with `cap` 0, or writable for `cap` bytes.
    unsafe fn new(buf: *mut c_void, cap: usize, text: *const c_char, len: usize) -> Result<Self> {
        if buf.is_null() && cap > 0 {
            return Err(Error::argument("buf", "NULL, with a capacity that is not 0"));
        }
        let start = buf.cast::<u8>();
        if cap > 0 {
            // SAFETY: not NULL, and no longer than the `cap` bytes the caller makes writable.
            unsafe { start.write_bytes(0, cap.min(HEADER_SIZE)) };
        }
        if !buf.addr().is_multiple_of(align_of::<torii_record_t>()) {
            return Err(Error::argument("buf", "not 8-byte aligned"));
        }
        let range = |start: usize, len: usize| Range { start, end: start.saturating_add(len) };
        let (target, source) = (range(buf.addr(), cap), range(text.addr(), len));
        if target.start < source.end && source.start < target.end {
            return Err(Error::argument("buf", "overlaps the text"));
        }
        Ok(Buffer { start, cap })
    }

    /// Writes the record, which takes `size` bytes, or nothing.
    fn write(&self, auth: &Auth, size: usize) -> Result<()> {
        if self.cap < size {
            return Err(too_small());
        }
        let texts = auth.0.texts();
        // SAFETY: `size` is that of the header and the texts, and the buffer has room for it.
        unsafe {
            let behind_header = self.start.add(HEADER_SIZE);
            behind_header.copy_from_nonoverlapping(texts.as_ptr(), texts.len());
        }
        let spans = FIELDS.map(|field| {
            let span = auth.0.span(field).map(|span| torii_span_t {
                offset: HEADER_SIZE as u32 + span.start,
                len: span.len,
            });
            span.unwrap_or_default()
        });
        let [
            user_id,
            environment_id,
            issuer,
            locale,
            organization_id,
            organization_role,
            actor_id,
            claims_json,
        ] = spans;
        let header = torii_record_t {
            size: size as u32,
            header_size: HEADER_SIZE as u32,
            flags: auth.flags(),
            reserved: 0,
            issued_at: auth.issued_at(),
            expires_at: auth.expires_at(),
            user_id,
            environment_id,
            issuer,
            locale,
            organization_id,
            organization_role,
            actor_id,
            claims_json,
        };
        // SAFETY: aligned, as `new` checked, and the header is part of the `size` bytes that fit.
        unsafe { self.start.cast::<torii_record_t>().write(header) };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn the_layout_only_grows() {
        assert_eq!(HEADER_SIZE, 96);
        assert_eq!(offset_of!(torii_record_t, issued_at), 16);
        assert_eq!(offset_of!(torii_record_t, user_id), 32);
        assert_eq!(offset_of!(torii_record_t, claims_json), 88);
    }
}
