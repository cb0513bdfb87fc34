//! How is text put into HTML, and HTML into Markdown? In one line: a blank line would end an HTML block of Markdown, so
//! a line end inside of code is written as a character reference.

/// Text as it may stand in HTML, between tags and in attributes.
pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\n' => html.push_str(NEWLINE),
            c => html.push(c),
        }
    }
    html
}

/// A line end inside of `pre`.
pub(super) const NEWLINE: &str = "&#10;";

/// An area that scrolls by itself when its code is wider than the page, and says what it is.
pub(super) fn scroll(label: &str, code: &str) -> String {
    format!(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{}\"><pre><code>{code}</code></pre></div>",
        escape(label)
    )
}

/// One line of code, already HTML.
pub(super) fn line(html: &str) -> String {
    format!("<span class=\"line\">{html}{NEWLINE}</span>")
}
