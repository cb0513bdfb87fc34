//! What does rustc say of a state? Each message once, in a fixed order, its words untouched.
//!
//! First the crate and its program, as `cargo run` builds them; only where those are without an error the tests and
//! examples too. Not here: which messages are expected.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    cache::Cache,
    plan,
    process::{End, Process},
    scratch::Scratch,
};
use crate::{
    fault::{Fault, Result},
    tree::Tree,
};

/// The first build compiles every dependency.
pub(super) const BUILD: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Level {
    Error,
    Warning,
}

/// A message as rustc renders it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Message {
    pub level: Level,
    pub text: String,
}

/// The messages in one text.
pub(super) fn text(messages: &[Message]) -> String {
    let texts: Vec<&str> = messages.iter().map(|message| message.text.trim_end()).collect();
    texts.join("\n\n") + "\n"
}

/// Builds a state. The inner error is cargo's own complaint.
pub(super) fn check(
    cache: &Cache,
    scratch: &mut Scratch,
    state: &Tree,
) -> Result<std::result::Result<Vec<Message>, String>> {
    let key = cache.key(&format!("check {:x}", plan::hash(state)));
    if let Some(messages) = cache.get(&key).and_then(|text| serde_json::from_str(&text).ok()) {
        return Ok(Ok(messages));
    }
    scratch.set(state)?;
    let mut messages = Vec::new();
    for targets in [&[][..], &["--all-targets"]] {
        match cargo(scratch, targets)? {
            Ok(more) => {
                let new: Vec<Message> =
                    more.into_iter().filter(|message| !messages.contains(message)).collect();
                messages.extend(new);
            }
            Err(words) => return Ok(Err(words)),
        }
        if messages.iter().any(|message: &Message| message.level == Level::Error) {
            break;
        }
    }
    cache.put(&key, &serde_json::to_string(&messages).unwrap_or_default())?;
    Ok(Ok(messages))
}

fn cargo(scratch: &Scratch, targets: &[&str]) -> Result<std::result::Result<Vec<Message>, String>> {
    let mut command = scratch.command("cargo");
    command.args(["check", "--keep-going", "--message-format=json"]).args(targets);
    let io = |error| Fault::io(scratch.folder(), &error);
    let mut process = Process::start(&mut command, None).map_err(io)?;
    let end = process.wait(BUILD).map_err(io)?;
    let printed = process.finish();
    let (messages, rest) = read(&printed);
    let broken = messages.iter().any(|message| message.level == Level::Error);
    let complaint = rest.lines().any(|line| line.starts_with("warning:") && !line.contains("generated"));
    match end {
        None => Ok(Err("cargo check takes too long".into())),
        Some(End::Code(0)) if !complaint => Ok(Ok(messages)),
        Some(End::Code(_)) if broken => Ok(Ok(messages)),
        Some(_) => Ok(Err(format!("cargo check says\n{rest}{}", hint(&rest)))),
    }
}

/// What to do where the versions are not on this machine.
pub(super) fn hint(text: &str) -> &'static str {
    if text.contains("offline") {
        "\nwithout a network cargo knows only what `cargo fetch` has brought"
    } else {
        ""
    }
}

/// The messages of the crate itself, sorted by target; and the lines that are not JSON.
fn read(printed: &str) -> (Vec<Message>, String) {
    let (mut found, mut rest): (Vec<(String, Message)>, _) = (Vec::new(), String::new());
    for line in printed.lines() {
        let Some(value) = serde_json::from_str::<Value>(line).ok().filter(Value::is_object) else {
            rest += &format!("{line}\n");
            continue;
        };
        let (Some(level), Some(text)) =
            (value["message"]["level"].as_str(), value["message"]["rendered"].as_str())
        else {
            continue;
        };
        let level = match level {
            "warning" => Level::Warning,
            level if level.starts_with("error") => Level::Error,
            _ => continue,
        };
        // The last words, how many there were, are cargo's to say.
        if value["message"]["spans"].as_array().is_some_and(Vec::is_empty) && summary(text) {
            continue;
        }
        let target = &value["target"];
        found.push((
            format!("{} {}", rank(&target["kind"]), target["name"]),
            Message { level, text: text.to_owned() },
        ));
    }
    // Stable: what is said of one target stays in rustc's order.
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let mut messages: Vec<Message> = Vec::new();
    for (_, message) in found {
        if !messages.contains(&message) {
            messages.push(message);
        }
    }
    (messages, rest)
}

fn summary(text: &str) -> bool {
    text.contains("aborting due to") || text.trim_end().ends_with("emitted")
}

fn rank(kind: &Value) -> usize {
    let order = ["lib", "bin", "test", "example"];
    order.iter().position(|known| kind[0] == **known).unwrap_or(order.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_counts_once_and_the_library_first() {
        let line = |kind: &str, level: &str, text: &str| {
            serde_json::json!({"reason": "compiler-message", "target": {"kind": [kind], "name": "kith"},
                "message": {"level": level, "rendered": text, "spans": []}})
            .to_string()
        };
        let printed = [
            "    Checking kith".into(),
            line("test", "warning", "warning: b\n\n"),
            line("lib", "error", "error[E1]: a\n\n"),
            line("lib", "error", "error[E1]: a\n\n"),
            line("lib", "error", "error: aborting due to 1 previous error\n\n"),
            line("lib", "failure-note", "For more information\n"),
        ];
        let (messages, rest) = read(&printed.join("\n"));
        assert_eq!(text(&messages), "error[E1]: a\n\nwarning: b\n");
        assert_eq!(rest, "    Checking kith\n");
    }
}
