//! What does a write come to? Every write is turned into post-images before it is logged.
//!
//! "Set this key on all points that match" becomes the whole new state of each such point, so that replay has
//! nothing to decide and gives the same state whenever it runs. A write sees the published snapshot and, over it,
//! the writes that wait in the same group.

use std::collections::HashMap;

use super::{Selector, UpsertMode, Write, edit};
use crate::{
    error::{Error, Result},
    filter::{Document, Filter, TextRules},
    point::{NamedVectors, Payload, Point, PointId},
    query,
    segment::Snapshot,
    wal::{Change, Operation},
};

/// Operations that are resolved and not logged yet.
#[derive(Default)]
pub(super) struct Pending {
    operations: Vec<Operation>,
    /// Where the newest change of a point is: operation, change.
    newest: HashMap<PointId, (usize, usize)>,
    bytes: usize,
}

impl Pending {
    pub(super) fn push(&mut self, operation: Operation) {
        for (place, change) in operation.changes.iter().enumerate() {
            let id = match change {
                Change::Upsert(point) => {
                    let floats: usize = point.vectors.values().map(|vector| vector.as_dense().len()).sum();
                    self.bytes += 4 * floats + 64;
                    point.id
                }
                Change::Delete(id) => *id,
                Change::Schema(_) => continue,
            };
            self.newest.insert(id, (self.operations.len(), place));
        }
        self.operations.push(operation);
    }

    /// About how much memory the points take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn into_operations(self) -> Vec<Operation> {
        self.operations
    }

    fn newest(&self, id: PointId) -> Option<&Change> {
        let &(operation, change) = self.newest.get(&id)?;
        Some(&self.operations[operation].changes[change])
    }
}

/// Resolves one write against what it must see.
pub(super) struct Resolver<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) pending: &'a Pending,
}

impl Resolver<'_> {
    /// The changes that the write comes to.
    pub(super) fn resolve(&self, write: Write) -> Result<Vec<Change>> {
        match write {
            Write::Upsert { points, mode, only_if } => self.upsert(points, mode, only_if.as_ref()),
            Write::UpdateVectors { points, only_if } => self.update_vectors(points, only_if.as_ref()),
            Write::DeleteVectors { names, of } => self.edit(&of, |point| {
                point.vectors.retain(|name, _| !names.contains(name));
            }),
            Write::Delete(Selector::Ids(ids)) => Ok(ids.into_iter().map(Change::Delete).collect()),
            Write::Delete(Selector::Filter(filter)) => {
                Ok(self.matching(&filter)?.into_iter().map(Change::Delete).collect())
            }
            Write::SetPayload { payload, at, of } => {
                self.edit(&of, |point| edit::merge(&mut point.payload, at.as_ref(), &payload))
            }
            Write::OverwritePayload { payload, at, of } => {
                self.edit(&of, |point| edit::overwrite(&mut point.payload, at.as_ref(), &payload))
            }
            Write::DeletePayload { keys, of } => {
                self.edit(&of, |point| keys.iter().for_each(|key| edit::delete(&mut point.payload, key)))
            }
            Write::ClearPayload(of) => self.edit(&of, |point| point.payload = Payload::new()),
        }
    }

    fn upsert(&self, points: Vec<Point>, mode: UpsertMode, only_if: Option<&Filter>) -> Result<Vec<Change>> {
        let mut changes = Vec::with_capacity(points.len());
        for point in points {
            let wanted = match mode {
                UpsertMode::Upsert => true,
                UpsertMode::InsertOnly => !self.exists(point.id),
                UpsertMode::UpdateOnly => self.exists(point.id),
            };
            if wanted && self.allows(only_if, point.id)? {
                changes.push(Change::Upsert(point));
            }
        }
        Ok(changes)
    }

    fn update_vectors(
        &self,
        points: Vec<(PointId, NamedVectors)>,
        only_if: Option<&Filter>,
    ) -> Result<Vec<Change>> {
        let mut merged: Vec<Point> = Vec::with_capacity(points.len());
        let mut place: HashMap<PointId, usize> = HashMap::new();
        for (id, vectors) in points {
            if !self.allows(only_if, id)? {
                continue;
            }
            match place.get(&id) {
                Some(&earlier) => merged[earlier].vectors.extend(vectors),
                None => {
                    let mut point = self.existing(id)?;
                    point.vectors.extend(vectors);
                    place.insert(id, merged.len());
                    merged.push(point);
                }
            }
        }
        Ok(merged.into_iter().map(Change::Upsert).collect())
    }

    fn edit(&self, of: &Selector, change: impl Fn(&mut Point)) -> Result<Vec<Change>> {
        let ids = match of {
            Selector::Ids(ids) => ids.clone(),
            Selector::Filter(filter) => self.matching(filter)?,
        };
        let edited = |id| {
            let mut point = self.existing(id)?;
            change(&mut point);
            Ok(Change::Upsert(point))
        };
        ids.into_iter().map(edited).collect()
    }

    fn matching(&self, filter: &Filter) -> Result<Vec<PointId>> {
        assert!(self.pending.operations.is_empty(), "a write with a filter starts a new group");
        let rows = query::matching(self.snapshot, filter)?;
        Ok(rows.into_iter().map(|address| self.snapshot.id(address)).collect())
    }

    fn exists(&self, id: PointId) -> bool {
        match self.pending.newest(id) {
            Some(change) => matches!(change, Change::Upsert(_)),
            None => self.snapshot.locate(id).is_some(),
        }
    }

    fn current(&self, id: PointId) -> Result<Option<Point>> {
        match self.pending.newest(id) {
            Some(Change::Upsert(point)) => Ok(Some(point.clone())),
            Some(_) => Ok(None),
            None => self.snapshot.locate(id).map(|address| self.snapshot.point(address)).transpose(),
        }
    }

    fn existing(&self, id: PointId) -> Result<Point> {
        self.current(id)?.ok_or_else(|| Error::not_found(format!("No point with id {id} found")))
    }

    /// Whether a point may be replaced: it matches, or is new.
    fn allows(&self, only_if: Option<&Filter>, id: PointId) -> Result<bool> {
        let Some(filter) = only_if else { return Ok(true) };
        let Some(point) = self.current(id)? else { return Ok(true) };
        let has_vector = |name: &str| point.vectors.contains_key(name);
        let document = Document { id, payload: &point.payload, has_vector: &has_vector };
        Ok(filter.matches(&document, &TextRules::of(self.snapshot.schema())))
    }
}
