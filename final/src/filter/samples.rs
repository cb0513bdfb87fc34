//! Random payloads and filters for tests: few keys and few values, so that filters meet what they look for.

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::select,
};
use serde_json::{Value, json};

use super::{
    Bounds, Condition, Filter, GeoBox, GeoPoint, MatchValue, MinShould, Path, Test, TextOptions, TextRules,
    Tokenizer,
};
use crate::point::{Payload, PointId};

const WORDS: [&str; 6] = ["red", "Red fox", "fox, red fox", "über", "fo", ""];
const DATES: [&str; 4] = ["2020-01-01", "2020-01-01T12:00:00Z", "1999-12-31T23:59:59.5+01:00", "2020-02-30"];
const NUMBERS: [f64; 8] = [0.0, -0.0, 1.0, 1.5, -2.5, 1e300, 9_007_199_254_740_993.0, f64::MIN_POSITIVE];
const INTS: [i64; 8] = [0, 1, 2, -3, i64::MAX, i64::MIN, 9_007_199_254_740_993, 9_007_199_254_740_992];

fn long(word: &str) -> String {
    format!("{word} ").repeat(60)
}

fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&WORDS[..]).prop_map(str::to_owned),
        2 => select(&DATES[..]).prop_map(str::to_owned),
        1 => select(&WORDS[..]).prop_map(long),
    ]
}

fn key() -> impl Strategy<Value = String> {
    let long = "k".repeat(600);
    prop_oneof![9 => select(&["a", "b", "lat"][..]).prop_map(str::to_owned), 1 => select(vec!["\0".to_owned(), long])]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => select(&INTS[..]).prop_map(Value::from),
        1 => Just(json!(u64::MAX)),
        2 => select(&NUMBERS[..]).prop_map(Value::from),
        3 => string().prop_map(Value::from),
        1 => (-2..3i32, -2..3i32).prop_map(|(lat, lon)| json!({"lat": lat, "lon": lon})),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let deep = scalar().prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(key(), inner, 0..3).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    let objects = vec(btree_map(select(&["a", "b"][..]).prop_map(str::to_owned), scalar(), 0..3), 0..4);
    prop_oneof![
        3 => scalar(),
        3 => vec(scalar(), 0..4).prop_map(Value::from),
        2 => objects.prop_map(|objects| json!(objects)),
        2 => deep,
    ]
}

pub(super) fn payload() -> impl Strategy<Value = Payload> {
    btree_map(key(), value(), 0..4).prop_map(|map| map.into_iter().collect())
}

pub(super) fn path() -> impl Strategy<Value = Path> {
    let paths = ["a", "a", "a", "b", "b[]", "a[]", "a.b", "a[].b", "a[].a[].b", "b[0]", "a[1].b", "a[][]"];
    let paths = paths.map(|path| path.parse().unwrap());
    let odd = [Path::key("\0"), Path::key("k".repeat(600))];
    prop_oneof![9 => select(paths.to_vec()), 1 => select(odd.to_vec())]
}

fn match_value() -> impl Strategy<Value = MatchValue> {
    prop_oneof![
        any::<bool>().prop_map(MatchValue::Bool),
        select(&INTS[..]).prop_map(MatchValue::Int),
        string().prop_map(MatchValue::Text),
    ]
}

fn bounds<T: Copy + std::fmt::Debug>(limits: impl Strategy<Value = T>) -> impl Strategy<Value = Bounds<T>> {
    let (limits, kinds) = (vec(limits, 4), vec(proptest::bool::weighted(0.4), 4));
    (limits, kinds).prop_map(|(limits, kinds)| {
        let limit = |at: usize| kinds[at].then_some(limits[at]);
        Bounds { gt: limit(0), gte: limit(1), lt: limit(2), lte: limit(3) }
    })
}

fn test() -> impl Strategy<Value = Test> {
    let list = || vec(match_value(), 0..3);
    let text = || {
        select(&["red", "fox red", "red fox", "Red", "ü", "fo", "", "!", "none"][..]).prop_map(str::to_owned)
    };
    let number =
        prop_oneof![5 => select(&NUMBERS[..]), 1 => select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY])];
    let micros = prop_oneof![Just(946_681_199_500_000), Just(1_577_836_800_000_000), any::<i64>()];
    let corner = |lat, lon| GeoPoint { lat: f64::from(lat), lon: f64::from(lon) };
    prop_oneof![
        3 => match_value().prop_map(Test::Match),
        1 => list().prop_map(Test::Any),
        2 => list().prop_map(Test::Except),
        2 => text().prop_map(Test::Text),
        2 => text().prop_map(Test::TextAny),
        2 => text().prop_map(Test::Phrase),
        3 => bounds(number).prop_map(Test::Range),
        2 => bounds(micros).prop_map(Test::DatetimeRange),
        2 => bounds(prop_oneof![0..4u64, Just(u64::MAX)]).prop_map(Test::ValuesCount),
        1 => (0..3i32, -3..0i32).prop_map(move |(high, low)| {
            Test::GeoBox(GeoBox { top_left: corner(high, low), bottom_right: corner(low, high) })
        }),
        1 => any::<bool>().prop_map(Test::IsEmpty),
        1 => any::<bool>().prop_map(Test::IsNull),
    ]
}

fn clauses(condition: BoxedStrategy<Condition>) -> impl Strategy<Value = Filter> {
    let list = |most| vec(condition.clone(), 0..most);
    let min_should = proptest::option::weighted(0.2, (list(4), 0..4usize));
    (list(3), list(3), list(2), min_should).prop_map(|(must, should, must_not, min_should)| {
        let min_should = min_should.map(|(conditions, min_count)| MinShould { conditions, min_count });
        Filter { must, should, must_not, min_should }
    })
}

pub(super) fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        12 => (path(), test()).prop_map(|(path, test)| Condition::Field(path, test)),
        1 => vec((0..20u64).prop_map(PointId::Num), 0..9).prop_map(Condition::HasId),
        1 => select(&["even", "none"][..]).prop_map(|name| Condition::HasVector(name.to_owned())),
    ];
    let condition = leaf.prop_recursive(3, 12, 3, |inner| {
        let inside = clauses(inner).prop_map(Box::new).boxed();
        prop_oneof![
            (path(), inside.clone()).prop_map(|(path, filter)| Condition::Nested(path, filter)),
            inside.prop_map(Condition::Filter),
        ]
    });
    let condition = condition.boxed();
    // One condition alone is not drowned by others.
    let one = condition.clone().prop_map(|condition| Filter::all([condition]));
    let none =
        condition.clone().prop_map(|condition| Filter { must_not: vec![condition], ..Filter::default() });
    prop_oneof![4 => one, 1 => none, 3 => clauses(condition)]
}

pub(super) fn rules() -> impl Strategy<Value = TextRules> {
    let tokenizer = select(vec![Tokenizer::Word, Tokenizer::Whitespace, Tokenizer::Prefix]);
    let options = (tokenizer, any::<bool>(), proptest::option::of(0..3usize)).prop_map(
        |(tokenizer, lowercase, min)| TextOptions {
            tokenizer,
            lowercase,
            min_token_len: min,
            max_token_len: None,
        },
    );
    vec((path(), options), 0..6).prop_map(TextRules::new)
}
