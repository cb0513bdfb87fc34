//! How does the glossary become a page? Its entries, `**ordinal** (6): a row number`, are sorted, and lead to the posts
//! that explain them.
//!
//! Not here: whether the posts do (`lint`).

use std::collections::BTreeMap;

use crate::post::Number;

/// The glossary's Markdown with its entries as a list of definitions; `pages` are the addresses of the posts.
pub(super) fn markdown(text: &str, pages: &BTreeMap<Number, String>) -> String {
    let mut entries: Vec<(String, String)> = text.lines().filter_map(|line| entry(line, pages)).collect();
    entries.sort();
    let rest = text.lines().filter(|line| entry(line, pages).is_none());
    let rest = rest.collect::<Vec<_>>().join("\n");
    let list: String = entries.into_iter().map(|(_, entry)| entry).collect();
    format!("{}\n\n{list}", rest.trim_end())
}

/// An entry, behind what it is sorted by.
fn entry(line: &str, pages: &BTreeMap<Number, String>) -> Option<(String, String)> {
    let (term, rest) = line.strip_prefix("**")?.split_once("** (")?;
    let (place, meaning) = rest.split_once("): ")?;
    let number = place.split(',').next()?.trim();
    let place = match number.parse().ok().and_then(|number: Number| pages.get(&number)) {
        Some(page) => format!("[post\u{a0}{number}]({page})"),
        None => format!("post\u{a0}{number}"),
    };
    Some((term.to_lowercase(), format!("{term}\n: {}, {place}\n\n", meaning.trim_end_matches('.'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_sorted_and_lead_to_their_posts() {
        let pages = BTreeMap::from([("3".parse().unwrap(), "03-a.md".to_owned())]);
        let text = "# Glossary\n\nThe words.\n\n**move** (3): a new owner; see `drop`.\n**Arc** (10, a common word): shared\n";
        let expected = "# Glossary\n\nThe words.\n\nArc\n: shared, post\u{a0}10\n\nmove\n: a new owner; see `drop`, [post\u{a0}3](03-a.md)\n\n";
        assert_eq!(markdown(text, &pages), expected);
    }
}
