//! The interpreter of golden scripts. `choose` asks the planner alone; the rest is a collection that is searched.
//! Queries and filters are written as clients write them.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use serde_json::{Value, json};

use crate::{
    collection::{Collection, Options, Selector, Write},
    disk::fault::FaultStore,
    filter::Filter,
    point::{Point, PointId, Vector},
    query::{
        CodeParams, Kind, Query, SearchParams,
        plan::{Plan, Situation, plan},
        run,
    },
    schema::{CollectionSchema, VectorSchema},
    segment::{Costs, Walkable},
    server::wire::{
        self,
        formula::{self, FormulaInput},
    },
    vector::Metric,
};

/// Runs the commands; gives them with what each printed.
pub(super) fn transcript(commands: &str) -> String {
    let (mut collection, mut transcript) = (None, String::new());
    for line in commands.lines() {
        let _ = writeln!(transcript, "{line}");
        if !line.is_empty() && !line.starts_with('#') {
            command(line, &mut collection).lines().for_each(|line| {
                let _ = writeln!(transcript, "    {line}");
            });
        }
    }
    transcript
}

fn command(line: &str, collection: &mut Option<Collection>) -> String {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    if verb == "choose" {
        return chosen(plan(situation(rest)));
    }
    let collection = collection.get_or_insert_with(create);
    match verb {
        "upsert" => write(collection, upsert(rest)),
        "delete" => write(collection, Write::Delete(Selector::Ids(ids(rest).map(PointId::Num).collect()))),
        "flush" => collection.flush().map(|_| String::new()).unwrap(),
        "query" => explained(collection, &serde_json::from_str(rest).expect("JSON")),
        _ => panic!("no such command: {verb}"),
    }
}

/// `rows 100000 matching 5000 ef 128 exact ungraphed coded`.
fn situation(text: &str) -> Situation {
    let words: Vec<&str> = text.split(' ').collect();
    let number = |name: &str| -> Option<u32> {
        let at = words.iter().position(|word| *word == name)?;
        words[at + 1].parse().ok()
    };
    Situation {
        rows: number("rows").expect("rows"),
        matching: number("matching"),
        graph: match () {
            _ if words.contains(&"ungraphed") => Walkable::Nothing,
            _ if words.contains(&"by_codes") => Walkable::ByCodes,
            _ if words.contains(&"coded") => Walkable::ByNeighbours,
            _ => Walkable::ByRows,
        },
        codes: words.contains(&"coded"),
        exact: words.contains(&"exact"),
        k: 10,
        ef: number("ef").map_or(128, |ef| ef as usize),
        costs: Costs::guess(384),
    }
}

fn chosen(plan: Plan) -> String {
    let Plan { strategy, cost, alternative } = plan;
    let other = match alternative {
        Some((other, cost)) => format!("instead of {other}, {cost:.0}"),
        None => "nothing else is considered".to_string(),
    };
    format!("{strategy}, {cost:.0}; {other}")
}

/// Points in a plane, with a graph from 500 rows on.
fn create() -> Collection {
    let plane =
        VectorSchema { size: 2, distance: Metric::Euclid, hnsw: None, quantization: Default::default() };
    let schema = CollectionSchema {
        vectors: [(String::new(), plane)].into(),
        hnsw: Default::default(),
        indexing_threshold: Some(500),
        fields: Default::default(),
        requested: Default::default(),
    };
    let options = Options { writer: "script".into(), flush_idle: None, ..Options::default() };
    Collection::create(Arc::new(FaultStore::default()), Path::new("data/plane"), schema, &options).unwrap()
}

fn ids(range: &str) -> impl Iterator<Item = u64> + use<> {
    let (first, last) = range.split_once("..").expect("first..last");
    first.parse().unwrap()..=last.parse::<u64>().unwrap()
}

/// Point n is at (n mod 100, n / 100), where `n`, its `third` and its `text` tell of it.
fn upsert(range: &str) -> Write {
    let point = |id: u64| {
        let text = if id.is_multiple_of(10) { "a round number" } else { "a number" };
        let Value::Object(payload) = json!({"n": id, "third": id % 3, "text": text}) else { unreachable!() };
        let place = Vector::Dense(vec![(id % 100) as f32, (id / 100) as f32]);
        Point { id: PointId::Num(id), vectors: [(String::new(), place)].into(), payload }
    };
    Write::Upsert { points: ids(range).map(point).collect(), mode: Default::default(), only_if: None }
}

fn write(collection: &Collection, write: Write) -> String {
    collection.write_and_wait(write).map(|_| String::new()).unwrap()
}

/// The query's EXPLAIN and the ids it found. What a walk counts depends on which thread linked what first, so of its
/// counts it is only said that they are smaller than a scan's.
fn explained(collection: &Collection, json: &Value) -> String {
    let snapshot = collection.snapshot();
    let mut answer = run(&snapshot, &query(json), &AtomicBool::new(false)).unwrap();
    mask(&mut answer.explain);
    let found: Vec<String> = answer.hits.iter().map(|hit| snapshot.id(hit.address).to_string()).collect();
    format!("{}found {}", answer.explain.to_text(), found.join(" "))
}

fn mask(explain: &mut crate::query::Explain) {
    let fact = |name| explain.facts.iter().find(|fact| fact.0 == name).map(|fact| fact.1.as_u64());
    if let (Some(distances), Some(rows), Some(_)) = (fact("distances"), fact("rows"), fact("hops")) {
        let said = if distances < rows { "fewer than rows" } else { "as many as rows" };
        explain.facts.retain(|(name, _)| !["distances", "hops"].contains(name));
        explain.fact("distances", said);
    }
    explain.inputs.iter_mut().for_each(mask);
}

/// A query of a small language: `nearest`, `words`, or `prefetch` to fuse others or to score them by a `formula`;
/// `filter` and `formula` are as clients write them.
fn query(json: &Value) -> Query {
    let filter: Option<Filter> = wire::filter::filter(json.get("filter"), "filter")
        .unwrap_or_else(|reject| panic!("{}", reject.message));
    let numbers =
        |list: &Value| list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
    let kind = if let Some(vector) = json.get("nearest") {
        Some(Kind::Nearest { using: String::new(), vector: numbers(vector), except: vec![], mmr: None })
    } else if let Some(words) = json.get("words") {
        let query = words.as_str().unwrap().to_string();
        Some(Kind::Bm25(crate::filter::bm25::Bm25Query { query, fields: vec![] }))
    } else if let Some(formula) = json.get("formula") {
        let input = FormulaInput { formula: formula.clone(), defaults: json.get("defaults").cloned() };
        Some(Kind::Formula(formula::formula(&input).unwrap_or_else(|reject| panic!("{}", reject.message))))
    } else {
        json.get("prefetch").map(|_| Kind::Rrf { k: 2, weights: vec![] })
    };
    let prefetch = json.get("prefetch").and_then(Value::as_array);
    Query {
        kind,
        filter,
        prefetch: prefetch.into_iter().flatten().map(query).collect(),
        params: SearchParams {
            exact: json["exact"] == true,
            hnsw_ef: json["ef"].as_u64().map(|ef| ef as usize),
            indexed_only: false,
            codes: CodeParams::default(),
        },
        limit: 3,
        ..Query::default()
    }
}
