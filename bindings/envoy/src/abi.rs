//! Envoy's ABI for dynamic modules, v0.2.0 (Envoy 1.40), as far as this module uses it.
//!
//! Declared by hand. The functions that Envoy calls are exported here. Envoy's own functions are
//! looked up by name when the module is loaded, so that a host that lacks one is refused then, not
//! during a request. All pointers are handled here; the rest of the module is safe.

use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use torii::MetricKind;

use crate::config::{Config, Route, Settings};
use crate::filter::{Filter, Flow};
use crate::host::{Event, Host, Level, Value, Wake};
use crate::stats::Counters;

/// The version of the ABI that is declared here.
const VERSION: &CStr = c"v0.2.0";

/// A module that is built into Envoy's own binary. Like every module it tells the version of the ABI
/// it was built with, which is Envoy's own.
const BUILT_IN_INIT: &CStr = c"hickory_dns_static_envoy_dynamic_module_on_program_init";

const REQUEST_HEADER: u32 = 0;
const HEADERS_CONTINUE: i32 = 0;
/// Stops only the headers: after this, the result of the body's hook decides over all. For requests
/// that have been answered.
const HEADERS_STOP: i32 = 1;
/// Keeps headers, body and trailers alike, and slows the sender down when the buffer is full.
const HEADERS_WAIT: i32 = 4;
const BODY_CONTINUE: i32 = 0;
const BODY_WAIT: i32 = 2;
/// Drops the body.
const BODY_STOP: i32 = 3;
const TRAILERS_CONTINUE: i32 = 0;
const TRAILERS_STOP: i32 = 1;

/// A text, of Envoy or of this module.
#[repr(C)]
#[derive(Clone, Copy)]
struct Text {
    pointer: *const u8,
    length: usize,
}

/// A header, of Envoy or of this module.
#[repr(C)]
#[derive(Clone, Copy)]
struct Header {
    name: Text,
    value: Text,
}

impl Text {
    const NONE: Text = Text { pointer: std::ptr::null(), length: 0 };

    fn of(text: &(impl AsRef<[u8]> + ?Sized)) -> Text {
        let text = text.as_ref();
        Text { pointer: text.as_ptr(), length: text.len() }
    }

    /// # Safety
    ///
    /// The text has to stay as it is for as long as the result is used.
    unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.pointer.is_null() {
            return &[];
        }
        // SAFETY: a text with a pointer has this many bytes, and the caller keeps them.
        unsafe { std::slice::from_raw_parts(self.pointer, self.length) }
    }
}

/// Declares callbacks of Envoy, with their names and signatures, and a table of them.
macro_rules! callbacks {
    ($(fn $name:ident($($argument:ty),*) $(-> $result:ty)?;)+) => {
        struct Callbacks {
            $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)+
        }

        impl Callbacks {
            /// Looks all of them up. An error names one that is missing.
            fn find() -> Result<Self, &'static str> {
                Ok(Callbacks {
                    $($name: {
                        let name = concat!("envoy_dynamic_module_callback_", stringify!($name), "\0");
                        let function = CStr::from_bytes_with_nul(name.as_bytes())
                            .ok()
                            .and_then(symbol)
                            .ok_or(stringify!($name))?;
                        // SAFETY: in this version of the ABI the name stands for this signature.
                        unsafe {
                            std::mem::transmute::<
                                *mut c_void,
                                unsafe extern "C" fn($($argument),*) $(-> $result)?,
                            >(function)
                        }
                    },)+
                })
            }
        }
    };
}

callbacks! {
    fn is_validation_mode() -> bool;
    fn log_v2(u32, Text, Text, u32);
    fn http_filter_config_define_counter(*mut c_void, Text, *const Text, usize, *mut usize) -> u32;
    fn http_filter_config_define_gauge(*mut c_void, Text, *const Text, usize, *mut usize) -> u32;
    fn http_filter_set_gauge(*mut c_void, usize, *const Text, usize, u64) -> u32;
    fn http_filter_increment_counter(*mut c_void, usize, *const Text, usize, u64) -> u32;
    fn http_get_header(*mut c_void, u32, Text, *mut Text, usize, *mut usize) -> bool;
    fn http_get_headers_size(*mut c_void, u32) -> usize;
    fn http_get_headers(*mut c_void, u32, *mut Header) -> bool;
    fn http_set_header(*mut c_void, u32, Text, Text) -> bool;
    fn http_clear_route_cache(*mut c_void);
    fn http_set_dynamic_metadata_string(*mut c_void, Text, Text, Text);
    fn http_set_dynamic_metadata_number(*mut c_void, Text, Text, f64);
    fn http_set_dynamic_metadata_bool(*mut c_void, Text, Text, bool);
    fn http_send_response(*mut c_void, u32, *const Header, usize, Text, Text);
    fn http_filter_continue_decoding(*mut c_void);
    fn http_filter_scheduler_new(*mut c_void) -> *mut c_void;
    fn http_filter_scheduler_commit(*mut c_void, u64);
    fn http_filter_scheduler_delete(*mut c_void);
    fn get_most_specific_route_config(*mut c_void) -> *const c_void;
}

/// Envoy, once the module has been accepted.
static ENVOY: OnceLock<Callbacks> = OnceLock::new();

/// A symbol of the program that loaded the module, or of its libraries.
fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name ends with U+0000.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!symbol.is_null()).then_some(symbol)
}

/// The version of the ABI that the host was built with, if it has a built-in module that tells.
fn host_version() -> Option<String> {
    let init = symbol(BUILT_IN_INIT)?;
    // SAFETY: so does every module declare this function.
    let init: unsafe extern "C" fn() -> *const c_char = unsafe { std::mem::transmute(init) };
    // SAFETY: Envoy itself calls it each time that module is used; it takes nothing.
    let version = unsafe { init() };
    if version.is_null() {
        return None;
    }
    // SAFETY: the result is a constant that ends with U+0000.
    let version = unsafe { CStr::from_ptr(version) };
    Some(version.to_string_lossy().into_owned())
}

/// Whether the declarations above are those of this host.
fn check_host() -> Result<Callbacks, String> {
    let ours = VERSION.to_string_lossy();
    match host_version() {
        Some(version) if version != ours => {
            return Err(format!("this Envoy has version {version} of the ABI"));
        }
        _ => {}
    }
    // A host that tells no version may still have another: `log_v2` came with this one, and released
    // functions keep their names and signatures.
    Callbacks::find().map_err(|name| format!("this Envoy has no callback {name}"))
}

/// Keeps a panic from reaching Envoy. Its message is on standard error.
fn guarded<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

/// Writes to Envoy's log.
fn log(level: Level, message: &str) {
    let Some(envoy) = ENVOY.get() else { return };
    let level = match level {
        Level::Info => 2,
        Level::Warn => 3,
        Level::Error => 4,
    };
    let message = format!("torii: {message}");
    // SAFETY: the text lives until the call returns; any thread may log.
    unsafe { (envoy.log_v2)(level, Text::of(&message), Text::NONE, 0) }
}

/// The stream of a request, while Envoy has called the filter for it.
struct Stream {
    envoy: &'static Callbacks,
    /// Envoy's filter, which lives until the hook that was called has returned.
    filter: *mut c_void,
}

impl Stream {
    fn new(filter: *mut c_void) -> Option<Self> {
        Some(Stream { envoy: ENVOY.get()?, filter })
    }

    /// The configuration of the route that Envoy has chosen for the request.
    fn route(&self) -> Option<Arc<Route>> {
        // SAFETY: the filter lives.
        let route = unsafe { (self.envoy.get_most_specific_route_config)(self.filter) };
        let route = route.cast::<Route>();
        if route.is_null() {
            return None;
        }
        // SAFETY: `per_route_config_new` made it, and Envoy keeps it while the route is the stream's.
        unsafe { Arc::increment_strong_count(route) };
        // SAFETY: as above; the count was just taken for this.
        Some(unsafe { Arc::from_raw(route) })
    }
}

impl Host for Stream {
    fn header(&self, name: &str, index: usize) -> Option<(&[u8], usize)> {
        let (mut value, mut count) = (Text::NONE, 0);
        let (get, name) = (self.envoy.http_get_header, Text::of(name));
        // SAFETY: the filter and the name live, and both results are locals.
        let found = unsafe {
            get(self.filter, REQUEST_HEADER, name, &raw mut value, index, &raw mut count)
        };
        // SAFETY: the value stays as it is until a header is changed, which takes a `&mut self`.
        found.then(|| (unsafe { value.bytes() }, count))
    }

    fn each_header_name(&self, show: &mut dyn FnMut(&[u8])) {
        // SAFETY: the filter lives.
        let count = unsafe { (self.envoy.http_get_headers_size)(self.filter, REQUEST_HEADER) };
        let mut headers = vec![Header { name: Text::NONE, value: Text::NONE }; count];
        let get = self.envoy.http_get_headers;
        // SAFETY: there is room for as many headers as there are.
        if !unsafe { get(self.filter, REQUEST_HEADER, headers.as_mut_ptr()) } {
            return;
        }
        for header in headers {
            // SAFETY: names stay as they are until a header is changed, which takes a `&mut self`.
            show(unsafe { header.name.bytes() });
        }
    }

    fn set_header(&mut self, name: &str, value: &[u8]) {
        let set = self.envoy.http_set_header;
        // SAFETY: the filter and the texts live; Envoy copies them.
        unsafe { set(self.filter, REQUEST_HEADER, Text::of(name), Text::of(value)) };
    }

    fn remove_header(&mut self, name: &[u8]) {
        let set = self.envoy.http_set_header;
        // SAFETY: the filter and the name live; no value removes the header.
        unsafe { set(self.filter, REQUEST_HEADER, Text::of(name), Text::NONE) };
    }

    fn set_metadata(&mut self, namespace: &str, key: &str, value: &Value<'_>) {
        let (filter, namespace, key) = (self.filter, Text::of(namespace), Text::of(key));
        match value {
            Value::Text(text) => {
                let set = self.envoy.http_set_dynamic_metadata_string;
                // SAFETY: the filter and the texts live; Envoy copies them.
                unsafe { set(filter, namespace, key, Text::of(text.as_bytes())) }
            }
            Value::Number(number) => {
                let set = self.envoy.http_set_dynamic_metadata_number;
                // SAFETY: as above.
                unsafe { set(filter, namespace, key, *number) }
            }
            Value::Bool(value) => {
                let set = self.envoy.http_set_dynamic_metadata_bool;
                // SAFETY: as above.
                unsafe { set(filter, namespace, key, *value) }
            }
        }
    }

    fn clear_route(&mut self) {
        // SAFETY: the filter lives.
        unsafe { (self.envoy.http_clear_route_cache)(self.filter) }
    }

    fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &str, details: &str) {
        let header = |(name, value): &(&str, &str)| Header {
            name: Text::of(*name),
            value: Text::of(*value),
        };
        let headers: Vec<_> = headers.iter().map(header).collect();
        let (send, (body, details)) =
            (self.envoy.http_send_response, (Text::of(body), Text::of(details)));
        let (pointer, count) = (headers.as_ptr(), headers.len());
        // SAFETY: the filter and the texts live; Envoy copies them.
        unsafe { send(self.filter, status.into(), pointer, count, body, details) }
    }

    fn resume(&mut self) {
        // SAFETY: the filter lives.
        unsafe { (self.envoy.http_filter_continue_decoding)(self.filter) }
    }

    fn waker(&mut self) -> Option<Box<dyn Wake>> {
        // SAFETY: the filter lives, and this is its thread.
        let scheduler = unsafe { (self.envoy.http_filter_scheduler_new)(self.filter) };
        if scheduler.is_null() {
            return None;
        }
        Some(Box::new(Scheduler { envoy: self.envoy, scheduler }))
    }

    fn set_gauge(&mut self, gauge: usize, value: u64) {
        let set = self.envoy.http_filter_set_gauge;
        // SAFETY: the filter lives; the gauge has no tags. An unknown gauge is ignored.
        unsafe { set(self.filter, gauge, std::ptr::null(), 0, value) };
    }

    fn count(&mut self, counter: usize, tag: Option<&str>, n: u64) {
        let tag = tag.map(Text::of);
        let (tags, count) = tag.as_ref().map_or((std::ptr::null(), 0), |tag| (&raw const *tag, 1));
        let add = self.envoy.http_filter_increment_counter;
        // SAFETY: the filter and the tag live. An unknown counter is ignored.
        unsafe { add(self.filter, counter, tags, count, n) };
    }
}

/// Envoy's handle on a stream for other threads. It does not keep the stream alive.
struct Scheduler {
    envoy: &'static Callbacks,
    scheduler: *mut c_void,
}

// SAFETY: Envoy made it for other threads: it may be used and deleted on any.
unsafe impl Send for Scheduler {}

impl Wake for Scheduler {
    fn wake(&self, event: Event) {
        // SAFETY: the scheduler lives until it is dropped.
        unsafe { (self.envoy.http_filter_scheduler_commit)(self.scheduler, event as u64) }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // SAFETY: it was made by Envoy, and is deleted once.
        unsafe { (self.envoy.http_filter_scheduler_delete)(self.scheduler) }
    }
}

// ---- the module -------------------------------------------------------------------------------

/// The module is loaded: the version of the ABI it was written for, or null to refuse.
#[unsafe(no_mangle)]
extern "C" fn envoy_dynamic_module_on_program_init() -> *const c_char {
    guarded(std::ptr::null(), || match check_host() {
        Ok(envoy) => {
            ENVOY.get_or_init(|| envoy);
            VERSION.as_ptr()
        }
        Err(why) => {
            eprintln!(
                "torii: made for version {} of the ABI, but {why}",
                VERSION.to_string_lossy()
            );
            std::ptr::null()
        }
    })
}

// ---- configurations ---------------------------------------------------------------------------

fn new_config(host: *mut c_void, json: &[u8]) -> Result<Arc<Config>, String> {
    let envoy = ENVOY.get().ok_or("not initialized")?;
    let settings = Settings::parse(json)?;
    let define = |kind, name: &str, tag: Option<&str>| {
        let (mut id, tag) = (0, tag.map(Text::of));
        let (tags, count) = tag.as_ref().map_or((std::ptr::null(), 0), |tag| (&raw const *tag, 1));
        let define = match kind {
            MetricKind::Counter => envoy.http_filter_config_define_counter,
            MetricKind::Gauge => envoy.http_filter_config_define_gauge,
        };
        // SAFETY: Envoy's configuration and the texts live, and the result is a local.
        let result = unsafe { define(host, Text::of(name), tags, count, &raw mut id) };
        (result == 0).then_some(id)
    };
    let counters = Counters::define(|name, tag| define(MetricKind::Counter, name, tag))?;
    let mut config = settings.build(counters, log)?;
    config.metrics.define(&config.verifier, define)?;
    // SAFETY: configurations are made on the main thread.
    if !unsafe { (envoy.is_validation_mode)() } {
        config.keys.keep_fresh();
    }
    Ok(Arc::new(config))
}

/// Configures a filter; returns its configuration, or null to refuse it.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    host: *mut c_void,
    _name: Text,
    json: Text,
) -> *const c_void {
    // SAFETY: the text lives until this returns.
    let json = unsafe { json.bytes() };
    guarded(std::ptr::null(), || match new_config(host, json) {
        Ok(config) => Arc::into_raw(config).cast(),
        Err(why) => {
            log(Level::Error, &format!("the configuration of the filter: {why}"));
            std::ptr::null()
        }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(config: *const c_void) {
    guarded((), || {
        // SAFETY: it came from `config_new`, and is destroyed once, after its filters.
        drop(unsafe { Arc::from_raw(config.cast::<Config>()) });
    });
}

/// Configures a filter for a route; returns its configuration, or null to refuse it.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_new(
    _name: Text,
    json: Text,
) -> *const c_void {
    // SAFETY: the text lives until this returns.
    let json = unsafe { json.bytes() };
    guarded(std::ptr::null(), || match Route::parse(json) {
        Ok(route) => Arc::into_raw(Arc::new(route)).cast(),
        Err(why) => {
            log(Level::Error, &format!("the configuration of a route: {why}"));
            std::ptr::null()
        }
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_destroy(
    route: *mut c_void,
) {
    guarded((), || {
        // SAFETY: it came from `per_route_config_new`, and is destroyed once.
        drop(unsafe { Arc::from_raw(route.cast_const().cast::<Route>()) });
    });
}

// ---- streams ----------------------------------------------------------------------------------

/// A stream has begun. Its filter stays on the thread of the stream. Nothing in here can panic.
#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_new(
    config: *const c_void,
    _filter: *mut c_void,
) -> *const c_void {
    let config = config.cast::<Config>();
    // SAFETY: it came from `config_new`, and Envoy keeps it while it has filters.
    unsafe { Arc::increment_strong_count(config) };
    // SAFETY: as above; the count was just taken for this.
    let config = unsafe { Arc::from_raw(config) };
    Rc::into_raw(Rc::new(Filter::new(config))).cast()
}

/// The filter of a stream, kept until the hook has returned: Envoy may destroy it meanwhile.
///
/// # Safety
///
/// It has to be one that `filter_new` made and that was not destroyed, on its own thread.
unsafe fn filter(filter: *const c_void) -> Rc<Filter> {
    let filter = filter.cast::<Filter>();
    // SAFETY: as the caller says.
    unsafe { Rc::increment_strong_count(filter) };
    // SAFETY: as above; the count was just taken for this.
    unsafe { Rc::from_raw(filter) }
}

/// Runs a part of the filter on a stream. If it panics, the request is refused.
fn on_stream<S: Host>(
    stream: Option<S>,
    filter: &Filter,
    body: impl FnOnce(&Filter, &mut S) -> Flow,
) -> Flow {
    let Some(mut stream) = stream else { return Flow::Wait };
    let flow = guarded(None, || Some(body(filter, &mut stream)));
    flow.unwrap_or_else(|| {
        guarded(Flow::Wait, || {
            filter.fail(&mut stream);
            Flow::Stop
        })
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_request_headers(
    host: *mut c_void,
    ours: *const c_void,
    _end: bool,
) -> i32 {
    // SAFETY: Envoy calls with the filter of this stream, on its thread.
    let ours = unsafe { filter(ours) };
    let flow = on_stream(Stream::new(host), &ours, |filter, stream| {
        filter.request_headers(stream, &Stream::route)
    });
    match flow {
        Flow::Continue => HEADERS_CONTINUE,
        Flow::Wait => HEADERS_WAIT,
        Flow::Stop => HEADERS_STOP,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_scheduled(
    host: *mut c_void,
    ours: *const c_void,
    event: u64,
) {
    let event = if event == Event::Expired as u64 { Event::Expired } else { Event::Fetched };
    // SAFETY: Envoy calls with the filter of this stream, on its thread.
    let ours = unsafe { filter(ours) };
    on_stream(Stream::new(host), &ours, |filter, stream| {
        filter.woken(stream, &Stream::route, event);
        Flow::Stop
    });
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_request_body(
    _host: *mut c_void,
    ours: *const c_void,
    _end: bool,
) -> i32 {
    // SAFETY: Envoy calls with the filter of this stream, on its thread.
    let ours = unsafe { filter(ours) };
    match guarded(Flow::Wait, || ours.request_rest()) {
        Flow::Continue => BODY_CONTINUE,
        Flow::Wait => BODY_WAIT,
        Flow::Stop => BODY_STOP,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_request_trailers(
    _host: *mut c_void,
    ours: *const c_void,
) -> i32 {
    // SAFETY: Envoy calls with the filter of this stream, on its thread.
    let ours = unsafe { filter(ours) };
    match guarded(Flow::Wait, || ours.request_rest()) {
        Flow::Continue => TRAILERS_CONTINUE,
        Flow::Wait | Flow::Stop => TRAILERS_STOP,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn envoy_dynamic_module_on_http_filter_destroy(ours: *const c_void) {
    // SAFETY: it came from `filter_new`, and is destroyed once, on its thread.
    let ours = unsafe { Rc::from_raw(ours.cast::<Filter>()) };
    guarded((), || ours.destroyed());
}

// ---- functions that Envoy requires of a module, and that do nothing here -------------------------

/// Hooks that do nothing. Their results let a response continue.
macro_rules! ignored {
    ($(fn $name:ident($($argument:ty),*) $(-> $result:ty = $value:expr)?;)+) => {
        $(
            #[unsafe(no_mangle)]
            extern "C" fn $name($(_: $argument),*) $(-> $result)? { $($value)? }
        )+
    };
}

type Filters = *mut c_void;
type Ours = *const c_void;

ignored! {
    fn envoy_dynamic_module_on_http_filter_response_headers(Filters, Ours, bool) -> i32 = 0;
    fn envoy_dynamic_module_on_http_filter_response_body(Filters, Ours, bool) -> i32 = 0;
    fn envoy_dynamic_module_on_http_filter_response_trailers(Filters, Ours) -> i32 = 0;
    fn envoy_dynamic_module_on_http_filter_stream_complete(Filters, Ours);
    fn envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(Filters, Ours);
    fn envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(Filters, Ours);
    fn envoy_dynamic_module_on_http_filter_http_callout_done(Filters, Ours, u64, u32, *const Header, usize, *const Text, usize);
    fn envoy_dynamic_module_on_http_filter_http_stream_headers(Filters, Ours, u64, *const Header, usize, bool);
    fn envoy_dynamic_module_on_http_filter_http_stream_data(Filters, Ours, u64, *const Text, usize, bool);
    fn envoy_dynamic_module_on_http_filter_http_stream_trailers(Filters, Ours, u64, *const Header, usize);
    fn envoy_dynamic_module_on_http_filter_http_stream_complete(Filters, Ours, u64);
    fn envoy_dynamic_module_on_http_filter_http_stream_reset(Filters, Ours, u64, u32);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::tests::{FakeHost, config};

    #[test]
    fn a_panic_refuses_the_request() {
        let filter = Filter::new(config(r#"{"issuers": ["https://acme.torii.so"]}"#));
        let host = FakeHost::new(&[]);
        let answers = host.answers.clone();
        let defect = |_: &FakeHost| panic!("as a defect would");
        let flow = on_stream(Some(host), &filter, |filter, stream| {
            filter.request_headers(stream, &defect)
        });
        assert_eq!(flow, Flow::Stop);
        assert_eq!(answers.borrow()[0].0, 500);
        assert_eq!(filter.request_rest(), Flow::Stop);
    }

    #[test]
    fn a_stream_without_envoy_waits() {
        let filter = Filter::new(config(r#"{"issuers": ["https://acme.torii.so"]}"#));
        let flow = on_stream(Stream::new(std::ptr::null_mut()), &filter, |filter, stream| {
            filter.request_headers(stream, &Stream::route)
        });
        assert_eq!((flow, filter.request_rest()), (Flow::Wait, Flow::Wait));
    }

    #[test]
    fn another_program_is_refused() {
        assert!(envoy_dynamic_module_on_program_init().is_null());
        let said = check_host().err().unwrap();
        assert_eq!(said, "this Envoy has no callback is_validation_mode");
    }
}
