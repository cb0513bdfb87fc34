//! What time and memory did it take, as the system counts them?
//!
//! CPU time is what is compared: on a machine that does other work too it is far steadier than time on the wall.
//! Linux only, since the counters are read from `/proc`; elsewhere the figures would have to come from somewhere else.

#![allow(clippy::disallowed_methods, reason = "measuring is what a clock is for")]

use std::{collections::BTreeMap, fs, time::Instant};

use serde::Serialize;

use crate::Result;

/// What `/proc` counts whole processes in; Linux fixes it for programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// Started before what is measured.
pub struct Stopwatch {
    wall: Instant,
    process: f64,
    thread: f64,
}

/// Seconds since a stopwatch was started.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Elapsed {
    /// On the wall.
    pub wall_s: f64,
    /// On any core, by all threads of the process, in steps of 10 ms.
    pub process_cpu_s: f64,
    /// On a core, by the calling thread.
    pub thread_cpu_s: f64,
}

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Result<Self> {
        Ok(Self { process: process_seconds()?, thread: thread_seconds()?, wall: Instant::now() })
    }

    /// The time until now; to be asked by the thread that started it.
    pub fn elapsed(&self) -> Result<Elapsed> {
        let wall_s = self.wall.elapsed().as_secs_f64();
        let (thread, process) = (thread_seconds()?, process_seconds()?);
        Ok(Elapsed { wall_s, process_cpu_s: process - self.process, thread_cpu_s: thread - self.thread })
    }
}

/// Microseconds on the wall that a call takes, and what it gives.
pub fn timed<T>(call: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let value = call();
    (start.elapsed().as_secs_f64() * 1e6, value)
}

/// Nanoseconds on a core come first in `schedstat`.
fn thread_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().ok_or("/proc/thread-self/schedstat is empty")?;
    Ok(nanoseconds.parse::<f64>()? / 1e9)
}

/// Fields 14 and 15 of `stat` (user, system), counted behind the name in brackets, which may hold anything.
fn process_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = text.rsplit_once(')').ok_or("/proc/self/stat has no name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<std::result::Result<f64, _>>()? / TICKS_PER_SECOND)
}

/// Resident memory of the process in bytes: `VmRSS` and its parts, `RssAnon` (its own) and `RssFile` (mapped files).
pub fn resident() -> Result<BTreeMap<String, u64>> {
    let text = fs::read_to_string("/proc/self/status")?;
    let line = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let kilobytes: u64 = value.trim().strip_suffix(" kB")?.parse().ok()?;
        ["VmRSS", "RssAnon", "RssFile"].contains(&name).then(|| (name.to_string(), kilobytes << 10))
    };
    Ok(text.lines().filter_map(line).collect())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn work_takes_time_and_memory() {
        let watch = Stopwatch::start().unwrap();
        let (before, mut sum) = (resident().unwrap(), 0u64);
        let block = black_box(vec![1u8; 64 << 20]);
        loop {
            sum += block.iter().map(|&byte| u64::from(byte)).sum::<u64>();
            if watch.elapsed().unwrap().process_cpu_s >= 0.05 {
                break;
            }
        }
        let (elapsed, after) = (watch.elapsed().unwrap(), resident().unwrap());
        assert!(black_box(sum) > 0 && elapsed.wall_s > 0.0 && elapsed.thread_cpu_s > 0.0, "{elapsed:?}");
        assert!(after["RssAnon"] >= before["RssAnon"] + (60 << 20), "{before:?} {after:?}");
    }
}
