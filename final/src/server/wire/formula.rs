//! How does a formula look in JSON?
//!
//! A number is itself, a string is a variable (`$score`, `$score[1]`, or a payload path), an object is an operation
//! or a condition. As in a filter, a slip would change the answer unnoticed, so it is read as strictly.

use serde_json::Value;

use super::{
    filter::{self, CONDITIONS},
    place::{Place, kind, list, members, number, present, required, string},
};
use crate::{
    filter::{Filter, Path},
    query::formula::{Curve, Expr, Formula, Function},
    server::reject::{Answer, Reject},
};

/// How many objects and lists may lie in each other.
const DEEPEST: usize = 96;

/// Every key that says of an object that it is an operation.
const OPERATIONS: [&str; 16] = [
    "geo_distance",
    "datetime",
    "datetime_key",
    "mult",
    "sum",
    "neg",
    "abs",
    "div",
    "sqrt",
    "pow",
    "exp",
    "log10",
    "ln",
    "lin_decay",
    "exp_decay",
    "gauss_decay",
];

/// `formula`, with the `defaults` beside it, still as JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct FormulaInput {
    /// The expression.
    pub formula: Value,
    /// What stands for variables that have no value.
    pub defaults: Option<Value>,
}

/// What a string in a formula stands for.
enum Variable {
    Score(usize),
    Value(Path),
}

/// Reads the formula that stands at `query` of a body.
pub fn formula(input: &FormulaInput) -> Answer<Formula> {
    let query = Place::Root("query");
    let mut formula = Formula {
        expression: expression(&input.formula, &query.key("formula"))?,
        default_scores: Default::default(),
        default_values: Default::default(),
    };
    let defaults = query.key("defaults");
    match &input.defaults {
        None | Some(Value::Null) => {}
        Some(Value::Object(object)) => {
            for (name, value) in object {
                let place = defaults.key(name);
                match variable(name, &place)? {
                    Variable::Score(list) => {
                        formula.default_scores.insert(list, number(value, &place)?).map(drop)
                    }
                    Variable::Value(path) => formula.default_values.insert(path, value.clone()).map(drop),
                };
            }
        }
        Some(other) => return defaults.wrong(format!("expected an object, not {}", kind(other))),
    }
    Ok(formula)
}

fn expression(value: &Value, place: &Place) -> Answer<Expr> {
    if place.depth() > DEEPEST {
        return Place::Root("query.formula")
            .wrong(format!("more than {DEEPEST} objects and lists in each other"));
    }
    match value {
        Value::Number(_) => number(value, place).map(Expr::Constant),
        Value::String(text) => Ok(match variable(text, place)? {
            Variable::Score(list) => Expr::Score(list),
            Variable::Value(path) => Expr::Value(path),
        }),
        Value::Object(object) => {
            let has = |keys: &[&'static str]| keys.iter().find(|key| object.contains_key(**key)).copied();
            match (has(&OPERATIONS), has(&CONDITIONS)) {
                (Some(name), _) => operation(name, &members(value, place, &[name])?[name], &place.key(name)),
                (None, Some(_)) => {
                    let condition = filter::condition(value, place)?;
                    Ok(Expr::Condition(Filter::all([condition])))
                }
                (None, None) => {
                    let found: Vec<_> = object.keys().take(4).collect();
                    place.wrong(format!(
                        "no expression has the keys {found:?}; expected a condition, or one of {}",
                        OPERATIONS.join(", ")
                    ))
                }
            }
        }
        other => place.wrong(format!(
            "expected a number, a variable, an operation or a condition, not {}",
            kind(other)
        )),
    }
}

fn operation(name: &str, value: &Value, place: &Place) -> Answer<Expr> {
    let all = || -> Answer<Vec<Expr>> {
        let items = list(value, place)?.iter().enumerate();
        items.map(|(i, value)| expression(value, &Place::Index(place, i))).collect()
    };
    let apply = |function| Ok(Expr::Apply(function, Box::new(expression(value, place)?)));
    match name {
        "mult" => all().map(Expr::Mult),
        "sum" => all().map(Expr::Sum),
        "neg" => apply(Function::Neg),
        "abs" => apply(Function::Abs),
        "sqrt" => apply(Function::Sqrt),
        "exp" => apply(Function::Exp),
        "log10" => apply(Function::Log10),
        "ln" => apply(Function::Ln),
        "div" => div(value, place),
        "pow" => {
            members(value, place, &["base", "exponent"])?;
            Ok(Expr::Pow {
                base: operand(value, "base", place)?,
                exponent: operand(value, "exponent", place)?,
            })
        }
        "lin_decay" => decay(Curve::Linear, value, place),
        "exp_decay" => decay(Curve::Exponential, value, place),
        "gauss_decay" => decay(Curve::Gauss, value, place),
        "geo_distance" => geo_distance(value, place),
        "datetime" => filter::date(value, place).map(|micros| Expr::Constant(micros as f64 / 1e6)),
        _ => path(value, place).map(Expr::Datetime),
    }
}

fn div(value: &Value, place: &Place) -> Answer<Expr> {
    let object = members(value, place, &["left", "right", "by_zero_default"])?;
    let by_zero = match present(object, "by_zero_default") {
        Some(value) => Some(number(value, &place.key("by_zero_default"))?),
        None => None,
    };
    Ok(Expr::Div { left: operand(value, "left", place)?, right: operand(value, "right", place)?, by_zero })
}

fn decay(curve: Curve, value: &Value, place: &Place) -> Answer<Expr> {
    let object = members(value, place, &["x", "target", "scale", "midpoint"])?;
    let parameter = |key: &str, default: f64, most: f64| match present(object, key) {
        None => Ok(default),
        Some(value) => {
            let place = place.key(key);
            let number = number(value, &place)?;
            if number > 0.0 && number < most {
                return Ok(number);
            }
            let below = if most.is_finite() { format!(" and below {most}") } else { String::new() };
            let text = format!("value {number} invalid, must be above 0{below}");
            Err(Reject::validation(&place.to_string(), text))
        }
    };
    let target = match present(object, "target") {
        Some(value) => expression(value, &place.key("target"))?,
        None => Expr::Constant(0.0),
    };
    Ok(Expr::Decay {
        curve,
        x: operand(value, "x", place)?,
        target: Box::new(target),
        scale: parameter("scale", 1.0, f64::INFINITY)?,
        midpoint: parameter("midpoint", 0.5, 1.0)?,
    })
}

fn geo_distance(value: &Value, place: &Place) -> Answer<Expr> {
    let object = members(value, place, &["origin", "to"])?;
    let origin = filter::geo_point(required(object, "origin", place)?, &place.key("origin"))?;
    let to = path(required(object, "to", place)?, &place.key("to"))?;
    Ok(Expr::GeoDistance { origin, to })
}

/// The expression at a key of an object.
fn operand(value: &Value, key: &str, place: &Place) -> Answer<Box<Expr>> {
    match value.get(key) {
        Some(value) => expression(value, &place.key(key)).map(Box::new),
        None => place.wrong(format!("missing field `{key}`")),
    }
}

fn variable(text: &str, place: &Place) -> Answer<Variable> {
    let Some(rest) = text.strip_prefix("$score") else {
        return text.parse().map(Variable::Value).or_else(|error| place.wrong(error));
    };
    let index = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let digits = index.filter(|index| index.bytes().all(|byte| byte.is_ascii_digit()));
    match (rest, digits.and_then(|digits| digits.parse().ok())) {
        ("", _) => Ok(Variable::Score(0)),
        (_, Some(list)) => Ok(Variable::Score(list)),
        _ => place
            .wrong(format!("Invalid score pattern: {text}; expected $score or, as an example, $score[1]")),
    }
}

fn path(value: &Value, place: &Place) -> Answer<Path> {
    string(value, place)?.parse().or_else(|error| place.wrong(error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(formula: Value, defaults: Value) -> Result<Formula, String> {
        super::formula(&FormulaInput { formula, defaults: Some(defaults) }).map_err(|reject| reject.message)
    }

    #[test]
    fn variables_and_defaults_are_told_apart() {
        let read = read(
            json!({"sum": ["$score", "$score[2]", "a.b", {"has_id": [1]}, 2]}),
            json!({"$score[0]": 1, "$score[2]": 0.5, "a.b": [3]}),
        );
        let formula = read.unwrap();
        let Expr::Sum(terms) = &formula.expression else { panic!("{formula:?}") };
        assert_eq!(terms[..2], [Expr::Score(0), Expr::Score(2)]);
        assert_eq!(terms[2], Expr::Value("a.b".parse().unwrap()));
        assert!(matches!(terms[3], Expr::Condition(_)));
        assert_eq!(terms[4], Expr::Constant(2.0));
        assert_eq!(formula.default_scores, [(0, 1.0), (2, 0.5)].into());
        assert_eq!(formula.default_values["a.b".parse().as_ref().unwrap()], json!([3]));
    }

    #[test]
    fn every_error_names_its_place() {
        for (formula, message) in [
            (
                json!(true),
                "query.formula: expected a number, a variable, an operation or a condition, not a boolean",
            ),
            (json!("$score[x]"), "query.formula: Invalid score pattern: $score[x]"),
            (json!("$score[1].a"), "query.formula: Invalid score pattern"),
            (json!("a b"), "query.formula: invalid JSON path a b"),
            (json!({"plus": [1]}), r#"query.formula: no expression has the keys ["plus"]"#),
            (json!({"sum": 1}), "query.formula.sum: expected a list, not a number"),
            (json!({"sum": [1, {"abs": 1, "neg": 1}]}), "query.formula.sum[1]: unknown field `abs`"),
            (json!({"div": {"left": 1}}), "query.formula.div: missing field `right`"),
            (json!({"pow": {"base": 1, "exponent": null}}), "query.formula.pow.exponent: expected a number"),
            (
                json!({"mult": [{"key": "a"}]}),
                "query.formula.mult[0]: a condition on a field has exactly one test",
            ),
            (json!({"datetime": "soon"}), "query.formula.datetime: \"soon\" is no date and time"),
            (
                json!({"geo_distance": {"origin": {"lat": 99, "lon": 0}, "to": "p"}}),
                "query.formula.geo_distance.origin: ",
            ),
            (
                json!({"exp_decay": {"x": 1, "midpoint": 1.0}}),
                "[query.formula.exp_decay.midpoint: value 1 invalid, must be above 0 and below 1]",
            ),
            (
                json!({"lin_decay": {"x": 1, "scale": 0}}),
                "[query.formula.lin_decay.scale: value 0 invalid, must be above 0]",
            ),
        ] {
            let error = read(formula.clone(), Value::Null).unwrap_err();
            assert!(error.contains(message), "{formula}: {error}");
        }
        assert!(
            read(json!(1), json!([])).unwrap_err().contains("query.defaults: expected an object, not a list")
        );
        let error = read(json!(1), json!({"$score": "x"})).unwrap_err();
        assert!(error.contains("query.defaults.$score: expected a number, not a string"), "{error}");
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        let deep = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!({ "neg": inner }));
        assert!(read(deep(DEEPEST - 1), Value::Null).is_ok());
        assert!(read(deep(DEEPEST), Value::Null).unwrap_err().contains("more than 96 objects and lists"));
    }
}
