use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    process::ExitCode,
    str::FromStr,
};

use ch04::{
    collection::Collection,
    error::{Error, Result},
    point::{NamedVectors, Payload, Point, PointId},
    schema::{CollectionSchema, VectorSchema},
};
use serde_json::Value;

/// What a line asks for.
enum Command {
    Upsert(Point),
    Get(PointId),
    Delete(PointId),
    Nearest(Vec<f32>),
}

impl FromStr for Command {
    type Err = Error;

    fn from_str(line: &str) -> Result<Self> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "upsert" => Ok(Self::Upsert(point(serde_json::from_str(rest)?)?)),
            "get" => Ok(Self::Get(rest.parse()?)),
            "delete" => Ok(Self::Delete(rest.parse()?)),
            "nearest" => Ok(Self::Nearest(serde_json::from_str(rest)?)),
            _ => Err(Error::bad_request(format!(
                "{verb:?} is none of upsert, get, delete, nearest"
            ))),
        }
    }
}

/// Reads `{"id": 1, "vector": [0.2, 0.8], "payload": {"name": "cat"}}`; the payload may be left out.
fn point(mut json: Payload) -> Result<Point> {
    let id = match json.remove("id") {
        Some(Value::Number(number)) => number.to_string().parse()?,
        Some(Value::String(text)) => text.parse()?,
        _ => return Err(Error::bad_request("a point needs an id")),
    };
    let vector = match json.remove("vector") {
        Some(vector) => serde_json::from_value(vector)?,
        None => return Err(Error::bad_request("a point needs a vector")),
    };
    let payload = match json.remove("payload") {
        Some(payload) => serde_json::from_value(payload)?,
        None => Payload::new(),
    };
    Ok(Point {
        id,
        vectors: NamedVectors::from([(String::new(), vector)]),
        payload,
    })
}

fn main() -> ExitCode {
    let plane = VectorSchema { size: 2 };
    let mut collection = Collection::new(CollectionSchema {
        vectors: BTreeMap::from([(String::new(), plane)]),
    });
    if io::stdin().is_terminal() {
        println!("upsert POINT, get ID, delete ID, nearest VECTOR; Ctrl-D ends");
    }
    for line in io::stdin().lines() {
        let answer = match line {
            Ok(line) => run(&mut collection, &line),
            Err(error) => {
                eprintln!("the input can't be read: {error}");
                return ExitCode::FAILURE;
            }
        };
        match answer {
            Ok(answer) => println!("{answer}"),
            Err(error) => println!("error: {error}"),
        }
    }
    ExitCode::SUCCESS
}

/// Does what a line asks for and says what came of it.
fn run(collection: &mut Collection, line: &str) -> Result<String> {
    match line.parse()? {
        Command::Upsert(point) => {
            let id = point.id;
            let replaced = collection.upsert(point)?;
            let verb = if replaced { "replaced" } else { "added" };
            Ok(format!("{verb} {id}"))
        }
        Command::Get(id) => match collection.get(id) {
            Some(point) => Ok(describe(point)),
            None => Err(Error::not_found(format!("there is no point {id}"))),
        },
        Command::Delete(id) => match collection.delete(id) {
            true => Ok(format!("deleted {id}")),
            false => Err(Error::not_found(format!("there is no point {id}"))),
        },
        Command::Nearest(query) => {
            let hits = collection.nearest("", &query, 3)?;
            let lines = hits
                .iter()
                .map(|hit| format!("{:.3}  {}", hit.distance, describe(hit.point)));
            Ok(lines.collect::<Vec<_>>().join("\n"))
        }
    }
}

fn describe(point: &Point) -> String {
    // A map of strings, numbers, lists and the like can always be printed as JSON.
    let payload = serde_json::to_string(&point.payload).expect("a payload is JSON");
    // Every point of this program has its unnamed vector.
    format!("{} {:?} {payload}", point.id, point.vectors[""])
}
