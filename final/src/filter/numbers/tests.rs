use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use super::*;
use crate::{
    disk::{fault::FaultStore, format::Kind},
    filter::{Bounds, Path, term},
};

/// A number that JSON can hold, near where `f64` and integers part ways more often than elsewhere.
fn number() -> impl Strategy<Value = Value> {
    let near = |middle: i64| (-3..4i64).prop_map(move |offset| json!(middle.saturating_add(offset)));
    prop_oneof![
        near(0),
        near(1 << 53),
        near(-(1 << 53)),
        near(i64::MAX),
        near(i64::MIN),
        (0..3u64).prop_map(|offset| json!(u64::MAX - offset)),
        (0..3u64).prop_map(|offset| json!((1u64 << 63) + offset)),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no others", |value| value.is_finite()).prop_map(Value::from),
        (-3.0..3.0f64).prop_map(Value::from),
        Just(json!(-0.0)),
        Just(json!(9_007_199_254_740_993.0)),
    ]
}

/// The numbers of the rows at `n`, through a file and back.
fn numbers(rows: &[Vec<Value>]) -> Numbers {
    let mut builder = Builder::default();
    for (row, values) in (0..).zip(rows) {
        // As elements of an array they'd be another place's.
        for value in values {
            let payload = json!({"n": value, "s": "no number"}).as_object().unwrap().clone();
            term::entries(&payload, &mut |entry| {
                if let term::Entry::Number(term, series) = entry {
                    let (series, key) = term::key_after(term, series).unwrap();
                    builder.add(series, key, row);
                }
            });
        }
    }
    let (store, path) = (FaultStore::default(), std::path::Path::new("numbers"));
    let built = builder.finish(rows.len() as u32);
    let mut file = FileWriter::create(&store, path, Kind::Text, 1).unwrap();
    built.write(&mut file, 7).unwrap();
    file.finish().unwrap();
    let file = File::open(&store, path, Kind::Text, 1).unwrap();
    Numbers::open(&file, 7, built.list(), rows.len() as u32).unwrap()
}

fn interval(bounds: &Bounds<f64>) -> Option<Interval> {
    term::Place::of(&Path::key("n")).numbers(bounds)
}

proptest! {
    #[test]
    fn a_span_has_the_rows_within_the_bounds(
        rows in vec(prop_oneof![8 => vec(number(), 0..2), 1 => vec(number(), 0..4)], 0..60),
        limits in (number(), number()),
        open in any::<(bool, bool)>(),
    ) {
        let numbers = numbers(&rows);
        let (low, high) = (limits.0.as_f64().unwrap(), limits.1.as_f64().unwrap());
        let mut bounds = Bounds::default();
        if open.0 { bounds.gt = Some(low) } else { bounds.gte = Some(low) }
        if open.1 { bounds.lt = Some(high) } else { bounds.lte = Some(high) }
        let holds = |value: &Value| bounds.contains(value.as_f64().unwrap());
        let truth: Vec<bool> = rows.iter().map(|values| values.iter().any(holds)).collect();
        let Some(interval) = interval(&bounds) else {
            prop_assert!(!truth.contains(&true));
            return Ok(());
        };
        let span = numbers.find(&interval);
        let mut found = vec![false; rows.len()];
        span.rows().iter().for_each(|row| found[*row as usize] = true);
        prop_assert_eq!(&found, &truth);
        let (counts, count) = (span.count(), truth.iter().filter(|holds| **holds).count() as u64);
        prop_assert!(counts.least <= count && count <= counts.most);
        if span.is_ranked() {
            let contained: Vec<bool> = (0..rows.len() as u32).map(|row| span.contains(row)).collect();
            prop_assert_eq!(&contained, &truth);
            prop_assert_eq!(counts, Counts { least: count, most: count });
            prop_assert!(!span.contains(rows.len() as u32) && !span.contains(NONE));
        }
    }
}

#[test]
fn ranks_are_kept_where_each_row_has_one_value_and_enough_rows_have() {
    let all = interval(&Bounds::default()).unwrap();
    let one = |count: i64| {
        (0..80).map(|row| if row < count { vec![json!(row)] } else { vec![] }).collect::<Vec<_>>()
    };
    assert!(numbers(&one(10)).find(&all).is_ranked());
    assert!(!numbers(&one(9)).find(&all).is_ranked());
    let mut twice = one(80);
    twice[3].push(json!(7.5));
    let numbers = numbers(&twice);
    let span = numbers.find(&all);
    assert!(!span.is_ranked() && !span.contains(3) && span.rows().len() == 81);
    assert_eq!(span.count(), Counts { least: 1, most: 81 });
}

#[test]
fn sections_that_do_not_fit_the_list_are_an_error() {
    let entry = |values, ranked| Entry { series: vec![values as u8], values, ranked, many: false };
    let open = |keys: &[u64], rows: &[u32], ranks: &[u32], list: &[Entry]| {
        let (store, path) = (FaultStore::default(), std::path::Path::new("numbers"));
        let written = Numbers {
            keys: Slice::from_vec(keys.to_vec()),
            rows: Slice::from_vec(rows.to_vec()),
            ranks: Slice::from_vec(ranks.to_vec()),
            series: BTreeMap::new(),
        };
        let mut file = FileWriter::create(&store, path, Kind::Text, 1).unwrap();
        written.write(&mut file, 0).unwrap();
        file.finish().unwrap();
        let file = File::open(&store, path, Kind::Text, 1).unwrap();
        Numbers::open(&file, 0, list.to_vec(), 3).map_err(|error| error.to_string())
    };
    assert!(open(&[5, 6], &[2, 0], &[1, NONE, 0], &[entry(2, true)]).is_ok());
    for (keys, rows, ranks, list, what) in [
        (&[5, 6][..], &[2, 3][..], &[][..], vec![entry(2, false)], "a row that does not exist"),
        (&[6, 5], &[2, 0], &[], vec![entry(2, false)], "values are not in order"),
        (&[5, 6], &[2, 0], &[], vec![entry(1, false), entry(usize::MAX, false)], "more values than the file"),
        (&[5, 6], &[2, 0], &[], vec![entry(2, true)], "more ranks than the file"),
        (&[5, 6], &[2], &[], vec![entry(2, false)], "fewer values than the file"),
        (&[5, 6], &[2, 0], &[], vec![entry(1, false)], "fewer values than the file"),
        (&[5, 6], &[2, 0], &[0; 3], vec![entry(2, false)], "fewer values than the file"),
    ] {
        let error = open(keys, rows, ranks, &list).unwrap_err();
        assert!(error.contains(what), "{error} is not {what}");
    }
}
