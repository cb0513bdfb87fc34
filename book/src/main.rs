//! `cargo run -p book -- …`: the book's commands. What they do stands in the library.

use std::{path::PathBuf, process::ExitCode};

use book::{
    bless, draft,
    fault::{Fault, Result},
    lint, measure,
    page::{self, Site},
    post::Number,
    replay::Book,
    score,
};
use clap::{Parser, Subcommand};

/// The book's tools.
#[derive(Parser)]
struct Arguments {
    /// The repository that is meant, if not the one that this was built from.
    #[arg(long)]
    root: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Applies the posts' listings in order, and compares with the chapters or writes them.
    Replay {
        /// Compares byte for byte; this is what happens if nothing is said.
        #[arg(long, conflicts_with = "write")]
        check: bool,
        /// Writes the chapters, whole.
        #[arg(long)]
        write: bool,
        /// Only this post, upon the chapter before it.
        post: Option<Number>,
    },
    /// Runs what a post shows, fills in its outputs and errors, and writes the snapshots.
    Bless { post: Number },
    /// Holds all posts to the rules they are written by.
    Check,
    /// Runs a chapter's `chNN_measure` and keeps its figures.
    Measure { post: Number },
    /// Prints how far the book's proofs and budgets hold, post by post.
    Score {
        /// Puts the table into the book's page too.
        #[arg(long)]
        write: bool,
    },
    /// Prints the listings that a post still lacks, told by its chapter.
    Draft { post: Number },
    /// Builds the pages.
    Build {
        /// Where to; the folder is emptied first.
        #[arg(long, default_value = "target/book/html")]
        dest: PathBuf,
        /// The path that the pages will have on their server.
        #[arg(long, env = "BOOK_SITE_PATH")]
        site_path: Option<String>,
    },
    /// Builds the pages, serves them on 127.0.0.1, and builds them again when a file changes.
    Serve {
        #[arg(long, default_value_t = 3000)]
        port: u16,
    },
    /// Puts the style into the figures.
    Figures,
}

fn main() -> ExitCode {
    let Arguments { root, command } = Arguments::parse();
    // What is printed is told from the repository's folder by its whole path.
    let book = root.map_or_else(Book::default, |root| Book { root: root.canonicalize().unwrap_or(root) });
    match run(book, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(book: Book, command: Command) -> Result<()> {
    match command {
        Command::Replay { write: true, post, .. } => println!("{} chapters written", book.write(post)?),
        Command::Replay { post, .. } => println!("{} chapters are what their posts yield", book.check(post)?),
        Command::Bless { post } => return all(bless::bless(&book, post)?),
        Command::Check => return all(lint::check(&book)?),
        Command::Measure { post } => println!("{} figures", measure::measure(&book, post)?),
        Command::Score { write } => {
            let score = score::Score::of(&book)?;
            print!("{}", score.table());
            if write {
                score.write(&book)?;
            }
        }
        Command::Draft { post } => print!("{}", draft::draft(&book, post)?),
        Command::Build { dest, site_path } => {
            page::build(&Site { book, path: site_path }, &dest)?;
            println!("{}", dest.join("index.html").display());
        }
        Command::Serve { port } => {
            let builds = book.root.join("target/book");
            page::serve(&Site { book, path: None }, &builds, port)?;
        }
        Command::Figures => println!("{} figures changed", page::restyle(&book)?),
    }
    Ok(())
}

/// Prints everything that is wrong, and fails on the last of it.
fn all(mut faults: Vec<(impl std::fmt::Debug, Fault)>) -> Result<()> {
    let last = faults.pop();
    for (rule, fault) in faults {
        eprintln!("{rule:?}: {fault}");
    }
    last.map_or(Ok(()), |(_, fault)| Err(fault))
}
