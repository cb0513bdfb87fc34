//! Each rule catches a planted fault.

use super::*;
use crate::{measure::Figure, post::Kind};

fn post(text: &str) -> Post {
    let text = format!("# 3. T\n\n{text}");
    Post::parse("3".parse().unwrap(), "03-t.md", &text).unwrap()
}

fn messages(faults: Vec<Fault>) -> String {
    faults.into_iter().map(|fault| format!("{}: {}\n", fault.line, fault.message)).collect()
}

const WHOLE: &str = "**You will need** an hour.

## 1. What & Why

## 2. The Rust Prerequisite: x

## 3. The Naive Approach: x

## 4. The Production Implementation

## 5. Verify It Works

## What we left out

## Exercises

## Questions

## What is next
";

#[test]
fn parts_are_missed_and_misplaced_ones_named() {
    let whole = messages(order::faults(&post(WHOLE)));
    assert_eq!(whole.lines().count(), 3, "only exercises, answers and a prediction are missing:\n{whole}");
    for (from, to) in [
        ("## 5. Verify It Works\n", ""),
        ("## 4. The Production Implementation", "## 4. The Code"),
        ("**You will need** an hour.", "An hour."),
        ("## What is next\n", "## What is next\n\n## Thanks\n"),
    ] {
        let faults = messages(order::faults(&post(&WHOLE.replace(from, to))));
        assert_eq!(faults.lines().count(), 4, "{from:?}:\n{faults}");
    }
    let answers = "## Questions\n\n<details>\n<summary>1?</summary>\n\nYes.\n\n</details>\n";
    assert_eq!(order::questions(&post(&WHOLE.replace("## Questions\n", answers))), 1);
}

#[test]
fn budgets_count_words_that_are_read() {
    assert_eq!(prose::words("Two `let x = 1;` words, [a link](x.md) <b>here</b> – <!-- not here -->"), 6);
    let long = "word ".repeat(451);
    let text = format!("{long}\n\n```text\na figure\n```\n\nword\n");
    let budget = Budget {
        words: 4000,
        typed: 150,
        new: 100,
        longest: (451, 3),
        errors: 0,
        outputs: 0,
        solutions: 3,
        questions: 8,
    };
    let faults = messages(budget.faults(&post(&text)));
    assert!(faults.starts_with("3: 451 words without") && faults.lines().count() == 1, "{faults}");
    let few = Budget { words: 3999, longest: (0, 0), ..budget.clone() };
    assert!(messages(few.faults(&post(""))).contains("3999 words; 4000 to 8000"));
    let dense = Budget { new: 161, longest: (0, 0), ..budget.clone() };
    assert!(messages(dense.faults(&post(""))).contains("24 words for a new line"));
    let chatty = Budget { typed: 97, longest: (0, 0), ..budget.clone() };
    assert!(messages(chatty.faults(&post(""))).contains("41 words for a line that is typed"));
    let much = Budget { words: 8000, typed: 300, new: 331, longest: (0, 0), ..budget };
    assert!(messages(much.faults(&post(""))).contains("331 new lines"));
}

#[test]
fn tests_and_comments_are_no_new_lines() {
    let tree = |text: &str| crate::tree::Tree([("src/lib.rs".to_string(), text.to_string())].into());
    let after = "//! Docs.\n\npub fn a() -> u8 {\n    1\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {}\n}\n";
    assert_eq!(count::new_lines(&tree(""), &tree(after)), 3);
    assert_eq!(count::new_lines(&tree(after), &tree(&after.replace("    1", "    2"))), 1);
}

#[test]
fn links_and_figures_lead_somewhere() {
    let book = Book::default();
    let text = "[here](#1-what--why) and [there](#nowhere), [out](https://example.com), <https://example.com>.\n\n\
                ![short](figures/none.svg)\n\n![A figure that is described well enough](figures/none.svg)\n\n## 1. What & Why\n";
    let faults = messages(links::faults(&book, &post(text)));
    assert_eq!(faults.matches("no such heading").count(), 1, "{faults}");
    assert_eq!(faults.matches("all that a reader needs").count(), 2, "{faults}");
    assert_eq!(faults.matches("what the figure shows").count(), 1, "{faults}");
    assert_eq!(faults.matches("figures/none.svg is not there").count(), 1, "{faults}");
}

#[test]
fn terms_are_explained_before_they_are_used() {
    let faults =
        |glossary: &str, text: &str| messages(terms::Glossary::parse(glossary, "").faults(&[post(text)]));
    let entry = "**ordinal** (3): a row number\n";
    assert_eq!(faults(entry, "An *ordinal* is a row number. Ordinals count.\n"), "");
    assert!(faults(entry, "Ordinals count.\n\nAn *ordinal* is one.\n").starts_with("3: `Ordinals` is used"));
    assert!(faults(entry, "First ordinals, then *ordinals*.\n").contains("is used"));
    assert!(faults(entry, "In `ordinal` and **ordinal**.\n").contains("not set in italics"));
    assert_eq!(faults("**point** (3, a common word): a thing\n", "No point. A *point* is one.\n"), "");
    assert!(faults("**ordinal**: a row\n", "").contains("an entry is"));
}

#[test]
fn only_what_others_say_may_stand_before_the_explanation() {
    let summary = "- [5. The Async Runtime](05.md)\n- [4. Crash Course 2: Enums](04.md)\n";
    let faults = |term: &str, text: &str| {
        let entry = format!("**{term}** (3): a thing\n");
        let text = format!("{text}\n\nA *{term}* is one.\n");
        messages(terms::Glossary::parse(&entry, summary).faults(&[post(&text)])).lines().count()
    };
    let message = "```text error=a-name\nerror: missing lifetime specifier of `x`\n```\n\n";
    for (quote, expected) in [
        ("\"Missing lifetime specifier\": so it says.", 0),
        ("It speaks of a \"lifetime specifier of `x`\".", 0),
        ("It wants a lifetime specifier.", 1),
        ("\"Missing lifetime specifier\": a lifetime.", 1),
        ("Nobody said \"a missing lifetime\".", 1),
        ("One word, \"lifetime\".", 1),
        ("A text is `\"` and a lifetime and `\"`.", 1),
    ] {
        assert_eq!(faults("lifetime", &format!("{message}{quote}")), expected, "{quote}");
    }
    assert_eq!(faults("lifetime", "\"Missing lifetime specifier\""), 1, "no message says so");

    assert_eq!(faults("runtime", "| 5 The Async Runtime | it runs |"), 0);
    assert_eq!(faults("runtime", "| 5 The Async Runtime | a runtime |"), 1);
    assert_eq!(faults("runtime", "| 6 The Async Runtime | it runs |"), 1, "another post has that name");
    assert_eq!(faults("enum", "| 4 Crash Course 2 | enums |"), 1);

    assert_eq!(faults("Send", "She sends a letter, to send it."), 0);
    assert_eq!(faults("Send", "It has to be Send."), 1);
    assert_eq!(faults("task", "Tasks."), 1);
}

#[test]
fn numbers_with_a_unit_have_a_source() {
    let figure = |value: &str, unit: &str| Figure {
        value: value.into(),
        unit: unit.into(),
        machine: String::new(),
        date: String::new(),
    };
    let results = Results([("ch03.a".to_string(), figure("12", "ms"))].into());
    let faults = |text: &str| messages(numbers::faults(&post(text), &results));
    assert_eq!(
        faults(
            "It took 12 ms<!-- measured: ch03.a -->, 8 bytes, 3 rows, `5 ms`, 4 KiB<!-- fact -->, 3 × 4.\n"
        ),
        ""
    );
    assert_eq!(faults("**You will need** 60 minutes.\n"), "");
    for text in ["It took 12 ms.\n", "It grew by 5%.\n", "It took 3 GB.\n", "It was 3 × faster.\n"] {
        assert!(faults(text).starts_with("3: "), "{text}");
    }
    assert!(faults("It took 13 ms<!-- measured: ch03.a -->.\n").contains("is 12 ms"));
    assert!(faults("It took 13 ms<!-- measured: ch03.b -->.\n").contains("never measured"));
}

#[test]
fn hazards_have_a_reason_beside_them() {
    let explained = "fn a(x: Option<u8>) -> u8 {\n    // Always there.\n    x.unwrap()\n}\n\nfn b(x: u8) -> u32 {\n    x as u32 // widening\n}\n";
    assert_eq!(hazards::unexplained(explained), []);
    let bare = "use std::sync::Arc;\nstruct S {\n    a: Arc<u8>,\n    // Shared.\n    b: Arc<u8>,\n}\n\n\
                fn a(x: &S) -> u8 {\n    // Not about the next.\n    let y = 1;\n    x.b.clone().checked_add(y).unwrap()\n}\n\n\
                #[cfg(test)]\nmod tests {\n    fn t() { None::<u8>.unwrap(); }\n}\n";
    assert_eq!(hazards::unexplained(bare), [(3, "Arc"), (11, "clone"), (11, "unwrap")]);
}

#[test]
fn prose_is_what_is_left() {
    let post =
        post("A line.\n\n```text\ncode\n```\n\n<details>\n<summary>Why?</summary>\n\nSo.\n\n</details>\n");
    assert_eq!(prose::passages(&post).count(), 4);
    assert!(post.blocks.iter().any(|block| matches!(block.kind, Kind::Fence(_))));
}
