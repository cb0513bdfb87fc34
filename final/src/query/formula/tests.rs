//! Every operation, every default, every error.

use serde_json::json;

use super::*;
use crate::filter::{Condition, Test};

fn path(text: &str) -> Path {
    text.parse().unwrap()
}

fn constant(number: f64) -> Box<Expr> {
    Box::new(Expr::Constant(number))
}

fn apply(function: Function, x: f64) -> Expr {
    Expr::Apply(function, constant(x))
}

fn div(left: f64, right: f64, by_zero: Option<f64>) -> Expr {
    Expr::Div { left: constant(left), right: constant(right), by_zero }
}

fn pow(base: f64, exponent: f64) -> Expr {
    Expr::Pow { base: constant(base), exponent: constant(exponent) }
}

fn decay(curve: Curve, x: f64) -> Expr {
    Expr::Decay { curve, x: constant(x), target: constant(10.0), scale: 4.0, midpoint: 0.25 }
}

/// The score of point 7, which stands in the first list of two and has some payload.
fn score(expression: Expr, defaults: Value) -> std::result::Result<f32, String> {
    let Value::Object(payload) = json!({
        "n": 3, "one": [4], "two": [1, 2], "none": [], "null": null, "flag": true, "in": [{"x": 5}],
        "when": "1970-01-02", "place": {"lat": 0, "lon": 1},
    }) else {
        unreachable!()
    };
    let mut default_values: BTreeMap<Path, Value> = BTreeMap::new();
    for (key, value) in defaults.as_object().unwrap() {
        default_values.insert(path(key), value.clone());
    }
    let formula = Formula { expression, default_scores: [(0, 9.0), (1, 0.25)].into(), default_values };
    let candidate = Candidate {
        id: PointId::Num(7),
        scores: &vec![Some(0.5), None],
        payload: &|| Ok(&payload),
        has_vector: &|name| name == "v",
        rules: &TextRules::default(),
    };
    formula.score(&candidate).map_err(|error| error.to_string())
}

#[test]
fn operations_compute() {
    let condition = |condition| Expr::Condition(Filter::all([condition]));
    for (expression, expected) in [
        (Expr::Constant(1.5), 1.5),
        (Expr::Score(0), 0.5),
        (Expr::Score(1), 0.25),
        (Expr::Score(2), 0.0),
        (Expr::Value(path("n")), 3.0),
        (Expr::Value(path("one")), 4.0),
        (Expr::Value(path("two[1]")), 2.0),
        (Expr::Value(path("in[].x")), 5.0),
        (Expr::Datetime(path("when")), 86_400.0),
        (condition(Condition::HasId(vec![PointId::Num(7)])), 1.0),
        (condition(Condition::HasVector("w".into())), 0.0),
        (condition(Condition::Field(path("none"), Test::IsEmpty(true))), 1.0),
        (Expr::Sum(vec![]), 0.0),
        (Expr::Sum(vec![Expr::Constant(1.0), Expr::Score(0)]), 1.5),
        (Expr::Mult(vec![]), 1.0),
        (Expr::Mult(vec![Expr::Constant(3.0), Expr::Score(0)]), 1.5),
        (apply(Function::Neg, 2.0), -2.0),
        (apply(Function::Abs, -2.0), 2.0),
        (apply(Function::Sqrt, 9.0), 3.0),
        (apply(Function::Exp, 0.0), 1.0),
        (apply(Function::Log10, 1000.0), 3.0),
        (apply(Function::Ln, 1.0), 0.0),
        (div(1.0, 4.0, None), 0.25),
        (div(1.0, 0.0, Some(8.0)), 8.0),
        (pow(-2.0, 3.0), -8.0),
        (pow(4.0, 0.5), 2.0),
        (decay(Curve::Linear, 10.0), 1.0),
        (decay(Curve::Linear, 14.0), 0.25),
        (decay(Curve::Linear, 99.0), 0.0),
        (decay(Curve::Exponential, 6.0), 0.25),
        (decay(Curve::Exponential, 2.0), 0.0625),
        (decay(Curve::Gauss, 14.0), 0.25),
        (decay(Curve::Gauss, 12.0), 0.25f32.powf(0.25)),
    ] {
        assert_eq!(score(expression.clone(), json!({})), Ok(expected), "{expression:?}");
    }
    let distance = Expr::GeoDistance { origin: GeoPoint { lat: 0.0, lon: 0.0 }, to: path("place") };
    let metres = score(distance, json!({})).unwrap();
    assert!((metres - 111_195.0).abs() < 1.0, "a degree of the equator is not {metres} m");
}

/// 0 times something is 0, and so is 0 divided by it, even where the something has no value.
#[test]
fn zero_ends_a_product_and_a_division() {
    let missing = || Expr::Value(path("missing"));
    assert_eq!(score(Expr::Mult(vec![Expr::Constant(0.0), missing()]), json!({})), Ok(0.0));
    assert!(score(Expr::Mult(vec![missing(), Expr::Constant(0.0)]), json!({})).is_err());
    let division = Expr::Div { left: constant(0.0), right: Box::new(missing()), by_zero: Some(1.0) };
    assert_eq!(score(division, json!({})), Ok(0.0));
}

#[test]
fn defaults_stand_for_what_is_missing() {
    let value = |at: &str, defaults| score(Expr::Value(path(at)), defaults);
    assert_eq!(value("missing", json!({"missing": 2})), Ok(2.0));
    assert_eq!(value("none", json!({"none": [2]})), Ok(2.0), "an empty list is no value");
    assert_eq!(value("n", json!({"n": 2})), Ok(3.0));
    let expected = |at: &str, wanted: &str, reason: &str| {
        format!(
            "Expected {wanted} value for {at} in the payload and/or in the formula defaults. Error: {reason}"
        )
    };
    let nothing = "No value found in the payload nor in the formula defaults";
    assert_eq!(value("in[].y", json!({"in[].y": []})), Err(expected("in[].y", "number", nothing)));
    assert_eq!(value("two", json!({"two": 1})), Err(expected("two", "number", "Value is a list of 2")));
    for no_number in ["flag", "null", "when"] {
        let error = expected(no_number, "number", "Value is not a number");
        assert_eq!(value(no_number, json!({no_number: 1})), Err(error));
    }
    let error = expected("n", "datetime", "Value is not a datetime");
    assert_eq!(score(Expr::Datetime(path("n")), json!({})), Err(error));
    let distance = Expr::GeoDistance { origin: GeoPoint { lat: 0.0, lon: 0.0 }, to: path("n") };
    assert_eq!(score(distance, json!({})), Err(expected("n", "geo point", "Value is not a geo point")));
}

#[test]
fn numbers_stay_finite() {
    for (expression, text) in [
        (div(1.0, 0.0, None), "1.0/0.0"),
        (apply(Function::Sqrt, -1.0), "√-1.0"),
        (apply(Function::Exp, 710.0), "exp(710.0)"),
        (apply(Function::Log10, 0.0), "log10(0.0)"),
        (apply(Function::Ln, -1.0), "ln(-1.0)"),
        (pow(-2.0, 0.5), "-2.0^0.5"),
        (pow(0.0, -1.0), "0.0^-1.0"),
        (Expr::Constant(1e39), "1e39 as f32 = inf"),
        (Expr::Sum(vec![Expr::Constant(1e308), Expr::Constant(1e308)]), "inf as f32 = inf"),
    ] {
        let error = format!("The expression {text} produced a non-finite number");
        assert_eq!(score(expression, json!({})), Err(error));
    }
}
