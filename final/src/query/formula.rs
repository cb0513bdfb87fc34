//! What does a formula make of a point? Arithmetic over the scores of the prefetched lists, the values of the payload,
//! and conditions, in double precision.
//!
//! A factor of 0 ends a product, and a dividend of 0 a division, before what follows is looked at. An array of one
//! element counts as that element, and an empty one as no value. What has no value is what the formula's defaults say
//! it is, a score of which they say nothing is 0, and all else is an error, as is every number that is not finite:
//! an answer that leaves a point out without a word would be worse. Meaning and messages are those of Qdrant's API.
//!
//! Not here: JSON, and which points are scored ([`super::rescore`]).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    error::{Error, Result},
    filter::{Document, Filter, GeoPoint, Path, TextRules, datetime::parse_datetime, elements},
    point::{Payload, PointId},
};

/// An expression, with what stands for values that are missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// What is computed.
    pub expression: Expr,
    /// The scores of points that a list, by its number, does not hold.
    pub default_scores: BTreeMap<usize, f64>,
    /// The values of paths that lead nowhere.
    pub default_values: BTreeMap<Path, Value>,
}

/// A number to be computed.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// This number.
    Constant(f64),
    /// The score in the list of this number.
    Score(usize),
    /// The number at a path.
    Value(Path),
    /// 1 if the point matches, 0 if not.
    Condition(Filter),
    /// Metres between two places.
    GeoDistance {
        /// From here.
        origin: GeoPoint,
        /// To the place at this path.
        to: Path,
    },
    /// The date and time at a path, in seconds since 1970.
    Datetime(Path),
    /// The product of all.
    Mult(Vec<Expr>),
    /// The sum of all.
    Sum(Vec<Expr>),
    /// A function of one number.
    Apply(Function, Box<Expr>),
    /// A quotient.
    Div {
        /// The dividend.
        left: Box<Expr>,
        /// The divisor.
        right: Box<Expr>,
        /// The result if the divisor is 0 and the dividend is not; without it, an error.
        by_zero: Option<f64>,
    },
    /// A power.
    Pow {
        /// What is raised.
        base: Box<Expr>,
        /// To what.
        exponent: Box<Expr>,
    },
    /// 1 at a target, less the further away.
    Decay {
        /// How it falls.
        curve: Curve,
        /// What is compared with the target.
        x: Box<Expr>,
        /// Where it is 1.
        target: Box<Expr>,
        /// How far from the target it is `midpoint`; above 0.
        scale: f64,
        /// Between 0 and 1.
        midpoint: f64,
    },
}

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// −x
    Neg,
    /// |x|
    Abs,
    /// √x
    Sqrt,
    /// eˣ
    Exp,
    /// The logarithm to base 10.
    Log10,
    /// The logarithm to base e.
    Ln,
}

/// How a decay falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// In a line, down to 0.
    Linear,
    /// By the same share for the same way.
    Exponential,
    /// As the bell curve does.
    Gauss,
}

/// The score that each list gave a point, if it holds the point.
pub type Scores = Vec<Option<f32>>;

/// All that a formula can ask about a point.
pub struct Candidate<'a> {
    /// The point's id.
    pub id: PointId,
    /// Its scores.
    pub scores: &'a Scores,
    /// Its payload.
    pub payload: &'a dyn Fn() -> Result<&'a Payload>,
    /// Whether it has a vector of a name.
    pub has_vector: &'a dyn Fn(&str) -> bool,
    /// Where there are text indexes.
    pub rules: &'a TextRules,
}

impl Formula {
    /// The point's score. A value that is missing or of another type, and a number that is not finite, are errors.
    pub fn score(&self, candidate: &Candidate) -> Result<f32> {
        let score = self.number(&self.expression, candidate)?;
        let narrow = score as f32;
        if narrow.is_finite() {
            Ok(narrow)
        } else {
            Err(not_finite(&format!("{score:?} as f32 = {narrow:?}")))
        }
    }

    fn number(&self, expression: &Expr, point: &Candidate) -> Result<f64> {
        let number = |expression: &Expr| self.number(expression, point);
        match expression {
            Expr::Constant(constant) => Ok(*constant),
            Expr::Score(list) => Ok(self.list_score(*list, point)),
            Expr::Value(path) => self.value(path, point, "number", Value::as_f64),
            Expr::Condition(filter) => condition(filter, point),
            Expr::GeoDistance { origin, to } => {
                let place = self.value(to, point, "geo point", GeoPoint::from_json)?;
                Ok(origin.distance(place))
            }
            Expr::Datetime(path) => {
                let micros = |value: &Value| value.as_str().and_then(parse_datetime);
                Ok(self.value(path, point, "datetime", micros)? as f64 / 1e6)
            }
            Expr::Mult(factors) => {
                let mut product = 1.0;
                for factor in factors {
                    match number(factor)? {
                        0.0 => return Ok(0.0),
                        factor => product *= factor,
                    }
                }
                Ok(product)
            }
            Expr::Sum(terms) => terms.iter().try_fold(0.0, |sum, term| Ok(sum + number(term)?)),
            Expr::Apply(function, argument) => function.of(number(argument)?),
            Expr::Div { left, right, by_zero } => match number(left)? {
                0.0 => Ok(0.0),
                left => quotient(left, number(right)?, *by_zero),
            },
            Expr::Pow { base, exponent } => {
                let (base, exponent) = (number(base)?, number(exponent)?);
                finite(base.powf(exponent), || format!("{base:?}^{exponent:?}"))
            }
            Expr::Decay { curve, x, target, scale, midpoint } => {
                Ok(curve.at((number(x)? - number(target)?).abs() / scale, *midpoint))
            }
        }
    }

    fn list_score(&self, list: usize, point: &Candidate) -> f64 {
        match point.scores.get(list) {
            Some(Some(score)) => f64::from(*score),
            _ => self.default_scores.get(&list).copied().unwrap_or(0.0),
        }
    }

    /// The one value at the path, or its default, if `read` finds it to be what is wanted.
    fn value<T>(
        &self,
        path: &Path,
        point: &Candidate,
        wanted: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T> {
        let mut values: Vec<&Value> =
            path.values((point.payload)()?).into_iter().flat_map(elements).collect();
        if values.is_empty() {
            values.extend(self.default_values.get(path).into_iter().flat_map(elements));
        }
        let reason = match values[..] {
            [value] => match read(value) {
                Some(value) => return Ok(value),
                None => format!("Value is not a {wanted}"),
            },
            [] => "No value found in the payload nor in the formula defaults".to_owned(),
            _ => format!("Value is a list of {}", values.len()),
        };
        Err(Error::bad_request(format!(
            "Expected {wanted} value for {path} in the payload and/or in the formula defaults. Error: {reason}"
        )))
    }
}

fn condition(filter: &Filter, point: &Candidate) -> Result<f64> {
    let document = Document { id: point.id, payload: (point.payload)()?, has_vector: point.has_vector };
    Ok(if filter.matches(&document, point.rules) { 1.0 } else { 0.0 })
}

fn quotient(left: f64, right: f64, by_zero: Option<f64>) -> Result<f64> {
    match by_zero {
        Some(default) if right == 0.0 => Ok(default),
        _ => finite(left / right, || format!("{left:?}/{right:?}")),
    }
}

impl Function {
    fn of(self, x: f64) -> Result<f64> {
        match self {
            Self::Neg => Ok(-x),
            Self::Abs => Ok(x.abs()),
            Self::Sqrt => finite(x.sqrt(), || format!("√{x:?}")),
            Self::Exp => finite(x.exp(), || format!("exp({x:?})")),
            Self::Log10 => finite(x.log10(), || format!("log10({x:?})")),
            Self::Ln => finite(x.ln(), || format!("ln({x:?})")),
        }
    }
}

impl Curve {
    /// How much is left at a distance, in scales, if `midpoint` is left at one.
    fn at(self, away: f64, midpoint: f64) -> f64 {
        match self {
            Self::Linear => (1.0 - (1.0 - midpoint) * away).max(0.0),
            Self::Exponential => midpoint.powf(away),
            Self::Gauss => midpoint.powf(away * away),
        }
    }
}

fn finite(number: f64, text: impl FnOnce() -> String) -> Result<f64> {
    if number.is_finite() { Ok(number) } else { Err(not_finite(&text())) }
}

fn not_finite(text: &str) -> Error {
    Error::bad_request(format!("The expression {text} produced a non-finite number"))
}

#[cfg(test)]
mod tests;
