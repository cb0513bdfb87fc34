//! How does an SVG file become part of a page? It is checked against the style of the book, and put into the HTML, so
//! that it follows the theme.
//!
//! `book/FIGURES.md` is the style. Not for other images: there are none in the book.

use std::{collections::HashSet, fs, io, path::PathBuf};

use roxmltree::{Document, Node};

use super::html::escape;
use crate::{
    fault::{Fault, Result},
    replay::Book,
};

/// What every figure holds in its `<style>`: the same file that the pages load.
pub(super) const STYLE: &str = include_str!("../../theme/figures.css");

const ELEMENTS: &[&str] = &[
    "svg", "style", "title", "desc", "defs", "g", "path", "line", "rect", "circle", "ellipse", "polyline",
    "polygon", "text", "tspan", "marker",
];

/// Where things are, and nothing about how they look.
const ATTRIBUTES: &[&str] = &[
    "id",
    "class",
    "viewBox",
    "x",
    "y",
    "dx",
    "dy",
    "x1",
    "y1",
    "x2",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "width",
    "height",
    "d",
    "points",
    "transform",
    "marker-start",
    "marker-end",
    "markerWidth",
    "markerHeight",
    "refX",
    "refY",
    "orient",
];

const CLASSES: &[&str] = &[
    "fig", "small", "strong", "mono", "middle", "end", "box", "line", "arrow", "thick", "dashed", "dot",
    "head", "dim", "quiet", "hot", "cold", "bad",
];

/// A figure wider than this can't be read on a phone.
const WIDEST: f32 = 760.0;

/// What is wrong with a figure, in the order of the file.
pub(super) fn faults(svg: &str) -> Vec<(usize, String)> {
    let document = match Document::parse(svg) {
        Ok(document) => document,
        Err(error) => return vec![(error.pos().row as usize, format!("no XML: {error}"))],
    };
    let mut faults = root_faults(&document);
    let ids: HashSet<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
    for node in document.descendants().filter(Node::is_element) {
        let mut fault = |message: String| {
            faults.push((document.text_pos_at(node.range().start).row as usize, message));
        };
        let name = node.tag_name().name();
        if !ELEMENTS.contains(&name) {
            fault(format!("<{name}> has no place in a figure"));
        }
        for attribute in node.attributes() {
            let (key, value) = (attribute.name(), attribute.value());
            if attribute.namespace().is_some() || !ATTRIBUTES.contains(&key) {
                fault(format!("{key}=\"…\" on <{name}>: how things look is said by classes"));
            } else if key.starts_with("marker-") && !local(value).is_some_and(|id| ids.contains(id)) {
                fault(format!("{key}=\"{value}\" on <{name}>: no such marker in this file"));
            } else if name != "marker"
                && name != "svg"
                && ["width", "height"].contains(&key)
                && value.contains('%')
            {
                fault(format!("{key}=\"{value}\" on <{name}>: in the units of the viewBox"));
            }
        }
        for class in node.attribute("class").unwrap_or_default().split_whitespace() {
            if !CLASSES.contains(&class) {
                fault(format!("the class `{class}` on <{name}> is not one of FIGURES.md"));
            }
        }
    }
    faults.sort_by_key(|(line, _)| *line);
    faults
}

fn root_faults(document: &Document<'_>) -> Vec<(usize, String)> {
    let root = document.root_element();
    let mut faults = Vec::new();
    if root.tag_name().name() != "svg" || root.attribute("class") != Some("fig") {
        faults.push((1, "the root is <svg class=\"fig\" viewBox=\"0 0 WIDTH HEIGHT\">".into()));
    }
    if root.attribute("width").or(root.attribute("height")).is_some() {
        faults.push((1, "no width and height on <svg>: the page gives it its size".into()));
    }
    match width(document) {
        Some(width) if width <= WIDEST => {}
        Some(width) => faults.push((1, format!("{width} wide: at most {WIDEST}, for phones"))),
        None => faults.push((1, "no viewBox=\"0 0 WIDTH HEIGHT\"".into())),
    }
    let styles: Vec<_> = root.descendants().filter(|node| node.has_tag_name((SVG, "style"))).collect();
    if !matches!(styles.as_slice(), [style] if style.text().map(str::trim) == Some(STYLE.trim())) {
        faults.push((
            1,
            "its <style> is not theme/figures.css: `cargo run -p book -- figures` puts it in".into(),
        ));
    }
    faults
}

const SVG: &str = "http://www.w3.org/2000/svg";

fn local(value: &str) -> Option<&str> {
    value.strip_prefix("url(#")?.strip_suffix(')')
}

fn width(document: &Document<'_>) -> Option<f32> {
    let numbers: Vec<f32> = document
        .root_element()
        .attribute("viewBox")?
        .split_whitespace()
        .filter_map(|n| n.parse().ok())
        .collect();
    match numbers[..] {
        [_, _, width, height] if width > 0.0 && height > 0.0 => Some(width),
        _ => None,
    }
}

/// Puts the style of today into all figures; how many were changed.
pub fn restyle(book: &Book) -> Result<usize> {
    let mut changed = 0;
    for path in files(book)? {
        let svg = fs::read_to_string(&path).map_err(|error| Fault::io(&path, &error))?;
        let new = restyled(&svg);
        if new != svg {
            fs::write(&path, new).map_err(|error| Fault::io(&path, &error))?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// All figures, in order.
pub(super) fn files(book: &Book) -> Result<Vec<PathBuf>> {
    let folder = book.root.join("book/posts/figures");
    let mut files = Vec::new();
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        entries => entries.map_err(|error| Fault::io(&folder, &error))?,
    };
    for entry in entries {
        let path = entry.map_err(|error| Fault::io(&folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "svg") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The file with the style of today in it.
pub(super) fn restyled(svg: &str) -> String {
    let style = format!("<style>\n{STYLE}</style>");
    if let (Some(start), Some(end)) = (svg.find("<style"), svg.find("</style>")) {
        return format!("{}{style}{}", &svg[..start], &svg[end + "</style>".len()..]);
    }
    let root = svg.find("<svg").and_then(|start| Some(start + svg[start..].find('>')? + 1));
    let root = root.unwrap_or(0);
    format!("{}\n{style}{}", &svg[..root], &svg[root..])
}

/// The figure as HTML, in one line; `name` keeps its ids apart from those of other figures on the page.
///
/// The file has no faults.
pub(super) fn inline(svg: &str, name: &str, alt: &str, caption: &str) -> String {
    let document = Document::parse(svg).expect("a figure without faults is XML");
    let width = width(&document).expect("a figure without faults has a viewBox");
    let mut html = String::new();
    write(&mut html, document.root_element(), name, &format!(" role=\"img\" aria-label=\"{}\"", escape(alt)));
    let caption = if caption.is_empty() {
        String::new()
    } else {
        format!("<figcaption>{}</figcaption>", escape(caption))
    };
    format!(
        "<figure class=\"figure\"><div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Figure {}\" \
         style=\"--figure-width: {width}px\">{html}</div>{caption}</figure>",
        escape(name)
    )
}

fn write(html: &mut String, node: Node<'_, '_>, name: &str, more: &str) {
    if node.is_text() {
        let text = node.text().unwrap_or_default();
        if !text.trim().is_empty() {
            html.push_str(&escape(&text.replace(['\n', '\r', '\t'], " ")));
        }
        return;
    }
    let tag = node.tag_name().name();
    // The page has the style, and the alternative text is the title.
    if !node.is_element() || ["style", "title", "desc"].contains(&tag) {
        return;
    }
    html.push_str(&format!("<{tag}"));
    for attribute in node.attributes() {
        let value = match (attribute.name(), local(attribute.value())) {
            ("id", _) => format!("{name}-{}", attribute.value()),
            (_, Some(id)) => format!("url(#{name}-{id})"),
            _ => attribute.value().to_owned(),
        };
        html.push_str(&format!(
            " {}=\"{}\"",
            attribute.name(),
            escape(&value).replace(super::html::NEWLINE, " ")
        ));
    }
    html.push_str(more);
    html.push('>');
    for child in node.children() {
        write(html, child, name, "");
    }
    html.push_str(&format!("</{tag}>"));
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str =
        "<defs><marker id=\"a\" orient=\"auto\"><path class=\"head\" d=\"M0 0L9 4z\"/></marker></defs>
        <title>T</title>
        <line class=\"arrow hot\" x1=\"0\" y1=\"0\" x2=\"9\" y2=\"0\" marker-end=\"url(#a)\"/>
        <text class=\"small\">a &lt; b</text>";

    fn figure(body: &str) -> String {
        let empty = format!("<svg xmlns=\"{SVG}\" class=\"fig\" viewBox=\"0 0 90 40\"></svg>");
        restyled(&empty).replace("</svg>", &format!("{body}</svg>"))
    }

    #[test]
    fn a_figure_becomes_a_part_of_the_page() {
        let svg = figure(BODY);
        assert_eq!(faults(&svg), []);
        assert_eq!(restyled(&svg), svg);
        let html = inline(&svg, "wal", "A & B", "");
        assert!(html.contains("role=\"img\" aria-label=\"A &amp; B\""), "{html}");
        assert!(html.contains("marker-end=\"url(#wal-a)\"") && html.contains("id=\"wal-a\""), "{html}");
        assert!(html.contains("a &lt; b") && !html.contains(['\n']) && !html.contains("style>"), "{html}");
    }

    #[test]
    fn what_would_not_follow_the_theme_is_refused() {
        for (body, words) in [
            ("<rect fill=\"red\"/>", "fill"),
            ("<rect style=\"fill: red\"/>", "style"),
            ("<rect onclick=\"a()\"/>", "onclick"),
            ("<script>a()</script>", "script"),
            ("<image href=\"a.png\"/>", "image"),
            ("<text class=\"red\">a</text>", "`red`"),
            ("<line marker-end=\"url(#b)\"/>", "no such marker"),
            ("<line marker-end=\"url(https://a/b.svg#a)\"/>", "no such marker"),
            ("<style>a { fill: red }</style>", "<style>"),
            ("<g>", "no XML"),
        ] {
            let faults = faults(&figure(body));
            assert!(faults.iter().any(|(_, message)| message.contains(words)), "{body}: {faults:?}");
        }
        let bare = format!("<svg xmlns=\"{SVG}\" class=\"fig\" viewBox=\"0 0 900 40\" width=\"9\"/>");
        assert_eq!(faults(&bare).len(), 3, "{:?}", faults(&bare));
    }
}
