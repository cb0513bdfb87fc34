//! The store of this post with panics and sentinel values: what can go wrong, does.

use std::io;

use ch04::vector;

/// One animal. An id of -1 stands for "no id".
struct Row {
    id: i64,
    place: [f32; 2],
    name: String,
}

/// The number in a text; NaN stands for "no number".
fn number(text: &str) -> f32 {
    text.parse().unwrap_or(f32::NAN)
}

fn main() {
    let mut rows: Vec<Row> = Vec::new();
    for line in io::stdin().lines() {
        // "Input is always text": `unwrap` ends the program if it is not.
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let at = match words[0] {
            "upsert" => upsert(&mut rows, &words),
            "get" => find(&rows, words[1].parse().unwrap_or(-1)),
            "nearest" => nearest(&rows, [number(words[1]), number(words[2])]),
            _ => continue,
        };
        println!("{} {} {:?}", rows[at].id, rows[at].name, rows[at].place);
    }
}

/// Reads `upsert ID X Y NAME` and says where the row is now.
fn upsert(rows: &mut Vec<Row>, words: &[&str]) -> usize {
    let id = words[1].parse().unwrap_or(-1);
    let place = [number(words[2]), number(words[3])];
    let name = words[4].to_string();
    let mut at = find(rows, id);
    if at == usize::MAX {
        at = rows.len();
        rows.push(Row { id, place, name });
    } else {
        rows[at] = Row { id, place, name };
    }
    at
}

/// Where the row with this id is; `usize::MAX` stands for "nowhere".
fn find(rows: &[Row], id: i64) -> usize {
    let at = rows.iter().position(|row| row.id == id);
    at.unwrap_or(usize::MAX)
}

/// Where the row nearest to a place is.
fn nearest(rows: &[Row], query: [f32; 2]) -> usize {
    let mut best = 0;
    for at in 1..rows.len() {
        if vector::euclid(&rows[at].place, &query) < vector::euclid(&rows[best].place, &query) {
            best = at;
        }
    }
    best
}
