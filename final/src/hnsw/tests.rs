use std::{
    collections::BTreeSet,
    io::Write,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::{file::Arrays, *};
use crate::{
    bitmap::Bitmap,
    disk::{
        Store,
        fault::FaultStore,
        format::{File, FileWriter, Kind},
    },
    vector::{Matrix, Metric, RowScorer, Scorer, TopK},
};

/// Rows around a few centres, as real vectors lie.
fn clustered(rows: usize, dimension: usize, seed: u64) -> Vec<f32> {
    let mut random = SmallRng::seed_from_u64(seed);
    let centres: Vec<f32> = (0..20 * dimension).map(|_| random.random_range(-1.0..1.0)).collect();
    let mut row = |_| {
        let centre = random.random_range(0..20) * dimension;
        (0..dimension).map(|at| centres[centre + at] + random.random_range(-0.6..0.6)).collect::<Vec<f32>>()
    };
    (0..rows).flat_map(&mut row).collect()
}

/// A graph without codes, and one with them.
fn build(matrix: Matrix<'_>, present: &Bitmap, m: u32, threads: usize) -> [Graph; 2] {
    let build = Build {
        config: HnswConfig { m, ef_construct: 60 },
        seed: 7,
        threads,
        progress: &|| (),
        cancel: &AtomicBool::new(false),
    };
    let scorer_of = |row| RowScorer::new(Metric::Euclid, matrix.row(row), matrix);
    let plain = Graph::build(present, scorer_of, &build).unwrap();
    [plain, Graph::with_codes(Metric::Euclid, matrix, present, &build).unwrap()]
}

fn build_all(matrix: Matrix<'_>, threads: usize) -> [Graph; 2] {
    build(matrix, &Bitmap::full(matrix.rows()), 8, threads)
}

/// A search among the rows in a set.
fn search(
    graph: &Graph,
    scorer: &impl Scorer,
    query: Option<&[f32]>,
    k: usize,
    ef: usize,
    accepted: Option<&Bitmap>,
    stats: &mut WalkStats,
) -> Vec<(f32, Ordinal)> {
    let contains = |row| accepted.is_none_or(|accepted| accepted.contains(row));
    let accepted = accepted.map(|set| Accepted { count: set.count(), contains: &contains });
    graph.search(scorer, query, k, ef, accepted, stats)
}

/// The share of the ten nearest accepted rows that searches find, over 100 queries.
fn recall(graph: &Graph, matrix: Matrix<'_>, ef: usize, accepted: Option<&Bitmap>) -> f64 {
    let (mut hits, mut all) = (0, 0);
    let queries = clustered(100, matrix.dimension(), 2);
    for query in queries.chunks_exact(matrix.dimension()) {
        let scorer = RowScorer::new(Metric::Euclid, query, matrix);
        let mut exact = TopK::new(10);
        for row in (0..matrix.rows()).filter(|&row| accepted.is_none_or(|accepted| accepted.contains(row))) {
            exact.push(scorer.distance(row), row);
        }
        let exact = exact.into_sorted();
        let mut stats = WalkStats::default();
        let found = search(graph, &scorer, Some(query), 10, ef, accepted, &mut stats);
        assert!(found.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)), "{found:?}");
        assert!(found.iter().all(|&(distance, row)| distance == scorer.distance(row)));
        assert!(accepted.is_none_or(|accepted| found.iter().all(|hit| accepted.contains(hit.1))));
        assert!(stats.hops > 0 && stats.distances < u64::from(matrix.rows()));
        hits += found.iter().filter(|hit| exact.contains(hit)).count();
        all += exact.len();
    }
    hits as f64 / f64::from(all as u32)
}

fn reachable(graph: &Graph) -> BTreeSet<Ordinal> {
    let mut reached = BTreeSet::from_iter(graph.entry());
    let mut open: Vec<Ordinal> = graph.entry().into_iter().collect();
    while let Some(node) = open.pop() {
        open.extend(graph.links(0, node).filter(|&link| reached.insert(link)));
    }
    reached
}

#[test]
fn searches_find_nearly_all_of_the_nearest() {
    let values = clustered(2_000, 16, 1);
    let matrix = Matrix::new(16, &values);
    for threads in [1, 2, 5] {
        // Signs of so few numbers say little: the beam must be wider. Threads make another graph each time, of recall
        // 0.97 to 0.99.
        for (graph, (ef, least)) in build_all(matrix, threads).into_iter().zip([(60, 0.95), (120, 0.95)]) {
            let found = recall(&graph, matrix, ef, None);
            assert!(found > least, "{graph:?}: recall {found} with {threads} threads");
        }
    }
}

#[test]
fn a_filter_is_searched_through() {
    let values = clustered(3_000, 16, 1);
    let (matrix, mut random) = (Matrix::new(16, &values), SmallRng::seed_from_u64(3));
    let graphs = build(matrix, &Bitmap::full(3_000), 16, 1);
    for (share, least) in [(0.5, 0.97), (0.3, 0.97), (0.1, 0.95), (0.02, 0.90)] {
        let accepted = Bitmap::from_ordinals(3_000, (0..3_000).filter(|_| random.random::<f64>() < share));
        for (graph, ef) in graphs.iter().zip([60, 150]) {
            let found = recall(graph, matrix, ef, Some(&accepted));
            assert!(found >= least, "{graph:?}: recall {found} with {share} accepted");
        }
    }
    for graph in graphs {
        let scorer = RowScorer::new(Metric::Euclid, &values[..16], matrix);
        let nowhere = Bitmap::new(3_000);
        let found =
            search(&graph, &scorer, Some(&values[..16]), 10, 60, Some(&nowhere), &mut WalkStats::default());
        assert!(found.is_empty());
    }
}

#[test]
fn accepted_rows_far_from_the_query_are_found() {
    let values: Vec<f32> = (0..2_000u16).flat_map(|row| [f32::from(row), f32::from(row % 7)]).collect();
    let matrix = Matrix::new(2, &values);
    for accepted in [1_800..1_990, 1_000..1_990] {
        let nearest: Vec<Ordinal> = accepted.clone().take(5).collect();
        let accepted = Bitmap::from_ordinals(2_000, accepted);
        let scorer = RowScorer::new(Metric::Euclid, &[3.0, 3.0], matrix);
        for graph in build_all(matrix, 1) {
            let found =
                search(&graph, &scorer, Some(&[3.0, 3.0]), 5, 30, Some(&accepted), &mut WalkStats::default());
            assert_eq!(found.iter().map(|hit| hit.1).collect::<Vec<_>>(), nearest);
        }
    }
}

#[test]
fn one_thread_and_one_seed_make_one_graph() {
    let values = clustered(500, 8, 1);
    let matrix = Matrix::new(8, &values);
    for (a, b) in build_all(matrix, 1).into_iter().zip(build_all(matrix, 1)) {
        assert_eq!((a.entry, &*a.base, &*a.upper, &*a.first), (b.entry, &*b.base, &*b.upper, &*b.first));
        assert!(!a.upper.is_empty());
    }
}

#[test]
fn every_present_row_is_reachable_and_no_other() {
    let mut random = SmallRng::seed_from_u64(5);
    let spread = clustered(600, 4, 1);
    let zeros = vec![0.0; 2_400];
    let few: Vec<f32> =
        (0..600).flat_map(|_| [[0.0; 4], [1.0; 4], [5.0; 4]][random.random_range(0..3)]).collect();
    let mixed: Vec<f32> = [&spread[..1_200], &zeros[..1_200]].concat();
    for (values, m) in [(&spread, 2), (&spread, 8), (&zeros, 4), (&few, 4), (&mixed, 8)] {
        let matrix = Matrix::new(4, values);
        for present in [Bitmap::full(600), Bitmap::from_ordinals(600, (0..600).filter(|row| row % 3 != 0))] {
            for graph in build(matrix, &present, m, 2) {
                assert!(reachable(&graph).into_iter().eq(present.iter()), "{graph:?}, {present:?}");
                let (query, mut stats) = (matrix.row(1), WalkStats::default());
                let scorer = RowScorer::new(Metric::Euclid, query, matrix);
                let found = search(&graph, &scorer, Some(query), 3, 20, None, &mut stats);
                assert!(found.len() == 3 && found[0].0 == 0.0, "{graph:?}: {found:?}");
            }
        }
    }
}

/// A beam in which equal distances gave way to lower ordinals led a walk through every one of a thousand duplicates,
/// and nodes that were linked to their duplicates alone kept it among them.
#[test]
fn a_crowd_of_duplicates_neither_holds_a_walk_nor_hides_the_rest() {
    let mut values = clustered(2_000, 8, 1);
    values.chunks_exact_mut(16).for_each(|two| two[..8].fill(0.0));
    let matrix = Matrix::new(8, &values);
    for graph in build_all(matrix, 1) {
        let (mut hops, mut hits) = (0, 0);
        for row in (1..2_000).step_by(20) {
            let (query, mut stats) = (matrix.row(row), WalkStats::default());
            let scorer = RowScorer::new(Metric::Euclid, query, matrix);
            hits += u32::from(search(&graph, &scorer, Some(query), 1, 30, None, &mut stats) == [(0.0, row)]);
            hops += stats.hops;
        }
        assert!(hits >= 97 && hops < 100 * 60, "{graph:?}: {hits} hits and {hops} hops in 100 walks");
    }
}

#[test]
fn the_smallest_graphs_and_shapes() {
    for (rows, dimension) in [(0, 1), (1, 1), (2, 1), (3, 4_096), (40, 1)] {
        let values = clustered(rows, dimension, 1);
        let matrix = Matrix::new(dimension, &values);
        let query = vec![0.1; dimension];
        let scorer = RowScorer::new(Metric::Euclid, &query, matrix);
        let none = Bitmap::new(rows as u32);
        for graph in build_all(matrix, 2) {
            for (k, ef) in [(0, 0), (1, 0), (50, 1)] {
                let found = search(&graph, &scorer, Some(&query), k, ef, None, &mut WalkStats::default());
                assert_eq!(found.len(), k.min(rows), "{k} of {rows}");
            }
            let found = search(&graph, &scorer, Some(&query), 1, 1, Some(&none), &mut WalkStats::default());
            assert!(found.is_empty());
        }
        for empty in build(matrix, &none, 8, 1) {
            assert!(search(&empty, &scorer, Some(&query), 1, 1, None, &mut WalkStats::default()).is_empty());
        }
    }
}

#[test]
fn distances_that_are_not_numbers_end_like_others() {
    let values: Vec<f32> =
        (0..200u8).map(|row| if row % 5 == 0 { f32::NAN } else { f32::from(row) }).collect();
    let matrix = Matrix::new(1, &values);
    for graph in build_all(matrix, 1) {
        let scorer = RowScorer::new(Metric::Euclid, &[0.0], matrix);
        let found = search(&graph, &scorer, Some(&[0.0]), 3, 30, None, &mut WalkStats::default());
        assert_eq!(found.iter().map(|hit| hit.1).collect::<Vec<_>>(), [1, 2, 3], "{graph:?}");
    }
}

#[test]
fn progress_is_told_and_a_build_can_be_cancelled() {
    let values = clustered(300, 32, 1);
    let matrix = Matrix::new(32, &values);
    let (steps, cancel) = (AtomicU32::new(0), AtomicBool::new(false));
    let count = || {
        steps.fetch_add(1, Ordering::Relaxed);
    };
    let mut build =
        Build { config: HnswConfig::default(), seed: 1, threads: 2, progress: &count, cancel: &cancel };
    for (metric, quality) in [
        (Metric::Manhattan, Quality::Coded),
        (Metric::Euclid, Quality::Coded),
        (Metric::Cosine, Quality::Plain),
        (Metric::Dot, Quality::Hasty),
    ] {
        steps.store(0, Ordering::Relaxed);
        Graph::of_rows(metric, matrix, &Bitmap::full(300), &build, quality).unwrap();
        assert_eq!(steps.load(Ordering::Relaxed), 300 * Graph::passes(metric, 32, quality));
    }
    // In the first pass, and in the second.
    for at in [10, 310] {
        let (steps, cancel) = (AtomicU32::new(0), AtomicBool::new(false));
        let stop = || cancel.store(steps.fetch_add(1, Ordering::Relaxed) >= at, Ordering::Relaxed);
        let build = Build { progress: &stop, cancel: &cancel, ..build };
        let error =
            Graph::of_rows(Metric::Euclid, matrix, &Bitmap::full(300), &build, Quality::Coded).err().unwrap();
        assert!(matches!(error, Error::Closed(_)), "{error}");
    }
    build.config.m = 1;
    let error =
        Graph::of_rows(Metric::Euclid, matrix, &Bitmap::full(300), &build, Quality::Coded).err().unwrap();
    assert_eq!(error.to_string(), "hnsw_config.m is 1, must be from 2 to 512");
}

const PATH: &str = "graph.bin";

fn written(store: &FaultStore, graph: &Graph) -> File {
    let path = Path::new(PATH);
    let mut writer = FileWriter::create(store, path, Kind::Graph, 1).unwrap();
    graph.write(&mut writer, 10).unwrap();
    writer.finish().unwrap();
    File::open(store, path, Kind::Graph, 1).unwrap()
}

#[test]
fn a_file_gives_back_the_graph() {
    let values = clustered(500, 8, 1);
    let matrix = Matrix::new(8, &values);
    for present in [Bitmap::full(500), Bitmap::new(500)] {
        let build = build(matrix, &present, 8, 1);
        let plain = build[1].links_alone();
        for graph in build.into_iter().chain([plain]) {
            let store = FaultStore::default();
            let file = written(&store, &graph);
            let opened = Graph::open(&file, 10, 500).unwrap();
            assert_eq!(numbers(&opened), numbers(&graph));
            let error = Graph::open(&file, 10, 501).err().unwrap().to_string();
            assert!(error.contains("graph of 501 rows") && error.contains("at level 0"), "{error}");
            let query = matrix.row(3);
            let scorer = RowScorer::new(Metric::Euclid, query, matrix);
            let found =
                |graph: &Graph| search(graph, &scorer, Some(query), 5, 20, None, &mut WalkStats::default());
            assert_eq!(found(&opened), found(&graph));
        }
    }
}

/// All that a graph has in its file.
fn numbers(graph: &Graph) -> [Vec<u32>; 5] {
    let Arrays { head, base, first, upper, entries } = graph.arrays();
    [
        head,
        base.to_vec(),
        first.to_vec(),
        upper.to_vec(),
        entries.map(|entries| entries.to_vec()).unwrap_or_default(),
    ]
}

/// Before version 4 a file did not say how many entries the narrowest walk looks at.
#[test]
fn a_graph_of_before_opens() {
    let values = clustered(60, 2, 1);
    let matrix = Matrix::new(2, &values);
    let [_, coded] = build_all(matrix, 1);
    let mut arrays = coded.arrays();
    assert_eq!(arrays.head.pop(), Some(super::entries::LEAST as u32));
    let opened = Graph::from_arrays(60, arrays).unwrap();
    let (query, scorer) = (matrix.row(7), RowScorer::new(Metric::Euclid, matrix.row(7), matrix));
    let found = |graph: &Graph| search(graph, &scorer, Some(query), 5, 20, None, &mut WalkStats::default());
    assert_eq!(found(&opened), found(&coded));
    let mut arrays = coded.arrays();
    arrays.head.push(1);
    assert!(Graph::from_arrays(60, arrays).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever the numbers in the arrays are: an error, or a graph in which searches end without a panic.
    #[test]
    fn garbled_arrays_never_lead_astray(
        coded in any::<bool>(),
        changes in proptest::collection::vec((0..5usize, any::<prop::sample::Index>(), change()), 0..6),
        cut in proptest::option::of((0..5usize, any::<prop::sample::Index>())),
    ) {
        let values = clustered(60, 2, 1);
        let matrix = Matrix::new(2, &values);
        let graph = &build(matrix, &Bitmap::full(60), 2, 1)[usize::from(coded)];
        let mut arrays = numbers(graph);
        for (array, at, number) in changes {
            if let Some(last) = arrays[array].len().checked_sub(1) {
                arrays[array][at.index(last + 1)] = number;
            }
        }
        if let Some((array, at)) = cut {
            let at = at.index(arrays[array].len() + 1);
            arrays[array].truncate(at);
        }
        let [head, base, first, upper, entries] = arrays;
        let slice = Slice::from_vec;
        let entries = coded.then(|| slice(entries));
        let arrays = Arrays { head, base: slice(base), first: slice(first), upper: slice(upper), entries };
        if let Ok(graph) = Graph::from_arrays(60, arrays) {
            // Whoever opens a segment compares the dimensions; a graph does not know its vectors.
            if graph.dimension().is_none_or(|dimension| dimension == 2) {
                let scorer = RowScorer::new(Metric::Euclid, &[0.0, 0.0], matrix);
                for accepted in [None, Some(&Bitmap::from_ordinals(60, (0..60).step_by(7)))] {
                    search(&graph, &scorer, Some(&[0.0, 0.0]), 5, 10, accepted, &mut WalkStats::default());
                }
            }
        }
    }
}

fn change() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0..70u32, 1 => Just(NONE), 1 => any::<u32>()]
}

#[test]
fn a_cut_or_flipped_file_is_refused_or_unharmed() {
    let values = clustered(20, 2, 1);
    for graph in build_all(Matrix::new(2, &values), 1) {
        let store = FaultStore::default();
        written(&store, &graph);
        let whole = store.read(Path::new(PATH)).unwrap();
        let open = |bytes: &[u8]| {
            let store = FaultStore::default();
            store.create(Path::new(PATH))?.write_all(bytes).unwrap();
            Graph::open(&File::open(&store, Path::new(PATH), Kind::Graph, 1)?, 10, 20)
        };
        let [head, base, first, upper, entries] = numbers(&graph);
        for at in 0..whole.len() {
            assert!(open(&whole[..at]).is_err(), "cut to {at} bytes");
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            if let Ok(opened) = open(&bytes) {
                let found = numbers(&opened);
                // Nobody checks records.
                let base = if graph.codes.is_some() { found[1].clone() } else { base.clone() };
                assert_eq!(
                    found,
                    [head.clone(), base, first.clone(), upper.clone(), entries.clone()],
                    "byte {at}"
                );
            }
        }
    }
}
