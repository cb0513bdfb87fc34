//! What do a fence's commands print? They are run by a shell in the reader's folder, one after the other.
//!
//! Not here: the program that runs beside them (`server`).

use std::{sync::LazyLock, time::Duration};

use regex::Regex;

use super::{
    check::{self, BUILD},
    filter::Filters,
    process::{End, Process},
    scratch::Scratch,
    server::{self, Server},
};
use crate::{
    fault::{Fault, Result},
    post::Run,
};

/// How long a command may take, building not counted.
const LIMIT: Duration = Duration::from_secs(60);

/// What cargo says while it builds.
static PROGRESS: LazyLock<Regex> = LazyLock::new(|| {
    let words = "Compiling|Checking|Finished|Running|Blocking|Locking|Updating|Adding|Downloading|Downloaded|Building|Fresh";
    regex(&format!(r"^ *({words}) .*$"))
});

/// A package of the workspace; in the reader's folder there is only one.
static PACKAGE: LazyLock<Regex> = LazyLock::new(|| regex(r"(cargo [a-z]+) -p ch\d\d(?:_5)?\b"));

/// A command that does nothing but build.
static COMPILES: LazyLock<Regex> = LazyLock::new(|| regex(r"\bcargo (build|check|clippy|doc)\b"));

/// A command that builds before it runs.
static BUILDS: LazyLock<Regex> = LazyLock::new(|| regex(r"\bcargo (run|test|bench)\b([^|&;<>]*)"));

pub(super) fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of ours is one")
}

/// The consoles of one state: a server lives until the state ends.
#[derive(Debug)]
pub(super) struct Console<'a> {
    filters: &'a Filters,
    server: Option<Server>,
}

/// What a fence's commands printed.
#[derive(Debug)]
pub(super) struct Printed {
    pub text: String,
    /// How the last one ended.
    pub end: Option<End>,
    pub faults: Vec<String>,
}

impl<'a> Console<'a> {
    pub(super) fn new(filters: &'a Filters) -> Self {
        Self { filters, server: None }
    }

    /// Runs commands, each with its `$ `, and gives them with what they print.
    pub(super) fn run(&mut self, scratch: &Scratch, run: &Run, commands: &[String]) -> Result<Printed> {
        let mut printed = Printed { text: String::new(), end: None, faults: Vec::new() };
        if commands.is_empty() {
            printed.faults.push(format!("`{}`: no line begins with `$ `", run.name));
        }
        if run.server && self.server.is_none() {
            match Server::start(scratch)? {
                Ok(server) => self.server = Some(server),
                Err(words) => printed.faults.push(format!("`{}`: {words}", run.name)),
            }
        }
        for (index, command) in commands.iter().enumerate() {
            let (text, end) = match command[2..].trim() {
                "kill" => self.kill("TERM"),
                "kill -9" => self.kill("KILL"),
                text => self.command(scratch, text, run.stdin.as_deref())?,
            };
            let text = self.clean(&text, scratch);
            let last = index + 1 == commands.len();
            match end {
                None => printed.faults.push(format!("{command} has not ended in time; so far:\n{text}")),
                Some(End::Code(0)) if last && run.fails => {
                    printed.faults.push(format!("{command} is to fail, and ends well:\n{text}"));
                }
                Some(end) if end != End::Code(0) && !(last && run.fails) => {
                    let hint = check::hint(&text);
                    printed.faults.push(format!(
                        "{command} ends with {end:?}, and nothing says `fails`:\n{text}{hint}"
                    ));
                }
                _ => {}
            }
            printed.text += &format!("{command}\n{text}");
            printed.end = end;
        }
        Ok(printed)
    }

    fn command(&self, scratch: &Scratch, text: &str, stdin: Option<&str>) -> Result<(String, Option<End>)> {
        let mut text = PACKAGE.replace_all(text, "$1").into_owned();
        if let Some(server) = &self.server {
            text = text.replace(server::SHOWN, &server.address());
        }
        for builds in BUILDS.captures_iter(&text) {
            let arguments = builds[2].split(" -- ").next().unwrap_or_default();
            let verb =
                if &builds[1] == "run" { "build".to_owned() } else { format!("{} --no-run", &builds[1]) };
            // Whether it fails is seen by the command itself.
            shell(scratch, &format!("cargo {verb} {arguments}"), None, BUILD)?;
        }
        let limit = if COMPILES.is_match(&text) { BUILD } else { LIMIT };
        shell(scratch, &text, stdin, limit)
    }

    fn kill(&mut self, signal: &str) -> (String, Option<End>) {
        match self.server.take() {
            Some(server) => server.stop(signal),
            None => ("no server runs here\n".into(), Some(End::Code(1))),
        }
    }

    /// Takes out of a text what is cargo's, the harness's or chance.
    fn clean(&self, text: &str, scratch: &Scratch) -> String {
        let mut lines: Vec<&str> =
            text.lines().map(str::trim_end).filter(|line| !PROGRESS.is_match(line)).collect();
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        let text: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
        let text = match &self.server {
            Some(server) => text.replace(&server.address(), server::SHOWN),
            None => text,
        };
        self.filters.apply(&text, scratch.folder())
    }
}

fn shell(
    scratch: &Scratch,
    text: &str,
    stdin: Option<&str>,
    limit: Duration,
) -> Result<(String, Option<End>)> {
    let io = |error| Fault::io(scratch.folder(), &error);
    let mut process = Process::start(scratch.command("sh").args(["-c", text]), stdin).map_err(io)?;
    let end = process.wait(limit).map_err(io)?;
    Ok((process.finish(), end))
}
