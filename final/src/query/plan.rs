//! How should one segment be searched? A pure function of what is known before anything is touched.
//!
//! There are four ways. *Flat* compares every live row; *filter first* finds the rows that match and compares only
//! those; *graph* walks the graph; *filtered graph* walks it too, going through rows that don't match and keeping
//! only those that do. The cost of a way is counted in sequential distances: a row read in order is 1, a row the
//! walk jumps to is [`JUMP`]. A walk looks at about [`PER_EF`] rows for each unit of its breadth `ef`; when only a
//! share *s* of the rows matches, it must look at more of them to collect as many, about 1/√s times as many with
//! two-hop expansion. A walk over a graph with codes expands [`HOPS_PER_EF`] nodes for each unit of `ef` at [`HOP`]
//! each; it widens its beam to 1/s as long as [`WIDENED_SHARE`](crate::hnsw) of the rows matches.

use std::fmt;

use crate::hnsw::WIDENED_SHARE;

/// What a distance to a row somewhere in memory costs, measured in distances to the next row.
const JUMP: f64 = 2.5;

/// Rows a walk compares per unit of `ef`.
const PER_EF: f64 = 12.0;

/// Nodes a walk that estimates expands per unit of `ef`.
const HOPS_PER_EF: f64 = 0.6;

/// What expanding one costs, in distances to the next row.
const HOP: f64 = 6.0;

/// What finding one matching row in the index costs, measured in distances.
const MATCH: f64 = 0.1;

/// Below this share of matching rows a walk loses rows whatever it spends: the matching ones are too far apart.
const MIN_WALK_SHARE: f64 = 0.02;

/// What is known of a segment and a query before it runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Situation {
    /// Live rows that have the vector.
    pub rows: u32,
    /// How many of them are expected to match the filter; `None` without a filter.
    pub matching: Option<u32>,
    /// Whether there is a graph for the vector.
    pub graph: bool,
    /// Whether the graph has codes.
    pub codes: bool,
    /// Whether the client asked for every row to be compared.
    pub exact: bool,
    /// The breadth of a walk.
    pub ef: usize,
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
    /// What that is expected to cost, in sequential distances.
    pub cost: f64,
    /// What the other way would have cost, if there was one.
    pub alternative: Option<(Strategy, f64)>,
}

/// Chooses the cheaper way.
pub fn plan(situation: Situation) -> Plan {
    let Situation { rows, matching, graph, codes, exact, ef } = situation;
    let compared = f64::from(matching.unwrap_or(rows));
    let (scan, walk) = match matching {
        None => (Strategy::Flat, Strategy::Graph),
        Some(_) => (Strategy::FilterFirst, Strategy::FilteredGraph),
    };
    let finding = if matching.is_some() { MATCH * compared } else { 0.0 };
    let scan = (scan, compared + finding);
    let share = (compared / f64::from(rows.max(1))).min(1.0);
    if !graph || exact || share < MIN_WALK_SHARE {
        return Plan { strategy: scan.0, cost: scan.1, alternative: None };
    }
    let walking = match codes && share >= WIDENED_SHARE {
        true => HOP * HOPS_PER_EF * ef as f64 / share,
        false => JUMP * PER_EF * ef as f64 / share.sqrt(),
    };
    let walk = (walk, walking + finding);
    let (best, other) = if scan.1 <= walk.1 { (scan, walk) } else { (walk, scan) };
    Plan { strategy: best.0, cost: best.1, alternative: Some(other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_where_there_is_no_choice() {
        let situation =
            Situation { rows: 1 << 20, matching: None, graph: true, codes: true, exact: true, ef: 128 };
        assert_eq!(plan(situation).strategy, Strategy::Flat);
        assert_eq!(plan(Situation { graph: false, exact: false, ..situation }).strategy, Strategy::Flat);
        let narrow = Situation { matching: Some(9), ..situation };
        assert_eq!(plan(narrow).strategy, Strategy::FilterFirst);
    }
}
