//! How should one segment be searched? A pure function of what is known before anything is touched.
//!
//! There are four ways. *Flat* compares every live row; *filter first* finds the rows that match and compares only
//! those; *graph* walks the graph; *filtered graph* walks it too, going through rows that don't match and keeping
//! only those that do. The cost of a way is counted in nanoseconds. What one row or one hop costs is measured on the
//! machine and the rows themselves when a segment is sealed ([`Costs`]); how many there will be is a rule of thumb:
//! a walk by what nodes know of their neighbours makes about [`FIRST_HOPS`] hops and [`HOPS_PER_ROW`] for each row that its
//! [`Breadth`] has it expand; one that compares row after row compares [`FIRST_ROWS`] and [`ROWS_PER_EF`] for each unit of
//! `ef`. When only a share *s* of the rows matches, the first has a beam 1/s times as wide; the other must look at about
//! 1/√s times as many rows to collect as many, with its two-hop expansion. Both then miss more than a scan of the matching
//! rows, which so may take [`SURER`] times as long.

use std::fmt;

use crate::{
    hnsw::Breadth,
    segment::{Costs, Walkable},
};

/// Hops of an estimating walk: to where the query is, and around there for each row it is to expand.
const FIRST_HOPS: f64 = 12.0;
const HOPS_PER_ROW: f64 = 0.3;

/// Nanoseconds that such a walk takes for each place of its beam: at each hop, to move what is farther than what it
/// brings, and once, to ask whether a row matches. Fitted to walks of a million rows, of which a tenth and a twentieth
/// matched.
const MOVE: f64 = 0.4;
const ASK: f64 = 30.0;

/// Rows that any other walk compares: on the way to where the query is, and around there for each unit of `ef`.
const FIRST_ROWS: f64 = 200.0;
const ROWS_PER_EF: f64 = 7.0;

/// Nanoseconds that a walk by codes takes for a row besides estimating it: to find it among the links, to see that it is
/// new, to wait for memory. 20 of some thousand rows, 45 of a hundred thousand.
const PER_CODE: f64 = 30.0;

/// Nanoseconds for finding one matching row in the index. A walk does without where a row can be asked by itself; where
/// it can't, both ways pay.
const MATCH: f64 = 1.5;

/// How many times as long as a filtered walk a scan may take to be preferred, for it misses hardly anything: where 5 % of
/// a million rows in clusters match, a walk at `ef` 128 finds 0.85 of the nearest in 0.48 ms, and a scan all in 1.4.
const SURER: f64 = 2.5;

/// Below this share of matching rows a walk loses rows whatever it spends: the matching ones are too far apart.
const MIN_WALK_SHARE: f64 = 0.02;

/// What is known of a segment and a query before it runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Situation {
    /// Live rows that have the vector.
    pub rows: u32,
    /// How many of them are expected to match the filter; `None` without a filter.
    pub matching: Option<u32>,
    /// What there is to walk.
    pub graph: Walkable,
    /// Whether rows have codes to go by.
    pub codes: bool,
    /// Whether the client asked for every row to be compared.
    pub exact: bool,
    /// How many rows are wanted.
    pub k: usize,
    /// The breadth of a walk.
    pub ef: usize,
    /// What things cost in this segment.
    pub costs: Costs,
}

/// How a segment is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Compare every live row.
    Flat,
    /// Walk the graph.
    Graph,
    /// Find the matching rows, then compare those.
    FilterFirst,
    /// Walk the graph, keeping the matching rows.
    FilteredGraph,
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flat => "flat",
            Self::Graph => "graph",
            Self::FilterFirst => "filter first",
            Self::FilteredGraph => "filtered graph",
        })
    }
}

/// A choice with what it was chosen by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// How the segment is searched.
    pub strategy: Strategy,
    /// What that is expected to cost, in nanoseconds.
    pub cost: f64,
    /// What the other way would have cost, if there was one.
    pub alternative: Option<(Strategy, f64)>,
}

/// Chooses the cheaper way.
pub fn plan(situation: Situation) -> Plan {
    let Situation { rows, matching, graph, codes, exact, k, ef, costs } = situation;
    let compared = f64::from(matching.unwrap_or(rows));
    let (scan, walk) = match matching {
        None => (Strategy::Flat, Strategy::Graph),
        Some(_) => (Strategy::FilterFirst, Strategy::FilteredGraph),
    };
    let finding = if matching.is_some() { MATCH * compared } else { 0.0 };
    let scanning = if codes { costs.scan_by_codes(compared) } else { costs.row * compared };
    let scan = (scan, scanning + finding);
    let share = (compared / f64::from(rows.max(1))).min(1.0);
    if graph == Walkable::Nothing || exact || share < MIN_WALK_SHARE {
        return Plan { strategy: scan.0, cost: scan.1, alternative: None };
    }
    // What is read at the end costs as much as after a scan.
    let (each, reading) = match graph {
        Walkable::ByCodes => (costs.code + PER_CODE, costs.scan_by_codes(ef as f64) - costs.code * ef as f64),
        _ => (costs.row, 0.0),
    };
    let walking = match graph {
        Walkable::ByNeighbours => {
            let (width, all) = Breadth::new(k, ef, share).rows();
            let (width, all) = (width as f64, all as f64);
            let hops = FIRST_HOPS + HOPS_PER_ROW * (all + (width - all) * share);
            hops * (costs.hop + MOVE * width) + ASK * width
        }
        _ => (FIRST_ROWS + ROWS_PER_EF * ef as f64) * each / share.sqrt() + reading,
    };
    let walk = (walk, walking);
    let surer = if matching.is_some() { SURER } else { 1.0 };
    let (best, other) = if scan.1 <= surer * walk.1 { (scan, walk) } else { (walk, scan) };
    Plan { strategy: best.0, cost: best.1, alternative: Some(other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITUATION: Situation = Situation {
        rows: 1 << 20,
        matching: None,
        graph: Walkable::ByNeighbours,
        codes: true,
        exact: false,
        k: 10,
        ef: 128,
        costs: Costs::guess(384),
    };

    #[test]
    fn a_scan_where_there_is_no_choice() {
        assert_eq!(plan(Situation { exact: true, ..SITUATION }).strategy, Strategy::Flat);
        assert_eq!(plan(Situation { graph: Walkable::Nothing, ..SITUATION }).strategy, Strategy::Flat);
        assert_eq!(plan(Situation { matching: Some(9), ..SITUATION }).strategy, Strategy::FilterFirst);
    }

    /// Where 5 % of a million rows in clusters matched, the walk was taken, being cheaper by its own reckoning, and found
    /// half of the nearest.
    #[test]
    fn a_scan_that_takes_somewhat_longer_is_preferred_for_it_misses_nothing() {
        let few = plan(Situation { matching: Some(SITUATION.rows / 20), ..SITUATION });
        assert_eq!(few.strategy, Strategy::FilterFirst);
        assert!(few.alternative.is_some_and(|(_, walk)| walk < few.cost), "{few:?}");
    }

    #[test]
    fn the_cheaper_way() {
        assert_eq!(plan(SITUATION).strategy, Strategy::Graph);
        let wide = Situation { matching: Some(1 << 19), ..SITUATION };
        assert_eq!(plan(wide).strategy, Strategy::FilteredGraph);
        let small = Situation { rows: 500, matching: Some(250), ..SITUATION };
        assert_eq!(plan(small).strategy, Strategy::FilterFirst);
        // Where a hop is dear, rows are compared.
        let costs = Costs { hop: 1e9, ..SITUATION.costs };
        assert_eq!(plan(Situation { costs, ..wide }).strategy, Strategy::FilterFirst);
    }
}
