//! Which values does a field have among the points that match, and how often?

use std::{collections::HashMap, sync::atomic::AtomicBool};

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::{
    App, Inner,
    reject::{Answer, Reject},
    request::{At, Body, Options},
    resolve,
    wire::{filter, read::FacetBody},
};
use crate::{
    filter::{Filter, Path},
    query,
    schema::{CollectionSchema, FieldKind},
    segment::Snapshot,
};

/// A value that is counted. The order among equals: as printed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FacetValue {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A string.
    Text(String),
}

impl FacetValue {
    /// The value, if it is of a kind that can be counted.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(Self::Bool(*flag)),
            Value::String(text) => Some(Self::Text(text.clone())),
            Value::Number(number) => number.as_i64().map(Self::Int),
            _ => None,
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Bool(flag) => json!(flag),
            Self::Int(number) => json!(number),
            Self::Text(text) => json!(text),
        }
    }
}

/// `POST /collections/{collection}/facet`
pub async fn facet(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let job = move |app: &Inner, _: &AtomicBool| {
        let body: FacetBody = body.read()?;
        let snapshot = app.database.get(&name)?.snapshot();
        check_index(&body.key, snapshot.schema())?;
        let filter = filter::filter(body.filter.as_ref(), "filter")?.unwrap_or_default();
        let mut counts: Vec<_> = counts(&snapshot, &filter, &body.key.parse()?)?.into_iter().collect();
        counts.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
        counts.truncate(resolve::limit(body.limit)?);
        let hits = counts.iter().map(|(value, count)| json!({ "value": value.to_json(), "count": count }));
        Ok(json!({ "hits": hits.collect::<Vec<_>>() }))
    };
    app.answer("facet", &options, job).await
}

fn check_index(key: &str, schema: &CollectionSchema) -> Answer<()> {
    match schema.fields.get(key).map(|field| &field.kind) {
        Some(
            FieldKind::Keyword | FieldKind::Integer { lookup: true, .. } | FieldKind::Bool | FieldKind::Uuid,
        ) => Ok(()),
        _ => Err(Reject::bad_request(format!(
            "No appropriate index for faceting: `{key}`. Please create one of type keyword, integer (with lookup), \
             bool or uuid to facet on this field."
        ))),
    }
}

fn counts(snapshot: &Snapshot, filter: &Filter, key: &Path) -> Answer<HashMap<FacetValue, u64>> {
    let mut rows = query::matching(snapshot, filter)?;
    rows.sort_unstable();
    let mut counts = HashMap::new();
    for row in rows {
        let payload = snapshot.payload(row)?;
        let mut values = distinct(&payload, key);
        values.drain(..).for_each(|value| *counts.entry(value).or_default() += 1);
    }
    Ok(counts)
}

/// The values at a path, each once; an array stands for its elements.
pub fn distinct(payload: &crate::point::Payload, key: &Path) -> Vec<FacetValue> {
    let values = key.values(payload).into_iter();
    let elements = values.flat_map(|value| match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    });
    let mut found = Vec::new();
    for value in elements.filter_map(FacetValue::of) {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}
