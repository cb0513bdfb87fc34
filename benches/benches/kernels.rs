//! What does one distance cost, by instruction set, formula and dimension, and what do the look-ups of 32 codes?
//! All of it in the cache.

use std::hint::black_box;

use benches::matrix::Matrix;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use kith::{
    quantize::{self, BLOCK},
    vector::{Kernels, Metric},
};

fn distances(criterion: &mut Criterion) {
    for metric in [Metric::Dot, Metric::Euclid, Metric::Manhattan] {
        let mut group = criterion.benchmark_group(format!("kernels/{metric:?}"));
        for dimension in [128, 384, 784] {
            let two = Matrix::clustered(2, dimension);
            let (a, b) = two.values.split_at(dimension);
            for kernels in Kernels::all_available() {
                group.bench_with_input(
                    BenchmarkId::new(kernels.name, dimension),
                    &(a, b),
                    |bencher, (a, b)| {
                        bencher.iter(|| kernels.distance(metric, black_box(a), black_box(b)));
                    },
                );
            }
        }
    }
}

fn codes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kernels/codes");
    for dimension in [128, 384, 784] {
        let (block, tables) = (vec![0x5a; dimension * 4], vec![77; dimension * 4]);
        for kernels in quantize::Kernels::all_available() {
            group.bench_function(BenchmarkId::new(kernels.name, dimension), |bencher| {
                let mut sums = [0; BLOCK];
                bencher.iter(|| kernels.scan(black_box(&block), black_box(&tables), &mut sums));
            });
        }
    }
}

criterion_group!(benches, distances, codes);
criterion_main!(benches);
