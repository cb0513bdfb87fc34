//! What does one distance cost, by instruction set, formula and dimension? Vectors in the cache.

use std::hint::black_box;

use benches::matrix::Matrix;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use kith::vector::{Kernels, Metric};

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

criterion_group!(benches, distances);
criterion_main!(benches);
