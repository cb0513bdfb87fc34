//! Which rows does a filter select? The bridge from snapshots to the filter layer, and what needs no ranking:
//! counting, listing by id, and finding the rows of a write.

use std::{cell::RefCell, collections::BTreeMap};

use super::Context;
use crate::{
    bitmap::Bitmap,
    error::Result,
    filter::{Filter, compile::Rows, estimate::estimate, lookup::Lookup, matcher::Matcher, terms::Terms},
    point::PointId,
    segment::{Address, SegmentReader, SegmentView, Snapshot},
};

/// All points that match, in no particular order.
pub fn matching(snapshot: &Snapshot, filter: &Filter) -> Result<Vec<Address>> {
    let context = Context::uninterrupted(snapshot);
    let mut addresses = Vec::new();
    for (segment, view) in (0..).zip(snapshot.segments()) {
        let rows = context.live_matching(view, Some(filter))?;
        addresses.extend(rows.iter().map(|ordinal| Address { segment, ordinal }));
    }
    Ok(addresses)
}

/// How many points match; all of them without a filter.
pub fn count(snapshot: &Snapshot, filter: Option<&Filter>) -> Result<u64> {
    let Some(filter) = filter else { return Ok(snapshot.points()) };
    let context = Context::uninterrupted(snapshot);
    let of = |view: &SegmentView| {
        let live = view.deleted.complement();
        Ok(u64::from(context.matcher(view, filter)?.count(&live)))
    };
    snapshot.segments().iter().map(of).sum()
}

/// The first `limit` points in the order of their ids, from the first that is not below `from`, among those that
/// match; and the id that the next page begins with.
pub fn page(
    snapshot: &Snapshot,
    filter: Option<&Filter>,
    from: Option<PointId>,
    limit: usize,
) -> Result<(Vec<Address>, Option<PointId>)> {
    let context = Context::uninterrupted(snapshot);
    let matchers: Vec<Matcher> = match filter {
        Some(filter) => {
            snapshot.segments().iter().map(|view| context.matcher(view, filter)).collect::<Result<_>>()?
        }
        None => Vec::new(),
    };
    let mut wanted = snapshot.sorted_from(from).filter(|(_, address)| {
        matchers.get(address.segment as usize).is_none_or(|matcher| matcher.contains(address.ordinal))
    });
    let page = wanted.by_ref().take(limit).map(|(_, address)| address).collect();
    Ok((page, wanted.next().map(|(id, _)| id)))
}

impl Context<'_> {
    /// What a filter says of a segment's rows, dead ones too.
    pub(super) fn matcher<'v>(&self, view: &'v SegmentView, filter: &Filter) -> Result<Matcher<'v>> {
        self.with_rows(view, |terms, rows| Matcher::of(filter, &self.rules, terms, rows))
    }

    /// About how many rows of a segment match, by the index's statistics alone.
    pub(super) fn estimate(&self, view: &SegmentView, filter: &Filter) -> Result<u32> {
        self.with_rows(view, |terms, rows| {
            let lookup = Lookup::of(filter, &self.rules, terms);
            Ok(estimate(&lookup, terms, rows)?.expected.round() as u32)
        })
    }

    /// Hands a segment to the filter layer.
    fn with_rows<'v, T>(
        &self,
        view: &'v SegmentView,
        ask: impl FnOnce(&Terms<'v>, &Rows) -> Result<T>,
    ) -> Result<T> {
        let segment = &view.segment;
        let reader = RefCell::new(SegmentReader::new(segment));
        // A mutable segment puts this set together; a filter with a residual asks for it row by row.
        let present: RefCell<BTreeMap<String, Bitmap>> = RefCell::default();
        let rows = Rows {
            ordinal_of: &|id| segment.find(*id),
            id_of: &|ordinal| segment.id(ordinal),
            with_vector: &|name| {
                let mut present = present.borrow_mut();
                present.entry(name.to_owned()).or_insert_with(|| segment.present(name)).clone()
            },
            payload_of: &|ordinal| reader.borrow_mut().get(ordinal),
        };
        ask(&segment.terms(), &rows)
    }

    /// The live rows of a segment that match.
    pub(super) fn live_matching(&self, view: &SegmentView, filter: Option<&Filter>) -> Result<Bitmap> {
        let live = view.deleted.complement();
        match filter {
            Some(filter) => Ok(self.matcher(view, filter)?.rows(&live)),
            None => Ok(live),
        }
    }
}
