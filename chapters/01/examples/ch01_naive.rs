//! Search as most programs do it: by the letters.

use std::env;

const SENTENCES: [&str; 12] = [
    "My cat likes to sleep on the warm laptop.",
    "You can reset your password from the login page.",
    "The last train to the coast leaves at eleven.",
    "Simmer the lentils with garlic and lemon.",
    "The invoice must be paid within thirty days.",
    "She plays the violin in a small orchestra.",
    "Water the tomatoes early in the morning.",
    "The doctor told him to rest for a week.",
    "Our puppy chewed through another shoe.",
    "The rocket reached orbit after nine minutes.",
    "Snow closed the mountain pass until April.",
    "He fixed the leaking tap with a new washer.",
];

fn main() {
    for question in env::args().skip(1) {
        println!("LIKE '%{question}%'");
        let mut found = 0;
        for sentence in SENTENCES {
            if sentence.to_lowercase().contains(&question.to_lowercase()) {
                println!("  {sentence}");
                found += 1;
            }
        }
        println!("  {found} found");
    }
}
