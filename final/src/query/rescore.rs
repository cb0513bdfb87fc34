//! Which points does a formula score, and what is each of them to it? Every point of any prefetched list, with the
//! score that each list gave it.
//!
//! Not here: what a formula means ([`super::formula`]).

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::BTreeMap,
};

use super::{
    Context, Explain, Formula, Hit,
    formula::{Candidate, Scores},
};
use crate::{error::Result, point::Payload, segment::Address};

/// The points of all lists by the formula; best first, ties by address. A payload is read if the formula asks for it.
pub(super) fn rescore(
    context: &Context<'_>,
    formula: &Formula,
    lists: &[Vec<Hit>],
) -> Result<(Vec<Hit>, Explain)> {
    let candidates = candidates(lists);
    let (reader, payloads) = (RefCell::new(context.payload_reader()), Cell::new(0u64));
    let mut hits = Vec::with_capacity(candidates.len());
    for (&address, scores) in &candidates {
        // A point may cost as much as the formula is long.
        context.check_cancelled(0)?;
        let read = OnceCell::new();
        let payload = || -> Result<&Payload> {
            if let Some(payload) = read.get() {
                return Ok(payload);
            }
            let payload = reader.borrow_mut().get(address)?;
            payloads.set(payloads.get() + 1);
            Ok(read.get_or_init(|| payload.into_owned()))
        };
        let segment = context.snapshot.segment(address);
        let candidate = Candidate {
            id: context.snapshot.id(address),
            scores,
            payload: &payload,
            has_vector: &|name| segment.vector(name, address.ordinal).is_some(),
            rules: &context.rules,
        };
        hits.push(Hit::new(address, formula.score(&candidate)?));
    }
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.address.cmp(&b.address)));
    let mut explain = Explain::new("formula");
    explain.fact("candidates", candidates.len()).fact("payloads", payloads.get());
    Ok((hits, explain))
}

/// The score of every row in every list, in the order of addresses.
fn candidates(lists: &[Vec<Hit>]) -> BTreeMap<Address, Scores> {
    let mut candidates: BTreeMap<Address, Scores> = BTreeMap::new();
    for (list, hits) in lists.iter().enumerate() {
        for hit in hits {
            candidates.entry(hit.address).or_insert_with(|| vec![None; lists.len()])[list] = Some(hit.score);
        }
    }
    candidates
}
