use ch02::vector;

const NAMES: [&str; 8] = [
    "mouse", "cat", "dog", "wolf", "horse", "tiger", "elephant", "whale",
];

/// Where each of them stands: how large it is, how tame, each from 0 to 1.
const PLACES: [[f32; 2]; 8] = [
    [0.05, 0.45],
    [0.20, 0.80],
    [0.35, 0.95],
    [0.40, 0.15],
    [0.70, 0.85],
    [0.55, 0.05],
    [0.85, 0.50],
    [0.98, 0.10],
];

/// The map's size, in characters.
const WIDTH: usize = 60;
const HEIGHT: usize = 12;

fn main() {
    // The first argument is the program's own name.
    let query = [argument(1), argument(2)];
    draw(query);
    let row = vector::nearest(&PLACES, query);
    println!("nearest to {query:?}: {}", NAMES[row]);
}

/// The number at this place of the command line; who gives none asks about the middle.
fn argument(position: usize) -> f32 {
    let text = std::env::args().nth(position);
    let text = text.unwrap_or("0.5".to_string());
    // `expect` ends the program with this sentence; post 4 does better.
    text.parse().expect("a number, as in 0.3")
}

/// Prints the map: sizes go to the right, tameness goes up, `?` is the place asked about.
fn draw(query: [f32; 2]) {
    let mut map = [[' '; WIDTH]; HEIGHT];
    for row in 0..PLACES.len() {
        write(&mut map, PLACES[row], NAMES[row]);
    }
    write(&mut map, query, "?");
    for line in map {
        let line: String = line.iter().collect();
        println!("|{}", line.trim_end());
    }
    println!("+{}", "-".repeat(WIDTH));
}

/// Writes a word at its place on the map.
fn write(map: &mut [[char; WIDTH]; HEIGHT], place: [f32; 2], word: &str) {
    // Numbers outside 0 to 1 are drawn at the edge.
    let right = place[0].clamp(0.0, 1.0);
    let down = 1.0 - place[1].clamp(0.0, 1.0);
    // Ten columns stay free for the last word.
    // Only numbers of one type can be multiplied, hence `as f32`; a position is whole,
    // hence `as usize`, which cuts the fraction off.
    let column = (right * (WIDTH - 10) as f32) as usize;
    // As above.
    let line = (down * (HEIGHT - 1) as f32).round() as usize;
    for (offset, letter) in word.chars().enumerate() {
        map[line][column + offset] = letter;
    }
}
