//! What is a collection? The vectors that its points may have.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    error::{Error, Result},
    point::NamedVectors,
    vector::Metric,
};

/// The definition of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectionSchema {
    /// The vectors a point may have, by name; the unnamed one is `""`.
    pub vectors: BTreeMap<String, VectorSchema>,
}

/// One named vector.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct VectorSchema {
    /// Numbers per vector.
    pub size: usize,
    /// What "near" means.
    pub distance: Metric,
}

impl CollectionSchema {
    /// The vector of this name.
    pub fn vector(&self, name: &str) -> Result<&VectorSchema> {
        match self.vectors.get(name) {
            Some(vector) => Ok(vector),
            None => Err(Error::bad_request(format!(
                "Not existing vector name error: {name}"
            ))),
        }
    }

    /// Checks the names and sizes of a point's vectors.
    pub fn check(&self, vectors: &NamedVectors) -> Result<()> {
        for (name, vector) in vectors {
            self.vector(name)?.check(vector)?;
        }
        Ok(())
    }
}

impl VectorSchema {
    /// Checks the size and the numbers of a vector.
    pub fn check(&self, vector: &[f32]) -> Result<()> {
        if vector.len() != self.size {
            return Err(Error::bad_request(format!(
                "Vector dimension error: expected dim: {}, got {}",
                self.size,
                vector.len()
            )));
        }
        match vector.iter().find(|number| !number.is_finite()) {
            Some(number) => Err(Error::bad_request(format!(
                "a vector may not contain {number}"
            ))),
            None => Ok(()),
        }
    }
}
