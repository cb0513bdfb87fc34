//! What does a graph cost to build? On one thread, from vectors in memory.

use std::sync::atomic::AtomicBool;

use benches::matrix::Matrix;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kith::{
    bitmap::Bitmap,
    hnsw::{Build, Graph, HnswConfig, Quality},
    vector::{self, Metric},
};

const ROWS: u32 = 5_000;

fn graphs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build");
    group.sample_size(10).throughput(Throughput::Elements(ROWS.into()));
    for dimension in [128, 784] {
        let values = Matrix::clustered(ROWS as usize, dimension).values;
        let matrix = vector::Matrix::new(dimension, &values);
        let present = Bitmap::full(ROWS);
        group.bench_function(BenchmarkId::from_parameter(dimension), |bencher| {
            bencher.iter(|| {
                let build = Build {
                    config: HnswConfig::default(),
                    seed: 1,
                    threads: 1,
                    progress: &|| (),
                    cancel: &AtomicBool::new(false),
                };
                Graph::of_rows(Metric::Euclid, matrix, &present, &build, Quality::Coded)
                    .expect("the default settings are possible")
            });
        });
    }
}

criterion_group!(benches, graphs);
criterion_main!(benches);
