//! How does a post's Markdown become a page's? Listings, fences and figures are replaced by HTML where they stand; the
//! rest is left to mdBook.
//!
//! Not here: whether the post keeps to the notation; what can't be shown is a fault all the same.

use std::{fs, path::Path};

use mdbook_markdown::{
    MarkdownOptions,
    pulldown_cmark::{Event, Parser, Tag, TagEnd},
};

use super::{console, figure, html::escape, listing, places::places};
use crate::{
    fault::{Fault, Result},
    measure::Results,
    post::{Block, Course, Fence, Kind, Post, Role},
    tree::Tree,
};

/// The Markdown of a post with everything in it that mdBook does not know as HTML; `base` is what its reader begins
/// with, `folder` holds the figures, `results` says where its numbers come from.
pub(super) fn markdown(post: &Post, base: &Tree, folder: &Path, results: &Results) -> Result<String> {
    let places = places(post, base);
    let mut text = String::with_capacity(post.text.len() * 2);
    let (mut at, mut number) = (0, 0);
    // Said once, below the first of them.
    let mut origins = origins(post, results);
    for block in &post.blocks {
        text.push_str(&post.text[at..block.span.start]);
        at = block.span.end;
        number += usize::from(matches!(block.kind, Kind::Listing(_) | Kind::Fence(_)));
        match &block.kind {
            Kind::Heading { level: 1, .. } => {
                text.push_str(&post.text[block.span.clone()]);
                text.push_str(&facts(post));
            }
            Kind::Heading { .. } => text.push_str(&post.text[block.span.clone()]),
            Kind::Html { text: html } => text.push_str(&summaries(&without_comments(html))),
            Kind::Prose { text: prose } => match image(prose) {
                Some(image) => text.push_str(&figure(post, block, &image, folder)?),
                None => {
                    text.push_str(&without_comments(prose));
                    if prose.contains("<!-- measured:") {
                        text.push_str(&origins.take().unwrap_or_default());
                    }
                }
            },
            Kind::Listing(listing) => {
                let hunks = places.get(&block.line).map(Vec::as_slice).unwrap_or_default();
                text.push_str(&listing::listing(number, listing, hunks));
            }
            Kind::Fence(fence) => text.push_str(&self::fence(number, fence)),
            Kind::Naive(_) => {}
        }
        // An HTML block ends with an empty line.
        text.push_str("\n\n");
    }
    text.push_str("<div class=\"post-end\"></div>\n");
    Ok(text)
}

fn fence(number: usize, fence: &Fence) -> String {
    match &fence.role {
        Role::Error { .. } => console::compiler(number, fence),
        Role::Run(_) => console::console(number, fence),
        Role::ByHand => console::by_hand(number, fence),
        Role::Ignore { .. } => listing::fragment(number, fence, true),
        Role::Written if fence.label == "text" => listing::drawing(number, &fence.body),
        Role::Written => listing::fragment(number, fence, false),
    }
}

/// How long it takes to read, and how much there is to type.
fn facts(post: &Post) -> String {
    let words: usize = post
        .blocks
        .iter()
        .map(|block| match &block.kind {
            Kind::Prose { text } | Kind::Html { text } => without_comments(text).split_whitespace().count(),
            _ => 0,
        })
        .sum();
    let typed = post.listings().filter(|(_, listing)| listing.flags.course == Course::Main);
    let lines: usize = typed
        .filter_map(|(_, listing)| listing.fence.as_ref())
        .map(|fence| match fence.label.as_str() {
            "diff" => fence.body.lines().filter(|line| line.starts_with('+')).count(),
            _ => fence.body.lines().count(),
        })
        .sum();
    // Slower than a novel is read.
    let minutes = words.div_ceil(200).max(1);
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let typing = if lines == 0 { String::new() } else { format!(", {lines} line{} to type", plural(lines)) };
    format!("\n<p class=\"post-facts\">{minutes} minute{} to read{typing}</p>\n", plural(minutes))
}

/// On which machine and when the post's numbers were measured.
fn origins(post: &Post, results: &Results) -> Option<String> {
    let each = results.origins(&post.text);
    let each: Vec<_> = each.iter().map(|(machine, date)| format!("{} ({date})", escape(machine))).collect();
    let words = format!("\n\n<p class=\"measured\">Measured on {}</p>", each.join("; "));
    (!each.is_empty()).then_some(words)
}

/// Without the comments that are for the tools: what was measured, what is a fact.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("<!--") {
        kept.push_str(before);
        let ours = ["measured:", "fact"].iter().any(|word| comment.trim_start().starts_with(word));
        rest = match comment.split_once("-->").filter(|_| ours) {
            Some((_, after)) => after,
            None => {
                kept.push_str("<!--");
                comment
            }
        };
    }
    kept + rest
}

/// The lines that open folds are HTML to Markdown, but their authors write code and emphasis in them as everywhere.
fn summaries(html: &str) -> String {
    const OPEN: &str = "<summary>";
    let mut mended = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((summary, after)) = after.split_once("</summary>") else { break };
        mended.push_str(&format!("{before}{OPEN}{}</summary>", inline(summary)));
        rest = after;
    }
    mended + rest
}

/// A line of Markdown as HTML.
fn inline(markdown: &str) -> String {
    let mut html = String::new();
    for event in mdbook_markdown::new_cmark_parser(markdown.trim(), &MarkdownOptions::default()) {
        match event {
            Event::Text(text) => html.push_str(&escape(&text)),
            Event::Code(text) => html.push_str(&format!("<code>{}</code>", escape(&text))),
            Event::InlineHtml(text) | Event::Html(text) => html.push_str(&text),
            Event::SoftBreak => html.push(' '),
            Event::Start(Tag::Emphasis) => html.push_str("<em>"),
            Event::End(TagEnd::Emphasis) => html.push_str("</em>"),
            Event::Start(Tag::Strong) => html.push_str("<strong>"),
            Event::End(TagEnd::Strong) => html.push_str("</strong>"),
            _ => {}
        }
    }
    html
}

struct Image {
    path: String,
    alt: String,
    caption: String,
}

/// A paragraph that is an image and nothing else.
fn image(prose: &str) -> Option<Image> {
    let mut events = Parser::new(prose).skip(1);
    let Event::Start(Tag::Image { dest_url, title, .. }) = events.next()? else { return None };
    let mut alt = String::new();
    loop {
        match events.next()? {
            Event::Text(text) | Event::Code(text) => alt.push_str(&text),
            Event::SoftBreak => alt.push(' '),
            Event::End(TagEnd::Image) => break,
            _ => {}
        }
    }
    matches!(events.next()?, Event::End(TagEnd::Paragraph)).then(|| Image {
        path: dest_url.into_string(),
        alt,
        caption: title.into_string(),
    })
}

fn figure(post: &Post, block: &Block, image: &Image, folder: &Path) -> Result<String> {
    let fault = |message: String| Fault::new(&post.file, block.line, message);
    let Some(name) = image.path.strip_suffix(".svg").filter(|_| !image.path.contains("..")) else {
        return Err(fault(format!("`{}`: a figure is an SVG file in posts/figures/", image.path)));
    };
    if image.alt.trim().is_empty() {
        return Err(fault(format!("`{}`: what the figure shows belongs into the brackets", image.path)));
    }
    let path = folder.join(&image.path);
    let svg = fs::read_to_string(&path).map_err(|error| fault(format!("`{}`: {error}", image.path)))?;
    if let Some((line, message)) = figure::faults(&svg).into_iter().next() {
        return Err(Fault::new(format!("book/posts/{}", image.path), line, message));
    }
    let name = name.rsplit('/').next().unwrap_or(name);
    Ok(figure::inline(&svg, name, &image.alt, &image.caption))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_fold_is_markdown() {
        let html = "<details class=\"predict\"><summary>Predict: is `a < b` *really* <kbd>1</kbd>?</summary>";
        let expected = html.replace("`a < b` *really*", "<code>a &lt; b</code> <em>really</em>");
        assert_eq!(summaries(html), expected);
        assert_eq!(summaries("<summary>never closed"), "<summary>never closed");
    }

    #[test]
    fn only_the_tools_comments_are_taken_away() {
        assert_eq!(without_comments("12 ms<!-- measured: a.b --> and 3 s<!-- fact -->."), "12 ms and 3 s.");
        assert_eq!(without_comments("`<!--` opens <!-- another -->"), "`<!--` opens <!-- another -->");
    }
}
