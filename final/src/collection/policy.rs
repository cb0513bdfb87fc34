//! Which segments should become one? A pure function of their sizes.
//!
//! Every segment costs each query a walk of its own, so there should be few; every merge copies rows and builds a
//! graph again, so a row should take part in few merges. As in a binary counter, a segment is merged once the
//! smaller ones have grown to its size: a row is copied a logarithmic number of times. On top of that there are
//! never more than [`MAX_SEGMENTS`], and a segment that is a fifth dead is written anew.

use std::fmt;

/// More segments than this are not left standing.
pub(super) const MAX_SEGMENTS: usize = 4;

/// From this share of dead rows on, a segment is written anew.
const DEAD_SHARE: f64 = 0.2;

/// Smaller segments are not worth writing anew for their dead rows alone.
const DEAD_MIN_ROWS: u32 = 1_000;

/// What the policy needs to know of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) number: u64,
    pub(super) rows: u32,
    pub(super) dead: u32,
}

/// A decision to merge, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decision {
    /// The numbers of the segments, in the order given.
    pub(super) inputs: Vec<u64>,
    pub(super) reason: Reason,
}

/// Why segments are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Too large a part of one is dead.
    Dead,
    /// The smaller ones add up to the next larger one.
    Doubled,
    /// There are too many.
    TooMany,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.reason {
            Reason::Dead => "a fifth of it is dead",
            Reason::Doubled => "the smaller ones have grown to the larger one's size",
            Reason::TooMany => "there are too many",
        };
        write!(f, "merge {:?}: {why}", self.inputs)
    }
}

/// Decides the next merge, if one is due. `sizes` are the segments' in their order.
pub(super) fn decide(sizes: &[Size]) -> Option<Decision> {
    let worn = |size: &&Size| {
        size.rows >= DEAD_MIN_ROWS && f64::from(size.dead) >= DEAD_SHARE * f64::from(size.rows)
    };
    if let Some(size) = sizes.iter().find(worn) {
        return Some(Decision { inputs: vec![size.number], reason: Reason::Dead });
    }
    let mut by_size: Vec<(u64, u64)> =
        sizes.iter().map(|size| (u64::from(size.rows - size.dead), size.number)).collect();
    by_size.sort_unstable();
    let mut sum = 0;
    let mut merged = 0;
    for (index, &(live, _)) in by_size.iter().enumerate() {
        if index > 0 && sum >= live {
            merged = index + 1;
        }
        sum += live;
    }
    let too_many = by_size.len().saturating_sub(MAX_SEGMENTS);
    let (count, reason) = match merged.max(if too_many > 0 { too_many + 1 } else { 0 }) {
        0 => return None,
        count if count == merged => (count, Reason::Doubled),
        count => (count, Reason::TooMany),
    };
    let chosen: Vec<u64> = by_size[..count].iter().map(|&(_, number)| number).collect();
    let in_order = sizes.iter().map(|size| size.number).filter(|number| chosen.contains(number)).collect();
    Some(Decision { inputs: in_order, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(rows: &[(u32, u32)]) -> String {
        let size = |(number, &(rows, dead)): (u64, &(u32, u32))| Size { number, rows, dead };
        let sizes: Vec<Size> = (1..).zip(rows).map(size).collect();
        decide(&sizes).map_or("leave them".to_string(), |decision| decision.to_string())
    }

    #[test]
    fn decisions() {
        let cases: &[&[(u32, u32)]] = &[
            &[],
            &[(100, 100)],
            &[(8_000, 1_599)],
            &[(8_000, 1_600)],
            &[(8_000, 0), (4_000, 0)],
            &[(8_000, 0), (4_000, 0), (4_000, 0)],
            &[(4_000, 0), (100_000, 0), (4_000, 0)],
            &[(160_000, 0), (80_000, 0), (40_000, 0), (20_000, 0), (10_000, 0)],
        ];
        let text: Vec<String> = cases.iter().map(|case| format!("{case:?}: {}", decided(case))).collect();
        insta::assert_snapshot!(text.join("\n"));
    }

    #[test]
    fn rows_are_copied_a_logarithmic_number_of_times() {
        let (mut sizes, mut copied, mut next) = (Vec::<Size>::new(), 0u64, 1);
        for _ in 0..512 {
            sizes.push(Size { number: next, rows: 1_000, dead: 0 });
            next += 1;
            while let Some(decision) = decide(&sizes) {
                let merged = sizes.extract_if(.., |size| decision.inputs.contains(&size.number));
                let rows = merged.map(|size| size.rows).sum();
                copied += u64::from(rows);
                sizes.push(Size { number: next, rows, dead: 0 });
                next += 1;
            }
            assert!(sizes.len() <= MAX_SEGMENTS);
        }
        let per_row = copied as f64 / 512_000.0;
        assert!(per_row < 16.0, "each row was copied {per_row:.1} times");
    }
}
