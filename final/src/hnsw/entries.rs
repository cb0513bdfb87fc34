//! Where does an estimating walk start?
//!
//! *Entries* are rows spread over the segment; their codes, as seen from a row in the middle, are one record, and a walk
//! starts from the nearest of them. A look at 256 rows that lie beside each other costs about as much as two hops, and a
//! walk down the upper layers seven: 28.8 µs instead of 34.4 for recall 0.992 of 784 numbers, and on the demo's 256
//! recall 0.956 instead of 0.936 in the same time. A wide walk looks at more of them, since it can afford to and is to
//! miss less: on the demo, at `ef` 96, recall 0.993 instead of 0.985 for 0.3 µs.
//!
//! How many are enough depends on the data. In a thousand clusters of a thousand rows, which few links join, a walk that
//! starts among others often stays there: with 256 to 1,024 entries one query in fifteen found nothing at `ef` 64. So a
//! finished graph is asked for some of its own rows, and walks look at more entries until hardly any is missed: there at
//! all 7,753 of them, for 7 µs, which gives recall 0.95 in 37 µs instead of 48.
//!
//! Rejected, on those clusters: a walk down the upper layers (recall 0.915 instead of 0.914 with 1,024 entries, and 0.938
//! with a width of 16, for 11 µs); entries in groups around centres, of which the nearest are looked into (32 of 128
//! groups find no more than as many entries taken anywhere); a graph with codes over every 64th, 32nd or 16th row (as
//! good as 8,192 entries, for the same time).
//!
//! Not here: what is done from there on; that is the walk ([`glide`](super::glide)).

use super::{
    Graph, NONE,
    codes::{Block, Codes, Encoder, blocks, record_len},
    walk::WalkStats,
};
use crate::{
    bitmap::Bitmap,
    point::Ordinal,
    quantize::BLOCK,
    vector::{Matrix, Metric, RowScorer, Scorer, distance},
};

/// How many entries there are: one for so many rows, but no fewer and no more than these.
const ROWS_PER_ENTRY: usize = 128;
const FEWEST: usize = 1024;
const MOST: usize = 8192;

/// How many of them the narrowest walk looks at if it may look at the least.
pub(super) const LEAST: usize = 256;

/// How many more of them for each unit of a walk's width.
const PER_WIDTH: usize = 8;

/// How many rows a graph is asked for, one for so many that it has; and how wide the walks are.
const SAMPLE: u32 = 1_000;
const ROWS_PER_SAMPLE: u32 = 16;
const WIDTH: usize = 64;

/// Of so many rows one may be missed.
const MISSED_OF: usize = 250;

impl Codes {
    /// The rows that a walk of this width looks at first.
    pub(super) fn starts(&self, width: usize) -> impl Iterator<Item = Block<'_>> {
        let looked_at = (PER_WIDTH * width).max(self.least).div_ceil(BLOCK);
        blocks(&self.entries, self.entry_count()).take(looked_at)
    }

    fn entry_count(&self) -> usize {
        self.entries.len() / record_len(self.dimension, BLOCK) * BLOCK
    }
}

impl Graph {
    /// Lets walks look at as many entries as it takes to miss hardly any row, or the fewest.
    pub(super) fn settle_entries(&mut self, metric: Metric, matrix: Matrix<'_>, nodes: &Bitmap) {
        let all = self.codes.as_ref().map_or(0, Codes::entry_count);
        let choices = (0..).map(|doubled| LEAST << doubled).take_while(|&least| least < 2 * all);
        let mut best = (usize::MAX, LEAST);
        for least in choices {
            let Some(codes) = &mut self.codes else { return };
            codes.least = least;
            let (missed, asked) = self.missed(metric, matrix, nodes);
            best = best.min((missed, least));
            if missed * MISSED_OF <= asked {
                best = (missed, least);
                break;
            }
        }
        if let Some(codes) = &mut self.codes {
            codes.least = best.1;
        }
    }

    /// How many of some rows a walk that looks for them does not find, and how many were looked for.
    fn missed(&self, metric: Metric, matrix: Matrix<'_>, nodes: &Bitmap) -> (usize, usize) {
        let wanted = SAMPLE.min(nodes.count() / ROWS_PER_SAMPLE).max(1);
        let places = (0..wanted).map(|place| u64::from(place) * u64::from(matrix.rows()) / u64::from(wanted));
        let asked: Vec<Ordinal> = places.filter_map(|place| nodes.next(place as Ordinal)).collect();
        let is_missed = |row: &&Ordinal| {
            let (query, mut stats) = (matrix.row(**row), WalkStats::default());
            let scorer = RowScorer::new(metric, query, matrix);
            let found = self.search(&scorer, Some(query), 1, WIDTH, None, &mut stats);
            // A row at the same distance is as good.
            found.first().is_none_or(|&(nearest, _)| nearest > scorer.distance(**row))
        };
        (asked.iter().filter(is_missed).count(), asked.len())
    }
}

impl Encoder<'_> {
    /// A row in the middle, and rows spread over all, filled up to whole blocks. The first half, quarter and so on of them
    /// are spread over all, too.
    pub(super) fn entries(&self, graph: &Graph) -> (Ordinal, Vec<Ordinal>) {
        let nodes: Vec<Ordinal> =
            (0..graph.rows()).filter(|&row| graph.entry == row || graph.slots(0, row)[0] != NONE).collect();
        let count = (nodes.len() / ROWS_PER_ENTRY).clamp(FEWEST, MOST);
        let even: Vec<Ordinal> = nodes.iter().copied().step_by(nodes.len().div_ceil(count).max(1)).collect();
        let mut step = MOST / LEAST;
        let mut spread: Vec<Ordinal> = even.iter().copied().step_by(step).collect();
        while step > 1 {
            spread.extend(even.iter().copied().skip(step / 2).step_by(step));
            step /= 2;
        }
        let middle = self.middle(&spread);
        spread.resize(spread.len().next_multiple_of(BLOCK), NONE);
        (middle, spread)
    }

    /// The one of these rows that lies nearest to their mean.
    fn middle(&self, rows: &[Ordinal]) -> Ordinal {
        let Some(&first) = rows.first() else { return NONE };
        let mut mean = vec![0.0; self.row(first).len()];
        for &row in rows {
            mean.iter_mut().zip(self.row(row)).for_each(|(sum, value)| *sum += value / rows.len() as f32);
        }
        let off = |row: Ordinal| distance(Metric::Euclid, self.row(row), &mean);
        rows.iter().copied().min_by(|&a, &b| off(a).total_cmp(&off(b))).unwrap_or(NONE)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use rand::{RngExt, SeedableRng, rngs::SmallRng};

    use super::{
        super::{Build, HnswConfig},
        *,
    };
    use crate::{disk::Slice, hnsw::Quality};

    const DIMENSION: usize = 32;
    const ROWS: usize = 12_000;

    /// How many entries the narrowest walk looks at, where rows lie in so many clusters and no link leads from one into
    /// another.
    fn least_for(clusters: usize) -> usize {
        let mut random = SmallRng::seed_from_u64(7);
        let centres: Vec<f32> = (0..clusters * DIMENSION).map(|_| random.random_range(-1.0..1.0)).collect();
        let place = |at: usize| centres[at / DIMENSION % clusters * DIMENSION + at % DIMENSION];
        let values: Vec<f32> =
            (0..ROWS * DIMENSION).map(|at| place(at) + random.random_range(-0.2..0.2)).collect();
        let (matrix, nodes) = (Matrix::new(DIMENSION, &values), Bitmap::full(ROWS as u32));
        let build = Build {
            config: HnswConfig { m: 8, ef_construct: 16 },
            seed: 1,
            threads: 2,
            progress: &|| (),
            cancel: &AtomicBool::new(false),
        };
        let mut graph = Graph::of_rows(Metric::Euclid, matrix, &nodes, &build, Quality::Coded).unwrap();
        let mut base = graph.base.to_vec();
        for (node, record) in base.chunks_exact_mut(graph.shape.record).enumerate() {
            let (links, bases) = record.split_at_mut(graph.shape.links);
            for (link, base) in links.iter_mut().zip(bases) {
                if *link as usize % clusters != node % clusters {
                    (*link, *base) = (NONE, f32::INFINITY.to_bits());
                }
            }
        }
        graph.base = Slice::from_vec(base);
        graph.settle_entries(Metric::Euclid, matrix, &nodes);
        graph.codes.unwrap().least
    }

    /// A million rows in a thousand clusters: one query in fifteen found nothing, since all walks started among rows of
    /// other clusters, and hardly a link led on to the right one.
    #[test]
    fn walks_look_at_more_entries_where_few_links_join_clusters() {
        assert_eq!([3, 601].map(least_for), [LEAST, 4 * LEAST]);
    }
}
