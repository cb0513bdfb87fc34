//! One thread per connection, at most a hundred at a time. Then a hundred clients come in and say nothing.

use std::{
    io::{Read, Result, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

/// How many connections are served at a time.
const ROOM: usize = 100;

fn main() -> Result<()> {
    // All threads stand at the same door.
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0")?);
    let address = listener.local_addr()?;
    for _ in 0..ROOM {
        // This thread's handle on it.
        let listener = listener.clone();
        thread::spawn(move || {
            loop {
                // `and_then` goes on with what `accept` returns, unless it is an error.
                // A connection that breaks is the end of this connection, not of the thread.
                let _ = listener.accept().and_then(|(stream, _)| answer(stream));
            }
        });
    }
    println!("an empty house: {}", ask(address)?);
    let mut silent = Vec::new();
    for _ in 0..ROOM {
        silent.push(TcpStream::connect(address)?);
    }
    println!("{} clients come in and say nothing", silent.len());
    println!("a full house: {}", ask(address)?);
    drop(silent);
    println!("they have left: {}", ask(address)?);
    Ok(())
}

/// Reads a request and answers it.
fn answer(mut stream: TcpStream) -> Result<()> {
    let mut request = [0; 1024];
    // The thread stands here until the client says something or hangs up.
    if stream.read(&mut request)? > 0 {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")?;
    }
    Ok(())
}

/// Sends a whole request and gives the answer two seconds.
fn ask(address: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: kith\r\n\r\n")?;
    let mut answer = [0; 15];
    // Bytes become a text, what is no UTF-8 a `�`; `into_owned` makes it a `String`.
    Ok(match stream.read_exact(&mut answer) {
        Ok(()) => String::from_utf8_lossy(&answer).into_owned(),
        Err(_) => "no answer in two seconds".to_string(),
    })
}
