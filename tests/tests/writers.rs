//! What does it look like when many write at once and the server goes away? Threads that each know what they have
//! been promised.
//!
//! A thread owns the points whose ids are its own, so its promises depend on nobody else. It keeps a model: every
//! write that was acknowledged, in order. The one write that was on its way when the server went may have arrived
//! or not, but not in part.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Map, Value, json};

use crate::server::Client;

/// How many write at the same time.
pub const THREADS: u64 = 4;

/// Ids of one thread: few, so that most writes overwrite or delete something.
const IDS: u64 = 40;

/// The id of a thread's first point.
const STRIDE: u64 = 1_000;

const SIZE: usize = 8;

/// What is known of the points of one thread: vector and payload.
pub type Model = BTreeMap<u64, (Vec<f32>, Map<String, Value>)>;

/// A write as a client thinks of it.
#[derive(Debug, Clone)]
enum Write {
    Upsert(Model),
    Delete(Vec<u64>),
    DeleteBucket { owner: u64, bucket: u64 },
    SetPayload { ids: Vec<u64>, payload: Map<String, Value> },
    ClearPayload(Vec<u64>),
    UpdateVector { id: u64, vector: Vec<f32> },
}

impl Write {
    /// A write that is possible in this state.
    fn random(rng: &mut StdRng, owner: u64, count: u64, model: &Model) -> Self {
        let any = |rng: &mut StdRng| owner * STRIDE + rng.random_range(0..IDS);
        let present: Vec<u64> = model.keys().copied().filter(|_| rng.random_bool(0.1)).take(4).collect();
        match rng.random_range(0..100) {
            60..75 => Self::Delete((0..rng.random_range(1..4)).map(|_| any(rng)).collect()),
            75..78 => Self::DeleteBucket { owner, bucket: rng.random_range(0..8) },
            78..90 if !present.is_empty() => {
                let payload = json!({"mark": count, "note": "m".repeat(rng.random_range(0..300))});
                Self::SetPayload { ids: present, payload: object(payload) }
            }
            90..93 if !present.is_empty() => Self::ClearPayload(present),
            93..100 if !present.is_empty() => Self::UpdateVector { id: present[0], vector: vector(rng) },
            _ => {
                let points = (0..rng.random_range(1..6)).map(|_| {
                    let text = "t".repeat(rng.random_range(0..600));
                    let bucket = rng.random_range(0..8);
                    let payload = json!({"owner": owner, "bucket": bucket, "count": count, "text": text});
                    (any(rng), (vector(rng), object(payload)))
                });
                Self::Upsert(points.collect())
            }
        }
    }

    /// Method, path below the collection, and body.
    fn request(&self) -> (&'static str, &'static str, Value) {
        match self {
            Self::Upsert(points) => {
                ("PUT", "", json!({"points": points.iter().map(point).collect::<Vec<_>>()}))
            }
            Self::Delete(ids) => ("POST", "/delete", json!({"points": ids})),
            Self::DeleteBucket { owner, bucket } => (
                "POST",
                "/delete",
                json!({"filter": {"must": [
                    {"key": "owner", "match": {"value": owner}}, {"key": "bucket", "match": {"value": bucket}},
                ]}}),
            ),
            Self::SetPayload { ids, payload } => {
                ("POST", "/payload", json!({"points": ids, "payload": payload}))
            }
            Self::ClearPayload(ids) => ("POST", "/payload/clear", json!({"points": ids})),
            Self::UpdateVector { id, vector } => {
                ("PUT", "/vectors", json!({"points": [{"id": id, "vector": vector}]}))
            }
        }
    }

    fn apply(&self, model: &mut Model) {
        match self {
            Self::Upsert(points) => model.extend(points.clone()),
            Self::Delete(ids) => model.retain(|id, _| !ids.contains(id)),
            Self::DeleteBucket { owner, bucket } => model.retain(|_, (_, payload)| {
                payload.get("owner") != Some(&json!(owner)) || payload.get("bucket") != Some(&json!(bucket))
            }),
            Self::SetPayload { ids, payload } => {
                ids.iter().for_each(|id| model.get_mut(id).unwrap().1.extend(payload.clone()));
            }
            Self::ClearPayload(ids) => ids.iter().for_each(|id| model.get_mut(id).unwrap().1.clear()),
            Self::UpdateVector { id, vector } => model.get_mut(id).unwrap().0.clone_from(vector),
        }
    }
}

/// Small whole numbers: they come back from JSON as they went.
fn vector(rng: &mut StdRng) -> Vec<f32> {
    (0..SIZE).map(|_| rng.random_range(-9_i32..=9) as f32).collect()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn point((id, (vector, payload)): (&u64, &(Vec<f32>, Map<String, Value>))) -> Value {
    json!({"id": id, "vector": vector, "payload": payload})
}

/// One of the threads that write.
pub struct Owner {
    number: u64,
    rng: StdRng,
    count: u64,
    model: Model,
    in_flight: Option<Write>,
}

/// Makes the collection that the threads write to, and them.
pub fn begin(client: &Client, seed: u64) -> Vec<Owner> {
    client.result("PUT", "/collections/c", &json!({"vectors": {"size": SIZE, "distance": "Dot"}}));
    let owner = |number| {
        let rng = StdRng::seed_from_u64(seed.wrapping_mul(THREADS).wrapping_add(number));
        Owner { number, rng, count: 0, model: Model::new(), in_flight: None }
    };
    (0..THREADS).map(owner).collect()
}

/// Lets all write until the server is gone, and calls `stop` when the `stop_at`-th write has been acknowledged.
/// Returns how many were.
pub fn write_until_gone(
    owners: &mut [Owner],
    client: &Client,
    stop_at: usize,
    stop: impl Fn() + Sync,
) -> usize {
    let acknowledged = AtomicUsize::new(0);
    thread::scope(|scope| {
        for owner in owners {
            scope.spawn(|| {
                while owner.write(client) {
                    if acknowledged.fetch_add(1, Ordering::SeqCst) + 1 == stop_at {
                        stop();
                    }
                }
            });
        }
    });
    acknowledged.into_inner()
}

/// Compares the server's points with every promise; the threads go on from what is there.
/// Returns how many of the writes that were on their way have arrived, and how many have not.
pub fn check(owners: &mut [Owner], client: &Client) -> (usize, usize) {
    let mut there = all_points(client);
    let (mut arrived, mut lost) = (0, 0);
    for owner in owners.iter_mut() {
        let others = there.split_off(&((owner.number + 1) * STRIDE));
        let own = std::mem::replace(&mut there, others);
        match owner.settle(own) {
            Some(true) => arrived += 1,
            Some(false) => lost += 1,
            None => {}
        }
        owner.check_filter_and_lookup(client);
    }
    assert!(there.is_empty(), "points of nobody: {there:?}");
    (arrived, lost)
}

fn all_points(client: &Client) -> Model {
    let (mut points, mut offset) = (Model::new(), Value::Null);
    loop {
        let body = json!({"limit": 37, "offset": offset, "with_vector": true});
        let mut page = client.result("POST", "/collections/c/points/scroll", &body);
        for point in page["points"].as_array_mut().unwrap() {
            let vector = serde_json::from_value(point["vector"].take()).unwrap();
            let before =
                points.insert(point["id"].as_u64().unwrap(), (vector, object(point["payload"].take())));
            assert!(before.is_none(), "point {} is there twice", point["id"]);
        }
        offset = page["next_page_offset"].take();
        if offset.is_null() {
            return points;
        }
    }
}

impl Owner {
    /// Sends one write and notes the promise; `false` if the server is gone.
    fn write(&mut self, client: &Client) -> bool {
        self.count += 1;
        let write = Write::random(&mut self.rng, self.number, self.count, &self.model);
        let (method, tail, body) = write.request();
        let path = format!("/collections/c/points{tail}?wait={}", self.rng.random_bool(0.8));
        match client.send(method, &path, &body) {
            // A server that is stopping says so: then nothing was promised.
            Ok((503, _)) | Err(_) => self.in_flight = Some(write),
            Ok((status, answer)) => {
                assert_eq!(status, 200, "{write:?}: {answer}");
                write.apply(&mut self.model);
            }
        }
        self.in_flight.is_none()
    }

    /// Compares what is there with what was promised; says whether the write on its way has arrived, if there was one.
    fn settle(&mut self, there: Model) -> Option<bool> {
        let mut after = self.model.clone();
        let in_flight = self.in_flight.take();
        in_flight.iter().for_each(|write| write.apply(&mut after));
        if there == self.model {
            return in_flight.map(|_| after == there);
        }
        if there != after {
            let Self { number, model, .. } = self;
            panic!("thread {number}, on its way: {in_flight:?}\n{}", differences(model, &after, &there));
        }
        self.model = there;
        in_flight.map(|_| true)
    }

    /// The payload index and the look-up by id must agree with the rows.
    fn check_filter_and_lookup(&self, client: &Client) {
        for bucket in 0..8 {
            let filter = json!({"must": [
                {"key": "owner", "match": {"value": self.number}}, {"key": "bucket", "match": {"value": bucket}},
            ]});
            let count = client.result("POST", "/collections/c/points/count", &json!({ "filter": filter }));
            let of_bucket = |payload: &Map<String, Value>| payload.get("bucket") == Some(&json!(bucket));
            let expected = self.model.values().filter(|(_, payload)| of_bucket(payload)).count();
            assert_eq!(count["count"], expected, "thread {}, bucket {bucket}", self.number);
        }
        let ids: Vec<u64> = (0..IDS).map(|place| self.number * STRIDE + place).collect();
        let body = json!({"ids": ids, "with_vector": true});
        let found = client.result("POST", "/collections/c/points", &body);
        let expected: Vec<Value> = self.model.iter().map(point).collect();
        assert_eq!(found, Value::Array(expected), "thread {}", self.number);
    }
}

fn differences(before: &Model, after: &Model, there: &Model) -> String {
    let ids = before.keys().chain(after.keys()).chain(there.keys()).copied();
    let ids: std::collections::BTreeSet<u64> = ids.collect();
    let differs = |id: &u64| there.get(id) != before.get(id) || there.get(id) != after.get(id);
    let line = |id: u64| {
        format!(
            "point {id}\n  promised {:?}\n  or       {:?}\n  there    {:?}\n",
            before.get(&id),
            after.get(&id),
            there.get(&id)
        )
    };
    ids.into_iter().filter(differs).map(line).collect()
}
