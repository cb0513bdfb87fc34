//! The in-memory store: texts and their vectors, row by row.

use crate::vector;

/// Texts with a vector each. A row has the same number in both lists.
pub struct Collection {
    /// How many numbers a vector has.
    size: usize,
    /// One text per row.
    texts: Vec<String>,
    /// The vectors of all rows, end to end: row `r` begins at `r * size`.
    vectors: Vec<f32>,
}

/// One row, lent by the collection that owns it.
pub struct Row<'a> {
    pub text: &'a str,
    pub vector: &'a [f32],
}

impl Collection {
    /// An empty collection for vectors of `size` numbers.
    pub fn new(size: usize) -> Self {
        assert!(size > 0, "a vector has at least one number");
        Self {
            size,
            texts: Vec::new(),
            vectors: Vec::new(),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Adds a row and returns its number. The text moves in; the vector is copied to the end of the others.
    pub fn insert(&mut self, text: String, vector: &[f32]) -> usize {
        assert_eq!(vector.len(), self.size, "a vector of the wrong length");
        self.texts.push(text);
        self.vectors.extend_from_slice(vector);
        self.len() - 1
    }

    /// Lends one row.
    pub fn row(&self, row: usize) -> Row<'_> {
        let start = row * self.size;
        Row {
            text: &self.texts[row],
            vector: &self.vectors[start..start + self.size],
        }
    }

    /// Lends all rows, one after the other.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).map(|row| self.row(row))
    }

    /// Lends a row's text to be changed.
    pub fn text_mut(&mut self, row: usize) -> &mut String {
        &mut self.texts[row]
    }

    /// Takes a row out and gives its text away. The last row moves into the gap.
    pub fn remove(&mut self, row: usize) -> String {
        let last = (self.len() - 1) * self.size;
        self.vectors
            .copy_within(last..last + self.size, row * self.size);
        self.vectors.truncate(last);
        self.texts.swap_remove(row)
    }

    /// The row whose vector is nearest to `query`; of equally near ones the first.
    pub fn nearest(&self, query: &[f32]) -> Row<'_> {
        let distance = |row: &Row| vector::euclid(row.vector, query);
        self.rows()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)))
            // An empty collection has no nearest row; post 4 finds a better answer than to end the program.
            .expect("a collection with at least one row")
    }
}

/// The longer of two texts; of equally long ones the first.
pub fn longer<'a>(a: &'a str, b: &'a str) -> &'a str {
    if b.len() > a.len() { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn animals() -> Collection {
        let mut animals = Collection::new(2);
        animals.insert("mouse".to_string(), &[0.05, 0.45]);
        animals.insert("cat".to_string(), &[0.20, 0.80]);
        animals.insert("whale".to_string(), &[0.98, 0.10]);
        animals
    }

    #[test]
    fn rows_come_back_as_they_went_in() {
        let animals = animals();
        assert_eq!(animals.len(), 3);
        assert_eq!(animals.row(1).text, "cat");
        assert_eq!(animals.row(1).vector, [0.20, 0.80]);
    }

    #[test]
    fn the_last_row_moves_into_the_gap() {
        let mut animals = animals();
        assert_eq!(animals.remove(0), "mouse");
        let texts: Vec<&str> = animals.rows().map(|row| row.text).collect();
        assert_eq!(texts, ["whale", "cat"]);
        assert_eq!(animals.row(0).vector, [0.98, 0.10]);
        assert_eq!(animals.remove(1), "cat");
        assert_eq!(animals.len(), 1);
    }

    #[test]
    fn the_nearest_row_is_lent() {
        let animals = animals();
        assert_eq!(animals.nearest(&[0.9, 0.0]).text, "whale");
        assert_eq!(animals.nearest(&[0.1, 0.6]).text, "mouse");
    }

    #[test]
    fn a_text_is_changed_in_place() {
        let mut animals = animals();
        animals.text_mut(1).push_str(", asleep");
        assert_eq!(animals.row(1).text, "cat, asleep");
    }

    #[test]
    #[should_panic(expected = "wrong length")]
    fn a_vector_of_another_length_is_refused() {
        animals().insert("dog".to_string(), &[0.35]);
    }
}
