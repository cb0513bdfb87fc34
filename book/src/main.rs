//! `cargo run -p book -- …`: the book's commands.

fn main() {}
