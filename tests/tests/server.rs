//! How do tests get a server, and talk to it? The real binary on a free port, and as much of HTTP as it takes.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::OnceLock,
};

use serde_json::{Value, json};

/// The `kith` binary, built from what is in the working tree.
///
/// Cargo tells tests the path of binaries of their own package only, and a binary that lies beside the test may be
/// of yesterday. So cargo is asked: it builds what has changed and says where it put it.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        // The same profile as the test's own, so that both share what is compiled.
        let profile = if cfg!(debug_assertions) { "test" } else { "release" };
        let built = Command::new(env!("CARGO"))
            .args(["build", "--package", "kith", "--bin", "kith", "--profile", profile])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo, which runs this test, can be run");
        assert!(built.status.success(), "kith does not compile");
        let messages = String::from_utf8_lossy(&built.stdout);
        let mut executables = messages.lines().filter_map(|line| {
            let message: Value = serde_json::from_str(line).ok()?;
            Some(PathBuf::from(message["executable"].as_str()?))
        });
        executables.next().expect("cargo says where the binary is")
    })
}

/// `kith serve` with these arguments, and nothing else from the environment.
pub fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KITH_")) {
        command.env_remove(name);
    }
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(arguments)
        .env("KITH_LOG", "warn");
    command
}

/// A running server; killed when it is dropped.
pub struct Server {
    child: Child,
    pub client: Client,
    // Open as long as the server lives: a closed pipe must not be what a test finds.
    _output: BufReader<ChildStdout>,
}

impl Server {
    /// Starts a server and waits until it says that it listens.
    pub fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut child = command(data, arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("kith listening on http://");
        let address = address.unwrap_or_else(|| panic!("instead of its address the server said {line:?}"));
        let client = Client { address: address.to_owned(), headers: String::new() };
        Self { child, client, _output: output }
    }

    /// Ends the process in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// How long the process has computed, in hundredths of a second; nothing where the system does not say it so.
    pub fn computed(&self) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The name is in brackets; after it come the state, ten numbers, and the time outside and inside the system.
        let times = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
        times.map(|ticks| ticks.parse::<u64>().ok()).sum()
    }

    /// Asks the process to end.
    pub fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success(), "the server is not running");
    }

    /// Waits for the process to end by itself.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends requests, each over a connection of its own.
#[derive(Clone)]
pub struct Client {
    pub address: String,
    /// Lines to put into the head of every request.
    pub headers: String,
}

impl Client {
    /// Status and body of the answer. An answer that breaks off is an error: the server has not said it.
    pub fn exchange(&self, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address)?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: kith\r\nconnection: close\r\n{}content-type: application/json\r\n",
            self.headers
        );
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        // A server that refuses a long body may answer before it has read it.
        let sent = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let received = stream.read_to_end(&mut answer);
        read_answer(&answer).ok_or_else(|| {
            let cause = sent.and(received.map(drop)).err();
            cause.unwrap_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the answer breaks off"))
        })
    }

    /// Status and JSON of the answer; a body that is not JSON comes as a string.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> io::Result<(u16, Value)> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = self.exchange(method, path, &body)?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// The result of a request that succeeds.
    pub fn result(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, mut answer) = self.send(method, path, body).unwrap();
        assert_eq!((status, &answer["status"]), (200, &json!("ok")), "{method} {path} {body}: {answer}");
        answer["result"].take()
    }
}

fn read_answer(answer: &[u8]) -> Option<(u16, String)> {
    let answer = String::from_utf8(answer.to_vec()).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok();
    let length: Option<usize> = head.lines().find_map(header);
    (body.len() == length?).then(|| (status, body.to_owned()))
}
