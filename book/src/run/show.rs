//! Which part of a text does the page show? Lines, or the messages with a code; commands always; gaps are marked.
//!
//! Not here: the whole text, which is what a snapshot keeps.

use crate::post::{Fence, Role, Show};

/// Stands for lines that are left out.
pub const GAP: &str = "…";

/// A fence's body, made from the whole text.
pub fn body(fence: &Fence, text: &str) -> Result<String, String> {
    match &fence.role {
        Role::Error { show, .. } => part(text, show),
        Role::Run(run) => part(text, &run.show),
        _ => Ok(fence.body.clone()),
    }
}

fn part(text: &str, show: &[Show]) -> Result<String, String> {
    if show.is_empty() {
        return Ok(text.to_owned());
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut kept: Vec<bool> = commands(&lines);
    for part in show {
        let shown: Vec<usize> = match part {
            Show::Lines(_, last) if *last > lines.len() => {
                return Err(format!("`show=` names line {last}, and there are {}", lines.len()));
            }
            Show::Lines(first, last) => (*first - 1..*last).collect(),
            Show::Code(code) => messages(&lines, code),
        };
        if shown.is_empty() {
            return Err(format!("`show=`: nothing shows {part:?} in\n{text}"));
        }
        shown.into_iter().for_each(|line| kept[line] = true);
    }
    let mut body = String::new();
    for (index, line) in lines.iter().enumerate() {
        if kept[index] || line.is_empty() && gap_is_empty(&lines, &kept, index) {
            body += &format!("{line}\n");
        } else if !body.ends_with(&format!("{GAP}\n")) {
            body += &format!("{GAP}\n");
        }
    }
    Ok(body)
}

/// Whether only empty lines stand here between two that are kept.
fn gap_is_empty(lines: &[&str], kept: &[bool], at: usize) -> bool {
    let mut around = [
        (0..at).rfind(|line| !lines[*line].is_empty()),
        (at..lines.len()).find(|line| !lines[*line].is_empty()),
    ];
    around.iter_mut().all(|line| line.is_some_and(|line| kept[line]))
}

/// The lines of commands, which the fence needs in order to be run again.
fn commands(lines: &[&str]) -> Vec<bool> {
    let mut goes_on = false;
    lines
        .iter()
        .map(|line| {
            let command = goes_on || line.starts_with("$ ");
            goes_on = command && line.ends_with('\\');
            command
        })
        .collect()
}

/// The lines of each message with a code.
fn messages(lines: &[&str], code: &str) -> Vec<usize> {
    let begins =
        |line: &&str| ["error:", "error[", "warning:", "warning["].iter().any(|word| line.starts_with(word));
    let mut firsts: Vec<usize> = (0..lines.len()).filter(|line| begins(&lines[*line])).collect();
    firsts.push(lines.len());
    let ranges = firsts.windows(2).map(|pair| pair[0]..pair[1]);
    let (head, lint) = (format!("[{code}]"), format!("({code})"));
    ranges
        .filter(|range| {
            lines[range.start].contains(&head) || lines[range.clone()].iter().any(|line| line.contains(&lint))
        })
        .flat_map(|range| {
            let end = range.clone().rfind(|line| !lines[*line].is_empty()).map_or(range.end, |line| line + 1);
            range.start..end
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_shown_with_their_gaps() {
        let text = "$ a \\\n  b\none\ntwo\nthree\n$ c\nfour\n";
        assert_eq!(part(text, &[]).unwrap(), text);
        assert_eq!(part(text, &[Show::Lines(4, 4)]).unwrap(), "$ a \\\n  b\n…\ntwo\n…\n$ c\n…\n");
        assert!(part(text, &[Show::Lines(4, 9)]).is_err());
    }

    #[test]
    fn messages_are_shown_by_their_code() {
        let text = "error[E1]: a\n x\n\nerror[E2]: b\n y\n\nwarning: c\n = note: `#[warn(unused)]`\n";
        assert_eq!(part(text, &[Show::Code("E2".into())]).unwrap(), "…\nerror[E2]: b\n y\n…\n");
        assert_eq!(
            part(text, &[Show::Code("E2".into()), Show::Code("unused".into())]).unwrap(),
            "…\nerror[E2]: b\n y\n\nwarning: c\n = note: `#[warn(unused)]`\n"
        );
        assert!(part(text, &[Show::Code("E3".into())]).is_err());
    }
}
