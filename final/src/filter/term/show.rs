//! What does a term say? Terms read back, for plans that print themselves and for the names of places in files.

use std::fmt;

use super::{ARRAY, BOOL, DATE, HASHED, Interval, KEY, LONG, NULL, NUMBER, ONE, STRING, TermRange};
use crate::filter::path::{Path, Step};

/// The steps of a place: keys, and `None` for the elements of an array. A hashed place is one key, `#` and its hash.
pub fn steps_of(place: &[u8]) -> Vec<Option<String>> {
    split(place).0
}

/// A place as the path that leads there.
pub fn show_place(place: &[u8]) -> String {
    let steps: Vec<_> = steps_of(place).into_iter().map(|step| step.map_or(Step::Each, Step::Key)).collect();
    match steps.first() {
        Some(Step::Key(_)) => Path::from_steps(steps).to_string(),
        _ => "the payload".into(),
    }
}

/// Parts a term into the steps of its place and the rest.
pub(super) fn split(term: &[u8]) -> (Vec<Option<String>>, &[u8]) {
    let (mut steps, mut rest) = (Vec::new(), term);
    while let Some((&kind, after)) = rest.split_first().filter(|(kind, _)| **kind < NULL) {
        let step;
        (step, rest) = match kind {
            KEY => read_key(after),
            HASHED => {
                let (hash, after) = after.split_at(after.len().min(4));
                (
                    Some(format!("#{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())),
                    after,
                )
            }
            _ => (None, after),
        };
        steps.push(step);
    }
    (steps, rest)
}

fn read_key(mut bytes: &[u8]) -> (Option<String>, &[u8]) {
    let mut key = Vec::new();
    loop {
        match bytes {
            [0, 0xFF, after @ ..] => {
                key.push(0);
                bytes = after;
            }
            [0, after @ ..] => return (Some(String::from_utf8_lossy(&key).into_owned()), after),
            [byte, after @ ..] => {
                key.push(*byte);
                bytes = after;
            }
            [] => return (Some(String::from_utf8_lossy(&key).into_owned()), bytes),
        }
    }
}

impl fmt::Display for TermRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, value) = split(&self.from);
        let (kind, value) = (value.first().copied().unwrap_or(0), value.get(1..).unwrap_or_default());
        let place = show_place(&self.from[..self.from.len() - value.len() - 1]);
        if self.as_one().is_some() {
            return match kind {
                NULL => write!(f, "{place} is null"),
                ONE => write!(f, "{place} is one value"),
                ARRAY => write!(f, "{place} is an array of {}", show_value(kind, value)),
                _ => write!(f, "{place} = {}", show_value(kind, value)),
            };
        }
        let (_, past) = split(&self.to);
        let past = past.strip_prefix(&[kind]).map(|past| show_value(kind, past)).unwrap_or_default();
        match kind {
            NULL => write!(f, "{place} is anything"),
            ARRAY => write!(f, "{place} is an array of {}..{past}", show_value(kind, value)),
            _ => write!(f, "{place} in {}..{past}", show_value(kind, value)),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, kind) = split(&self.series);
        let show = |key: u64| show_value(kind.first().copied().unwrap_or(0), &key.to_be_bytes());
        write!(f, "{} in ", show_place(&self.series[..self.series.len() - kind.len()]))?;
        if self.low > 0 {
            f.write_str(&show(self.low))?;
        }
        f.write_str("..")?;
        if self.high < u64::MAX { write!(f, "={}", show(self.high)) } else { Ok(()) }
    }
}

fn show_value(kind: u8, value: &[u8]) -> String {
    let number = leading_number(value);
    match kind {
        BOOL => (value == [1]).to_string(),
        ARRAY => (number >> 32).to_string(),
        STRING => format!("{:?}", String::from_utf8_lossy(value)),
        LONG => format!("a string of {} bytes", number as u32),
        NUMBER => {
            let float = f64::from_bits(if number >> 63 == 1 { number ^ 1 << 63 } else { !number });
            match value.get(8..) {
                Some([1]) => (float as i64).to_string(),
                Some([1, exact @ ..]) => ((leading_number(exact) ^ 1 << 63) as i64).to_string(),
                _ => format!("{float:?}"),
            }
        }
        DATE => {
            let micros = (number ^ 1 << 63) as i64;
            jiff::Timestamp::from_microsecond(micros)
                .map_or_else(|_| format!("{micros} µs"), |date| date.to_string())
        }
        _ => format!("{value:02x?}"),
    }
}

/// The number that the first eight bytes are, with zeros for those that are missing.
fn leading_number(bytes: &[u8]) -> u64 {
    let bytes = bytes.iter().copied().chain(std::iter::repeat(0)).take(8);
    bytes.fold(0, |number, byte| number << 8 | u64::from(byte))
}
