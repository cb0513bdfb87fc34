//! How do outputs get into a post, and are those on the page what was run? A text has three places, the run, the page
//! and a snapshot, and they are the same.
//!
//! Not here: running (`run`); comparing with the snapshots, which is for package `tests` to do.

use std::{collections::BTreeSet, fs, path::Path, sync::LazyLock};

use regex::Regex;

use crate::{
    fault::{Fault, Result},
    measure::Results,
    post::{Kind, Number, Post, Role},
    replay::Book,
    run::{self, Proof, Ran, show},
};

/// The file of the test that compares with the snapshots, which insta writes into each.
const SOURCE: &str = "tests/tests/book/outputs.rs";

/// Runs a post, fills in its outputs and writes its snapshots. What could not be run is reported and left as it is.
pub fn bless(book: &Book, number: Number) -> Result<Vec<(Proof, Fault)>> {
    let post = book.post(number)?;
    let ran = run::run(book, &post)?;
    let text = Results::read(book)?.fill(&fill(&post, &ran)?);
    if text != post.text {
        let file = book.root.join(&post.file);
        fs::write(&file, text).map_err(|error| Fault::io(&file, &error))?;
    }
    snapshots(&book.snapshots(), &post, &ran)?;
    Ok(ran.faults)
}

/// The post with every output that was run in its place; nothing else is touched.
pub fn fill(post: &Post, ran: &Ran) -> Result<String> {
    let mut text = post.text.clone();
    // From the end, so that the places before keep theirs.
    for (block, fence) in post.fences().collect::<Vec<_>>().into_iter().rev() {
        let Some(output) = fence.name().and_then(|name| ran.outputs.get(name)) else { continue };
        let fault = |message| Fault::new(&post.file, block.line, message);
        let body = show::body(fence, output).map_err(fault)?;
        let opening = &post.text[block.span.start..fence.span.start];
        let ticks = opening.len() - opening.trim_start_matches('`').len();
        if body.lines().any(|line| line.starts_with(&"`".repeat(ticks))) {
            return Err(fault(format!("the output has {ticks} backticks too: open this fence with more")));
        }
        text.replace_range(fence.span.clone(), &body);
    }
    Ok(text)
}

/// Where the page shows something else than was run.
pub fn differences(post: &Post, ran: &Ran) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (block, fence) in post.fences() {
        let Some(name) = fence.name() else { continue };
        let Some(output) = ran.outputs.get(name) else { continue };
        let message = match show::body(fence, output) {
            Ok(body) if body == fence.body => continue,
            Ok(body) => {
                let (line, page, run) = crate::replay::first_difference(&fence.body, &body);
                format!(
                    "`{name}` is not what was run, from its line {line} on\n  page: {page}\n  run: {run}\n{}",
                    advice(post)
                )
            }
            Err(message) => message,
        };
        faults.push(Fault::new(&post.file, block.line, message));
    }
    faults
}

fn advice(post: &Post) -> String {
    format!("  `cargo run -p book -- bless {}` fills it in; read what has changed", post.number)
}

/// What looks like a compiler's message, and is not one that was run.
pub fn strays(post: &Post) -> Vec<Fault> {
    static MESSAGE: LazyLock<Regex> = LazyLock::new(|| {
        let pattern = r"error\[E\d{4}\]:|warning: unused|^\s*--> \S+:\d+:\d+|^error: |^warning: ";
        Regex::new(pattern).expect("a pattern of ours is one")
    });
    let mut faults = Vec::new();
    for block in &post.blocks {
        if matches!(&block.kind, Kind::Fence(fence) if matches!(fence.role, Role::Error { .. } | Role::Run(_)))
        {
            continue;
        }
        for (index, line) in post.text[block.span.clone()].lines().enumerate() {
            if MESSAGE.is_match(line) {
                let message =
                    format!("looks like a compiler's message, and stands in no `error=` fence: {line}");
                faults.push(Fault::new(&post.file, block.line + index, message));
            }
        }
    }
    faults
}

/// Writes a post's snapshots as insta does, and removes those that it no longer has.
fn snapshots(folder: &Path, post: &Post, ran: &Ran) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Fault::io(folder, &error))?;
    for (name, text) in &ran.outputs {
        let file = folder.join(run::snapshot(post.number, name) + ".snap");
        let text = format!("---\nsource: {SOURCE}\nexpression: text\n---\n{text}");
        if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
            fs::write(&file, text).map_err(|error| Fault::io(&file, &error))?;
        }
    }
    for file in stale(folder, std::slice::from_ref(post))? {
        if file.starts_with(&run::snapshot(post.number, "")) {
            let file = folder.join(file);
            fs::remove_file(&file).map_err(|error| Fault::io(&file, &error))?;
        }
    }
    Ok(())
}

/// Snapshots of no fence in these posts.
pub fn stale(folder: &Path, posts: &[Post]) -> Result<Vec<String>> {
    let names = |post: &Post| -> Vec<String> {
        post.fences()
            .filter_map(|(_, fence)| Some(run::snapshot(post.number, fence.name()?) + ".snap"))
            .collect()
    };
    let known: BTreeSet<String> = posts.iter().flat_map(names).collect();
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut stale = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| Fault::io(folder, &error))? {
        let name =
            entry.map_err(|error| Fault::io(folder, &error))?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".snap") && !known.contains(&name) {
            stale.push(name);
        }
    }
    stale.sort();
    Ok(stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &str =
        "# 3. T\n\n```text error=moved\n```\n\nWords.\n\n```console run=a show=1..1\n$ a\nold\n```\n";

    fn post(text: &str) -> Post {
        Post::parse("3".parse().unwrap(), "03-t.md", text).unwrap()
    }

    fn ran() -> Ran {
        let outputs = [("moved", "error[E1]: x\n"), ("a", "$ a\nnew\n")];
        Ran { outputs: outputs.map(|(name, text)| (name.into(), text.into())).into(), faults: Vec::new() }
    }

    #[test]
    fn outputs_are_filled_in_and_nothing_else_changes() {
        let filled = fill(&post(POST), &ran()).unwrap();
        assert_eq!(
            filled,
            "# 3. T\n\n```text error=moved\nerror[E1]: x\n```\n\nWords.\n\n```console run=a show=1..1\n$ a\n…\n```\n"
        );
        assert_eq!(fill(&post(&filled), &ran()).unwrap(), filled);
        assert_eq!(differences(&post(&filled), &ran()), []);
    }

    #[test]
    fn a_page_that_shows_something_else_is_caught() {
        let faults = differences(&post(POST), &ran());
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [3, 8]);
        assert!(
            faults[1].message.contains("page: `old`") && faults[1].message.contains("run: `…`"),
            "{}",
            faults[1]
        );
    }

    #[test]
    fn a_typed_error_is_caught() {
        let typed = "# 3. T\n\n```text\nerror[E0382]: borrow\n --> src/main.rs:3:5\n```\n\n`E0382` and error are words.\n";
        assert_eq!(strays(&post(typed)).iter().map(|fault| fault.line).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(strays(&post(&typed.replace("text\n", "text error=a\n"))), []);
    }

    #[test]
    fn snapshots_follow_the_fences() {
        let folder = tempfile::tempdir().unwrap();
        snapshots(folder.path(), &post(POST), &ran()).unwrap();
        assert_eq!(stale(folder.path(), &[post(POST)]).unwrap(), [""; 0]);
        let without = post("# 3. T\n\n```text error=moved\n```\n");
        assert_eq!(stale(folder.path(), std::slice::from_ref(&without)).unwrap(), ["03.a.snap"]);
        let left = Ran { outputs: [("moved".to_owned(), "x\n".to_owned())].into(), faults: Vec::new() };
        snapshots(folder.path(), &without, &left).unwrap();
        assert_eq!(stale(folder.path(), &[without]).unwrap(), [""; 0]);
        let snapshot = fs::read_to_string(folder.path().join("03.moved.snap")).unwrap();
        assert!(snapshot.ends_with("---\nx\n"), "{snapshot}");
    }
}
