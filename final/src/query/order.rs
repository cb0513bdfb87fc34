//! Ordering points by a payload value instead of nearness.
//!
//! A point stands in the order once for each value its key has (an array has several), and not at all without one.

use serde_json::Value;

use super::{Context, Hit};
use crate::{
    error::Result,
    filter::{Path, datetime::parse_datetime},
    segment::Address,
};

/// By which value, in which direction, from where.
#[derive(Debug, Clone)]
pub struct OrderBy {
    /// The payload path.
    pub key: Path,
    /// Largest first.
    pub descending: bool,
    /// Values before this one in the order are left out; a date is microseconds since 1970.
    pub start_from: Option<f64>,
}

/// A value that points are ordered by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OrderValue {
    /// An integer, or a date in microseconds since 1970.
    Int(i64),
    /// Any other number.
    Float(f64),
}

impl OrderValue {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => {
                number.as_i64().map(Self::Int).or_else(|| Some(Self::Float(number.as_f64()?)))
            }
            Value::String(text) => parse_datetime(text).map(Self::Int),
            _ => None,
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }
}

/// The first `limit` hits in the order, among the rows in scope; score 1.
pub(super) fn ordered(
    context: &Context<'_>,
    order: &OrderBy,
    scope: &[Address],
    limit: usize,
) -> Result<Vec<Hit>> {
    let mut hits: Vec<(OrderValue, Address)> = Vec::new();
    let mut reader = context.payload_reader();
    for (checked, &address) in scope.iter().enumerate() {
        context.check_cancelled(checked)?;
        let payload = reader.get(address)?;
        let values = order.key.values(&payload);
        let leaves = values.iter().flat_map(|value| match value {
            Value::Array(items) => items.iter().collect(),
            other => vec![*other],
        });
        hits.extend(leaves.filter_map(OrderValue::of).map(|value| (value, address)));
    }
    if let Some(start) = order.start_from {
        let in_order = |value: &OrderValue| {
            if order.descending { value.as_f64() <= start } else { value.as_f64() >= start }
        };
        hits.retain(|(value, _)| in_order(value));
    }
    let id = |address: &Address| context.snapshot.id(*address);
    hits.sort_by(|(a, x), (b, y)| {
        let by_value = if order.descending { b.compare(a) } else { a.compare(b) };
        by_value.then_with(|| id(x).cmp(&id(y)))
    });
    hits.truncate(limit);
    let hit = |(value, address)| Hit { order_value: Some(value), ..Hit::new(address, 1.0) };
    Ok(hits.into_iter().map(hit).collect())
}
