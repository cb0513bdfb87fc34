//! Any JSON as a filter: it is refused with a reason, or every way to answer it agrees with looking at each document.

use std::{borrow::Cow, path::Path, sync::OnceLock};

use kith::{
    bitmap::Bitmap,
    disk::fault::FaultStore,
    filter::{
        Document, Filter, TextRules,
        compile::{Compiled, Rows, matching, run as run_lookup},
        estimate::estimate,
        index::{self, TermIndex},
        lookup::Lookup,
        postings::Postings,
        terms::Terms,
    },
    point::{Ordinal, Payload, PointId},
    server::wire,
};
use serde_json::Value;

use super::sample;

/// More documents than this are left out.
const MOST_ROWS: usize = 16;

/// The samples with both kinds of index. Nobody but this thread uses tantivy's reader, and it is slow to make.
struct Samples {
    payloads: Vec<Payload>,
    postings: Postings,
    index: TermIndex,
}

/// `{"filter": …}`, and `"payloads": […]` to look in others than the samples.
pub fn run(input: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(input) else { return };
    let Ok(Some(filter)) = wire::filter::filter(body.get("filter"), "filter") else { return };
    let rules = TextRules::of(&sample::schema());
    static SAMPLES: OnceLock<Samples> = OnceLock::new();
    match body.get("payloads").and_then(Value::as_array) {
        Some(values) => {
            let objects = values.iter().filter_map(Value::as_object).take(MOST_ROWS);
            let payloads: Vec<Payload> = objects.cloned().collect();
            let postings = Postings::build(&payloads, &rules);
            compare(&filter, &rules, &payloads, &[Terms::of_blocks([&postings])]);
        }
        None => {
            let samples = SAMPLES.get_or_init(|| prepare(&rules));
            let terms = [Terms::of_blocks([&samples.postings]), Terms::Index(&samples.index)];
            compare(&filter, &rules, &samples.payloads, &terms);
        }
    }
}

fn prepare(rules: &TextRules) -> Samples {
    let payloads = sample::payloads();
    let (store, path, rows) = (FaultStore::default(), Path::new("text.bin"), payloads.len() as u32);
    index::write(&store, path, rows, &|row| Ok(Cow::Borrowed(&payloads[row as usize])), rules)
        .expect("memory has room");
    let index = TermIndex::open(&store, path, rows).expect("it was just written");
    Samples { postings: Postings::build(&payloads, rules), index, payloads }
}

/// Row n has id n, and the even rows have the vector `v`.
fn has_vector(name: &str, row: Ordinal) -> bool {
    name == "v" && row.is_multiple_of(2)
}

fn compare(filter: &Filter, rules: &TextRules, payloads: &[Payload], terms: &[Terms]) {
    let count = payloads.len() as u32;
    let accepted = (0..count).filter(|&row| {
        let has_vector = |name: &str| has_vector(name, row);
        let (id, payload) = (PointId::Num(row.into()), &payloads[row as usize]);
        filter.matches(&Document { id, payload, has_vector: &has_vector }, rules)
    });
    let truth = Bitmap::from_ordinals(count, accepted);
    let rows = Rows {
        ordinal_of: &|id| match id {
            PointId::Num(number) if *number < count.into() => Some(*number as Ordinal),
            _ => None,
        },
        id_of: &|row| PointId::Num(row.into()),
        with_vector: &|name| Bitmap::from_ordinals(count, (0..count).filter(|&row| has_vector(name, row))),
        payload_of: &|row| Ok(Cow::Borrowed(&payloads[row as usize])),
    };
    for terms in terms {
        let lookup = Lookup::of(filter, rules, terms);
        let Compiled { sure, maybe } =
            run_lookup(&lookup, terms, &rows).expect("an index in memory can be read");
        assert!(sure.and_not(&truth).is_empty(), "{lookup} is sure of {sure:?}, the truth is {truth:?}");
        assert!(truth.and_not(&maybe).is_empty(), "{lookup} finds {maybe:?}, the truth is {truth:?}");
        let found = matching(filter, rules, terms, &rows).expect("an index in memory can be read");
        assert_eq!(found, truth, "{lookup}");
        let guess = estimate(&lookup, terms, &rows).expect("an index in memory can be read");
        assert!((guess.min..=guess.max).contains(&truth.count()), "{lookup}: {guess:?}, and it is {truth:?}");
    }
}
