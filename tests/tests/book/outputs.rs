//! Is every error and every output in the book what was printed? The run, the page and the snapshot say the same.
//!
//! `cargo run -p book -- bless NN` brings all three together; insta's own commands do so for the snapshots.

use ::book::{bless, replay::Book, run};

use super::{Proof, holds, none, posts};

#[test]
fn every_command_ends_as_its_fence_says() {
    holds(Proof::Outputs);
}

#[test]
fn every_output_on_a_page_is_what_was_run() {
    none(posts().iter().flat_map(|(post, ran)| bless::differences(post, ran)));
}

#[test]
fn every_output_is_its_snapshot() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/book");
    settings.set_prepend_module_to_snapshot(false);
    for (post, ran) in posts() {
        for (name, text) in &ran.outputs {
            settings.bind(|| insta::assert_snapshot!(run::snapshot(post.number, name), text));
        }
    }
}

#[test]
fn every_snapshot_is_of_some_output() {
    let posts: Vec<_> = posts().iter().map(|(post, _)| post.clone()).collect();
    let stale = bless::stale(&Book::default().snapshots(), &posts).unwrap_or_else(|fault| panic!("{fault}"));
    assert!(stale.is_empty(), "no fence has these: {stale:?}");
}
