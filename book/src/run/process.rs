//! How is a program run, and how does it surely end? With a deadline, and with everything that it started.
//!
//! Not here: what is run.

use std::{
    io::{self, PipeReader, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How often somebody looks whether a program has ended.
const LOOK: Duration = Duration::from_millis(5);

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Code(i32),
    Killed,
}

/// A program that runs, its two outputs in one text. Dropping it kills it and all that it started.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    printed: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a program, which reads one line or nothing.
    pub(super) fn start(command: &mut Command, stdin: Option<&str>) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(writer.try_clone()?).stderr(writer);
        // A group of its own, so that a signal reaches what it starts.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command.spawn()?;
        // The command holds the pipe's other end, and the text ends when nobody does.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let (Some(line), Some(mut input)) = (stdin, child.stdin.take()) {
            // Who doesn't read it doesn't need it.
            let _ = input.write_all(format!("{line}\n").as_bytes());
        }
        let printed = Arc::new(Mutex::new(Vec::new()));
        let reader = thread::spawn({
            let printed = printed.clone();
            move || collect(reader, &printed)
        });
        Ok(Self { child, printed, reader: Some(reader) })
    }

    /// Waits for the end; `None` if it has not come in time.
    pub(super) fn wait(&mut self, limit: Duration) -> io::Result<Option<End>> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(end(status)));
            }
            if Instant::now() > deadline {
                return Ok(None);
            }
            thread::sleep(LOOK);
        }
    }

    /// Sends a signal, `TERM` or `KILL`, to the program and to what it started.
    pub(super) fn signal(&self, name: &str) {
        // It may be gone already, and that is what is wanted.
        let kill = format!("kill -s {name} -- -{}", self.child.id());
        let _ = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
    }

    /// Kills what is left, and gives what was printed.
    pub(super) fn finish(mut self) -> String {
        self.end();
        let printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&printed).into_owned()
    }

    fn end(&mut self) {
        self.signal("KILL");
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.reader.take().map(JoinHandle::join);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.reader.is_some() {
            self.end();
        }
    }
}

/// Reads until the last writer is gone.
fn collect(mut reader: PipeReader, printed: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        printed.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..count]);
    }
}

/// A shell says 128 and the signal for a program that was killed.
fn end(status: ExitStatus) -> End {
    match status.code() {
        Some(code) if code <= 128 => End::Code(code),
        _ => End::Killed,
    }
}

/// Asks again and again until the answer is yes; no after a while.
pub(super) fn until(limit: Duration, mut yes: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !yes() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(LOOK);
    }
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(text: &str) -> Process {
        Process::start(Command::new("sh").args(["-c", text]), Some("a line")).unwrap()
    }

    #[test]
    fn both_outputs_come_in_one_text() {
        let mut process = sh("read x; echo \"$x\"; echo two >&2; echo three; exit 3");
        assert_eq!(process.wait(Duration::from_secs(10)).unwrap(), Some(End::Code(3)));
        assert_eq!(process.finish(), "a line\ntwo\nthree\n");
    }

    #[test]
    fn what_hangs_is_killed_with_all_it_started() {
        let mut process = sh("echo begun; sleep 600 & sleep 600");
        assert_eq!(process.wait(Duration::from_millis(50)).unwrap(), None);
        assert_eq!(process.finish(), "begun\n");
        let mut process = sh("kill -KILL $$");
        assert_eq!(process.wait(Duration::from_secs(10)).unwrap(), Some(End::Killed));
    }
}
