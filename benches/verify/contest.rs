//! Contenders that take turns, and the table of how they did.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: usize = 31;

/// How long a contender's turn lasts, about.
const TURN: Duration = Duration::from_millis(20);

type Step<'a> = Box<dyn FnMut(usize) + 'a>;

struct Contender<'a> {
    name: String,
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
        let step = std::sync::Arc::new(step);
        let prepare = Box::new(move || {
            let step = step.clone();
            Box::new(move |n| step(n)) as Step<'a>
        });
        self.enter(name, prepare, None);
    }

    /// A step that needs something new for every round of them.
    pub(crate) fn add_with(&mut self, name: &str, prepare: impl Fn() -> Step<'a> + Sync + 'a) {
        self.enter(name, Box::new(prepare), Some(super::DISTINCT));
    }

    fn enter(
        &mut self,
        name: &str,
        prepare: Box<dyn Fn() -> Step<'a> + Sync + 'a>,
        steps: Option<usize>,
    ) {
        let steps = steps.unwrap_or_else(|| calibrate(&mut prepare()));
        self.0.push(Contender { name: name.to_owned(), prepare, steps, rounds: Vec::new() });
    }

    /// One thread; prints the time of a step and its ratio to the step of `base`.
    pub(crate) fn run(mut self, base: &str) {
        pin(0);
        for _ in 0..ROUNDS {
            for contender in &mut self.0 {
                let time = turn(contender);
                contender.rounds.push(time);
            }
        }
        let base = self.0.iter().find(|c| c.name == base).map(Contender::median).unwrap();
        println!("{:34} {:>10} {:>14} {:>10}", "one thread", "us", "x bare P-256", "per s");
        for contender in &self.0 {
            let time = contender.median();
            println!(
                "{:34} {:10.3} {:14.4} {:10.0}",
                contender.name,
                time * 1e6,
                time / base,
                1.0 / time
            );
        }
    }

    /// One thread, then several at once; prints how many times as much they do together.
    pub(crate) fn run_threads(mut self, threads: usize) {
        println!(
            "\n{:34} {:>10} {:>14} {:>10}",
            format!("{threads} threads"),
            "per s",
            "one",
            "x one"
        );
        for contender in &mut self.0 {
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
                "{:34} {:10.0} {:14.0} {:10.2}",
                contender.name,
                median(&mut together),
                median(&mut alone),
                median(&mut ratios)
            );
        }
    }
}

impl Contender<'_> {
    fn median(&self) -> f64 {
        median(&mut self.rounds.clone())
    }
}

fn turn(contender: &Contender<'_>) -> f64 {
    let mut step = (contender.prepare)();
    let start = Instant::now();
    for n in 0..contender.steps {
        step(n);
    }
    start.elapsed().as_secs_f64() / contender.steps as f64
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
                    for _ in 0..steps {
                        // Each thread has its own user.
                        step(thread);
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
