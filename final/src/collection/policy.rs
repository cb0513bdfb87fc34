//! Which segments should become one? A pure function of their sizes.
//!
//! Every segment costs each query a walk of its own, so there should be few; every merge copies rows and builds a graph
//! again, so a row should take part in few merges. While points come in, segments wait until there are some of about
//! one size: a row is copied a logarithmic number of times, and most segments a query meets are small. When nobody
//! writes any more, the smaller ones are merged into one and, unless that is a small part of all, into the largest too.
//! On top of that there are never more than [`MAX_SEGMENTS`], and a segment that is a fifth dead is written anew.

use std::fmt;

/// More segments than this are not left standing.
pub(super) const MAX_SEGMENTS: usize = 8;

/// While points come in, a segment is merged with smaller ones that are so many times as large together.
const GROWN: u64 = 3;

/// At rest the smaller segments join the largest once they are this part of it.
const RESTING_PART: u64 = 10;

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
    /// Its graph was built in haste.
    pub(super) hasty: bool,
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
    /// The smaller ones add up to several times the next larger one.
    Grown,
    /// There are too many.
    TooMany,
    /// Nobody writes.
    Resting,
    /// Nobody writes, and there is a better graph to be had.
    Hasty,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.reason {
            Reason::Dead => "a fifth of it is dead",
            Reason::Grown => "the smaller ones have grown beyond the larger one's size",
            Reason::TooMany => "there are too many",
            Reason::Resting => "nobody writes",
            Reason::Hasty => "its graph was built in haste",
        };
        write!(f, "merge {:?}: {why}", self.inputs)
    }
}

/// Decides the next merge, if one is due. `sizes` are the segments' in their order; `resting` says that nobody writes.
pub(super) fn decide(sizes: &[Size], resting: bool) -> Option<Decision> {
    let worn = |size: &&Size| {
        size.rows >= DEAD_MIN_ROWS && f64::from(size.dead) >= DEAD_SHARE * f64::from(size.rows)
    };
    if let Some(size) = sizes.iter().find(worn) {
        return Some(Decision { inputs: vec![size.number], reason: Reason::Dead });
    }
    let mut by_size: Vec<(u64, u64)> =
        sizes.iter().map(|size| (u64::from(size.rows - size.dead), size.number)).collect();
    by_size.sort_unstable();
    let live: Vec<u64> = by_size.iter().map(|&(live, _)| live).collect();
    let (count, reason) = if resting { at_rest(&live) } else { growing(&live) }.or_else(|| {
        let hasty = sizes.iter().find(|size| resting && size.hasty)?;
        by_size = vec![(0, hasty.number)];
        Some((1, Reason::Hasty))
    })?;
    let chosen: Vec<u64> = by_size[..count].iter().map(|&(_, number)| number).collect();
    let in_order = sizes.iter().map(|size| size.number).filter(|number| chosen.contains(number)).collect();
    Some(Decision { inputs: in_order, reason })
}

/// How many of the smallest to merge while points come in, of segments with so many live rows, ascending.
fn growing(live: &[u64]) -> Option<(usize, Reason)> {
    let (mut sum, mut grown) = (0, 0);
    for (index, &live) in live.iter().enumerate() {
        if index > 0 && sum >= GROWN * live {
            grown = index + 1;
        }
        sum += live;
    }
    let too_many = live.len().saturating_sub(MAX_SEGMENTS);
    match (grown, too_many) {
        (0, 0) => None,
        (grown, too_many) if grown > too_many => Some((grown, Reason::Grown)),
        (_, too_many) => Some((too_many + 1, Reason::TooMany)),
    }
}

/// How many of the smallest to merge when nobody writes.
fn at_rest(live: &[u64]) -> Option<(usize, Reason)> {
    let (&largest, smaller) = live.split_last()?;
    match smaller.len() {
        0 => None,
        _ if smaller.iter().sum::<u64>() * RESTING_PART >= largest => Some((live.len(), Reason::Resting)),
        1 => None,
        count => Some((count, Reason::Resting)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(rows: &[(u32, u32)], resting: bool) -> String {
        let size =
            |(number, &(rows, dead)): (u64, &(u32, u32))| Size { number, rows, dead, hasty: rows == 7_000 };
        let sizes: Vec<Size> = (1..).zip(rows).map(size).collect();
        decide(&sizes, resting).map_or("leave them".to_string(), |decision| decision.to_string())
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
            &[(4_000, 0), (4_000, 0), (100_000, 0), (4_000, 0), (4_000, 0)],
            &[(100_000, 0), (4_000, 0), (4_000, 0)],
            &[(100_000, 0), (7_000, 0)],
            &[(7_000, 0)],
            &[(16, 0), (32, 0), (64, 0), (128, 0), (256, 0), (512, 0), (1_024, 0), (2_048, 0), (4_096, 0)],
        ];
        let text = cases
            .iter()
            .map(|case| format!("{case:?}: {}; at rest: {}", decided(case, false), decided(case, true)));
        insta::assert_snapshot!(text.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn rows_are_copied_a_logarithmic_number_of_times() {
        let (mut sizes, mut copied, mut next) = (Vec::<Size>::new(), 0u64, 1);
        for _ in 0..512 {
            sizes.push(Size { number: next, rows: 1_000, dead: 0, hasty: false });
            next += 1;
            while let Some(decision) = decide(&sizes, false) {
                let merged = sizes.extract_if(.., |size| decision.inputs.contains(&size.number));
                let rows = merged.map(|size| size.rows).sum();
                copied += u64::from(rows);
                sizes.push(Size { number: next, rows, dead: 0, hasty: false });
                next += 1;
            }
            assert!(sizes.len() <= MAX_SEGMENTS);
        }
        let per_row = copied as f64 / 512_000.0;
        assert!(per_row < 6.0, "each row was copied {per_row:.1} times");
    }
}
