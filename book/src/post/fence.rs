//! What does a fence's first line say? A label, and what is to become of the body.
//!
//! Not here: running it.

use std::{ops::Range, str::FromStr};

/// A fenced block.
#[derive(Debug, Clone)]
pub struct Fence {
    /// Of the opening line, counted from 1.
    pub line: usize,
    /// `rust`, `diff`, `text`, `console`.
    pub label: String,
    pub role: Role,
    /// The lines between, each with its end.
    pub body: String,
    /// The body's bytes in the post's text.
    pub span: Range<usize>,
}

/// What a fence's body is, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// What the author wrote, or a listing's text.
    Written,
    /// What rustc says of the current state.
    Error { name: String, show: Vec<Show> },
    /// Commands and what they print.
    Run(Run),
    /// Commands that cannot be run here.
    ByHand,
    /// Code that is talked about, and why it is not typed.
    Ignore { reason: String },
}

/// How the commands of a `console` fence are run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    pub name: String,
    pub show: Vec<Show>,
    /// The program runs beside the commands.
    pub server: bool,
    /// The last command ends with another code than 0.
    pub fails: bool,
    /// A line that the command reads.
    pub stdin: Option<String>,
}

/// Which part of an output the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Show {
    /// These lines, counted from 1, both included.
    Lines(usize, usize),
    /// The messages with this code.
    Code(String),
}

impl Fence {
    /// The name under which its text is kept.
    pub fn name(&self) -> Option<&str> {
        match &self.role {
            Role::Error { name, .. } => Some(name),
            Role::Run(run) => Some(&run.name),
            _ => None,
        }
    }

    /// The commands of a `console` fence, as they stand there: a line that begins with `$ `, and the line after each
    /// that ends with a backslash.
    pub fn commands(&self) -> Vec<String> {
        let (mut commands, mut goes_on) = (Vec::<String>::new(), false);
        for line in self.body.lines() {
            match commands.last_mut() {
                Some(command) if goes_on => *command += &format!("\n{line}"),
                _ if line.starts_with("$ ") => commands.push(line.to_owned()),
                _ => continue,
            }
            goes_on = line.ends_with('\\');
        }
        commands
    }
}

/// Reads what stands behind the backticks of a fence: its label and its role.
pub(super) fn read(info: &str) -> Result<(String, Role), String> {
    let (label, rest) = info.split_once(char::is_whitespace).unwrap_or((info, ""));
    let rest = rest.trim();
    let role = match (label, rest) {
        ("", _) => return Err("a fence without a label; `text` is one".into()),
        ("console", _) => Role::Run(run(rest)?),
        ("text", _) if !rest.is_empty() => error(rest)?,
        ("sh", "by-hand") => Role::ByHand,
        ("sh", _) => {
            return Err("commands that are run stand in `console run=NAME`, others in `sh by-hand`".into());
        }
        ("rust", _) if !rest.is_empty() => match rest.strip_prefix("ignore=") {
            Some(reason) if !reason.is_empty() => Role::Ignore { reason: reason.to_owned() },
            _ => return Err(format!("`{rest}` behind `rust`: only `ignore=REASON` may stand there")),
        },
        (_, "") => Role::Written,
        _ => return Err(format!("`{rest}` behind `{label}` says nothing")),
    };
    Ok((label.to_owned(), role))
}

fn error(words: &str) -> Result<Role, String> {
    let (mut name, mut show) = (None, Vec::new());
    for word in words.split_whitespace() {
        match word.split_once('=') {
            Some(("error", text)) => name = Some(named(text)?),
            Some(("show", part)) => show.push(part.parse()?),
            _ => {
                return Err(format!("`{word}` behind `text`: only `error=NAME` and `show=` may stand there"));
            }
        }
    }
    Ok(Role::Error { name: name.ok_or("`show=` without `error=NAME`")?, show })
}

fn run(mut words: &str) -> Result<Run, String> {
    let mut run = Run::default();
    while !words.is_empty() {
        // What a command reads may have spaces, so it is the last.
        if let Some(line) = words.strip_prefix("stdin=") {
            run.stdin = Some(line.to_owned());
            break;
        }
        let (word, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
        match word.split_once('=') {
            Some(("run", text)) => run.name = named(text)?,
            Some(("show", part)) => run.show.push(part.parse()?),
            None if word == "server" => run.server = true,
            None if word == "fails" => run.fails = true,
            _ => {
                return Err(format!(
                    "`{word}` behind `console`: `run=`, `show=`, `server`, `fails`, `stdin=`"
                ));
            }
        }
        words = rest.trim_start();
    }
    if run.name.is_empty() {
        return Err("a `console` fence is run, and needs `run=NAME`".into());
    }
    Ok(run)
}

/// Names are file names too.
fn named(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    match text {
        "" => Err("an empty name".into()),
        _ if text.chars().all(fits) => Ok(text.to_owned()),
        _ => Err(format!("the name `{text}`: small letters, digits and hyphens")),
    }
}

impl FromStr for Show {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let code = text.strip_prefix('E').is_some_and(|digits| digits.parse::<u16>().is_ok());
        match text.split_once("..") {
            Some((first, last)) => match (first.parse(), last.parse()) {
                (Ok(first), Ok(last)) if 1 <= first && first <= last => Ok(Self::Lines(first, last)),
                _ => Err(format!("`show={text}`: the first and the last line, counted from 1, as in `3..9`")),
            },
            None if code || text.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !text.is_empty() => {
                Ok(Self::Code(text.to_owned()))
            }
            None => Err(format!(
                "`show={text}`: lines, as in `3..9`, or a code, as in `E0382` or `unused_variables`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_lines_are_read() {
        let run = Run {
            name: "first-life".into(),
            show: vec![Show::Lines(1, 9)],
            server: true,
            fails: true,
            stdin: Some("a b".into()),
        };
        let words = "console run=first-life show=1..9 server fails stdin=a b";
        assert_eq!(read(words), Ok(("console".into(), Role::Run(run))));
        let error = Role::Error { name: "moved".into(), show: vec![Show::Code("E0382".into())] };
        assert_eq!(read("text error=moved show=E0382"), Ok(("text".into(), error)));
        assert_eq!(
            read("rust ignore=a sketch"),
            Ok(("rust".into(), Role::Ignore { reason: "a sketch".into() }))
        );
        assert_eq!(read("sh by-hand").map(|(_, role)| role), Ok(Role::ByHand));
        assert_eq!(read("json").map(|(_, role)| role), Ok(Role::Written));
    }

    #[test]
    fn others_are_refused() {
        for info in
            ["", "console", "console run=A", "console run=a x", "text show=1..2", "text error=a show=2..1"]
        {
            assert!(read(info).is_err(), "{info:?}");
        }
        for info in ["sh", "rust", "rust no_run", "json x"] {
            assert_eq!(read(info).is_err(), info != "rust", "{info:?}");
        }
    }
}
