//! An index never changes an answer: every way to find rows finds those that [`Filter::matches`] accepts.
//! And golden scripts: rows, filters, and how each was answered.

mod script;

use std::borrow::Cow;

use proptest::{collection::vec, prelude::*};

use super::{
    bm25::Bm25Query,
    compile::{Compiled, Rows, matching, run},
    estimate::estimate,
    index::TermIndex,
    lookup::Lookup,
    matcher::Matcher,
    postings::Postings,
    samples,
    terms::Terms,
    *,
};
use crate::{
    bitmap::Bitmap,
    disk::fault::FaultStore,
    point::{Ordinal, Payload},
};

macro_rules! scripts {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let commands = include_str!(concat!("scripts/", stringify!($name), ".txt"));
            insta::assert_snapshot!(stringify!($name), script::transcript(commands));
        }
    )*};
}

scripts!(terms ranges residual negation nested words);

/// Calls back with a segment of these payloads: row n has id n, and the even rows have the vector `even`.
fn with_rows<T>(payloads: &[Payload], check: impl FnOnce(&Rows) -> T) -> T {
    let count = payloads.len() as u32;
    check(&Rows {
        ordinal_of: &|id| match id {
            PointId::Num(number) if *number < count.into() => Some(*number as Ordinal),
            _ => None,
        },
        id_of: &|row| PointId::Num(row.into()),
        with_vector: &|name| {
            Bitmap::from_ordinals(count, (0..count).filter(|row| name == "even" && row % 2 == 0))
        },
        payload_of: &|row| Ok(Cow::Borrowed(&payloads[row as usize])),
    })
}

fn truth(filter: &Filter, rules: &TextRules, payloads: &[Payload]) -> Bitmap {
    let rows = 0..payloads.len() as u32;
    let matching = rows.filter(|row| {
        let has_vector = |name: &str| name == "even" && row % 2 == 0;
        let (id, payload) = (PointId::Num((*row).into()), &payloads[*row as usize]);
        filter.matches(&Document { id, payload, has_vector: &has_vector }, rules)
    });
    Bitmap::from_ordinals(payloads.len() as u32, matching)
}

/// Writes the index of a segment and opens it.
fn seal(payloads: &[Payload], rules: &TextRules) -> TermIndex {
    let (store, path, rows) =
        (FaultStore::default(), std::path::Path::new("text.bin"), payloads.len() as u32);
    index::write(&store, path, rows, &|row| Ok(Cow::Borrowed(&payloads[row as usize])), rules).unwrap();
    TermIndex::open(&store, path, rows).unwrap()
}

/// Checks everything the terms say of a filter against the truth.
fn check(filter: &Filter, rules: &TextRules, payloads: &[Payload], terms: &Terms) {
    let truth = truth(filter, rules, payloads);
    with_rows(payloads, |rows| {
        let lookup = Lookup::of(filter, rules, terms);
        let Compiled { sure, maybe } = run(&lookup, terms, rows).unwrap();
        assert!(sure.and_not(&truth).is_empty(), "{lookup:?} is sure of {sure:?}, the truth is {truth:?}");
        assert!(truth.and_not(&maybe).is_empty(), "{lookup:?} finds {maybe:?}, the truth is {truth:?}");
        assert_eq!(matching(filter, rules, terms, rows).unwrap(), truth);
        let matcher = Matcher::of(filter, rules, terms, rows).unwrap();
        for row in 0..=payloads.len() as u32 {
            let there = row < truth.rows();
            assert_eq!(matcher.contains(row) && there, truth.contains(row), "{matcher:?} and row {row}");
        }
        let third = Bitmap::from_ordinals(truth.rows(), (0..truth.rows()).filter(|row| row % 3 != 1));
        for among in [Bitmap::full(truth.rows()), third] {
            let expected = truth.and(&among);
            assert_eq!(matcher.rows(&among), expected, "{matcher:?}");
            assert_eq!(matcher.list(&among), expected.iter().collect::<Vec<_>>());
            assert_eq!(matcher.count(&among), expected.count());
        }
        let guess = estimate(&lookup, terms, rows).unwrap();
        assert!(
            (guess.min..=guess.max).contains(&truth.count()),
            "{lookup:?}: {guess:?}, and it is {truth:?}"
        );
        assert!((f64::from(guess.min)..=f64::from(guess.max)).contains(&guess.expected), "{guess:?}");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn blocks_find_what_matches(
        payloads in vec(samples::payload(), 1..20),
        filters in vec(samples::filter(), 8),
        (rules, other_rules) in (samples::rules(), samples::rules()),
        cuts in (0..20usize, 0..20usize),
    ) {
        let (first, second) = (cuts.0.min(payloads.len()), cuts.1.min(payloads.len()));
        let (first, second) = (first.min(second), first.max(second));
        let build = |payloads: &[Payload], rules| Postings::build(payloads, rules);
        let whole = build(&payloads, &rules);
        let parts = [
            build(&payloads[..first], &rules), build(&payloads[first..second], &rules), build(&payloads[second..], &rules)
        ];
        let merged = Postings::merge(&parts.each_ref());
        prop_assert_eq!(&merged, &whole);
        let older = build(&payloads[..second], &other_rules);
        let mixed = Postings::merge(&[&older, &parts[2]]);
        for filter in &filters {
            check(filter, &rules, &payloads, &Terms::of_blocks([&whole]));
            check(filter, &rules, &payloads, &Terms::of_blocks(&parts));
            check(filter, &rules, &payloads, &Terms::of_blocks([&mixed]));
            check(filter, &rules, &payloads, &Terms::of_blocks([&older, &parts[2]]));
        }
    }

    #[test]
    fn a_sealed_index_finds_what_matches(
        payloads in vec(samples::payload(), 0..20),
        filters in vec(samples::filter(), 12),
        (rules, other_rules) in (samples::rules(), samples::rules()),
    ) {
        let (sealed, older) = (seal(&payloads, &rules), seal(&payloads, &other_rules));
        for filter in &filters {
            check(filter, &rules, &payloads, &Terms::Index(&sealed));
            check(filter, &rules, &payloads, &Terms::Index(&older));
        }
    }

    #[test]
    fn a_score_is_the_same_in_memory_and_sealed(
        payloads in vec(samples::payload(), 0..20),
        rules in samples::rules(),
        (cut, k) in (0..20usize, 0..9usize),
        (query, fields) in ("(red|fox|über|fo|2020| )*", vec(samples::path(), 0..3)),
    ) {
        let query = Bm25Query { query, fields };
        let (first, second) = payloads.split_at(cut.min(payloads.len()));
        let whole = Postings::build(&payloads, &rules);
        let (blocks, sealed) = ([first, second].map(|part| Postings::build(part, &rules)), seal(&payloads, &rules));
        let whole = Terms::of_blocks([&whole]);
        let expected_statistics = bm25::statistics(&whole, &query).unwrap();
        let expected = bm25::top(&whole, &query, &expected_statistics, None, k).unwrap();
        for terms in [Terms::of_blocks(&blocks), Terms::Index(&sealed)] {
            let statistics = bm25::statistics(&terms, &query).unwrap();
            prop_assert_eq!(&statistics, &expected_statistics);
            prop_assert_eq!(&bm25::top(&terms, &query, &statistics, None, k).unwrap(), &expected);
        }
        let mut statistics = bm25::statistics(&Terms::of_blocks([&blocks[0]]), &query).unwrap();
        statistics.merge(&bm25::statistics(&Terms::of_blocks([&blocks[1]]), &query).unwrap());
        prop_assert_eq!(statistics, expected_statistics);
    }
}

#[test]
fn what_words_do_not_tell_is_looked_up_in_payloads() {
    let payloads =
        [r#"{"t": "red fox"}"#, r#"{"t": ["red", "fox"]}"#, r#"{"t": [["red fox"]]}"#, r#"{"t": "fox red"}"#];
    let payloads = payloads.map(|json| serde_json::from_str::<Payload>(json).unwrap());
    let rules = TextRules::new(["t", "t[]"].map(|path| (path.parse().unwrap(), TextOptions::default())));
    let postings = Postings::build(&payloads, &rules);
    for (path, test, expected) in [
        ("t", Test::Text("fox red".into()), vec![0, 1, 3]),
        ("t", Test::Phrase("red fox".into()), vec![0]),
        ("t[]", Test::Text("fox red".into()), vec![1, 2]),
        ("t[]", Test::TextAny("fox".into()), vec![1, 2]),
    ] {
        let filter = Filter::all([Condition::Field(path.parse().unwrap(), test)]);
        check(&filter, &rules, &payloads, &Terms::of_blocks([&postings]));
        check(&filter, &rules, &payloads, &Terms::Index(&seal(&payloads, &rules)));
        assert_eq!(truth(&filter, &rules, &payloads).iter().collect::<Vec<_>>(), expected, "{filter:?}");
    }
}
