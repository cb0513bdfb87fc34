//! Where does each piece of a post begin and end? Read line by line: of Markdown only what the notation uses.
//!
//! Fences and captions stand at the beginning of a line, never in a list or a quote.

use std::ops::Range;

use super::{Block, Course, Fence, Kind, Listing, Number, Post, Role, What, caption, fence};
use crate::fault::{Fault, Result};

impl Post {
    /// Reads a post from its text; `file` is for messages.
    pub fn parse(number: Number, file: &str, text: &str) -> Result<Self> {
        let mut reader =
            Reader { file, text, lines: lines(text), next: 0, details: Vec::new(), blocks: Vec::new() };
        while reader.next < reader.lines.len() {
            reader.block()?;
        }
        if let Some(line) = reader.details.pop() {
            return Err(reader.fault(line, "this `<details>` is never closed"));
        }
        let blocks = reader.blocks;
        let title = blocks.iter().find_map(|block| match &block.kind {
            Kind::Heading { level: 1, text } => Some(text.clone()),
            _ => None,
        });
        let post = Self {
            number,
            file: file.to_owned(),
            title: title.ok_or_else(|| Fault::new(file, 0, "no title: `# NN. Title`"))?,
            text: text.to_owned(),
            blocks,
        };
        post.named_once()?;
        Ok(post)
    }

    fn named_once(&self) -> Result<()> {
        let mut known: Vec<&str> = Vec::new();
        for (block, fence) in self.fences() {
            let Some(name) = fence.name() else { continue };
            if known.contains(&name) {
                return Err(Fault::new(&self.file, block.line, format!("the name `{name}` is used twice")));
            }
            known.push(name);
        }
        Ok(())
    }
}

/// The bytes of each line, its end included.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    text.split_inclusive('\n')
        .map(|line| {
            at += line.len();
            at - line.len()..at
        })
        .collect()
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    lines: Vec<Range<usize>>,
    next: usize,
    /// The lines of the `<details>` that are open.
    details: Vec<usize>,
    blocks: Vec<Block>,
}

impl<'a> Reader<'a> {
    fn fault(&self, line: usize, message: impl Into<String>) -> Fault {
        Fault::new(self.file, line, message)
    }

    /// A line without its end; empty below the last.
    fn line(&self, index: usize) -> &'a str {
        self.lines.get(index).map_or("", |line| self.text[line.clone()].trim_end_matches(['\n', '\r']))
    }

    fn blank(&self, index: usize) -> bool {
        self.line(index).trim().is_empty()
    }

    /// Reads one block, or passes over an empty line.
    fn block(&mut self) -> Result<()> {
        let (first, line) = (self.next, self.line(self.next));
        if line.trim().is_empty() {
            self.next += 1;
            return Ok(());
        }
        let details = self.details.last().copied();
        let kind = if backticks(line) > 0 {
            let fence = self.fence()?;
            if ["rust", "diff"].contains(&fence.label.as_str()) && fence.role == Role::Written {
                let message = "code that is typed has a caption above it, an empty line between; \
                               code that is talked about is `rust ignore=REASON`";
                return Err(self.fault(fence.line, message));
            }
            Kind::Fence(fence)
        } else if let Some(text) = heading(line) {
            self.next += 1;
            Kind::Heading { level: line.len() - line.trim_start_matches('#').len(), text: text.to_owned() }
        } else {
            self.paragraph()?
        };
        let span = self.lines[first].start..self.lines[self.next - 1].end;
        // The tags of a `<details>` stand in it themselves.
        let details = details.or(self.details.last().copied());
        self.blocks.push(Block { line: first + 1, span, details, kind });
        Ok(())
    }

    /// Lines up to an empty one, a fence or a heading.
    fn paragraph(&mut self) -> Result<Kind> {
        let first = self.next;
        let ends = |index: usize| {
            self.blank(index) || backticks(self.line(index)) > 0 || heading(self.line(index)).is_some()
        };
        let end = (first + 1..self.lines.len()).find(|index| ends(*index)).unwrap_or(self.lines.len());
        self.next = end;
        let text = self.text[self.lines[first].start..self.lines[end - 1].end].trim_end();
        if let Some(naive) = text.strip_prefix("<!-- naive:") {
            let naive = naive.strip_suffix("-->").map(str::trim).unwrap_or_default();
            return caption::naive(naive).map(Kind::Naive).map_err(|message| self.fault(first + 1, message));
        }
        self.details_and_fences(first, end)?;
        if text.starts_with('<') {
            return Ok(Kind::Html { text: text.to_owned() });
        }
        match (end - first == 1).then(|| caption::read(text)).flatten() {
            None => Ok(Kind::Prose { text: text.to_owned() }),
            Some(Err(message)) => Err(self.fault(first + 1, message)),
            Some(Ok(caption)) => self.listing(first + 1, caption),
        }
    }

    /// Notes which `<details>` open and close here, in lines that begin with a tag; refuses fences in lists and quotes.
    fn details_and_fences(&mut self, first: usize, end: usize) -> Result<()> {
        for index in first..end {
            let line = self.line(index);
            let inner = line.trim_start_matches(['>', ' ', '\t']);
            if inner.starts_with("~~~") || backticks(inner) > 0 {
                return Err(
                    self.fault(index + 1, "a fence is three backticks or more at the beginning of a line")
                );
            }
            if !line.trim_start().starts_with('<') {
                continue;
            }
            for _ in line.matches("<details") {
                self.details.push(index + 1);
            }
            for _ in line.matches("</details>") {
                if self.details.pop().is_none() {
                    return Err(self.fault(index + 1, "`</details>` without `<details>`"));
                }
            }
        }
        Ok(())
    }

    /// What follows a caption.
    fn listing(&mut self, line: usize, caption: caption::Caption) -> Result<Kind> {
        let caption::Caption { path, what, flags } = caption;
        if flags.course == Course::Solution && self.details.is_empty() {
            return Err(self.fault(line, "a solution stands folded, within `<details>`"));
        }
        let fence = match what {
            What::Delete | What::Rename(_) => None,
            _ => {
                self.next += usize::from(self.blank(self.next));
                if backticks(self.line(self.next)) == 0 {
                    return Err(self.fault(line, "no fence follows this caption, after one empty line"));
                }
                let fence = self.fence()?;
                let diff = fence.label == "diff";
                if diff != (what == What::Edit) {
                    let message =
                        "a change is a `diff` fence under a caption that says neither `new` nor `replace`";
                    return Err(self.fault(fence.line, message));
                }
                if fence.role != Role::Written {
                    return Err(self.fault(fence.line, "only a label stands over a listing's text"));
                }
                Some(fence)
            }
        };
        Ok(Kind::Listing(Listing { path, what, flags, fence }))
    }

    /// The fence that opens in the next line.
    fn fence(&mut self) -> Result<Fence> {
        let (first, opening) = (self.next, self.line(self.next));
        let length = backticks(opening);
        let closes =
            |line: &str| backticks(line) >= length && line.trim_end().trim_start_matches('`').is_empty();
        let Some(close) = (first + 1..self.lines.len()).find(|index| closes(self.line(*index))) else {
            return Err(self.fault(first + 1, "this fence is never closed"));
        };
        self.next = close + 1;
        let info = opening[length..].trim();
        let (label, role) = fence::read(info).map_err(|message| self.fault(first + 1, message))?;
        let span = self.lines[first].end..self.lines[close].start;
        Ok(Fence { line: first + 1, label, role, body: self.text[span.clone()].to_owned(), span })
    }
}

/// How many backticks a line begins with, if it begins or ends a fence.
fn backticks(line: &str) -> usize {
    let count = line.len() - line.trim_start_matches('`').len();
    if count >= 3 && !line[count..].contains('`') { count } else { 0 }
}

/// The text of a heading.
fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    (1..=6).contains(&(line.len() - text.len())).then(|| text.strip_prefix(' '))?.map(str::trim)
}
