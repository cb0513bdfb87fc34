//! What does a client see of a server? Requests over kept connections, as fast as the answers come.
//!
//! The client shares the machine with the server, so it does little: requests are written out before the clock
//! starts, and answers are read as JSON after it has stopped.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    thread,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Result,
    clock::{Elapsed, Stopwatch, timed},
    engine::percentiles,
    matrix::Matrix,
};

/// What is asked, and by how many connections.
#[derive(Debug, Clone, Deserialize)]
pub struct Target {
    /// Host and port.
    pub address: String,
    /// A collection there, as `/collections/name`; for `post`, what it posts to.
    pub path: String,
    /// Connections at a time, a thread each.
    pub connections: usize,
}

/// What a load of requests took.
#[derive(Debug, Serialize)]
pub struct Loaded {
    /// How many.
    pub requests: usize,
    /// The client's time.
    pub elapsed: Elapsed,
    /// Microseconds from the first byte sent to the last received, for half of the requests.
    pub p50_us: f64,
    /// And for 99 of 100.
    pub p99_us: f64,
}

/// Puts all rows, row `i` as point `i`, `batch` in a request that is answered once they are durable.
pub fn ingest(target: &Target, base: &Matrix, batch: usize) -> Result<Loaded> {
    let path = format!("{}/points?wait=true", target.path);
    let requests: Vec<Vec<u8>> = base
        .values
        .chunks(batch * base.dimension)
        .enumerate()
        .map(|(index, rows)| {
            let rows = rows.chunks_exact(base.dimension);
            let points = (index * batch..)
                .zip(rows)
                .map(|(id, row)| format!(r#"{{"id":{id},"vector":{}}}"#, json(row)));
            request(
                target,
                "PUT",
                &path,
                &format!(r#"{{"points":[{}]}}"#, points.collect::<Vec<_>>().join(",")),
            )
        })
        .collect();
    Ok(load(target, &requests)?.0)
}

/// Asks every query for its `k` nearest; gives the ids found for each as well.
pub fn search(target: &Target, queries: &Matrix, k: usize, ef: usize) -> Result<(Loaded, Vec<Vec<u32>>)> {
    let path = format!("{}/points/query", target.path);
    let body = |row: &[f32]| format!(r#"{{"query":{},"limit":{k},"params":{{"hnsw_ef":{ef}}}}}"#, json(row));
    let requests: Vec<Vec<u8>> =
        queries.rows().map(|row| request(target, "POST", &path, &body(row))).collect();
    let (loaded, answers) = load(target, &requests)?;
    let ids = |answer: &Vec<u8>| {
        let answer: Value = serde_json::from_slice(answer)?;
        let points = answer["result"]["points"].as_array().ok_or("an answer without points")?;
        let id = |point: &Value| Ok(u32::try_from(point["id"].as_u64().ok_or("a point without a number")?)?);
        points.iter().map(id).collect()
    };
    Ok((loaded, answers.iter().map(ids).collect::<Result<_>>()?))
}

/// Posts each of the bodies, as any server wants them; gives its answers.
pub fn post(target: &Target, bodies: &str) -> Result<(Loaded, Vec<Vec<u8>>)> {
    let requests: Vec<Vec<u8>> =
        bodies.lines().map(|body| request(target, "POST", &target.path, body)).collect();
    load(target, &requests)
}

fn json(row: &[f32]) -> String {
    let mut text = String::from("[");
    for value in row {
        // Writing to a string does not fail.
        let _ = write!(text, "{}{value}", if text.len() > 1 { "," } else { "" });
    }
    text + "]"
}

fn request(target: &Target, method: &str, path: &str, body: &str) -> Vec<u8> {
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n", target.address);
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Sends the requests, connection `c` those whose number leaves `c` when divided by the number of connections.
fn load(target: &Target, requests: &[Vec<u8>]) -> Result<(Loaded, Vec<Vec<u8>>)> {
    let watch = Stopwatch::start()?;
    let all = target.connections.max(1);
    let connection = |first: usize| -> Result<Vec<(usize, f64, Vec<u8>)>> {
        let stream = TcpStream::connect(&target.address)?;
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mine = requests.iter().enumerate().skip(first).step_by(all);
        mine.map(|(number, request)| {
            let (time, answer) = timed(|| exchange(&mut reader, request));
            Ok((number, time, answer?))
        })
        .collect()
    };
    let answered: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..all).map(|first| scope.spawn(move || connection(first))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a connection's thread panicked")?)
            .collect::<Result<_>>()
    })?;
    let elapsed = watch.elapsed()?;
    let mut answered: Vec<_> = answered.into_iter().flatten().collect();
    answered.sort_unstable_by_key(|(number, ..)| *number);
    let mut times: Vec<f64> = answered.iter().map(|(_, time, _)| *time).collect();
    let (p50_us, p99_us) = percentiles(&mut times);
    let loaded = Loaded { requests: answered.len(), elapsed, p50_us, p99_us };
    Ok((loaded, answered.into_iter().map(|(.., answer)| answer).collect()))
}

/// Sends one request and reads its answer's body; an answer other than 200 is an error.
fn exchange(stream: &mut BufReader<TcpStream>, request: &[u8]) -> Result<Vec<u8>> {
    stream.get_mut().write_all(request)?;
    let (mut status, mut length) = (String::new(), 0);
    stream.read_line(&mut status)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    if !status.contains(" 200 ") {
        return Err(format!("{}: {}", status.trim(), String::from_utf8_lossy(&body)).into());
    }
    Ok(body)
}
