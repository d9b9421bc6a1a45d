//! Threads for calls of the API and for key fetches, which wait.
//!
//! They are not libuv's, of which there are four, since files and DNS of the program wait for those.
//! Calls of the API share some threads, which end when they have nothing to do. A key fetch has a
//! thread of its own, so that it waits for no call.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use napi::bindgen_prelude::*;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use torii::Json;

use crate::client::{self, Client, Request};
use crate::failure;
use crate::verifier::Verifier;

/// Calls of the API that run at once. Further ones wait.
const MOST_CALLS: usize = 64;

/// A thread without a call for this long ends.
const IDLE: Duration = Duration::from_secs(10);

/// Given, since the standard library reads its default from the environment.
const STACK: usize = 2 * 1024 * 1024;

/// The number of a call, a failure or undefined, and the text of the answer or undefined.
type Arguments = FnArgs<(u32, Option<String>, Option<String>)>;

/// JavaScript's function that takes results. It keeps no event loop alive.
type Settle = ThreadsafeFunction<Outcome, (), Arguments, Status, false, true>;

/// The result of a call.
pub struct Outcome {
    call: u32,
    result: std::result::Result<Option<String>, String>,
}

/// The calls of one JavaScript environment: the main thread, or a worker.
#[napi]
pub struct Calls {
    number: u64,
    settle: Arc<Settle>,
}

#[napi]
impl Calls {
    /// `settle` is called in the event loop with each result, in no particular order.
    #[napi(constructor, catch_unwind)]
    pub fn new(settle: Function<Arguments, ()>) -> Result<Self> {
        static CREATED: AtomicU64 = AtomicU64::new(0);
        let settle = settle
            .build_threadsafe_function::<Outcome>()
            .callee_handled::<false>()
            .weak::<true>()
            .build_callback(|context| {
                let Outcome { call, result } = context.value;
                Ok(FnArgs::from(match result {
                    Ok(text) => (call, None, text),
                    Err(failure) => (call, Some(failure), None),
                }))
            })?;
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        Ok(Calls { number, settle: Arc::new(settle) })
    }

    /// Calls the API.
    #[napi(catch_unwind)]
    pub fn request(&self, call: u32, client: &Client, operation: String, request: Request) {
        let client = client.shared();
        let work =
            move || client::call(&client, &operation, &request).map(|json| json.map(text_of));
        let run = job(self.settle.clone(), call, work);
        if let Err(error) = submit(Job { of: (self.number, call), run }) {
            self.failed(call, &error);
        }
    }

    /// Fetches keys that are due: of one issuer, or of all. Without `due`, fetches those of all.
    #[napi(catch_unwind)]
    pub fn refresh(&self, call: u32, verifier: &Verifier, due: bool, issuer: Option<String>) {
        let verifier = verifier.shared();
        let run = job(self.settle.clone(), call, move || {
            let fetched = match due {
                true => verifier.refresh_due(issuer.as_deref()),
                false => verifier.refresh(),
            };
            fetched.map(|()| None)
        });
        let named = thread::Builder::new().name("torii-keys".to_owned()).stack_size(STACK);
        if let Err(error) = named.spawn(run) {
            self.failed(call, &error);
        }
    }

    /// Forgets a call that no thread has begun. Returns whether there was one.
    #[napi(catch_unwind)]
    pub fn cancel(&self, call: u32) -> bool {
        let mut queue = queue();
        let before = queue.jobs.len();
        queue.jobs.retain(|job| job.of != (self.number, call));
        queue.jobs.len() < before
    }

    fn failed(&self, call: u32, error: &std::io::Error) {
        let result = Err(failure::internal(&format!("cannot start a thread: {error}")));
        self.settle.call(Outcome { call, result }, ThreadsafeFunctionCallMode::NonBlocking);
    }
}

impl Drop for Calls {
    /// The environment ends: no call waits for work that has not begun.
    fn drop(&mut self) {
        queue().jobs.retain(|job| job.of.0 != self.number);
    }
}

fn text_of(json: Json) -> String {
    json.text().to_owned()
}

struct Job {
    /// Environment and number.
    of: (u64, u32),
    run: Box<dyn FnOnce() + Send>,
}

/// The work, and the report of its end. After the end of the environment it is dropped.
fn job(
    settle: Arc<Settle>,
    call: u32,
    work: impl FnOnce() -> torii::Result<Option<String>> + Send + 'static,
) -> Box<dyn FnOnce() + Send> {
    Box::new(move || {
        let result = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(result) => result.map_err(|error| failure::json(&error)),
            Err(_) => Err(failure::internal("a defect of libtorii")),
        };
        settle.call(Outcome { call, result }, ThreadsafeFunctionCallMode::NonBlocking);
    })
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue { jobs: VecDeque::new(), threads: 0, idle: 0 });
static MORE: Condvar = Condvar::new();

fn queue() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn submit(job: Job) -> std::io::Result<()> {
    let mut queue = queue();
    queue.jobs.push_back(job);
    if queue.idle >= queue.jobs.len() || queue.threads == MOST_CALLS {
        MORE.notify_one();
        return Ok(());
    }
    let named = thread::Builder::new().name("torii-call".to_owned()).stack_size(STACK);
    match named.spawn(work) {
        Ok(_) => queue.threads += 1,
        Err(error) if queue.threads == 0 => {
            queue.jobs.pop_back();
            return Err(error);
        }
        // A thread that exists comes to it.
        Err(_) => {}
    }
    Ok(())
}

/// Runs on a thread for calls.
fn work() {
    let mut queue = queue();
    loop {
        if let Some(job) = queue.jobs.pop_front() {
            drop(queue);
            (job.run)();
            queue = self::queue();
            continue;
        }
        queue.idle += 1;
        let (woken, wait) = MORE.wait_timeout(queue, IDLE).unwrap_or_else(PoisonError::into_inner);
        queue = woken;
        queue.idle -= 1;
        if wait.timed_out() && queue.jobs.is_empty() {
            queue.threads -= 1;
            return;
        }
    }
}
