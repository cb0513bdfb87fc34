//! What does an answer over HTTP cost that nobody computed? A server that reads a request to its end and answers what it
//! answers to all: a thread for each connection, two calls of the system for each request. What a server spends beyond
//! this is its own; this much is the system's.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use serde_json::json;

use crate::Result;

/// Serves until the process ends; gives the address.
pub fn serve() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let answer = answer();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // A connection that breaks has nobody to tell.
            thread::spawn(move || connection(stream, &answer));
        }
    });
    Ok(address)
}

/// Of the length of a true one: ten points.
fn answer() -> Vec<u8> {
    let point = |id| json!({"id": 10_000 + id, "version": 60, "score": 1_234.567_8});
    let points: Vec<_> = (0..10).map(point).collect();
    let body = json!({"result": {"points": points}, "status": "ok", "time": 0.000_123}).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn connection(mut stream: TcpStream, answer: &[u8]) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 1 << 16];
    let mut read = 0;
    loop {
        match stream.read(&mut buffer[read..])? {
            0 => return Ok(()),
            more => read += more,
        }
        if whole(&buffer[..read])? {
            stream.write_all(answer)?;
            read = 0;
        }
    }
}

/// Whether this is a whole request, of a client that sends the next one only after the answer.
fn whole(bytes: &[u8]) -> Result<bool> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(false) };
    let head = std::str::from_utf8(&bytes[..end])?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    Ok(bytes.len() >= end + 4 + length.map_or(Ok(0), str::parse)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_answered_once_it_is_whole() {
        let mut stream = TcpStream::connect(serve().unwrap()).unwrap();
        for body in ["", "{}"] {
            let request = format!("POST / HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            for part in request.as_bytes().chunks(7) {
                stream.write_all(part).unwrap();
            }
            let mut found = vec![0; answer().len()];
            stream.read_exact(&mut found).unwrap();
            assert_eq!(found, answer());
        }
    }
}
