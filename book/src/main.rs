//! `cargo run -p book -- …`: the book's commands. What they do stands in the library.

use std::process::ExitCode;

use book::{bless, draft, fault::Result, post::Number, replay::Book};
use clap::{Parser, Subcommand};

/// The book's tools.
#[derive(Parser)]
struct Arguments {
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
    /// Prints the listings that a post still lacks, told by its chapter.
    Draft { post: Number },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let book = Book::default();
    match command {
        Command::Replay { write: true, post, .. } => println!("{} chapters written", book.write(post)?),
        Command::Replay { post, .. } => println!("{} chapters are what their posts yield", book.check(post)?),
        Command::Bless { post } => return bless_all(&book, post),
        Command::Draft { post } => print!("{}", draft::draft(&book, post)?),
    }
    Ok(())
}

/// Prints everything that is wrong, and fails on the last of it.
fn bless_all(book: &Book, post: Number) -> Result<()> {
    let mut faults = bless::bless(book, post)?;
    let last = faults.pop();
    for (proof, fault) in faults {
        eprintln!("{proof:?}: {fault}");
    }
    last.map_or(Ok(()), |(_, fault)| Err(fault))
}
