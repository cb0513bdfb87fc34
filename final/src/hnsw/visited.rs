//! Which rows has this walk seen?
//!
//! A byte per row holds the number of the walk that saw it last, so starting the next walk is counting up; once in 255
//! walks the bytes are really cleared. A hash set would cost a hash per row seen, a bitmap a clearing per walk.

use crate::point::Ordinal;

/// The set of rows seen since the last [`Visited::clear`].
pub(super) struct Visited {
    walk: u8,
    seen: Vec<u8>,
}

impl Visited {
    /// The empty set over some rows.
    pub(super) fn new(rows: u32) -> Self {
        Self { walk: 1, seen: vec![0; rows as usize] }
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.walk = self.walk.wrapping_add(1);
        if self.walk == 0 {
            self.seen.fill(0);
            self.walk = 1;
        }
    }

    /// Adds a row; says whether it is new.
    #[inline]
    pub(super) fn insert(&mut self, row: Ordinal) -> bool {
        std::mem::replace(&mut self.seen[row as usize], self.walk) != self.walk
    }

    /// Whether the row is in the set.
    #[inline]
    pub(super) fn contains(&self, row: Ordinal) -> bool {
        self.seen[row as usize] == self.walk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_walk_starts_with_nothing_seen() {
        let mut visited = Visited::new(2);
        for _ in 0..1_000 {
            assert!(!visited.contains(1) && visited.insert(1) && visited.contains(1) && !visited.insert(1));
            visited.clear();
        }
        // Row 0 was never seen, whatever number the walk has by now.
        assert!(visited.insert(0));
    }

    #[test]
    fn a_row_seen_once_is_forgotten_for_good() {
        for walks in 1..600 {
            let mut visited = Visited::new(1);
            visited.insert(0);
            (0..walks).for_each(|_| visited.clear());
            assert!(visited.insert(0), "after {walks} walks");
        }
    }
}
