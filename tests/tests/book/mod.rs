//! Is the book true? Each test is one of its promises, held over all posts; `book/AUTHORS.md` has the notation.
//!
//! What was run once, with the same toolchain, is remembered below `target/book`: the second run is quick.
//!
//! Not here: that the machinery catches a lie; its tests stand beside it, in package `book`.

mod outputs;

use std::sync::OnceLock;

use ::book::{
    bless,
    fault::Fault,
    lint,
    post::Post,
    replay::Book,
    run::{self, Proof, Ran},
    score::Score,
    sketch, versions,
};

/// Every post, run.
fn posts() -> &'static [(Post, Ran)] {
    static POSTS: OnceLock<Vec<(Post, Ran)>> = OnceLock::new();
    POSTS.get_or_init(|| {
        let book = Book::default();
        let posts = book.posts().unwrap_or_else(|fault| panic!("{fault}"));
        let run = |post: Post| {
            let ran = run::run(&book, &post).unwrap_or_else(|fault| panic!("{fault}"));
            (post, ran)
        };
        posts.into_iter().map(run).collect()
    })
}

/// Fails with every fault, a line each.
fn none(faults: impl IntoIterator<Item = Fault>) {
    let faults: Vec<String> = faults.into_iter().map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n\n"));
}

fn holds(proof: Proof) {
    let faults = posts().iter().flat_map(|(_, ran)| &ran.faults);
    none(faults.filter(|(broken, _)| *broken == proof).map(|(_, fault)| fault.clone()));
}

#[test]
fn the_chapters_are_what_the_posts_yield() {
    none(Book::default().check(None).err());
}

#[test]
fn every_state_compiles_or_fails_as_its_listing_says() {
    holds(Proof::Steps);
}

#[test]
fn every_naive_version_fails_as_the_post_says() {
    holds(Proof::Naive);
}

#[test]
fn every_solution_passes_a_test_of_its_own() {
    holds(Proof::Solutions);
}

#[test]
fn no_compilers_message_is_typed_by_hand() {
    none(posts().iter().flat_map(|(post, _)| bless::strays(post)));
}

#[test]
fn every_sketch_is_rust() {
    none(posts().iter().flat_map(|(post, _)| sketch::faults(post)));
}

#[test]
fn chapters_ask_for_the_versions_of_the_workspace() {
    none(versions::differing(&Book::default()).unwrap_or_else(|fault| vec![fault]));
}

#[test]
fn every_post_is_written_by_the_rules() {
    let found = lint::check(&Book::default()).unwrap_or_else(|fault| panic!("{fault}"));
    none(found.into_iter().map(|(_, fault)| fault));
}

#[test]
fn the_score_is_the_one_that_the_book_shows() {
    posts();
    let book = Book::default();
    let shown = Score::of(&book).and_then(|score| score.is_shown(&book));
    assert_eq!(shown, Ok(true), "`cargo run -p book -- score --write` puts it into the page");
}
