//! Which states does a post go through, and what is to be seen of each?
//!
//! Not here: building them.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::{
    fault::{Fault, Result},
    post::{Block, Course, Fence, Kind, Listing, Naive, Post, Role},
    replay,
    tree::Tree,
};

/// The states of a post in reading order.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub steps: Vec<Step<'a>>,
    /// The state that becomes the chapter.
    pub finished: Tree,
    /// The solutions' states, each with its first listing's line.
    pub solutions: Vec<(usize, Tree)>,
}

/// A state, and what stands between its listing and the next one.
#[derive(Debug)]
pub(super) struct Step<'a> {
    /// The listing's line; that of the title for the state that the post begins with.
    pub line: usize,
    pub state: Tree,
    pub expect: Expect,
    pub seen: Vec<Seen<'a>>,
}

/// How a state compiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    Green,
    Red,
    Warns,
    /// It is not built by itself: nothing was changed yet, it is no crate yet, or it is half of a solution.
    Nothing,
}

#[derive(Debug)]
pub(super) enum Seen<'a> {
    Fence(&'a Fence),
    Naive(usize, &'a Naive),
}

impl<'a> Plan<'a> {
    /// Applies a post's listings to what it begins with, detours and solutions too.
    pub(super) fn new(post: &'a Post, base: Tree) -> Result<Self> {
        let finished = replay::finish(post, base.clone())?;
        let first = Step { line: 1, state: base, expect: Expect::Nothing, seen: Vec::new() };
        let mut plan = Plan { steps: vec![first], finished, solutions: Vec::new() };
        let mut states = States { main: plan.steps[0].state.clone(), detour: None, solution: None };
        for block in &post.blocks {
            match &block.kind {
                Kind::Listing(listing) => {
                    let state = states.listing(post, block, listing, &mut plan)?;
                    plan.steps.push(Step {
                        line: block.line,
                        expect: expect(listing, &state),
                        state,
                        seen: Vec::new(),
                    });
                }
                Kind::Fence(fence) if matches!(fence.role, Role::Run(_) | Role::Error { .. }) => {
                    plan.see(block, &mut states, Seen::Fence(fence));
                }
                Kind::Naive(naive) => plan.see(block, &mut states, Seen::Naive(block.line, naive)),
                _ => {}
            }
        }
        Ok(plan)
    }

    fn see(&mut self, block: &Block, states: &mut States, seen: Seen<'a>) {
        // Behind a solution's `<details>` the solution is no longer there.
        if states.solution.is_some() && states.solution != block.details {
            states.solution = None;
            let (line, state) = (block.line, states.main.clone());
            self.steps.push(Step { line, state, expect: Expect::Nothing, seen: Vec::new() });
        }
        if let Some(step) = self.steps.last_mut() {
            step.seen.push(seen);
        }
    }

    /// All that the outcome depends on: not the prose, and not where things stand.
    pub(super) fn essence(&self) -> Vec<String> {
        let steps = self.steps.iter().map(|step| {
            let seen: Vec<String> = step.seen.iter().map(Seen::essence).collect();
            format!("{:x} {:?} {seen:?}", hash(&step.state), step.expect)
        });
        steps.chain(self.solutions.iter().map(|(_, state)| format!("{:x}", hash(state)))).collect()
    }
}

impl Seen<'_> {
    fn essence(&self) -> String {
        match self {
            Self::Fence(fence) => match &fence.role {
                Role::Error { name, .. } => format!("error {name}"),
                Role::Run(run) => {
                    let run = crate::post::Run { show: Vec::new(), ..run.clone() };
                    format!("{run:?} {:?}", fence.commands())
                }
                role => format!("{role:?}"),
            },
            Self::Naive(_, naive) => format!("{naive:?}"),
        }
    }
}

impl Step<'_> {
    pub(super) fn shows_error(&self) -> bool {
        self.seen.iter().any(|seen| matches!(seen, Seen::Fence(Fence { role: Role::Error { .. }, .. })))
    }
}

/// The states that the next listing may go on from.
struct States {
    main: Tree,
    detour: Option<Tree>,
    /// The `<details>` of the solution that is being written.
    solution: Option<usize>,
}

impl States {
    /// The state after a listing.
    fn listing(
        &mut self,
        post: &Post,
        block: &Block,
        listing: &Listing,
        plan: &mut Plan<'_>,
    ) -> Result<Tree> {
        let apply = |mut state: Tree| state.apply(post, block.line, listing).map(|()| state);
        let solution = block.details.filter(|_| listing.flags.course == Course::Solution);
        match listing.flags.course {
            Course::Main => {
                self.main = apply(self.main.clone())?;
                self.detour = None;
            }
            Course::Try => self.detour = Some(apply(self.main.clone())?),
            Course::TryOn => {
                let message = "`try on` goes on from a `try`, and none stands since the last change";
                let detour = self.detour.take().ok_or_else(|| Fault::new(&post.file, block.line, message))?;
                self.detour = Some(apply(detour)?);
            }
            Course::Solution if solution == self.solution => {
                if let Some((_, state)) = plan.solutions.last_mut() {
                    *state = apply(state.clone())?;
                }
            }
            Course::Solution => plan.solutions.push((block.line, apply(plan.finished.clone())?)),
        }
        self.solution = solution;
        Ok(match listing.flags.course {
            Course::Main => self.main.clone(),
            Course::Try | Course::TryOn => self.detour.clone().unwrap_or_default(),
            Course::Solution => plan.solutions.last().map(|(_, state)| state.clone()).unwrap_or_default(),
        })
    }
}

fn expect(listing: &Listing, state: &Tree) -> Expect {
    let flags = &listing.flags;
    let source = ["src/lib.rs", "src/main.rs"].iter().any(|path| state.0.contains_key(*path));
    match flags.course {
        _ if !state.0.contains_key("Cargo.toml") || !source => Expect::Nothing,
        Course::Solution => Expect::Nothing,
        _ if flags.red => Expect::Red,
        _ if flags.warns => Expect::Warns,
        _ => Expect::Green,
    }
}

/// A number that tells states apart.
pub(super) fn hash(state: &impl Hash) -> u64 {
    // Without keys it is the same in every run.
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `a` holds in each state, and how many fences are seen there.
    fn states(listings: &str) -> Result<Vec<(String, usize)>> {
        let text = format!("# 2. T\n\n**`a`** (new)\n\n```text\n0\n```\n\n{listings}");
        let post = Post::parse("2".parse().unwrap(), "02-t.md", &text).unwrap();
        let plan = Plan::new(&post, Tree::default())?;
        assert_eq!(plan.finished, replay::finish(&post, Tree::default())?);
        let text = |state: &Tree| state.0.get("a").map(|text| text.trim().to_owned()).unwrap_or_default();
        Ok(plan.steps.iter().map(|step| (text(&step.state), step.seen.len())).collect())
    }

    fn replace(words: &str, from: u8) -> String {
        format!("**`a`** ({words})\n\n```diff\n-{from}\n+{}\n```\n\n", from + 1)
    }

    #[test]
    fn detours_leave_the_real_state_alone() {
        let run = "```console run=a\n$ a\n```\n\n";
        let listings =
            [replace("try", 0), replace("try on", 1), run.into(), replace("try", 0), replace("", 0)];
        let found = states(&listings.concat().replace(" ()", "")).unwrap();
        let expected = [("", 0), ("0", 0), ("1", 0), ("2", 1), ("1", 0), ("1", 0)];
        assert_eq!(found, expected.map(|(text, seen)| (text.to_owned(), seen)));
        assert!(states(&replace("try on", 0)).is_err());
    }

    #[test]
    fn solutions_stand_on_the_finished_chapter_each_alone() {
        let details = |listings: &str| format!("<details>\n\n{listings}</details>\n\n");
        let run = "```console run=a\n$ a\n```\n\n";
        let first = details(&(replace("solution", 1) + &replace("solution", 2)));
        let listings =
            [first, run.into(), details(&replace("solution", 1)), replace("", 0).replace(" ()", "")];
        let found = states(&listings.concat()).unwrap();
        let expected = [("", 0), ("0", 0), ("2", 0), ("3", 0), ("0", 1), ("2", 0), ("1", 0)];
        assert_eq!(found, expected.map(|(text, seen)| (text.to_owned(), seen)));
    }
}
