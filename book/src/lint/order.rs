//! Does a post have its parts, in their order?

use std::collections::BTreeSet;

use crate::{
    fault::Fault,
    post::{Course, Kind, Post},
};

/// How the headings of the second level begin.
const SECTIONS: [&str; 9] = [
    "1. What & Why",
    "2. The Rust Prerequisite: ",
    "3. The Naive Approach: ",
    "4. The Production Implementation",
    "5. Verify It Works",
    "What we left out",
    "Exercises",
    "Questions",
    "What is next",
];
const SOLUTIONS: usize = 3;
const QUESTIONS: usize = 8;

pub(super) fn faults(post: &Post) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |line, message: String| faults.push(Fault::new(&post.file, line, message));
    if !post.title.starts_with(&format!("{}. ", post.number)) {
        fault(1, format!("the title is `# {}. …`", post.number));
    }
    let headings: Vec<(usize, &str)> = headings(post).collect();
    for (index, section) in SECTIONS.iter().enumerate() {
        match headings.get(index) {
            Some((_, found)) if found.starts_with(section) => {}
            Some((line, found)) => {
                fault(*line, format!("`## {section}` stands here, not `## {found}`"));
                break;
            }
            None => fault(0, format!("no `## {section}`")),
        }
    }
    if let Some((line, more)) = headings.get(SECTIONS.len()) {
        fault(*line, format!("`## {more}`: nothing follows `What is next`"));
    }
    let before = headings.first().map_or(usize::MAX, |(line, _)| *line);
    let told = post.blocks.iter().take_while(|block| block.line < before);
    if !told
        .into_iter()
        .any(|block| matches!(&block.kind, Kind::Prose { text } if text.starts_with("**You will need**")))
    {
        fault(1, "before the first section a paragraph says what it takes: `**You will need** …`".into());
    }
    for (what, found, least) in [
        ("exercises with a `solution`", solutions(post), SOLUTIONS),
        ("folded answers below `## Questions`", questions(post), QUESTIONS),
        ("`<details class=\"predict\">`", predictions(post), 1),
    ] {
        if found < least {
            fault(0, format!("{found} {what}; at least {least}"));
        }
    }
    faults
}

fn headings(post: &Post) -> impl Iterator<Item = (usize, &str)> {
    post.blocks.iter().filter_map(|block| match &block.kind {
        Kind::Heading { level: 2, text } => Some((block.line, text.as_str())),
        _ => None,
    })
}

/// How many exercises are solved.
pub(super) fn solutions(post: &Post) -> usize {
    let solved = post.listings().filter(|(_, listing)| listing.flags.course == Course::Solution);
    solved.filter_map(|(block, _)| block.details).collect::<BTreeSet<_>>().len()
}

/// How many answers are folded below the questions.
pub(super) fn questions(post: &Post) -> usize {
    let from = |name: &str| headings(post).find(|(_, text)| *text == name).map(|(line, _)| line);
    let (Some(first), last) = (from("Questions"), from("What is next").unwrap_or(usize::MAX)) else {
        return 0;
    };
    count(post, "<details", |line| (first..last).contains(&line))
}

fn predictions(post: &Post) -> usize {
    count(post, "<details class=\"predict\"", |_| true)
}

fn count(post: &Post, tag: &str, within: impl Fn(usize) -> bool) -> usize {
    let html = post.blocks.iter().filter(|block| within(block.line)).map(|block| match &block.kind {
        Kind::Html { text } => text.matches(tag).count(),
        _ => 0,
    });
    html.sum()
}
