//! The in-memory store: points by their ids.

use std::collections::BTreeMap;

use crate::{
    error::Result,
    point::{Point, PointId},
    schema::CollectionSchema,
    vector,
};

/// Points by id, with the vectors that the schema allows.
#[derive(Debug)]
pub struct Collection {
    schema: CollectionSchema,
    /// Sorted by id.
    points: BTreeMap<PointId, Point>,
}

/// A point that a search has found, lent by the collection.
#[derive(Debug, PartialEq)]
pub struct Hit<'a> {
    pub distance: f32,
    pub point: &'a Point,
}

impl Collection {
    /// An empty collection.
    pub fn new(schema: CollectionSchema) -> Self {
        Self {
            schema,
            points: BTreeMap::new(),
        }
    }

    /// What its points may look like.
    pub fn schema(&self) -> &CollectionSchema {
        &self.schema
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Adds a point, or replaces the one that has its id; says whether there was one.
    pub fn upsert(&mut self, point: Point) -> Result<bool> {
        self.schema.check(&point.vectors)?;
        Ok(self.points.insert(point.id, point).is_some())
    }

    /// The point with this id.
    pub fn get(&self, id: PointId) -> Option<&Point> {
        self.points.get(&id)
    }

    /// Removes the point with this id; says whether there was one.
    pub fn delete(&mut self, id: PointId) -> bool {
        self.points.remove(&id).is_some()
    }

    /// The `limit` points whose vector of this name is nearest to `query`, nearest first.
    pub fn nearest(&self, using: &str, query: &[f32], limit: usize) -> Result<Vec<Hit<'_>>> {
        self.schema.vector(using)?.check(query)?;
        let mut hits: Vec<Hit> = self
            .points
            .values()
            .filter_map(|point| {
                let distance = vector::euclid(point.vectors.get(using)?, query);
                Some(Hit { distance, point })
            })
            .collect();
        hits.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        hits.truncate(limit);
        Ok(hits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::Error, point::Payload, schema::VectorSchema, vector::Metric};

    fn plane() -> CollectionSchema {
        let vector = VectorSchema {
            size: 2,
            distance: Metric::Euclid,
        };
        CollectionSchema {
            vectors: BTreeMap::from([(String::new(), vector)]),
        }
    }

    fn point(id: u64, vector: &[f32]) -> Point {
        Point {
            id: PointId::from(id),
            vectors: BTreeMap::from([(String::new(), vector.to_vec())]),
            payload: Payload::new(),
        }
    }

    fn animals() -> Collection {
        let mut animals = Collection::new(plane());
        for (id, vector) in [(1, [0.05, 0.45]), (2, [0.20, 0.80]), (3, [0.98, 0.10])] {
            // The vectors have two numbers, so that nothing can be refused.
            assert!(!animals.upsert(point(id, &vector)).unwrap());
        }
        animals
    }

    #[test]
    fn the_same_id_replaces() {
        let mut animals = animals();
        assert_eq!(animals.upsert(point(2, &[0.5, 0.5])), Ok(true));
        assert_eq!(animals.len(), 3);
        assert_eq!(animals.get(PointId::Num(2)), Some(&point(2, &[0.5, 0.5])));
    }

    #[test]
    fn what_is_deleted_is_gone() {
        let mut animals = animals();
        assert!(animals.delete(PointId::Num(1)));
        assert!(!animals.delete(PointId::Num(1)));
        assert_eq!(animals.get(PointId::Num(1)), None);
    }

    #[test]
    fn the_nearest_come_first() {
        let animals = animals();
        // Both the name and the size are right, so that nothing can be refused.
        let hits = animals.nearest("", &[0.1, 0.6], 2).unwrap();
        let ids: Vec<PointId> = hits.iter().map(|hit| hit.point.id).collect();
        assert_eq!(ids, [PointId::Num(1), PointId::Num(2)]);
    }

    #[test]
    fn an_empty_collection_has_no_nearest_point() {
        let empty = Collection::new(plane());
        assert_eq!(empty.nearest("", &[0.1, 0.6], 2), Ok(vec![]));
    }

    #[test]
    fn wrong_vectors_are_refused_and_nothing_changes() {
        let mut animals = animals();
        for (vector, reason) in [
            (&[0.1][..], "Vector dimension error: expected dim: 2, got 1"),
            (&[0.1, f32::NAN], "a vector may not contain NaN"),
        ] {
            let error = animals.upsert(point(1, vector)).unwrap_err();
            assert_eq!(error, Error::bad_request(reason));
        }
        let mut other = point(1, &[]);
        other.vectors = BTreeMap::from([("sound".to_string(), vec![0.1])]);
        assert!(animals.upsert(other).is_err());
        assert_eq!(animals.get(PointId::Num(1)), Some(&point(1, &[0.05, 0.45])));
    }
}
