//! What does the body of a `diff` fence say? A space, `+` or `-` in the first column; `@@` between pieces.
//!
//! Not here: where the pieces stand.

use super::Mismatch;

/// What happens to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Context,
    Added,
    Deleted,
}

/// A line without its first column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub kind: Kind,
    pub text: String,
}

/// Lines that stand together in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its first line in the fence's body, counted from 0.
    pub first: usize,
    pub skipped: bool,
    /// It stands below a line that contains these words.
    pub words: Option<String>,
    pub lines: Vec<Line>,
}

impl Piece {
    /// The lines that stand in the file before the change.
    pub fn old(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(|line| line.kind != Kind::Added).map(|line| line.text.as_str())
    }
}

/// Reads the body of a `diff` fence.
pub fn read(body: &str) -> Result<Vec<Piece>, Mismatch> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (number, line) in body.lines().enumerate() {
        let mismatch = |message: &str| Mismatch { line: number, message: message.into() };
        if let Some(words) = line.strip_prefix("@@") {
            let words = Some(words.trim().to_owned()).filter(|words| !words.is_empty());
            pieces.push(Piece { first: number, skipped: true, words, lines: Vec::new() });
            continue;
        }
        let (kind, text) = match line.chars().next() {
            None => (Kind::Context, ""),
            Some(' ') => (Kind::Context, &line[1..]),
            Some('+') => (Kind::Added, &line[1..]),
            Some('-') => (Kind::Deleted, &line[1..]),
            Some(_) => return Err(mismatch("a line of a `diff` begins with a space, `+`, `-` or `@@`")),
        };
        if pieces.is_empty() {
            pieces.push(Piece { first: number, skipped: false, words: None, lines: Vec::new() });
        }
        if let Some(piece) = pieces.last_mut() {
            piece.lines.push(Line { kind, text: text.to_owned() });
        }
    }
    match pieces.iter().find(|piece| piece.lines.iter().all(|line| line.kind == Kind::Context)) {
        Some(piece) => Err(Mismatch { line: piece.first, message: "this piece changes nothing".into() }),
        None if pieces.is_empty() => Err(Mismatch { line: 0, message: "an empty `diff`".into() }),
        None => Ok(pieces),
    }
}
