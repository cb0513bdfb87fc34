//! The best hits of a query, sorted into groups by a payload value.
//!
//! How many hits are needed to fill the groups is not known beforehand. The query is run again for more of them, a few
//! times, until the groups are full or there are no more hits.

use std::sync::atomic::AtomicBool;

use axum::{extract::State, response::Response};
use serde::Serialize;
use serde_json::Value;

use super::{
    App, Inner,
    facet::{FacetValue, distinct},
    reject::{Answer, Reject},
    request::{At, Body, Options},
    resolve::{self, Resolver},
    search::{record, scored},
    wire::{
        point::Record,
        query::QueryRequest,
        read::{GroupsBody, WithLookup},
        select::{Selection, WithPayload, WithVector},
    },
};
use crate::{
    filter::Path,
    point::PointId,
    query::{self, Hit},
    segment::Snapshot,
};

/// How often a query is run again for more hits, four times as many each time.
const ROUNDS: u32 = 5;

#[derive(Debug, Serialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct Group {
    id: Value,
    hits: Vec<Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lookup: Option<Record>,
}

/// How hits are grouped.
struct Grouping {
    by: Path,
    size: usize,
    count: usize,
}

/// `POST /collections/{collection}/points/query/groups`
pub async fn query(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let job = move |app: &Inner, cancel: &AtomicBool| {
        let (request, groups) = GroupsBody::read(&body.0)?;
        run(app, &name, request, groups, cancel)
    };
    app.answer("query groups", &options, job).await
}

fn run(
    app: &Inner,
    name: &str,
    mut request: QueryRequest,
    body: GroupsBody,
    cancel: &AtomicBool,
) -> Answer<Groups> {
    if request.offset.is_some_and(|offset| offset > 0) {
        return Err(Reject::bad_request("Groups can't be skipped with `offset`."));
    }
    let snapshot = app.database.get(name)?.snapshot();
    let with_payload = request.with_payload.take().unwrap_or(WithPayload::None);
    let with_vector = request.with_vector.take().unwrap_or(WithVector::None);
    let selection = Selection::new(with_payload, with_vector, snapshot.schema())?;
    let size = body.group_size.unwrap_or(3);
    if size == 0 {
        return Err(Reject::validation("group_size", "value 0 invalid, must be 1 or larger"));
    }
    let by = body.group_by.parse()?;
    let grouping = Grouping { by, size, count: resolve::limit(request.limit)? };
    let mut query =
        Resolver { database: &app.database, collection: name, snapshot: &snapshot }.query(request)?;
    query.limit = grouping.count.saturating_mul(size).saturating_mul(2);
    let mut groups = Vec::new();
    for _ in 0..ROUNDS {
        let hits = query::run(&snapshot, &query, cancel)?.hits;
        groups = grouping.sort(&snapshot, &hits)?;
        if hits.len() < query.limit || grouping.full(&groups) {
            break;
        }
        query.limit = query.limit.saturating_mul(4);
    }
    let lookup = body.with_lookup.map(|lookup| Lookup::new(app, lookup)).transpose()?;
    let print = |(value, hits): (FacetValue, Vec<Hit>)| {
        let lookup = lookup.as_ref().map(|lookup| lookup.find(&value)).transpose()?.flatten();
        Ok(Group { id: value.to_json(), hits: scored(&snapshot, &hits, &selection)?, lookup })
    };
    Ok(Groups { groups: groups.into_iter().map(print).collect::<Answer<_>>()? })
}

impl Grouping {
    /// The first groups that the hits come to, in order of their best hit.
    fn sort(&self, snapshot: &Snapshot, hits: &[Hit]) -> Answer<Vec<(FacetValue, Vec<Hit>)>> {
        let mut groups: Vec<(FacetValue, Vec<Hit>)> = Vec::new();
        for hit in hits {
            let values = distinct(&snapshot.payload(hit.address)?, &self.by);
            for value in values.into_iter().filter(|value| !matches!(value, FacetValue::Bool(_))) {
                let (count, known) = (groups.len(), groups.iter_mut().find(|(known, _)| *known == value));
                match known {
                    Some((_, held)) if held.len() < self.size => held.push(*hit),
                    None if count < self.count => groups.push((value, vec![*hit])),
                    _ => {}
                }
            }
        }
        Ok(groups)
    }

    fn full(&self, groups: &[(FacetValue, Vec<Hit>)]) -> bool {
        groups.len() == self.count && groups.iter().all(|(_, hits)| hits.len() == self.size)
    }
}

/// Another collection whose ids are the groups' values.
struct Lookup {
    snapshot: std::sync::Arc<Snapshot>,
    selection: Selection,
}

impl Lookup {
    fn new(app: &Inner, lookup: WithLookup) -> Answer<Self> {
        let (name, with_payload, with_vector) = match lookup {
            WithLookup::Name(name) => (name, None, None),
            WithLookup::Selected { collection, with_payload, with_vectors } => {
                (collection, with_payload, with_vectors)
            }
        };
        let snapshot = app.database.get(&name)?.snapshot();
        let with_payload = with_payload.unwrap_or(WithPayload::All);
        let selection =
            Selection::new(with_payload, with_vector.unwrap_or(WithVector::None), snapshot.schema())?;
        Ok(Self { snapshot, selection })
    }

    fn find(&self, value: &FacetValue) -> Answer<Option<Record>> {
        let id = match value {
            FacetValue::Int(number) => u64::try_from(*number).ok().map(PointId::Num),
            FacetValue::Text(text) => text.parse().ok(),
            FacetValue::Bool(_) => None,
        };
        let address = id.and_then(|id| self.snapshot.locate(id));
        address.map(|address| record(&self.snapshot, address, &self.selection)).transpose()
    }
}
