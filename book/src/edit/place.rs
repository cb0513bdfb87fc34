//! Where in a file does a piece stand? Exactly once below the piece before it; else the answer says what is closest.
//!
//! Not here: what is done there.

use super::{
    Mismatch,
    diff::{Kind, Piece},
    item,
};

/// The line of `file`, at or below `from`, at which a piece's context and deletions stand. All counted from 0.
pub(super) fn find(file: &[&str], from: usize, piece: &Piece) -> Result<usize, Mismatch> {
    let mismatch = |message: String| Mismatch { line: piece.first, message };
    let old: Vec<&str> = piece.old().collect();
    if old.is_empty() {
        let message = "additions need a line of context that says where they go";
        return if file.is_empty() { Ok(0) } else { Err(mismatch(message.into())) };
    }
    let mark = match &piece.words {
        None => None,
        Some(words) => match (from..file.len()).find(|line| file[*line].contains(words.as_str())) {
            Some(line) => Some(line),
            None => return Err(mismatch(format!("no line {}contains `{words}`", below(from)))),
        },
    };
    let first = mark.map_or(from, |mark| mark + 1);
    let stands = |at: &usize| file[*at..].starts_with(&old);
    let mut places: Vec<usize> = (first..file.len()).filter(stands).collect();
    // A mark means its own item first: the same lines may well stand in the next one too.
    if let (Some(mark), 2..) = (mark, places.len()) {
        let end = item::end(file, mark);
        places.retain(|at| at + old.len() <= end);
        if places.is_empty() {
            places = (first..file.len()).filter(stands).collect();
        }
    }
    match places[..] {
        [at] => Ok(at),
        [] => Err(closest(file, first, piece)),
        _ => {
            let lines: Vec<String> = places.iter().map(|at| (at + 1).to_string()).collect();
            let message = format!(
                "these lines stand in the file {} times, at lines {}: give more context, or `@@ WORDS` of a line above",
                places.len(),
                lines.join(", ")
            );
            Err(mismatch(message))
        }
    }
}

fn below(from: usize) -> String {
    if from == 0 { String::new() } else { format!("below line {from} ") }
}

/// Says what stands where the piece fits best.
fn closest(file: &[&str], from: usize, piece: &Piece) -> Mismatch {
    let old: Vec<&str> = piece.old().collect();
    if let Some(at) = (0..from.min(file.len())).find(|at| file[*at..].starts_with(&old)) {
        let message = format!(
            "these lines stand at line {}, above where they are looked for, line {}",
            at + 1,
            from + 1
        );
        return Mismatch { line: piece.first, message };
    }
    let fits = |at: usize| (0..old.len()).filter(|i| file.get(at + i) == Some(&old[*i])).count();
    // The first of the best.
    let best = (from..file.len()).rev().max_by_key(|at| fits(*at)).filter(|at| fits(*at) > 0);
    let Some(at) = best else {
        let message = format!("no line of this stands in the file {}", below(from).trim_end());
        return Mismatch { line: piece.first, message: message.trim_end().to_owned() };
    };
    let wrong = (0..old.len()).find(|i| file.get(at + i) != Some(&old[*i])).unwrap_or(0);
    // Back from the old lines to the listing's.
    let olds = piece.lines.iter().enumerate().filter(|(_, line)| line.kind != Kind::Added);
    let offset = olds.map(|(index, _)| index).nth(wrong).unwrap_or(0);
    let found = file.get(at + wrong).map_or("the end of the file".into(), |line| format!("`{line}`"));
    let message = format!(
        "the context does not stand in the file {}\n  closest is line {}, where {} of {} lines agree\n  expected: `{}`\n  found at line {}: {found}",
        below(from).trim_end(),
        at + 1,
        fits(at),
        old.len(),
        old[wrong],
        at + wrong + 1,
    );
    Mismatch { line: piece.first + usize::from(piece.skipped) + offset, message }
}
