//! The store of somebody who silences the borrow checker: whatever leaves it is a copy.

/// Four numbers between 0 and 1 that differ from row to row.
fn vector(row: usize) -> Vec<f32> {
    // `as` turns whole numbers below 1,000 into `f32`s, exactly.
    let number = |step: usize| (row * step % 1_000) as f32 / 1_000.0;
    vec![number(7), number(31), number(137), number(611)]
}

/// A row's text and vector, cloned: the caller may do with them what they like.
fn row(texts: &[String], vectors: &[Vec<f32>], row: usize) -> (String, Vec<f32>) {
    // The lists must stay whole, so both are copied.
    (texts[row].clone(), vectors[row].clone())
}

fn main() {
    let (mut texts, mut vectors) = (Vec::new(), Vec::new());
    for number in 0..10_000 {
        texts.push(format!("animal {number}"));
        vectors.push(vector(number));
    }

    let (mut text, _) = row(&texts, &vectors, 0);
    text.push_str(" (asleep)");
    println!("row 0 is now {text:?}; the store says {:?}", texts[0]);

    let mut copied = 0;
    for search in 0..1_000 {
        nearest(&texts, &vectors, &vector(search), &mut copied);
    }
    println!("1000 searches copied {copied} bytes");
    if copied > 1_000_000 {
        println!("over the budget of 1000000 bytes");
        std::process::exit(1);
    }
}

/// The text of the row that is nearest to `query`; adds what it copies to `copied`.
fn nearest(texts: &[String], vectors: &[Vec<f32>], query: &[f32], copied: &mut usize) -> String {
    let (mut best, mut best_distance) = (String::new(), f32::INFINITY);
    for number in 0..texts.len() {
        let (text, vector) = row(texts, vectors, number);
        *copied += text.len() + size_of_val(&vector[..]);
        let mut distance = 0.0;
        for i in 0..query.len() {
            distance += (vector[i] - query[i]) * (vector[i] - query[i]);
        }
        if distance < best_distance {
            (best, best_distance) = (text, distance);
        }
    }
    best
}
