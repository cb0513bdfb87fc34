use ch03::collection::{self, Collection};

fn main() {
    let mut animals = Collection::new(2);
    println!("growing:");
    for (name, vector) in [
        ("mouse", [0.05, 0.45]),
        ("cat", [0.20, 0.80]),
        ("dog", [0.35, 0.95]),
        ("wolf", [0.40, 0.15]),
        ("horse", [0.70, 0.85]),
    ] {
        // The list holds `&str`s that the program was compiled with; the collection wants texts of its own.
        let row = animals.insert(name.to_string(), &vector);
        println!("  row {row}: {name}");
    }

    println!(
        "nearest to [0.3, 0.9]: {}",
        animals.nearest(&[0.3, 0.9]).text
    );

    animals.text_mut(1).push_str(" (asleep)");
    let longest = animals
        .rows()
        .map(|row| row.text)
        .fold("", collection::longer);
    println!("longest text: {longest}");

    let gone = animals.remove(0);
    println!("removed {gone}; now:");
    for row in animals.rows() {
        println!("  {:12} {:?}", row.text, row.vector);
    }
}
