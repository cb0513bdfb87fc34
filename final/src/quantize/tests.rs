use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::{
    fastscan::Factors,
    kernel::{Query, Records},
    *,
};
use crate::{
    bitmap::Bitmap,
    disk::Slice,
    error::Error,
    point::Ordinal,
    vector::{Matrix, Metric, RowScorer, Scorer, TopK, distance},
};

fn random(length: usize, seed: u64) -> Vec<f32> {
    let mut random = SmallRng::seed_from_u64(seed);
    (0..length).map(|_| random.random_range(-1.0..1.0)).collect()
}

fn rotated(vector: &[f32]) -> Vec<f32> {
    let mut rotated = Vec::new();
    Rotation::new(vector.len(), 9).apply(vector, &mut rotated);
    rotated
}

const DIMENSIONS: [usize; 9] = [1, 2, 16, 17, 100, 128, 384, 784, 4_096];

#[test]
fn a_rotation_keeps_distances_and_products() {
    for dimension in DIMENSIONS {
        let (a, b) = (random(dimension, 1), random(dimension, 2));
        let (turned_a, turned_b) = (rotated(&a), rotated(&b));
        assert_eq!(turned_a.len(), Rotation::padded(dimension));
        for metric in [Metric::Euclid, Metric::Dot] {
            let (before, after) = (distance(metric, &a, &b), distance(metric, &turned_a, &turned_b));
            assert!(
                (before - after).abs() < 1e-4 * dimension as f32,
                "{metric:?} of {dimension}: {before}, {after}"
            );
        }
    }
}

#[test]
fn a_rotation_spreads_a_single_coordinate() {
    for (dimension, at) in [(64, 0), (128, 127), (384, 5), (784, 600), (784, 783)] {
        let mut vector = vec![0.0; dimension];
        vector[at] = 1.0;
        let largest = rotated(&vector).into_iter().map(f32::abs).fold(0.0, f32::max);
        assert!(largest < 5.0 / (dimension as f32).sqrt(), "{largest} of {dimension}");
    }
}

/// Every instruction set must agree with the portable loops: exactly where they count, within rounding elsewhere.
fn agree(row: &[f32], centre: &[f32], query: &[f32], blocks: &[u8]) {
    let all = Kernels::all_available();
    let (oracle, others) = all.split_last().unwrap();
    let near = |a: f32, b: f32, size: f32| (a - b).abs() <= 1e-4 * size + 1e-30 || a == b;
    let (mut signs, mut tables) = (Vec::new(), vec![0; query.len() * 4]);
    let sums = oracle.encode(row, centre, &mut signs);
    oracle.tables(query, 20.0, &mut tables);
    let mut counts = [0; BLOCK];
    oracle.scan(blocks, &tables, &mut counts);
    let mut bytes = vec![0; row.len()];
    let in_bytes = oracle.encode_bytes(row, centre, &mut bytes);
    let mut steps = vec![0; query.len()];
    oracle.steps(query, 60.0, &mut steps);
    for kernels in others {
        let (mut found_signs, mut found_tables) = (Vec::new(), vec![0; query.len() * 4]);
        let found = kernels.encode(row, centre, &mut found_signs);
        assert_eq!(found_signs, signs, "{}", kernels.name);
        let size = sums.squared + sums.absolute * centre.iter().fold(1.0, |most: f32, c| most.max(c.abs()));
        let pairs =
            [(found.squared, sums.squared), (found.absolute, sums.absolute), (found.along, sums.along)];
        assert!(pairs.iter().all(|&(a, b)| near(a, b, size)), "{}: {found:?}, {sums:?}", kernels.name);
        let mut found_bytes = vec![0; row.len()];
        let found = kernels.encode_bytes(row, centre, &mut found_bytes);
        assert_eq!(found_bytes, bytes, "{}", kernels.name);
        assert!(near(found[0], in_bytes[0], size), "{}: {found:?}, {in_bytes:?}", kernels.name);
        assert!(near(found[1], in_bytes[1], in_bytes[1]), "{}: {found:?}, {in_bytes:?}", kernels.name);
        let mut found_steps = vec![1; query.len()];
        kernels.steps(query, 60.0, &mut found_steps);
        assert_eq!(found_steps, steps, "{}", kernels.name);
        kernels.tables(query, 20.0, &mut found_tables);
        assert!(found_tables.iter().zip(&tables).all(|(a, b)| a.abs_diff(*b) <= 1), "{}", kernels.name);
        let mut found_counts = [1; BLOCK];
        kernels.scan(blocks, &tables, &mut found_counts);
        assert_eq!(found_counts, counts, "{}", kernels.name);
        let (mut mixed, mut found_mixed) = (row.to_vec(), row.to_vec());
        oracle.mix(&mut mixed, centre, row.len().next_power_of_two() / 2);
        kernels.mix(&mut found_mixed, centre, row.len().next_power_of_two() / 2);
        let size: f32 = row.iter().zip(centre).map(|(a, b)| (a * b).abs()).sum();
        assert!(mixed.iter().zip(&found_mixed).all(|(&a, &b)| near(a, b, size)), "{}", kernels.name);
    }
}

#[test]
fn every_instruction_set_agrees_with_the_portable_loops() {
    let mut bytes = SmallRng::seed_from_u64(3);
    for length in [32, 48, 64, 128, 784, 1_024, 1_040, 4_096, 4_112] {
        let blocks: Vec<u8> = (0..length * 4).map(|_| bytes.random()).collect();
        agree(&random(length, 4), &random(length, 5), &random(length, 6), &blocks);
    }
}

/// Sums of bytes must not run over: every entry at its largest, in more groups than 16 bits can hold.
#[test]
fn the_largest_sums_are_counted() {
    for groups in [4, 256, 260, 1_024, 16_384] {
        let (block, tables) = (vec![0xff; groups * 16], vec![255; groups * 16]);
        for kernels in Kernels::all_available() {
            let mut sums = [0; BLOCK];
            kernels.scan(&block, &tables, &mut sums);
            assert_eq!(sums, [255 * groups as u32; BLOCK], "{}", kernels.name);
        }
    }
}

/// What each table's estimates add up to: of values whose bit is set, and of products with bytes.
fn sums(code: &[u32], values: &[i8], bytes: bool) -> Vec<(&'static str, f32)> {
    let records = Records { numbers: code, record: code.len() };
    let query = Query { values, start: 0.0, step: 1.0, offset: 0.0 };
    let all = Kernels::all_available().into_iter().map(|kernels| {
        let mut found = [[0.0; 2]];
        match bytes {
            false => kernels.binary(&records, &query, &[0], &mut found),
            true => kernels.scalar(&records, &query, &[0], &mut found),
        }
        assert_eq!(found[0][1], -1.0, "the slope");
        (kernels.name, found[0][0])
    });
    all.collect()
}

/// Of random numbers, and of so many of the largest that 16 bits cannot hold their sum; every length that a code has.
#[test]
fn codes_are_summed_as_they_would_be_number_by_number() {
    let mut random = SmallRng::seed_from_u64(5);
    for words in [1, 2, 3, 4, 13, 25, 32, 64, 65, 130, 512] {
        for (bits, value) in [(None, None), (Some(u32::MAX), Some(-128)), (Some(u32::MAX), Some(127))] {
            let mut code = vec![0.0f32.to_bits(), (-1.0f32).to_bits()];
            code.extend((0..words).map(|_| bits.unwrap_or_else(|| random.random())));
            let values: Vec<i8> = (0..32 * words).map(|_| value.unwrap_or_else(|| random.random())).collect();
            let bytes: &[u8] = bytemuck::cast_slice(&code[2..]);
            let bit = |at: usize| i32::from(bytes[at / 8] >> (at % 8) & 1);
            let chosen: i32 = (0..).zip(&values).map(|(at, &value)| bit(at) * i32::from(value)).sum();
            for (name, sum) in sums(&code, &values, false) {
                assert_eq!(sum, chosen as f32, "{name}: {words} words of bits");
            }
            let products =
                bytes.iter().zip(&values).map(|(&byte, &value)| i32::from(byte) * i32::from(value));
            let products: i32 = products.sum();
            for (name, sum) in sums(&code, &values[..4 * words], true) {
                assert_eq!(sum, products as f32, "{name}: {words} words of bytes");
            }
        }
    }
}

/// However many are estimated at once, and in whatever order.
#[test]
fn estimates_of_many_rows_are_those_of_each() {
    let values = shifted(100, 100, 1);
    for precision in PRECISIONS {
        let codes = RowCodes::build(precision, Metric::Euclid, Matrix::new(100, &values), &Bitmap::full(100));
        let scorer = codes.scorer(Metric::Euclid, &values[..100]);
        let rows: Vec<Ordinal> = (0..100).map(|row| row * 37 % 100).collect();
        let mut distances = vec![1.0];
        scorer.distances(&rows, &mut distances);
        let each: Vec<f32> = rows.iter().map(|&row| scorer.distance(row)).collect();
        assert_eq!(distances, each);
    }
}

proptest! {
    #[test]
    fn awkward_numbers(
        numbers in proptest::collection::vec(
            prop_oneof![Just(0.0f32), Just(-0.0), Just(1e-20), Just(-1e10), -1.0f32..1.0], 3 * 48),
        blocks in proptest::collection::vec(any::<u8>(), 4 * 48),
    ) {
        agree(&numbers[..48], &numbers[48..96], &numbers[96..], &blocks);
    }
}

/// Packs codes of rows seen from a centre, and estimates their distances from a query.
fn estimates(metric: Metric, rows: &[Vec<f32>], centre: &[f32], query: &[f32]) -> Vec<f32> {
    let (centre_turned, query_turned) = (rotated(centre), rotated(query));
    let mut signs = vec![Vec::new(); rows.len()];
    let (mut bases, mut slopes) = ([0.0; BLOCK], [0.0; BLOCK]);
    for (place, row) in rows.iter().enumerate() {
        let code = Code::new(metric, &rotated(row), &centre_turned, &mut signs[place]);
        (bases[place], slopes[place]) = (code.base, code.slope);
    }
    let mut block = vec![0; query_turned.len() * 4];
    pack(&signs, &mut block);
    let mut lookup = Lookup::default();
    lookup.set(&query_turned);
    let mut found = [0.0; BLOCK];
    let codes = Factors { bases: &bases, slopes: &slopes };
    let below = lookup.estimate(distance(metric, query, centre), &codes, &block, 0.0, &mut found);
    assert!((0..BLOCK).all(|place| (below >> place & 1 == 1) == (found[place] < 0.0)));
    found[..rows.len()].to_vec()
}

/// The paper's bound on what one bit per coordinate is off by is a probability; over many rows, queries and dimensions
/// the error must be what the module says it is: 0.75 |r| |v| / √d, less where vectors are filled up, seldom four
/// times that, and right on average.
#[test]
fn estimates_are_off_by_what_they_may_be_off_by() {
    for metric in [Metric::Euclid, Metric::Dot] {
        for dimension in [64, 100, 384, 784] {
            let (mut squares, mut sum, mut count) = (0.0, 0.0, 0.0);
            for seed in 0..8 {
                let centre = random(dimension, seed);
                let query: Vec<f32> = random(dimension, seed + 100);
                let rows: Vec<Vec<f32>> =
                    (0..32).map(|row| random(dimension, 1_000 * (seed + 1) + row)).collect();
                for (row, estimate) in rows.iter().zip(estimates(metric, &rows, &centre, &query)) {
                    let length = |to: &[f32]| distance(Metric::Euclid, &centre, to).sqrt();
                    let unit = length(row) * length(&query) / (dimension as f32).sqrt();
                    let unit = if metric == Metric::Euclid { 2.0 * unit } else { unit };
                    let off = (estimate - distance(metric, &query, row)) / unit;
                    assert!(off.abs() < 4.0, "{metric:?} of {dimension}: off by {off}");
                    squares += off * off;
                    sum += off;
                    count += 1.0;
                }
            }
            let (spread, mean) = ((squares / count).sqrt(), sum / count);
            assert!(
                (0.4..0.9).contains(&spread) && mean.abs() < 0.2,
                "{metric:?} of {dimension}: {spread}, {mean}"
            );
        }
    }
}

#[test]
fn what_is_the_same_row_is_estimated_exactly() {
    let centre = random(100, 1);
    let rows = vec![centre.clone(), vec![0.0; 100]];
    for metric in [Metric::Euclid, Metric::Dot] {
        let found = estimates(metric, &rows, &centre, &centre);
        for (row, estimate) in rows.iter().zip(found) {
            let exact = distance(metric, &centre, row);
            assert!(
                (estimate - exact).abs() < 0.05 * exact.abs().max(1.0),
                "{metric:?}: {estimate}, {exact}"
            );
        }
    }
    assert_eq!(estimates(Metric::Dot, &rows[1..], &rows[1], &rows[1]), [0.0]);
}

/// Rows around a centre that is not zero, as real vectors lie.
fn shifted(rows: usize, dimension: usize, seed: u64) -> Vec<f32> {
    random(rows * dimension, seed).into_iter().map(|value| value + 0.5).collect()
}

const PRECISIONS: [Precision; 2] = [Precision::Binary, Precision::Scalar];

/// The spread is the bound's unit: nearly as much for signs, two thirds of it for bytes, and never much more. One row
/// of two thousand is nearer than its least distance.
#[test]
fn codes_of_rows_are_off_by_what_they_may_be_off_by() {
    for (precision, dimension) in PRECISIONS.into_iter().flat_map(|p| [64, 100, 384, 784].map(|d| (p, d))) {
        let values = shifted(500, dimension, 1);
        let matrix = Matrix::new(dimension, &values);
        for metric in [Metric::Euclid, Metric::Dot] {
            let codes = RowCodes::build(precision, metric, matrix, &Bitmap::full(500));
            let (mut squares, mut nearer, mut count) = (0.0, 0, 0);
            for query in shifted(20, dimension, 2).chunks_exact(dimension) {
                let (scorer, rows) = (codes.scorer(metric, query), Vec::from_iter(0..500));
                let mut found = vec![[0.0; 2]; 500];
                scorer.estimate(&rows, &mut found);
                for (row, [estimate, off]) in rows.into_iter().zip(found) {
                    let exact = distance(metric, query, matrix.row(row));
                    squares += ((estimate - exact) / (off / 3.3)).powi(2);
                    nearer += u32::from(exact < estimate - off);
                    count += 1;
                }
            }
            let spread = (squares / count as f32).sqrt();
            assert!((0.2..1.05).contains(&spread), "{precision:?} {metric:?} of {dimension}: {spread}");
            assert!(nearer * 500 <= count, "{precision:?} {metric:?} of {dimension}: {nearer} of {count}");
        }
    }
}

#[test]
fn the_nearest_are_found_by_reading_few() {
    let (values, bitmap) = (shifted(3_000, 128, 1), Bitmap::full(3_000));
    let matrix = Matrix::new(128, &values);
    let rows: Vec<Ordinal> = (0..3_000).filter(|row| row % 3 > 0).collect();
    for (precision, most) in PRECISIONS.into_iter().zip([1_000, 40]) {
        let codes = RowCodes::build(precision, Metric::Euclid, matrix, &bitmap);
        let (mut hits, mut read) = (0, 0);
        for query in shifted(20, 128, 2).chunks_exact(128) {
            let (scorer, exact) =
                (codes.scorer(Metric::Euclid, query), RowScorer::new(Metric::Euclid, query, matrix));
            let mut best = TopK::new(10);
            rows.iter().for_each(|&row| {
                best.push(exact.distance(row), row);
            });
            let best = best.into_sorted();
            let (found, some) = nearest(&scorer, &exact, &rows, 10, || Ok(())).unwrap();
            let mut estimates = Vec::new();
            scorer.distances(&rows, &mut estimates);
            let estimated: Vec<_> = estimates.into_iter().zip(rows.iter().copied()).collect();
            let (again, _) = rescore(&scorer, &exact, &estimated, 10);
            assert_eq!(found, again);
            hits += found.iter().filter(|hit| best.contains(hit)).count();
            read += some;
        }
        assert!(hits >= 198 && read < 20 * most, "{precision:?}: {hits} of 200, {read} read");
    }
}

#[test]
fn a_scan_of_codes_can_be_ended_and_takes_what_there_is() {
    let values = random(40 * 32, 1);
    let matrix = Matrix::new(32, &values);
    let codes = RowCodes::build(Precision::Binary, Metric::Dot, matrix, &Bitmap::full(40));
    let (scorer, exact) =
        (codes.scorer(Metric::Dot, &values[..32]), RowScorer::new(Metric::Dot, &values[..32], matrix));
    let found = |k| nearest(&scorer, &exact, &[3, 7, 9], k, || Ok(())).unwrap().0.len();
    assert_eq!([found(0), found(2), found(50)], [0, 2, 3]);
    let ended = nearest(&scorer, &exact, &[3], 1, || Err(Error::closed("enough")));
    assert_eq!(ended.unwrap_err().to_string(), "closed: enough");
}

#[test]
fn codes_come_back_from_their_arrays() {
    let values = random(10 * 100, 1);
    for precision in PRECISIONS {
        let codes = RowCodes::build(precision, Metric::Euclid, Matrix::new(100, &values), &Bitmap::full(10));
        let (centre, records) = codes.arrays();
        let (centre, records) = (Slice::from_vec(centre.to_vec()), Slice::from_vec(records.to_vec()));
        let open = |rows| RowCodes::open(precision, 100, rows, centre.clone(), records.clone());
        let estimate = |codes: &RowCodes| codes.scorer(Metric::Euclid, &values[..100]).distance(7);
        assert_eq!(estimate(&open(10).unwrap()), estimate(&codes));
        assert!(open(11).unwrap_err().contains("codes of 11 × 100"));
    }
}
