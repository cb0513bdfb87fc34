//! How is a change of a collection's settings written in JSON? `PATCH /collections/{c}`.
//!
//! The change is made to what the client is shown of its own settings, and these are read again as if the collection
//! were made with them: the settings that Kith acts on can't drift from the ones that are shown.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::collection::{CreateBody, without_nulls};
use crate::{
    collection::Alter,
    point::Payload,
    schema::CollectionSchema,
    server::reject::{Answer, Reject},
};

/// The body of `PATCH /collections/{c}`.
#[derive(Debug, Deserialize)]
pub struct UpdateBody {
    vectors: Option<Map<String, Value>>,
    hnsw_config: Option<Payload>,
    #[serde(alias = "optimizer_config")]
    optimizers_config: Option<Payload>,
    quantization_config: Option<Value>,
    params: Option<Payload>,
    strict_mode_config: Option<Payload>,
    metadata: Option<Payload>,
}

impl UpdateBody {
    /// The changes that the request comes to.
    pub fn changes(self, schema: &CollectionSchema) -> Answer<Vec<Alter>> {
        let mut asked = schema.requested.clone();
        self.merge_into(&mut asked, schema)?;
        let body: CreateBody = serde_json::from_value(Value::Object(asked))
            .map_err(|error| Reject::format(error.to_string()))?;
        let new = body.schema()?;
        let mut changes = Vec::new();
        if new.hnsw != schema.hnsw {
            changes.push(Alter::Hnsw { vector: None, config: new.hnsw });
        }
        for (name, vector) in new.vectors {
            let Some(old) = schema.vectors.get(&name) else { continue };
            if let Some(config) = vector.hnsw.filter(|_| vector.hnsw != old.hnsw) {
                changes.push(Alter::Hnsw { vector: Some(name.clone()), config });
            }
            if vector.quantization != old.quantization {
                changes.push(Alter::Quantization { vector: name, quantization: vector.quantization });
            }
        }
        if new.indexing_threshold != schema.indexing_threshold {
            changes.push(Alter::IndexingThreshold(new.indexing_threshold));
        }
        changes.push(Alter::Requested(new.requested));
        Ok(changes)
    }

    fn merge_into(self, asked: &mut Payload, schema: &CollectionSchema) -> Answer<()> {
        for (name, change) in self.vectors.unwrap_or_default() {
            schema.vector(&name)?;
            let vectors = asked.entry("vectors").or_insert_with(|| Value::Object(Map::new()));
            let place = if name.is_empty() { Some(vectors) } else { vectors.get_mut(&name) };
            if let (Some(Value::Object(vector)), Value::Object(change)) = (place, change) {
                merge(vector, change);
            }
        }
        let mut merge_member = |name: &str, change: Option<Payload>| {
            if let Some(change) = change {
                let member = asked.entry(name).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(member) = member {
                    merge(member, change);
                }
            }
        };
        merge_member("hnsw_config", self.hnsw_config);
        merge_member("optimizers_config", self.optimizers_config.map(reset_auto));
        merge_member("strict_mode_config", self.strict_mode_config);
        merge_member("metadata", self.metadata);
        if let Some(quantization) = self.quantization_config {
            asked.insert("quantization_config".to_owned(), quantization);
        }
        merge(asked, self.params.unwrap_or_default());
        Ok(())
    }
}

/// `"auto"` means as if nothing had ever been said.
fn reset_auto(mut optimizers: Payload) -> Payload {
    for value in optimizers.values_mut() {
        if *value == "auto" {
            *value = Value::Null;
        }
    }
    optimizers
}

/// Members of objects are merged, everything else is replaced, and `null` removes.
fn merge(into: &mut Payload, change: Payload) {
    for (key, value) in change {
        match (into.get_mut(&key), value) {
            (_, Value::Null) => {
                into.remove(&key);
            }
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, new) => {
                into.insert(key, without_nulls(new));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::Quantization;

    fn after(made: Value, change: Value) -> Answer<(Payload, Vec<Alter>)> {
        let made: CreateBody = serde_json::from_value(made).unwrap();
        let schema = made.schema()?;
        let mut changes = serde_json::from_value::<UpdateBody>(change).unwrap().changes(&schema)?;
        match changes.pop() {
            Some(Alter::Requested(requested)) => Ok((requested, changes)),
            other => panic!("{other:?}"),
        }
    }

    /// Loaders stop the building of graphs while they load, and wait for it afterwards.
    #[test]
    fn graphs_are_stopped_and_started_again() {
        let vectors = json!({"size": 256, "distance": "Dot"});
        let stopped = json!({"vectors": vectors, "optimizers_config": {"max_optimization_threads": 0}});
        let made: CreateBody = serde_json::from_value(stopped.clone()).unwrap();
        assert_eq!(made.schema().unwrap().indexing_threshold, None);
        let (shown, changes) =
            after(stopped, json!({"optimizers_config": {"max_optimization_threads": "auto"}})).unwrap();
        assert!(matches!(changes[..], [Alter::IndexingThreshold(Some(10_000))]), "{changes:?}");
        assert_eq!(Value::Object(shown), json!({"vectors": vectors, "optimizers_config": {}}));
        let (_, changes) =
            after(json!({"vectors": vectors}), json!({"optimizers_config": {"indexing_threshold": 0}}))
                .unwrap();
        assert!(matches!(changes[..], [Alter::IndexingThreshold(None)]), "{changes:?}");
    }

    #[test]
    fn what_was_not_named_stays() {
        let made = json!({"vectors": {"a": {"size": 4, "distance": "Dot"}}, "metadata": {"x": 1, "y": 2}});
        let change = json!({
            "vectors": {"a": {"hnsw_config": {"m": 8}}}, "metadata": {"x": null, "z": 3}, "params": {"on_disk_payload": false},
        });
        let (shown, changes) = after(made.clone(), change).unwrap();
        assert!(
            matches!(&changes[..], [Alter::Hnsw { vector: Some(name), .. }] if name == "a"),
            "{changes:?}"
        );
        assert_eq!(
            Value::Object(shown),
            json!({
                "vectors": {"a": {"size": 4, "distance": "Dot", "hnsw_config": {"m": 8}}},
                "metadata": {"y": 2, "z": 3}, "on_disk_payload": false,
            })
        );
        assert!(
            after(made.clone(), json!({"vectors": {"b": {}}}))
                .unwrap_err()
                .message
                .contains("Not existing vector")
        );
        assert_eq!(after(made, json!({"hnsw_config": {"m": 1}})).unwrap_err().status.as_u16(), 422);
    }

    #[test]
    fn quantization_is_changed_for_all_vectors_or_one() {
        let made =
            json!({"vectors": {"a": {"size": 4, "distance": "Dot"}, "b": {"size": 4, "distance": "Dot"}}});
        let kinds = |change| -> Vec<(String, Quantization)> {
            let (_, changes) = after(made.clone(), change).unwrap();
            let kind = |change| match change {
                Alter::Quantization { vector, quantization } => (vector, quantization),
                other => panic!("{other:?}"),
            };
            changes.into_iter().map(kind).collect()
        };
        let scalar = json!({"scalar": {"type": "int8", "always_ram": true}});
        assert_eq!(
            kinds(
                json!({"quantization_config": scalar, "vectors": {"b": {"quantization_config": "Disabled"}}})
            ),
            [("a".to_owned(), Quantization::Scalar), ("b".to_owned(), Quantization::Disabled)]
        );
        assert_eq!(kinds(json!({"quantization_config": null})), []);
        assert_eq!(
            kinds(json!({"vectors": {"a": {"on_disk": true}, "b": {"on_disk": false}}})),
            [("a".to_owned(), Quantization::Lean)]
        );
        // Who says what is to be kept, has said enough.
        assert_eq!(
            kinds(json!({"vectors": {"a": {"on_disk": true, "quantization_config": "Disabled"}}})),
            [("a".to_owned(), Quantization::Disabled)]
        );
        let refused = after(made.clone(), json!({"quantization_config": {"product": {"compression": "x4"}}}));
        let message = refused.unwrap_err().message;
        assert!(message.contains("quantization_config") && message.contains("binary"), "{message}");
    }
}
