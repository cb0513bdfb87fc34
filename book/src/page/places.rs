//! Where in its file does each change stand? The post is replayed as its reader goes through it, so that the page can
//! name the function or the `impl` around a change.
//!
//! Not for finding mistakes: a change that does not fit has no place here, and `replay --check` says why.

use std::collections::HashMap;

use crate::{
    edit::{self, Hunk},
    post::{Block, Course, Listing, Post, What},
    replay,
    tree::Tree,
};

/// The pieces of each change, by the line of its block; `base` is what the post begins with.
pub(super) fn places(post: &Post, base: &Tree) -> HashMap<usize, Vec<Hunk>> {
    let finished = replay::finish(post, base.clone()).unwrap_or_else(|_| base.clone());
    let mut state = base.clone();
    let mut detour = base.clone();
    let mut solutions: HashMap<Option<usize>, Tree> = HashMap::new();
    let mut places = HashMap::new();
    for (block, listing) in post.listings() {
        let tree = match listing.flags.course {
            Course::Main => &mut state,
            Course::Try => {
                detour.clone_from(&state);
                &mut detour
            }
            Course::TryOn => &mut detour,
            Course::Solution => solutions.entry(block.details).or_insert_with(|| finished.clone()),
        };
        if let Some(hunks) = hunks(tree, listing) {
            places.insert(block.line, hunks);
        }
        apply(tree, post, block, listing);
    }
    places
}

fn hunks(tree: &Tree, listing: &Listing) -> Option<Vec<Hunk>> {
    let fence = listing.fence.as_ref().filter(|_| listing.what == What::Edit)?;
    let before = tree.0.get(&listing.path).map_or("", String::as_str);
    edit::apply(before, &fence.body).map(|(_, hunks)| hunks).or_else(|_| unplaced(&fence.body)).ok()
}

/// The pieces as they stand in the post.
fn unplaced(body: &str) -> Result<Vec<Hunk>, edit::Mismatch> {
    let pieces = edit::diff::read(body)?.into_iter();
    let hunk = |piece: edit::diff::Piece| Hunk {
        skipped: piece.skipped,
        words: piece.words,
        items: Vec::new(),
        at: 0,
        lines: piece.lines,
    };
    Ok(pieces.map(hunk).collect())
}

fn apply(tree: &mut Tree, post: &Post, block: &Block, listing: &Listing) {
    // What does not fit leaves the state as it is.
    let _ = tree.apply(post, block.line, listing);
}
