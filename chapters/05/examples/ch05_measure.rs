//! What does it cost to wait? Ten thousand threads, and ten thousand tasks, each waiting for the others.

use std::{
    fs, hint,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

const WAITERS: usize = 10_000;

fn main() {
    // A system that can't start a few threads can't be measured.
    let runtime = tokio::runtime::Runtime::new().expect("the runtime's threads start");
    let barrier = Arc::new(tokio::sync::Barrier::new(WAITERS + 1));
    measure("task", || {
        // Another handle on the one barrier.
        let barrier = barrier.clone();
        runtime.spawn(async move { barrier.wait().await.is_leader() })
    });
    runtime.block_on(barrier.wait());

    let barrier = Arc::new(Barrier::new(WAITERS + 1));
    measure("thread", || {
        // As above.
        let barrier = barrier.clone();
        thread::spawn(move || barrier.wait().is_leader())
    });
    barrier.wait();
}

/// Starts the waiters and says what each of them has cost.
fn measure<T>(name: &str, start: impl Fn() -> T) {
    let (before, started) = (kibibytes(), Instant::now());
    let waiters: Vec<T> = (0..WAITERS).map(|_| start()).collect();
    // `as f64` is exact for numbers as small as these.
    let time = started.elapsed().as_secs_f64() * 1e6 / WAITERS as f64;
    // The last ones need a moment to get to the barrier.
    thread::sleep(Duration::from_secs(1));
    let memory = (kibibytes() - before) / WAITERS as f64;
    println!("measured ch05.{name}.start {time:.1} µs");
    println!("measured ch05.{name}.memory {memory:.1} KiB");
    hint::black_box(waiters);
}

/// The memory in use: the process's own, and what the system keeps for its threads. Linux only.
fn kibibytes() -> f64 {
    let files = ["/proc/self/status", "/proc/meminfo"].map(fs::read_to_string);
    let text = files.map(Result::unwrap_or_default).concat();
    let wanted = ["VmRSS:", "KernelStack:", "PageTables:"];
    let numbers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let wanted = wanted.contains(&words.next()?);
        wanted.then(|| words.next()?.parse::<f64>().ok())?
    });
    numbers.sum()
}
