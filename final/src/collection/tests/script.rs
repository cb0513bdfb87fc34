//! The interpreter of golden scripts. One command a line, `#` begins a comment, what it prints is indented below it.

use std::{fmt::Write as _, path::Path, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::super::{Collection, Options, Selector, Write};
use crate::{
    disk::{
        Store,
        fault::{Fault, FaultStore},
    },
    hnsw::HnswConfig,
    manifest::Manifest,
    point::{Point, PointId, Vector},
    schema::{CollectionSchema, VectorSchema},
    segment::{Segment, Snapshot},
    vector::Metric,
    wal,
};

/// The folder that every test keeps its collection in.
pub(super) fn dir() -> &'static Path {
    Path::new("data/points")
}

/// Points on a plane.
pub(super) fn schema() -> CollectionSchema {
    let plane =
        VectorSchema { size: 2, distance: Metric::Euclid, hnsw: None, quantization: Default::default() };
    CollectionSchema {
        vectors: [(String::new(), plane)].into(),
        hnsw: HnswConfig::default(),
        indexing_threshold: Some(1_000),
        fields: Default::default(),
        requested: Default::default(),
    }
}

/// Nothing happens unless the script says so.
pub(super) fn options() -> Options {
    Options { writer: "script".to_string(), flush_idle: None, ..Options::default() }
}

/// The same, and whenever nothing is left to seal, few segments are made of many.
pub(super) fn resting() -> Options {
    Options { flush_idle: Some(Duration::MAX), ..options() }
}

struct Script {
    store: FaultStore,
    collection: Option<Collection>,
    held: Option<Arc<Snapshot>>,
    /// What `back` goes back to.
    kept: FaultStore,
}

/// Runs the commands; gives them with what each printed.
pub(super) fn run(commands: &str) -> String {
    let mut script =
        Script { store: FaultStore::default(), collection: None, held: None, kept: FaultStore::default() };
    let mut transcript = String::new();
    for line in commands.lines() {
        let _ = writeln!(transcript, "{line}");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let printed = script.command(line).unwrap_or_else(|error| format!("error: {error}"));
        for line in printed.lines() {
            let _ = writeln!(transcript, "    {line}");
        }
    }
    transcript
}

impl Script {
    fn command(&mut self, line: &str) -> crate::error::Result<String> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "create" => {
                let options = if rest == "resting" { resting() } else { options() };
                self.open(Collection::create(self.shared(), dir(), schema(), &options))
            }
            "open" => self.open(Collection::open(self.shared(), dir(), &options())),
            "close" => Ok(self
                .collection
                .take()
                .map(|collection| collection.close())
                .map_or("no".into(), |()| "closed".into())),
            "crash" => {
                let found = self.store.crash();
                self.collection = None;
                self.store = found;
                Ok("the power failed".into())
            }
            "fail-after" => {
                self.store.fail_at(self.store.steps() + rest.parse::<u64>().expect("steps"), Fault::Error);
                Ok(String::new())
            }
            "cut" => {
                let (file, bytes) = rest.split_once(' ').expect("file and bytes");
                let path = dir().join(file);
                self.store.truncate(&path, self.store.len(&path)? - bytes.parse::<u64>().expect("bytes"))?;
                Ok(String::new())
            }
            "keep" => {
                self.kept = self.store.crash();
                Ok(String::new())
            }
            "back" => {
                self.store = self.kept.crash();
                Ok(String::new())
            }
            "garble" => garble(&self.store, rest).map(|()| String::new()),
            "remove" => self.store.remove(&dir().join(rest)).map(|()| String::new()),
            "files" => Ok(self.files(dir())?.join("\n")),
            "log" => wal::dump(&self.store, &dir().join("wal")),
            "manifest" => self.manifest(),
            "hold" => {
                self.held = Some(self.collection().snapshot());
                Ok(String::new())
            }
            "held" => Ok(shown(self.held.as_ref().expect("held before"))),
            "points" => Ok(shown(&self.collection().snapshot())),
            "segments" => Ok(segments(&self.collection().snapshot())),
            "flush" => self.collection().flush().map(|lsn| format!("committed up to lsn {lsn}")),
            _ => self.write(verb, rest),
        }
    }

    fn shared(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    fn collection(&self) -> &Collection {
        self.collection.as_ref().expect("open")
    }

    fn open(&mut self, opened: crate::error::Result<Collection>) -> crate::error::Result<String> {
        let collection = self.collection.insert(opened?);
        let recovery = collection.recovery();
        let mut text = format!(
            "manifest {} at lsn {}, {} operations replayed",
            recovery.manifest, recovery.manifest_lsn, recovery.replayed
        );
        if let Some(damage) = &recovery.damaged {
            let _ = write!(text, "; {damage}");
        }
        if let Some(cut) = &recovery.cut {
            let _ = write!(text, "; {cut}");
        }
        Ok(text)
    }

    /// `upsert 1,2 0.5 {"a": 1}` puts points at (0.5, id); `set`, `delete` take ids too.
    fn write(&self, verb: &str, rest: &str) -> crate::error::Result<String> {
        let (ids, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let ids: Vec<PointId> = ids.split(',').map(|id| id.parse().expect("an id")).collect();
        let payload = |text: &str| match serde_json::from_str(text) {
            Ok(Value::Object(payload)) => payload,
            _ => Default::default(),
        };
        let write = match verb {
            "upsert" => {
                let (x, json) = rest.split_once(' ').unwrap_or((rest, "{}"));
                let points = ids.into_iter().map(|id| point(id, x.parse().expect("a number"), payload(json)));
                Write::Upsert { points: points.collect(), mode: Default::default(), only_if: None }
            }
            "set" => Write::SetPayload { payload: payload(rest), at: None, of: Selector::Ids(ids) },
            "delete" => Write::Delete(Selector::Ids(ids)),
            _ => panic!("no such command: {verb}"),
        };
        self.collection().write_and_wait(write).map(|lsn| format!("lsn {lsn}"))
    }

    fn files(&self, folder: &Path) -> crate::error::Result<Vec<String>> {
        let mut found = Vec::new();
        for name in self.store.list(folder)? {
            let path = folder.join(&name);
            let inside = self.files(&path)?;
            if inside.is_empty() {
                found.push(path.strip_prefix(dir()).expect("inside").display().to_string());
            }
            found.extend(inside);
        }
        Ok(found)
    }

    fn manifest(&self) -> crate::error::Result<String> {
        let numbers = Manifest::numbers(&self.store, dir())?;
        let newest = Manifest::read(&self.store, dir(), *numbers.last().expect("one"))?;
        let mut text = format!(
            "number {} lsn {} replay from {:06}.wal, kept {numbers:?}",
            newest.number, newest.lsn, newest.replay_from
        );
        for entry in &newest.segments {
            let deletes = entry.deletes.as_ref().map_or("no deletes", |file| &file.name);
            let _ = write!(text, "\nsegment {:06}: {} rows, {deletes}", entry.number, entry.rows);
        }
        Ok(text)
    }
}

/// Turns over a bit in a file's middle.
pub(super) fn garble(store: &FaultStore, file: &str) -> crate::error::Result<()> {
    let path = dir().join(file);
    let mut bytes = store.read(&path)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    store.remove(&path)?;
    let mut file = store.create(&path)?;
    file.write_all(&bytes).and_then(|()| file.flush()).map_err(crate::error::Error::io("write", &path))?;
    store.sync_dir(path.parent().expect("a file is in a folder"))
}

/// A point at (x, id).
pub(super) fn point(id: PointId, x: f32, payload: crate::point::Payload) -> Point {
    let y = match id {
        PointId::Num(number) => number as f32,
        PointId::Uuid(_) => 0.0,
    };
    Point { id, vectors: [(String::new(), Vector::Dense(vec![x, y]))].into(), payload }
}

/// All points of a snapshot, a line each.
pub(super) fn shown(snapshot: &Snapshot) -> String {
    let line = |(id, address)| {
        let point = snapshot.point(address).expect("a whole point");
        let values = point.vectors.get("").map(|vector| vector.as_dense().to_vec());
        format!("{id} {values:?} {} v{}", json!(point.payload), snapshot.version(address))
    };
    let lines: Vec<String> = snapshot.sorted_from(None).map(line).collect();
    if lines.is_empty() { "no points".to_string() } else { lines.join("\n") }
}

fn segments(snapshot: &Snapshot) -> String {
    let line = |view: &crate::segment::SegmentView| {
        let name = match &view.segment {
            Segment::Sealed(sealed) => format!("sealed {:06}", sealed.number()),
            Segment::Mutable(mutable) => format!("mutable, {} blocks", mutable.blocks().count()),
        };
        format!("{name}: {} rows, {} dead", view.segment.rows(), view.deleted.count())
    };
    snapshot.segments().iter().map(line).collect::<Vec<_>>().join("\n")
}
