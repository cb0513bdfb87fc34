//! A semantic search in one file: a dozen sentences, found by what they mean.

use std::{collections::HashMap, env, fs};

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

/// What is asked if the command line says nothing.
const QUESTIONS: [&str; 3] = ["pets", "how do I sign in again", "plumbing repair"];

fn main() {
    let embedder = Embedder::load();
    let words: Vec<String> = env::args().skip(1).collect();
    if words.is_empty() {
        for question in QUESTIONS {
            search(&embedder, question);
        }
    } else {
        search(&embedder, &words.join(" "));
    }
}

/// Prints the three sentences whose meaning is nearest to the question's.
fn search(embedder: &Embedder, question: &str) {
    let meaning = embedder.embed(question);
    let mut found: Vec<(f32, &str)> = Vec::new();
    for sentence in SENTENCES {
        found.push((dot(&meaning, &embedder.embed(sentence)), sentence));
    }
    // The greatest number first.
    found.sort_by(|a, b| b.0.total_cmp(&a.0));

    println!("{question}?");
    for (score, sentence) in &found[..3] {
        println!("  {score:.2}  {sentence}");
    }
}

/// How nearly two directions agree: 1 is the same, 0 has nothing to do with it.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// A table of 29,523 pieces of words, with 256 numbers for each.
struct Embedder {
    /// The row of each piece. Pieces that go on with a word begin with `##`.
    rows: HashMap<String, usize>,
    /// What each row's small numbers are multiplied with.
    scales: Vec<f32>,
    /// All rows, one after the other, a byte for a number.
    table: Vec<u8>,
}

impl Embedder {
    /// Reads the table that belongs to the finished database.
    fn load() -> Self {
        // `expect`: without its table the program can do nothing, so it ends with this sentence.
        let here = env::current_dir().expect("a folder to start in");
        let mut paths = here
            .ancestors()
            .map(|folder| folder.join("final/data/embedder.bin"));
        let path = paths.find(|path| path.exists());
        // As above.
        let path = path.expect("to be started in the repository, where final/data/embedder.bin is");
        // As above.
        let file = fs::read(path).expect("a table that can be read");
        let number =
            |at: usize| u32::from_le_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]);

        // The header says how many pieces and rows there are, and how long a list stands before them.
        // `as usize`: these are stored in 4 bytes, and Rust counts in 8.
        let [pieces, count, ranges] = [20, 24, 28].map(|at| number(at) as usize);
        let ends = 32 + 8 * ranges;
        let scales = ends + 4 * pieces;
        let table = scales + 4 * count;
        let text = table + SIZE * count;

        let mut rows = HashMap::new();
        let mut start = text;
        for row in 0..pieces {
            // `as usize`: as above.
            let end = text + number(ends + 4 * row) as usize;
            rows.insert(String::from_utf8_lossy(&file[start..end]).to_string(), row);
            start = end;
        }
        let scale = |row| f32::from_bits(number(scales + 4 * row));
        Self {
            rows,
            scales: (0..count).map(scale).collect(),
            table: file[table..text].to_vec(),
        }
    }

    /// The direction a text points in: the sum of its pieces, made one unit long.
    fn embed(&self, text: &str) -> Vec<f32> {
        let mut sum = vec![0.0; SIZE];
        for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()) {
            for row in self.pieces(word) {
                for (total, byte) in sum.iter_mut().zip(&self.table[row * SIZE..]) {
                    // `as i8`: the byte stands for a number from -128 to 127.
                    *total += self.scales[row] * f32::from(*byte as i8);
                }
            }
        }
        // A text without a known word has no direction; this keeps it from being divided by zero.
        let length = dot(&sum, &sum).sqrt().max(f32::MIN_POSITIVE);
        sum.iter().map(|number| number / length).collect()
    }

    /// Cuts a word into the longest pieces that the table knows.
    fn pieces(&self, word: &str) -> Vec<usize> {
        let (mut pieces, mut rest) = (Vec::new(), word.to_string());
        while !rest.is_empty() && rest != "##" {
            let known = (1..=rest.len())
                .rev()
                .find(|end| rest.is_char_boundary(*end) && self.rows.contains_key(&rest[..*end]));
            let Some(end) = known else { return Vec::new() };
            pieces.push(self.rows[&rest[..end]]);
            rest = format!("##{}", &rest[end..]);
        }
        pieces
    }
}

/// How many numbers a piece has.
const SIZE: usize = 256;
