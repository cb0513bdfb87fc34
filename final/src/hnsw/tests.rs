use std::{
    collections::BTreeSet,
    io::Write,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::*;
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

fn build(matrix: Matrix<'_>, present: &Bitmap, m: u32, threads: usize) -> Graph {
    let build = Build {
        config: HnswConfig { m, ef_construct: 60 },
        seed: 7,
        threads,
        progress: &|_| (),
        cancel: &AtomicBool::new(false),
    };
    Graph::build(present, |row| RowScorer::new(Metric::Euclid, matrix.row(row), matrix), &build).unwrap()
}

fn build_all(matrix: Matrix<'_>, threads: usize) -> Graph {
    build(matrix, &Bitmap::full(matrix.rows()), 8, threads)
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
        let found = graph.search(&scorer, 10, ef, accepted, &mut stats);
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
        let graph = build_all(matrix, threads);
        let found = recall(&graph, matrix, 60, None);
        assert!(found > 0.97, "recall {found} with {threads} threads");
    }
}

#[test]
fn a_filter_is_searched_through() {
    let values = clustered(3_000, 16, 1);
    let (matrix, mut random) = (Matrix::new(16, &values), SmallRng::seed_from_u64(3));
    let graph = build(matrix, &Bitmap::full(3_000), 16, 1);
    for (share, least) in [(0.5, 0.97), (0.3, 0.97), (0.1, 0.95), (0.02, 0.90)] {
        let accepted = Bitmap::from_ordinals(3_000, (0..3_000).filter(|_| random.random::<f64>() < share));
        let found = recall(&graph, matrix, 60, Some(&accepted));
        assert!(found >= least, "recall {found} with {share} accepted");
    }
    let nowhere = graph.search(
        &RowScorer::new(Metric::Euclid, &values[..16], matrix),
        10,
        60,
        Some(&Bitmap::new(3_000)),
        &mut WalkStats::default(),
    );
    assert!(nowhere.is_empty());
}

#[test]
fn accepted_rows_far_from_the_query_are_found() {
    let values: Vec<f32> = (0..2_000u16).flat_map(|row| [f32::from(row), f32::from(row % 7)]).collect();
    let matrix = Matrix::new(2, &values);
    let graph = build_all(matrix, 1);
    let accepted = Bitmap::from_ordinals(2_000, 1_800..1_990);
    let scorer = RowScorer::new(Metric::Euclid, &[3.0, 3.0], matrix);
    let found = graph.search(&scorer, 5, 30, Some(&accepted), &mut WalkStats::default());
    assert_eq!(found.iter().map(|hit| hit.1).collect::<Vec<_>>(), [1_800, 1_801, 1_802, 1_803, 1_804]);
}

#[test]
fn one_thread_and_one_seed_make_one_graph() {
    let values = clustered(500, 8, 1);
    let matrix = Matrix::new(8, &values);
    let (a, b) = (build_all(matrix, 1), build_all(matrix, 1));
    assert_eq!((a.entry, &*a.base, &*a.upper, &*a.first), (b.entry, &*b.base, &*b.upper, &*b.first));
    assert!(!a.upper.is_empty());
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
            let graph = build(matrix, &present, m, 2);
            assert!(reachable(&graph).into_iter().eq(present.iter()), "m {m}, {present:?}");
            let scorer = RowScorer::new(Metric::Euclid, matrix.row(1), matrix);
            let found = graph.search(&scorer, 3, 20, None, &mut WalkStats::default());
            assert!(found.len() == 3 && found[0].0 == 0.0, "{found:?}");
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
    let graph = build_all(matrix, 1);
    let (mut hops, mut hits) = (0, 0);
    for row in (1..2_000).step_by(20) {
        let scorer = RowScorer::new(Metric::Euclid, matrix.row(row), matrix);
        let mut stats = WalkStats::default();
        hits += u32::from(graph.search(&scorer, 1, 30, None, &mut stats) == [(0.0, row)]);
        hops += stats.hops;
    }
    assert!(hits >= 97 && hops < 100 * 60, "{hits} hits and {hops} hops in 100 walks");
}

#[test]
fn the_smallest_graphs_and_shapes() {
    for (rows, dimension) in [(0, 1), (1, 1), (2, 1), (3, 4_096), (40, 1)] {
        let values = clustered(rows, dimension, 1);
        let matrix = Matrix::new(dimension, &values);
        let graph = build_all(matrix, 2);
        let query = vec![0.1; dimension];
        let scorer = RowScorer::new(Metric::Euclid, &query, matrix);
        for (k, ef) in [(0, 0), (1, 0), (50, 1)] {
            let found = graph.search(&scorer, k, ef, None, &mut WalkStats::default());
            assert_eq!(found.len(), k.min(rows), "{k} of {rows}");
        }
        let none = Bitmap::new(rows as u32);
        assert!(graph.search(&scorer, 1, 1, Some(&none), &mut WalkStats::default()).is_empty());
        assert!(build(matrix, &none, 8, 1).search(&scorer, 1, 1, None, &mut WalkStats::default()).is_empty());
    }
}

#[test]
fn distances_that_are_not_numbers_end_like_others() {
    let values: Vec<f32> =
        (0..200u8).map(|row| if row % 5 == 0 { f32::NAN } else { f32::from(row) }).collect();
    let matrix = Matrix::new(1, &values);
    let graph = build_all(matrix, 1);
    let scorer = RowScorer::new(Metric::Euclid, &[0.0], matrix);
    let found = graph.search(&scorer, 3, 30, None, &mut WalkStats::default());
    assert_eq!(found.iter().map(|hit| hit.1).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn progress_is_told_and_a_build_can_be_cancelled() {
    let values = clustered(300, 4, 1);
    let matrix = Matrix::new(4, &values);
    let scorer_of = |row| RowScorer::new(Metric::Euclid, matrix.row(row), matrix);
    let (most, cancel) = (AtomicU32::new(0), AtomicBool::new(false));
    let progress = |done| {
        most.fetch_max(done, Ordering::Relaxed);
    };
    let mut build =
        Build { config: HnswConfig::default(), seed: 1, threads: 2, progress: &progress, cancel: &cancel };
    Graph::build(&Bitmap::full(300), scorer_of, &build).unwrap();
    assert_eq!(most.load(Ordering::Relaxed), 300);
    let stop = |done| cancel.store(done >= 10, Ordering::Relaxed);
    build.progress = &stop;
    let error = Graph::build(&Bitmap::full(300), scorer_of, &build).err().unwrap();
    assert!(matches!(error, Error::Closed(_)), "{error}");
    build.config.m = 1;
    let error = Graph::build(&Bitmap::full(300), scorer_of, &build).err().unwrap();
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
        let graph = build(matrix, &present, 8, 1);
        let store = FaultStore::default();
        let file = written(&store, &graph);
        let opened = Graph::open(&file, 10, 500).unwrap();
        let arrays = |graph: &Graph| (graph.m, graph.entry, graph.base.to_vec(), graph.first.to_vec());
        assert_eq!(arrays(&opened), arrays(&graph));
        assert_eq!(*opened.upper, *graph.upper);
        let error = Graph::open(&file, 10, 501).err().unwrap().to_string();
        assert!(error.contains("graph of 501 rows") && error.contains("slots at level 0"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever the numbers in the arrays are: an error, or a graph in which searches end without a panic.
    #[test]
    fn garbled_arrays_never_lead_astray(
        changes in proptest::collection::vec((0..4usize, any::<prop::sample::Index>(), change()), 0..6),
        cut in proptest::option::of((0..4usize, any::<prop::sample::Index>())),
    ) {
        let values = clustered(60, 2, 1);
        let matrix = Matrix::new(2, &values);
        let graph = build(matrix, &Bitmap::full(60), 2, 1);
        let head = vec![graph.m as u32, graph.entry];
        let mut arrays = [head, graph.base.to_vec(), graph.first.to_vec(), graph.upper.to_vec()];
        for (array, at, number) in changes {
            let at = at.index(arrays[array].len());
            arrays[array][at] = number;
        }
        if let Some((array, at)) = cut {
            let at = at.index(arrays[array].len());
            arrays[array].truncate(at);
        }
        let [head, base, first, upper] = arrays;
        let slice = Slice::from_vec;
        if let Ok(graph) = Graph::from_arrays(60, &head, slice(base), slice(first), slice(upper)) {
            let scorer = RowScorer::new(Metric::Euclid, &[0.0, 0.0], matrix);
            for accepted in [None, Some(&Bitmap::from_ordinals(60, (0..60).step_by(7)))] {
                graph.search(&scorer, 5, 10, accepted, &mut WalkStats::default());
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
    let graph = build_all(Matrix::new(2, &values), 1);
    let store = FaultStore::default();
    written(&store, &graph);
    let whole = store.read(Path::new(PATH)).unwrap();
    let open = |bytes: &[u8]| {
        let store = FaultStore::default();
        store.create(Path::new(PATH))?.write_all(bytes).unwrap();
        Graph::open(&File::open(&store, Path::new(PATH), Kind::Graph, 1)?, 10, 20)
    };
    for at in 0..whole.len() {
        assert!(open(&whole[..at]).is_err(), "cut to {at} bytes");
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        if let Ok(opened) = open(&bytes) {
            assert!(*opened.base == *graph.base && *opened.upper == *graph.upper, "byte {at}");
        }
    }
}
