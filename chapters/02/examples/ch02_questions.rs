//! How long does it take to find the nearest of 10,000 places, a hundred times?

use ch02::vector;
use std::{hint, time::Instant};

fn main() {
    // One place in each square of a grid, a hundred by a hundred.
    let mut places = [[0.0; 2]; 10_000];
    for line in 0..100 {
        for column in 0..100 {
            // `as f32` before the division: whole numbers are divided without a fraction.
            places[line * 100 + column] = [column as f32 / 100.0, line as f32 / 100.0];
        }
    }
    let start = Instant::now();
    for line in 0..100 {
        // `as f32` as above. Without `black_box` nobody would use the answer,
        // and the optimizer would leave the search out.
        hint::black_box(vector::nearest(&places, [0.5, line as f32 / 100.0]));
    }
    println!("{:.1} ms", start.elapsed().as_secs_f64() * 1000.0);
}
