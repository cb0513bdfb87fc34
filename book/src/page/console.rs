//! How does what a machine says look? Commands and their output, and the compiler's messages.
//!
//! Not here: running anything; the texts stand in the posts, and tests hold them equal to what is run.

use super::{
    highlight::{self, Language},
    html::{self, NEWLINE, escape},
    listing::figure,
};
use crate::{
    post::{Fence, Role},
    run::show::GAP,
};

/// Commands and what they print. Only the commands are copied, without the `$`.
pub(super) fn console(number: usize, fence: &Fence) -> String {
    let fails = matches!(&fence.role, Role::Run(run) if run.fails);
    let mut body = String::new();
    let mut goes_on = false;
    for line in fence.body.lines() {
        let command = if goes_on { Some(line) } else { line.strip_prefix("$ ") };
        let Some(text) = command else {
            body.push_str(&output(line, escape));
            continue;
        };
        let prompt = if goes_on { "" } else { "<span class=\"prompt\">$ </span>" };
        let text = escape(text);
        body.push_str(&format!(
            "<span class=\"line command\">{prompt}<span class=\"typed\">{text}{NEWLINE}</span></span>"
        ));
        goes_on = line.ends_with('\\');
    }
    let mark = if fails { " <span class=\"mark red\">fails, as it should</span>" } else { "" };
    let label = format!("Terminal {number}");
    figure("console", "commands", &format!("Terminal{mark}"), &html::scroll(&label, &body))
}

/// A line that was printed, or the sign for some that are left out.
fn output(line: &str, to_html: impl Fn(&str) -> String) -> String {
    match line {
        GAP => format!("<span class=\"line gap\">{GAP}{NEWLINE}</span>"),
        line => html::line(&to_html(line)),
    }
}

/// Commands that were not run when the book was built.
pub(super) fn by_hand(number: usize, fence: &Fence) -> String {
    let lines = highlight::lines(Language::of_label("sh"), &fence.body);
    let body: String = lines
        .iter()
        .map(|line| format!("<span class=\"line\"><span class=\"typed\">{line}{NEWLINE}</span></span>"))
        .collect();
    let caption = "Terminal, once";
    figure("console", "commands", caption, &html::scroll(&format!("Terminal {number}, once"), &body))
}

/// What rustc says.
pub(super) fn compiler(number: usize, fence: &Fence) -> String {
    let warning = !fence.body.lines().any(|line| line.starts_with("error"));
    let body: String = fence.body.lines().map(|line| output(line, message)).collect();
    let (class, caption) =
        if warning { ("rustc warning", "The compiler warns") } else { ("rustc", "The compiler says") };
    figure(class, "", caption, &html::scroll(&format!("{caption}, {number}"), &body))
}

fn is_head(line: &str) -> bool {
    ["error", "warning"].iter().any(|kind| {
        line.strip_prefix(kind).is_some_and(|rest| rest.starts_with(": ") || rest.starts_with('['))
    })
}

/// One line of a message, its parts told apart.
fn message(line: &str) -> String {
    let span = |class: &str, text: &str| format!("<span class=\"{class}\">{}</span>", escape(text));
    if is_head(line) {
        let class = if line.starts_with("error") { "error" } else { "warning" };
        let (head, text) = line.split_once(": ").unwrap_or((line, ""));
        return format!("{}{}", span(class, head), span("says", &format!(": {text}")));
    }
    let trimmed = line.trim_start();
    if trimmed.starts_with("--> ") || trimmed.starts_with("::: ") {
        return span("where", line);
    }
    for head in ["= note:", "= help:", "help:", "note:"] {
        if let Some(rest) = trimmed.strip_prefix(head) {
            let indent = &line[..line.len() - trimmed.len()];
            return format!("{indent}{}{}", span("note", head), escape(rest));
        }
    }
    let digits = trimmed.trim_start_matches(|c: char| c.is_ascii_digit());
    let Some(rest) = digits.trim_start().strip_prefix('|') else {
        return escape(line);
    };
    let rail = span("rail", &line[..line.len() - rest.len()]);
    if digits.len() < trimmed.len() {
        let code = highlight::lines(Language::of_label("rust"), rest);
        return rail + &code.concat();
    }
    rail + &marks(rest)
}

/// The marks below a line of code: what `^` underlines and says is the heart of it, the rest stands beside it.
fn marks(text: &str) -> String {
    let span = |class: &str, text: &str| {
        if text.trim().is_empty() {
            escape(text)
        } else {
            format!("<span class=\"{class}\">{}</span>", escape(text))
        }
    };
    match text.find('^') {
        Some(start) => span("beside", &text[..start]) + &span("under", &text[start..]),
        None => span("beside", text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_message_are_told_apart() {
        let html = message("12 |     let a = b;");
        assert!(
            html.starts_with("<span class=\"rail\">12 |</span>") && html.contains("class=\"k\">let"),
            "{html}"
        );
        let html = message("   |         - ^ value <used> here");
        assert!(html.contains("class=\"under\">^ value &lt;used&gt; here"), "{html}");
        assert!(message("error[E0382]: use: after").contains("class=\"says\">: use: after"));
        assert_eq!(message("plain"), "plain");
    }
}
