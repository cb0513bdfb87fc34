//! Many clients come in and say nothing, then one more asks. What does a thread for each of them cost, and a task?

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read, Result, Write},
    net::{TcpListener, TcpStream},
    process::{self, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    runtime::Runtime,
};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

/// A number says how many clients; an address behind it makes this process the clients.
fn main() -> Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    // `map_or` wants a function, and a method is one, by its path.
    let count = words.first().map_or("10000", String::as_str);
    // `other` makes an `io::Error` of our words, and `map_err` puts it in the place of `parse`'s own.
    let no_number = || io::Error::other(format!("{count:?} is no number of clients"));
    let count = count.parse().map_err(|_| no_number())?;
    if let Some(address) = words.get(1) {
        return clients(count, address);
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let runtime = Runtime::new()?;
    runtime.spawn(async { eprintln!("the server stops: {:?}", tasks(listener).await) });
    measure("task", count, &address)?;
    drop(runtime);

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    thread::spawn(|| eprintln!("the server stops: {:?}", threads(listener)));
    measure("thread", count, &address)
}

/// A thread for each connection.
fn threads(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, _) = listener.accept()?;
        // `thread::spawn` panics if the system has no thread left; a `Builder` returns an error.
        thread::Builder::new().spawn(|| by_thread(stream))?;
    }
}

/// Greets a client with one byte, and answers until it leaves.
fn by_thread(mut stream: TcpStream) -> Result<()> {
    stream.write_all(b"!")?;
    let mut request = [0; 1024];
    while stream.read(&mut request)? > 0 {
        stream.write_all(ANSWER)?;
    }
    Ok(())
}

/// A task for each connection.
async fn tasks(listener: TcpListener) -> Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(by_task(stream));
    }
}

/// The same as `by_thread`, put aside wherever it waits.
async fn by_task(mut stream: tokio::net::TcpStream) -> Result<()> {
    stream.write_all(b"!").await?;
    let mut request = [0; 1024];
    while stream.read(&mut request).await? > 0 {
        stream.write_all(ANSWER).await?;
    }
    Ok(())
}

/// Connects, and waits to be greeted.
fn come_in(address: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.read_exact(&mut [0])?;
    Ok(stream)
}

/// The clients' process: they come in one by one, say nothing, and stay until its input ends.
fn clients(count: usize, address: &str) -> Result<()> {
    let mut silent = Vec::new();
    while silent.len() < count {
        match come_in(address) {
            Ok(stream) => silent.push(stream),
            Err(error) => {
                eprintln!("client {}: {error}", silent.len() + 1);
                break;
            }
        }
    }
    println!("{}", silent.len());
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Lets the clients in. Then one more comes and asks, a thousand times.
fn measure(name: &str, count: usize, address: &str) -> Result<()> {
    let (before, started) = (status(), Instant::now());
    let mut guests = Command::new(env::current_exe()?)
        .args([&count.to_string(), address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut inside = String::new();
    if let Some(output) = guests.stdout.take() {
        BufReader::new(output).read_line(&mut inside)?;
    }
    if inside.trim() != count.to_string() {
        eprintln!("{name}: of {count} clients, {} came in", inside.trim());
        process::exit(1);
    }
    let time = started.elapsed().as_millis();
    println!("measured ch05.{name}.enter {time} ms");
    if let (Some(before), Some(now)) = (before, status()) {
        let promised = now[1] / 1024.0 / 1024.0;
        // `as f64` is exact for numbers as small as these.
        let used = (now[2] - before[2]) / count as f64;
        println!("measured ch05.{name}.threads {} threads", now[0]);
        println!("measured ch05.{name}.promised {promised:.1} GiB");
        println!("measured ch05.{name}.used {used:.1} KiB");
    } else {
        println!("{name}: only Linux tells threads and memory in a file");
    }
    let (mut last, mut answer) = (come_in(address)?, [0; ANSWER.len()]);
    let mut fastest = Duration::MAX;
    for _ in 0..1000 {
        let started = Instant::now();
        last.write_all(b"GET / HTTP/1.1\r\nhost: kith\r\n\r\n")?;
        last.read_exact(&mut answer)?;
        fastest = fastest.min(started.elapsed());
    }
    println!("measured ch05.{name}.answer {} µs", fastest.as_micros());
    let words = String::from_utf8_lossy(&answer[..15]);
    let next = count + 1;
    println!("{name}: {count} are silent, client {next} is told {words}");
    // This also ends the input of the clients' process, and they leave.
    guests.wait()?;
    Ok(())
}

/// This process's threads, and its memory in KiB, promised and used.
fn status() -> Option<[f64; 3]> {
    // `ok` makes an `Option` of a `Result`: no file, no figures.
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let number = |name| -> Option<f64> {
        // `strip_prefix` is the rest of a line that begins with `name`, `find_map` the first there is.
        let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
        rest.split_whitespace().next()?.parse().ok()
    };
    Some([number("Threads:")?, number("VmSize:")?, number("VmRSS:")?])
}
