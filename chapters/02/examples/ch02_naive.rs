//! Which of eight animals is nearest? Everything in `main`, and it looks right.

fn main() {
    let names = [
        "mouse", "cat", "dog", "wolf", "horse", "tiger", "elephant", "whale",
    ];
    let sizes = [0.05, 0.20, 0.35, 0.40, 0.70, 0.55, 0.85, 0.98];
    let tame = [0.45, 0.80, 0.95, 0.15, 0.85, 0.05, 0.50, 0.10];
    for query in [[0.3, 0.9], [0.1, 0.5], [0.95, 0.15]] {
        let mut best = 0;
        let mut shortest = 100.0;
        // Eight animals, in the rows 0 to 7.
        for row in 0..7 {
            let across: f64 = sizes[row] - query[0];
            let up: f64 = tame[row] - query[1];
            let distance = (across * across + up * up).sqrt();
            if distance < shortest {
                shortest = distance;
                best = row;
            }
        }
        println!("nearest to {query:?}: {}", names[best]);
    }
}
