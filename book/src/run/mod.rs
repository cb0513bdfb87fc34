//! Is what a post shows true? Its states are built, its commands run, its solutions tested, as a reader would.
//!
//! ```text
//! plan      a post, cut into states and what is to be seen of each
//! scratch   the reader's folder: one crate that becomes each state in turn
//! check     what rustc says of a state
//! console   commands and what they print
//! server    the program that runs beside the commands
//! process   starting, waiting, killing
//! filter    what differs from run to run
//! show      the part of a text that the page shows
//! cache     what has been seen before need not be run again
//! ```
//! Not here: comparing with the page and with the snapshots (`bless`, package `tests`).

mod cache;
mod check;
mod console;
mod filter;
mod plan;
mod process;
mod scratch;
mod server;
pub mod show;
mod solution;
#[cfg(all(test, unix))]
mod tests;

use std::collections::BTreeMap;

use self::{
    cache::Cache,
    check::Level,
    console::Console,
    filter::Filters,
    plan::{Expect, Plan, Seen, Step},
    scratch::Scratch,
};
use crate::{
    fault::{Fault, Result},
    post::{Claim, Naive, Number, Post, Role},
    replay::Book,
    tree::Tree,
};

/// Which promise of the book is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A state compiles, or fails to, as its listing says.
    Steps,
    /// Commands can be run and end as the fence says.
    Outputs,
    /// The naive version fails as the post says.
    Naive,
    /// A solution passes its tests, and has one.
    Solutions,
}

/// What came of running a post.
#[derive(Debug, Clone, Default)]
pub struct Ran {
    /// The whole texts of the `error` and `run` fences by name.
    pub outputs: BTreeMap<String, String>,
    pub faults: Vec<(Proof, Fault)>,
}

/// Runs everything that a post shows, upon the chapter before it.
pub fn run(book: &Book, post: &Post) -> Result<Ran> {
    run_upon(book, post, book.base(post.number)?)
}

/// Runs everything that a post shows, upon a state.
pub fn run_upon(book: &Book, post: &Post, base: Tree) -> Result<Ran> {
    let plan = Plan::new(post, base)?;
    let filters = Filters::read(&book.root.join("book/filters.toml"))?;
    let cache = Cache::open(book)?;
    let key = cache.key(&format!("{:?} {filters:?}", plan.essence()));
    if let Some(outputs) = cache.get(&key).and_then(|text| serde_json::from_str(&text).ok()) {
        return Ok(Ran { outputs, faults: Vec::new() });
    }
    let mut scratch = Scratch::open(book)?;
    scratch.empty()?;
    let mut runner =
        Runner { post, cache: &cache, filters: &filters, ran: Ran::default(), codes: Vec::new() };
    for step in &plan.steps {
        runner.step(&mut scratch, step)?;
    }
    runner.solutions(&mut scratch, &plan)?;
    let ran = runner.ran;
    if ran.faults.is_empty() {
        cache.put(&key, &serde_json::to_string(&ran.outputs).unwrap_or_default())?;
    }
    Ok(ran)
}

struct Runner<'a> {
    post: &'a Post,
    cache: &'a Cache,
    filters: &'a Filters,
    ran: Ran,
    /// How the last command of each console ended, by its name, in order.
    codes: Vec<(String, process::End)>,
}

impl Runner<'_> {
    fn fault(&mut self, proof: Proof, line: usize, message: impl Into<String>) {
        self.ran.faults.push((proof, Fault::new(&self.post.file, line, message)));
    }

    /// Builds a state, and sees what is to be seen of it.
    fn step(&mut self, scratch: &mut Scratch, step: &Step<'_>) -> Result<()> {
        let messages = match step.expect {
            Expect::Nothing => Vec::new(),
            _ => match check::check(self.cache, scratch, &step.state)? {
                Ok(messages) => messages,
                Err(words) => {
                    self.fault(Proof::Steps, step.line, words);
                    return Ok(());
                }
            },
        };
        if let Some(message) = unexpected(step, &messages) {
            self.fault(Proof::Steps, step.line, message);
            return Ok(());
        }
        let mut console = Console::new(self.filters);
        for seen in &step.seen {
            match seen {
                Seen::Fence(fence) => match &fence.role {
                    Role::Error { name, .. } if messages.is_empty() => {
                        let message = format!("`{name}`: rustc says nothing of this state");
                        self.fault(Proof::Steps, fence.line, message);
                    }
                    Role::Error { name, .. } => {
                        let text = self.filters.apply(&check::text(&messages), scratch.folder());
                        self.ran.outputs.insert(name.clone(), text);
                    }
                    Role::Run(run) => {
                        scratch.set(&step.state)?;
                        let printed = console.run(scratch, run, &fence.commands())?;
                        for message in printed.faults {
                            self.fault(Proof::Outputs, fence.line, message);
                        }
                        self.ran.outputs.insert(run.name.clone(), printed.text);
                        self.codes.extend(printed.end.map(|end| (run.name.clone(), end)));
                    }
                    _ => {}
                },
                Seen::Naive(line, naive) => self.naive(*line, naive, &step.state),
            }
        }
        Ok(())
    }

    /// Holds the last run to what the post says of it.
    fn naive(&mut self, line: usize, naive: &Naive, state: &Tree) {
        let Some((name, end)) = self.codes.last().cloned() else {
            return self.fault(Proof::Naive, line, "no `console run=` fence stands above this");
        };
        let text = self.ran.outputs.get(&name).cloned().unwrap_or_default();
        if !text.contains(&naive.example) {
            self.fault(
                Proof::Naive,
                line,
                format!("`{name}`, the run above this, does not run {}", naive.example),
            );
        }
        if !state.0.contains_key(&format!("examples/{}.rs", naive.example)) {
            self.fault(Proof::Naive, line, format!("there is no examples/{}.rs", naive.example));
        }
        for claim in &naive.claims {
            let holds = match claim {
                Claim::Says(words) => {
                    text.lines().any(|line| !line.starts_with("$ ") && line.contains(words))
                }
                Claim::Exits(code) => end == process::End::Code(*code),
                Claim::ExitsNotZero => end != process::End::Code(0),
                Claim::Killed => end == process::End::Killed,
            };
            if !holds {
                let message = format!("{claim:?} does not hold: it ended with {end:?} and printed\n{text}");
                self.fault(Proof::Naive, line, message);
            }
        }
    }

    fn solutions(&mut self, scratch: &mut Scratch, plan: &Plan<'_>) -> Result<()> {
        if plan.solutions.is_empty() {
            return Ok(());
        }
        let before = match solution::tests(self.cache, scratch, &plan.finished)? {
            Ok(count) => count,
            Err(words) => {
                self.fault(
                    Proof::Solutions,
                    0,
                    format!("the finished chapter fails its own tests:\n{words}"),
                );
                return Ok(());
            }
        };
        for (line, state) in &plan.solutions {
            match solution::tests(self.cache, scratch, state)? {
                Err(words) => self.fault(Proof::Solutions, *line, format!("the solution fails:\n{words}")),
                Ok(count) if count <= before => {
                    self.fault(Proof::Solutions, *line, "the solution has no test of its own");
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }
}

/// What is wrong with a state that was built.
fn unexpected(step: &Step<'_>, messages: &[check::Message]) -> Option<String> {
    let errors = messages.iter().any(|message| message.level == Level::Error);
    let text = || check::text(messages);
    match step.expect {
        Expect::Red if !errors => Some(format!("declared `red`, but it compiles\n{}", text())),
        Expect::Warns if errors => Some(format!("declared `warns`, but does not compile\n{}", text())),
        Expect::Warns if messages.is_empty() => Some("declared `warns`, but nothing is warned of".into()),
        Expect::Green if errors => Some(format!("does not compile after this listing\n{}", text())),
        Expect::Green if !messages.is_empty() => Some(format!("is warned of after this listing\n{}", text())),
        Expect::Red | Expect::Warns if !step.shows_error() => {
            Some("declared `red` or `warns`: an `error=NAME` fence has to show how".into())
        }
        _ => None,
    }
}

/// The name of a text's snapshot.
pub fn snapshot(number: Number, name: &str) -> String {
    format!("{}.{name}", number.folder())
}
