//! How does the program run beside the commands? Started with `cargo run` on a free port, and surely ended.
//!
//! Not here: what is asked of it.

use std::{
    net::{TcpListener, TcpStream},
    time::Duration,
};

use super::{
    check::BUILD,
    process::{self, End, Process},
    scratch::Scratch,
};
use crate::fault::{Fault, Result};

/// The port that the page shows.
pub(super) const SHOWN: &str = ":6333";

/// How long a program may take to listen, and to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program, listening. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    process: Process,
    port: u16,
}

impl Server {
    /// Builds the program and starts it; returns once it accepts connections. The inner error says why it doesn't.
    pub(super) fn start(scratch: &Scratch) -> Result<std::result::Result<Self, String>> {
        let io = |error| Fault::io(scratch.folder(), &error);
        let mut build = Process::start(scratch.command("cargo").arg("build"), None).map_err(io)?;
        if build.wait(BUILD).map_err(io)? != Some(End::Code(0)) {
            return Ok(Err(format!("the program does not compile:\n{}", build.finish())));
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map_err(io)?.port();
        let mut command = scratch.command("cargo");
        // On Unix cargo becomes the program, so signals to the one reach the other.
        command.args(["run", "--quiet"]).env("KITH_LISTEN", format!("127.0.0.1:{port}"));
        let mut process = Process::start(&mut command, None).map_err(io)?;
        let mut ended = false;
        let listens = process::until(PATIENCE, || {
            ended = !matches!(process.wait(Duration::ZERO), Ok(None));
            ended || TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        match listens && !ended {
            true => Ok(Ok(Self { process, port })),
            false => {
                Ok(Err(format!("the program does not listen where KITH_LISTEN says:\n{}", process.finish())))
            }
        }
    }

    /// As it stands behind a host: `:41234`.
    pub(super) fn address(&self) -> String {
        format!(":{}", self.port)
    }

    /// Sends a signal and waits; what the program has printed, and how it ended. A killed server has ended well.
    pub(super) fn stop(mut self, signal: &str) -> (String, Option<End>) {
        self.process.signal(signal);
        let end = self.process.wait(PATIENCE).ok().flatten();
        let end = if signal == "KILL" { end.map(|_| End::Code(0)) } else { end };
        let address = self.address();
        (self.process.finish().replace(&address, SHOWN), end)
    }
}
