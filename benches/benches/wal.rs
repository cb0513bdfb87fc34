//! What does it cost to make writes durable? One fsync for a group, by the number of points in it.

use std::sync::Arc;

use benches::matrix::Matrix;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use kith::{
    disk::{FsStore, Store},
    point::{Payload, Point, PointId, Vector},
    wal::{Change, Operation, Wal},
};

const DIMENSION: usize = 384;

/// A log this long is thrown away, now and then, so that the bench does not fill the disk.
const LONGEST: u64 = 256 << 20;

fn appends(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wal/append");
    for points in [1u64, 100, 1_000] {
        let folder = tempfile::tempdir().expect("there is room for a scratch folder");
        let log = folder.path().join("wal");
        FsStore.create_dir(&log).expect("the folder is new");
        let mut wal = Wal::new(Arc::new(FsStore), log, 1);
        let rows = Matrix::clustered(points as usize, DIMENSION);
        let changes = (0..points).zip(rows.rows()).map(|(id, row)| Change::Upsert(point(id, row))).collect();
        let mut group_of_one = [Operation { lsn: 0, changes }];
        group.throughput(Throughput::Elements(points));
        group.bench_function(BenchmarkId::from_parameter(points), |bencher| {
            bencher.iter(|| {
                group_of_one[0].lsn += 1;
                wal.append(&group_of_one).expect("the disk takes it");
                if wal.bytes() > LONGEST {
                    wal.rotate();
                    wal.remove_before(wal.file()).expect("nobody needs the old file");
                }
            });
        });
    }
}

fn point(id: u64, row: &[f32]) -> Point {
    let vectors = [(String::new(), Vector::Dense(row.to_vec()))].into();
    Point { id: PointId::Num(id), vectors, payload: Payload::new() }
}

criterion_group!(benches, appends);
criterion_main!(benches);
