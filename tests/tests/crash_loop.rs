//! Is an acknowledged write on disk? The server is killed in the middle of its work, again and again, on one data
//! directory, while four threads overwrite and delete each its own few points.
//!
//! `KITH_CRASH_ROUNDS` sets the number of rounds, `KITH_CRASH_SEED` the seed. The kill comes with a counted
//! acknowledgement, never by the clock. What the threads send follows from the seed; how their writes interleave
//! does not.
//!
//! Not here: power failure, which forgets what was not synced; the collection's own tests simulate it.
#![allow(clippy::disallowed_methods, reason = "a test may look at the clock to say how long it took")]

use std::{env, sync::Mutex, time::Instant};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;

use crate::{
    server::{Client, Server},
    writers::{begin, check, write_until_gone},
};

/// So small that segments are sealed and merged many times within a round.
const FLUSH: [&str; 2] = ["--flush-bytes", "16384"];

fn setting(name: &str, default: u64) -> u64 {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")),
        Err(_) => default,
    }
}

#[test]
fn acknowledged_writes_survive_kills() {
    let rounds = setting("KITH_CRASH_ROUNDS", 5);
    let seed = setting("KITH_CRASH_SEED", 1);
    println!("{rounds} rounds from KITH_CRASH_SEED={seed}");
    let data = tempfile::tempdir().unwrap();
    let mut rng = StdRng::seed_from_u64(seed);
    let mut server = Server::start(data.path(), &FLUSH);
    let mut owners = begin(&server.client, seed);
    let (mut sealed, mut merged) = (0, 0);
    for round in 1..=rounds {
        // Some kills come while the server is still busy with what the last one left behind.
        let kill_at = if rng.random_bool(0.2) { rng.random_range(1..20) } else { rng.random_range(20..600) };
        let (started, client) = (Instant::now(), server.client.clone());
        let victim = Mutex::new(&mut server);
        let acknowledged = write_until_gone(&mut owners, &client, kill_at, || victim.lock().unwrap().kill());
        let wrote = started.elapsed();
        server = Server::start(data.path(), &FLUSH);
        let restarted = started.elapsed() - wrote;
        let (arrived, lost) = check(&mut owners, &server.client);
        let numbers = segment_numbers(&server.client);
        let newest = numbers.iter().max().copied().unwrap_or(0);
        println!(
            "round {round}: {acknowledged} acknowledged in {:.1} s, of those on their way {arrived} arrived and {lost} \
             did not, open after {:.2} s, segments {numbers:?}",
            wrote.as_secs_f32(),
            restarted.as_secs_f32(),
        );
        sealed = sealed.max(newest);
        merged = merged.max(newest.saturating_sub(numbers.len() as u64));
    }
    assert!(
        sealed > 0 && merged > 0,
        "no kill came close to a flush and a merge: {sealed} sealed, {merged} merged"
    );
}

fn segment_numbers(client: &Client) -> Vec<u64> {
    let segments = client.result("GET", "/collections/c/segments", &Value::Null);
    segments["segments"].as_array().unwrap().iter().filter_map(|segment| segment["number"].as_u64()).collect()
}
