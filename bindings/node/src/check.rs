//! The function that verifies, which a server calls for every request.
//!
//! JavaScript calls it as `check(text, how, record, now)`. `how` is the sum of 1 for the value of a
//! header, 2 to be told a known result again, and four times the number of the requirements. `now` is
//! given if the verifier has a clock. It returns
//!
//! * a positive number: that of a result that was told before,
//! * a string: the texts of a new result, one after the other. `record`, a `Float64Array` of
//!   [`RECORD`] numbers, then holds its number, its flags and times, and the length of each text
//!   (in UTF-16 code units, -1 if absent),
//! * -1: `takeFailure` has the reason.
//!
//! Creating strings takes longer than everything else about a token in the cache. JavaScript
//! therefore keeps the results, in as many places as the checker has: the remainder of a number by
//! [`PLACES`] is the place. No number is used twice, so that JavaScript sees if it has no result of
//! this number: an exception may have ended it before it kept one. A place holds the core's result,
//! so that no other one can be at the same address.

use std::cell::RefCell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, sys};
use torii::{Auth, Check};

use crate::{failure, requirements};

/// The number of results that JavaScript keeps.
const PLACES: usize = 2048;

/// Number, flags and two times, then the lengths of eight texts.
const RECORD: usize = 12;

/// A token has at most 16 KiB. A longer one is copied to the heap.
const BUFFER: usize = 16 * 1024 + 64;

const FAILED: f64 = -1.0;

/// A verifier of one JavaScript environment.
pub(crate) struct Checker {
    verifier: Arc<torii::Verifier>,
    /// The verifier's clock, if it is JavaScript's.
    now: Option<Arc<AtomicI64>>,
    state: RefCell<State>,
}

struct State {
    places: Vec<Option<Kept>>,
    texts: String,
    failure: Option<String>,
}

/// A result that JavaScript was told.
#[derive(Clone)]
struct Kept {
    number: f64,
    auth: Auth,
}

/// The outcome of a call, for JavaScript.
enum Answer {
    Known(f64),
    New([f64; RECORD]),
    Failed,
}

impl Checker {
    pub(crate) fn new(verifier: Arc<torii::Verifier>, now: Option<Arc<AtomicI64>>) -> Self {
        let state = State { places: vec![None; PLACES], texts: String::new(), failure: None };
        Checker { verifier, now, state: RefCell::new(state) }
    }

    pub(crate) fn take_failure(&self) -> Option<String> {
        self.state.try_borrow_mut().ok()?.failure.take()
    }

    pub(crate) fn set_now(&self, now: i64) {
        if let Some(clock) = &self.now {
            clock.store(now, Ordering::Relaxed);
        }
    }

    /// The result with this number, unless another one has its place.
    pub(crate) fn result(&self, number: f64) -> Option<Auth> {
        let state = self.state.try_borrow().ok()?;
        let kept = state.places.get(number as usize % PLACES)?.as_ref()?;
        (kept.number == number).then(|| kept.auth.clone())
    }

    fn fail(&self, failure: String) -> Answer {
        if let Ok(mut state) = self.state.try_borrow_mut() {
            state.failure = Some(failure);
        }
        Answer::Failed
    }

    fn check(&self, text: &[u8], how: u32, now: Option<i64>) -> Answer {
        // Without a time no token is valid.
        self.set_now(now.unwrap_or(i64::MIN / 2));
        let (header, again) = (how & 1 != 0, how & 2 != 0);
        let required = match how >> 2 {
            0 => None,
            number => match requirements::get(number) {
                Some(requirements) => Some(requirements),
                None => return self.fail(failure::internal("requirements that do not exist")),
            },
        };
        match self.verifier.check(text, Check { header, nowait: true }, required.as_deref()) {
            Ok(auth) => self.answer(auth, again),
            Err(error) => self.fail(failure::json(&error)),
        }
    }

    fn answer(&self, auth: Auth, again: bool) -> Answer {
        let Ok(mut state) = self.state.try_borrow_mut() else { return Answer::Failed };
        let State { places, texts, .. } = &mut *state;
        let identity = identity(&auth);
        // Fibonacci hashing: neighbors in memory get places far apart.
        let hash = (identity as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let index = hash as usize % PLACES;
        let Some(place) = places.get_mut(index) else { return Answer::Failed };
        if let Some(kept) = place.as_ref().filter(|kept| self::identity(&kept.auth) == identity)
            && !again
        {
            return Answer::Known(kept.number);
        }
        // Exact up to 2^53: four million million results at one place.
        let number = place.as_ref().map_or(index as f64, |kept| kept.number) + PLACES as f64;
        let record = describe(&auth, number, texts);
        *place = Some(Kept { number, auth });
        Answer::New(record)
    }
}

/// A number that no other result has while this one exists.
fn identity(auth: &Auth) -> usize {
    auth.claims_json().as_ptr().addr()
}

fn describe(auth: &Auth, number: f64, texts: &mut String) -> [f64; RECORD] {
    texts.clear();
    let mut length = |text: Option<&str>| {
        let Some(text) = text else { return -1.0 };
        texts.push_str(text);
        let units = if text.is_ascii() { text.len() } else { text.encode_utf16().count() };
        units as f64
    };
    [
        number,
        f64::from(auth.flags()),
        auth.issued_at() as f64,
        auth.expires_at() as f64,
        length(Some(auth.user_id())),
        length(Some(auth.environment_id())),
        length(Some(auth.issuer())),
        length(auth.locale()),
        length(auth.organization_id()),
        length(auth.organization_role()),
        length(auth.actor_id()),
        length(Some(auth.claims_json())),
    ]
}

/// Creates the function. It holds the checker until JavaScript has no more use for the function.
pub(crate) fn function<'env>(env: &'env Env, checker: Rc<Checker>) -> napi::Result<Unknown<'env>> {
    let data = Rc::into_raw(checker).cast_mut().cast::<c_void>();
    let name = c"check";
    let mut function = ptr::null_mut();
    // SAFETY: `env` is the environment of the call under way, the name has 5 bytes, and `data`
    // is a checker, as `call` expects.
    let created = unsafe {
        sys::napi_create_function(env.raw(), name.as_ptr(), 5, Some(call), data, &mut function)
    };
    // SAFETY: `function` was created above, if `created` says so; `release` runs once, after the
    // last call of it.
    let added = (created == sys::Status::napi_ok).then(|| unsafe {
        sys::napi_add_finalizer(
            env.raw(),
            function,
            data,
            Some(release),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    });
    if added != Some(sys::Status::napi_ok) {
        // The checker stays: a function without a finalizer may exist.
        return Err(napi::Error::from_reason(failure::internal("no function could be created")));
    }
    // SAFETY: `function` is a value of this environment and of the scope of the call under way.
    unsafe { Unknown::from_napi_value(env.raw(), function) }
}

unsafe extern "C" fn release(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: `data` came from `Rc::into_raw` in `function`, and is released here alone, on the
    // thread of the environment.
    drop(unsafe { Rc::from_raw(data.cast_const().cast::<Checker>()) });
}

unsafe extern "C" fn call(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut given = [ptr::null_mut(); 4];
    let mut count = given.len();
    let mut data = ptr::null_mut();
    // SAFETY: `env` and `info` are those of this call, and there is room for `count` arguments.
    // Node sets those that were not passed to undefined.
    let got = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, given.as_mut_ptr(), ptr::null_mut(), &mut data)
    };
    if got != sys::Status::napi_ok || data.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: `data` is the checker that `function` gave to this function, which keeps it alive.
    let checker = unsafe { &*data.cast_const().cast::<Checker>() };
    let [text, how, record, now] = given;
    let answer = catch_unwind(AssertUnwindSafe(|| {
        let how = number(env, how).unwrap_or(0.0) as u32;
        let now = checker.now.as_ref().and_then(|_| number(env, now)).map(|now| now as i64);
        with_text(env, text, |text| checker.check(text, how, now))
    }));
    match answer {
        Ok(Some(Answer::Known(known))) => double(env, known),
        Ok(Some(Answer::New(numbers))) if write(env, record, &numbers) => {
            checker.state.try_borrow().map_or(ptr::null_mut(), |state| string(env, &state.texts))
        }
        Ok(Some(Answer::Failed)) => double(env, FAILED),
        Ok(_) => {
            checker.fail(failure::internal("check: wrong arguments"));
            double(env, FAILED)
        }
        Err(_) => {
            checker.fail(failure::internal("a defect of libtorii"));
            double(env, FAILED)
        }
    }
}

/// Lends the text of a JavaScript string as UTF-8: a copy, which no other code changes. A lone surrogate
/// becomes U+FFFD.
fn with_text<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    work: impl FnOnce(&[u8]) -> T,
) -> Option<T> {
    let mut buffer = [MaybeUninit::<u8>::uninit(); BUFFER];
    let mut length = 0;
    // SAFETY: `value` is a value of the call under way, and `buffer` has room for `BUFFER` bytes.
    let read = unsafe {
        sys::napi_get_value_string_utf8(env, value, buffer.as_mut_ptr().cast(), BUFFER, &mut length)
    };
    if read != sys::Status::napi_ok {
        return None;
    }
    // One byte is for U+0000, and an incomplete character is left out.
    if length + 4 < BUFFER {
        // SAFETY: Node wrote `length` bytes.
        return Some(work(unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast(), length) }));
    }
    // SAFETY: `value` is a string, and without a buffer only the length is written.
    let measured =
        unsafe { sys::napi_get_value_string_utf8(env, value, ptr::null_mut(), 0, &mut length) };
    let mut long = vec![0_u8; length + 1];
    // SAFETY: `long` has room for `length` bytes and U+0000.
    let read = unsafe {
        sys::napi_get_value_string_utf8(
            env,
            value,
            long.as_mut_ptr().cast(),
            long.len(),
            &mut length,
        )
    };
    let ok = measured == sys::Status::napi_ok && read == sys::Status::napi_ok;
    long.get(..length).filter(|_| ok).map(work)
}

fn number(env: sys::napi_env, value: sys::napi_value) -> Option<f64> {
    let mut number = 0.0;
    // SAFETY: `value` is a value of the call under way; another type than a number is an error.
    let read = unsafe { sys::napi_get_value_double(env, value, &mut number) };
    (read == sys::Status::napi_ok).then_some(number)
}

/// Fills a `Float64Array` of the right length.
fn write(env: sys::napi_env, array: sys::napi_value, numbers: &[f64; RECORD]) -> bool {
    let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
    // SAFETY: `array` is a value of the call under way; another type than a typed array is an error.
    let read = unsafe {
        sys::napi_get_typedarray_info(
            env,
            array,
            &mut kind,
            &mut length,
            &mut data,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    let fits = kind == sys::TypedarrayType::float64_array && length == RECORD;
    if read != sys::Status::napi_ok || !fits || data.is_null() {
        return false;
    }
    // SAFETY: The array has room for that many numbers, is aligned for them, and belongs to this
    // package, which shares it with no other thread.
    unsafe { ptr::copy_nonoverlapping(numbers.as_ptr(), data.cast::<f64>(), RECORD) };
    true
}

fn double(env: sys::napi_env, value: f64) -> sys::napi_value {
    let mut result = ptr::null_mut();
    // SAFETY: `env` is the environment of the call under way.
    unsafe { sys::napi_create_double(env, value, &mut result) };
    result
}

fn string(env: sys::napi_env, text: &str) -> sys::napi_value {
    let (start, length) = (text.as_ptr().cast(), text.len() as isize);
    let mut result = ptr::null_mut();
    if text.is_ascii() {
        // SAFETY: `start` and `length` are those of a text, and ASCII is Latin-1.
        unsafe { sys::napi_create_string_latin1(env, start, length, &mut result) };
    } else {
        // SAFETY: `start` and `length` are those of a text in UTF-8.
        unsafe { sys::napi_create_string_utf8(env, start, length, &mut result) };
    }
    result
}
