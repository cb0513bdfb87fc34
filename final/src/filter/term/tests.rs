use proptest::prelude::*;
use serde_json::json;

use super::*;

fn place(path: &str) -> Place {
    Place::of(&path.parse().unwrap())
}

fn terms(payload: Value) -> Vec<Vec<u8>> {
    let mut terms = Vec::new();
    entries(payload.as_object().unwrap(), &mut |entry| {
        if let Entry::Term(term) | Entry::Number(term, _) = entry {
            terms.push(term.to_vec());
        }
    });
    terms.sort();
    terms.dedup();
    terms
}

fn has(ranges: &[TermRange], payload: Value) -> bool {
    let within = |term: &Vec<u8>| ranges.iter().any(|range| (&range.from..&range.to).contains(&term));
    terms(payload).iter().any(within)
}

/// The term of a number in full.
fn number(value: impl Into<serde_json::Number>) -> Vec<u8> {
    let mut term = vec![NUMBER];
    push_number(&mut term, &value.into());
    term
}

fn float() -> impl Strategy<Value = f64> {
    let any = any::<f64>().prop_filter("JSON has no others", |value| value.is_finite());
    prop_oneof![any, -3.0..3.0f64, (-2000..2000i32).prop_map(f64::from), Just(-0.0)]
}

proptest! {
    #[test]
    fn terms_sort_as_values_do(a in float(), b in float(), i in any::<i64>(), j in any::<i64>(), s in ".*", t in ".*") {
        prop_assert_eq!(sortable_float(a).cmp(&sortable_float(b)), a.partial_cmp(&b).unwrap());
        prop_assert_eq!(number(i).cmp(&number(j)), i.cmp(&j));
        prop_assert_eq!(number(i).cmp(&number(i.wrapping_add(1))), i.cmp(&i.wrapping_add(1)));
        let [s, t] = [s, t].map(|text| text.chars().take(30).collect::<String>());
        let term = |text: &String| place("a").value(&MatchValue::Text(text.clone())).0.from;
        prop_assert_eq!(term(&s).cmp(&term(&t)), s.cmp(&t));
    }

    #[test]
    fn ranges_hold_the_values_within_them(value in float(), (low, high) in (float(), float()), open in any::<bool>()) {
        let bounds = match open {
            true => Bounds { gt: Some(low), lt: Some(high), ..Bounds::default() },
            false => Bounds::between(low, high),
        };
        let ranges: Vec<_> = place("a").numbers(&bounds).iter().map(Interval::terms).collect();
        for value in [value, low, high] {
            prop_assert_eq!(has(&ranges, json!({"a": value})), bounds.contains(value), "{} in {:?}", value, bounds);
        }
        let elsewhere = has(&ranges, json!({"a": [value], "b": value, "ab": value}));
        prop_assert!(!elsewhere);
    }

    #[test]
    fn ranges_of_dates_hold_the_dates_within_them(micros in prop::collection::vec(-60_000_000_000_000_000i64..200_000_000_000_000_000, 3)) {
        let bounds = Bounds { gte: Some(micros[0]), lt: Some(micros[1]), ..Bounds::default() };
        let ranges: Vec<_> = place("a").dates(&bounds).iter().map(Interval::terms).collect();
        for micros in micros {
            let date = jiff::Timestamp::from_microsecond(micros).unwrap().to_string();
            prop_assert_eq!(has(&ranges, json!({"a": date})), bounds.contains(micros));
        }
    }

    #[test]
    fn no_place_is_the_start_of_anothers_terms(a in prop::collection::vec("[ab\0é]{0,3}", 1..4), b in prop::collection::vec("[ab\0é]{0,3}", 1..4)) {
        let place = |keys: &[String]| Place::of(&Path::from_steps(keys.iter().cloned().map(Step::Key).collect()));
        let range = place(&a).anything();
        let term = place(&b).one().from;
        prop_assert_eq!((&range.from..&range.to).contains(&&term), a == b);
        let [one, two] = [&a, &b].map(|keys| place(keys).dates(&Bounds::default()).unwrap());
        let past = two.terms().to;
        prop_assert!(two.terms().from < past && (one.series == two.series) == (a == b));
        let steps: Vec<_> = a.iter().cloned().map(Some).collect();
        prop_assert_eq!(steps_of(place(&a).as_bytes()), steps);
    }
}

#[test]
fn integers_past_2_to_the_53_stay_apart() {
    let (a, b) = (9_007_199_254_740_993i64, 9_007_199_254_740_992i64);
    let is = |value: i64, payload: Value| has(&[place("a").value(&MatchValue::Int(value)).0], payload);
    assert!(is(a, json!({"a": a})) && is(b, json!({"a": b})));
    assert!(!is(a, json!({"a": b})) && !is(b, json!({"a": a})) && !is(1, json!({"a": 1.0})));
    assert!(!is(i64::MAX, json!({"a": u64::MAX})) && !is(i64::MAX, json!({"a": i64::MAX as f64})));
}

#[test]
fn terms_of_a_payload() {
    let long = "x".repeat(129);
    let payload = json!({
        "a.b": [1, 2.5, {"c": null}, []], "big": i64::MAX, "yes": true, "when": "2020-01-01", "long": long,
        "k".repeat(600): 1
    });
    let shown: Vec<_> = terms(payload).into_iter().map(|term| TermRange::one(term).to_string()).collect();
    insta::assert_snapshot!(shown.join("\n"));
}
