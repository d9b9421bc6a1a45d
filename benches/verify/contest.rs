//! Contenders that take turns, and the tables of how they did.
//!
//! A turn is measured by the processor time of its thread where the system tells it, so that other
//! programs do not count. A ratio is the median of the ratios within a round.

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: usize = 61;

/// How long a contender's turn lasts, about.
const TURN: Duration = Duration::from_millis(6);

/// The bytes that are written before a step with cold caches.
const TO_WRITE: usize = 48 << 20;

type Step<'a> = Box<dyn FnMut(usize) + 'a>;

struct Contender<'a> {
    name: String,
    /// A contender of an earlier library, beside which that of the same name is shown.
    earlier: bool,
    /// Makes what a turn consists of; not timed.
    prepare: Box<dyn Fn() -> Step<'a> + Sync + 'a>,
    steps: usize,
    rounds: Vec<f64>,
}

pub(crate) struct Contest<'a>(Vec<Contender<'a>>);

impl<'a> Contest<'a> {
    pub(crate) fn new() -> Self {
        Contest(Vec::new())
    }

    /// A step that can be repeated as it is; it is given its number.
    pub(crate) fn add(&mut self, name: &str, step: impl Fn(usize) + Sync + Send + 'a) {
        self.add_of(false, name, step);
    }

    /// As [`add`](Self::add), of this library or of an earlier one.
    pub(crate) fn add_of(
        &mut self,
        earlier: bool,
        name: &str,
        step: impl Fn(usize) + Sync + Send + 'a,
    ) {
        let step = Arc::new(step);
        let prepare = Box::new(move || {
            let step = step.clone();
            Box::new(move |n| step(n)) as Step<'a>
        });
        let steps = calibrate(&mut prepare());
        self.enter(earlier, name, prepare, steps);
    }

    /// A step that needs something new for every `steps` of them.
    pub(crate) fn add_with(
        &mut self,
        earlier: bool,
        name: &str,
        steps: usize,
        prepare: impl Fn() -> Step<'a> + Sync + 'a,
    ) {
        self.enter(earlier, name, Box::new(prepare), steps);
    }

    fn enter(
        &mut self,
        earlier: bool,
        name: &str,
        prepare: Box<dyn Fn() -> Step<'a> + Sync + 'a>,
        steps: usize,
    ) {
        let rounds = Vec::new();
        self.0.push(Contender { name: name.to_owned(), earlier, prepare, steps, rounds });
    }

    /// One thread; prints the time of a step, its ratio to the step of `base`, and to the step of the
    /// same name of an earlier library.
    pub(crate) fn run(&mut self, base: &str) {
        pin(0);
        self.rounds(turn);
        self.print("one thread", base);
    }

    /// As [`run`](Self::run), with single steps that find nothing in the processor's caches.
    pub(crate) fn run_cold(&mut self, base: &str) {
        pin(0);
        let written = RefCell::new(vec![0_u8; TO_WRITE]);
        self.rounds(|contender| {
            let mut step = (contender.prepare)();
            step(0);
            for byte in written.borrow_mut().iter_mut() {
                *byte = byte.wrapping_add(1);
            }
            black_box(&written);
            let start = processor_time();
            step(1);
            (processor_time() - start).as_secs_f64()
        });
        self.print("one thread, cold caches", base);
    }

    fn rounds(&mut self, mut turn: impl FnMut(&Contender<'a>) -> f64) {
        self.0.iter_mut().for_each(|contender| contender.rounds.clear());
        for _ in 0..ROUNDS {
            for contender in &mut self.0 {
                let time = turn(contender);
                contender.rounds.push(time);
            }
        }
    }

    fn print(&self, title: &str, base: &str) {
        let find = |name: &str, earlier: bool| {
            self.0.iter().find(|c| c.name == name && c.earlier == earlier)
        };
        let base = find(base, false).unwrap();
        println!("{:40} {:>10} {:>10} {:>10} {:>12}", title, "us", "x bare", "x earlier", "per s");
        for contender in &self.0 {
            let name = match contender.earlier {
                true => format!("{}, earlier", contender.name),
                false => contender.name.clone(),
            };
            let earlier = find(&contender.name, true).filter(|_| !contender.earlier);
            let beside = earlier.map_or(String::new(), |e| format!("{:.3}", contender.ratio(e)));
            let (time, ratio) = (median(&mut contender.rounds.clone()), contender.ratio(base));
            println!("{name:40} {:10.3} {ratio:10.4} {beside:>10} {:12.0}", time * 1e6, 1.0 / time);
        }
        println!();
    }

    /// Several threads at once; prints how many times as much they do together.
    pub(crate) fn run_threads(&self, threads: usize) {
        let title = format!("{threads} threads");
        println!("{title:40} {:>10} {:>10} {:>10}", "per s", "one", "x one");
        for contender in &self.0 {
            let mut ratios = Vec::new();
            let (mut alone, mut together) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let one = rate(contender, 1);
                let many = rate(contender, threads);
                ratios.push(many / one);
                alone.push(one);
                together.push(many);
            }
            println!(
                "{:40} {:10.0} {:10.0} {:10.2}",
                contender.name,
                median(&mut together),
                median(&mut alone),
                median(&mut ratios)
            );
        }
    }
}

impl Contender<'_> {
    fn ratio(&self, base: &Contender<'_>) -> f64 {
        median(
            &mut self
                .rounds
                .iter()
                .zip(&base.rounds)
                .map(|(one, base)| one / base)
                .collect::<Vec<_>>(),
        )
    }
}

fn turn(contender: &Contender<'_>) -> f64 {
    let mut step = (contender.prepare)();
    let start = processor_time();
    for n in 0..contender.steps {
        step(n);
    }
    (processor_time() - start).as_secs_f64() / contender.steps as f64
}

/// The processor time of this thread.
#[cfg(target_os = "linux")]
pub(crate) fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call only writes the time.
    let read = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(read, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The wall clock in its place.
#[cfg(not(target_os = "linux"))]
pub(crate) fn processor_time() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Steps per second of all threads together.
fn rate(contender: &Contender<'_>, threads: usize) -> f64 {
    let (start, steps) = (Barrier::new(threads), contender.steps);
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let (start, prepare) = (&start, &contender.prepare);
                scope.spawn(move || {
                    pin(thread);
                    let mut step = prepare();
                    start.wait();
                    let begin = Instant::now();
                    for n in 0..steps {
                        // No two threads have the same token, and none repeats a new one.
                        step(threads * n + thread);
                    }
                    steps as f64 / begin.elapsed().as_secs_f64()
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn calibrate(step: &mut Step<'_>) -> usize {
    let mut steps = 16;
    loop {
        let start = Instant::now();
        for n in 0..steps {
            step(n);
        }
        let elapsed = start.elapsed();
        if elapsed > TURN / 4 {
            return (steps as f64 * TURN.as_secs_f64() / elapsed.as_secs_f64()) as usize;
        }
        steps *= 2;
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Keeps the calling thread on one processor, where the system lets it.
pub(crate) fn pin(processor: usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: an all-zero set is an empty one, and the call only reads it.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = processor;
}
