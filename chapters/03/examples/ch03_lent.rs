//! The searches of ch03_naive in the real store: whose bytes are the answers?

use ch03::collection::Collection;

/// Four numbers between 0 and 1 that differ from row to row.
fn vector(row: usize) -> [f32; 4] {
    // `as` turns whole numbers below 1,000 into `f32`s, exactly.
    [7, 31, 137, 611].map(|step| (row * step % 1_000) as f32 / 1_000.0)
}

fn main() {
    let mut store = Collection::new(4);
    for row in 0..10_000 {
        store.insert(format!("animal {row}"), &vector(row));
    }
    let (mut lent, mut copied) = (0, 0);
    for search in 0..100 {
        let found = store.nearest(&vector(search));
        if store.rows().any(|row| std::ptr::eq(row.text, found.text)) {
            lent += 1;
        } else {
            copied += 1;
        }
    }
    println!("100 searches: {lent} answers lent, {copied} copied");
}
