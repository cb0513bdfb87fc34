//! What does a listing's caption say? The file in bold code, and in brackets what happens to it.
//!
//! Not here: whether the file is there.

use super::{Claim, Course, Flags, Naive, What};

/// The parts of a caption.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Caption {
    pub path: String,
    pub what: What,
    pub flags: Flags,
}

/// Reads a paragraph of one line; `None` if it is no caption but prose that begins with bold code.
pub(super) fn read(line: &str) -> Option<Result<Caption, String>> {
    let (path, rest) = line.strip_prefix("**`")?.split_once("`**")?;
    let words = match rest.trim() {
        "" => "",
        rest => rest.strip_prefix('(')?.strip_suffix(')')?,
    };
    Some(caption(path, words))
}

fn caption(path: &str, words: &str) -> Result<Caption, String> {
    let (mut what, mut flags) = (None, Flags::default());
    for word in words.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word {
            "red" => flags.red = true,
            "warns" => flags.warns = true,
            "try" => course(&mut flags, Course::Try)?,
            "try on" => course(&mut flags, Course::TryOn)?,
            "solution" => course(&mut flags, Course::Solution)?,
            _ if what.is_some() => {
                return Err(format!("`{word}` on top of another: one thing happens to a file"));
            }
            "new" => what = Some(What::New),
            "replace" => what = Some(What::Replace),
            "delete" => what = Some(What::Delete),
            _ => what = Some(What::Rename(renamed(word)?)),
        }
    }
    if flags.red && flags.warns {
        return Err("`red` or `warns`, not both".into());
    }
    Ok(Caption { path: within(path)?, what: what.unwrap_or(What::Edit), flags })
}

fn course(flags: &mut Flags, course: Course) -> Result<(), String> {
    match std::mem::replace(&mut flags.course, course) {
        Course::Main => Ok(()),
        _ => Err("`try`, `try on` or `solution`, one of them".into()),
    }
}

fn renamed(word: &str) -> Result<String, String> {
    let path = word.strip_prefix("rename to `").and_then(|rest| rest.strip_suffix('`'));
    within(path.ok_or_else(|| format!("`{word}` in a caption's brackets says nothing; see book/AUTHORS.md"))?)
}

/// A path that stays in the crate's folder, whatever system it is read on.
fn within(path: &str) -> Result<String, String> {
    let plain = |part: &str| !["", ".", ".."].contains(&part) && !part.contains(['\\', ':', ' ']);
    if path.split('/').all(plain) {
        Ok(path.to_owned())
    } else {
        Err(format!("`{path}` is not a path below the crate"))
    }
}

/// Reads what follows `naive:` in a comment: `ch08_naive fails with "lost" and exits 1`.
pub(super) fn naive(text: &str) -> Result<Naive, String> {
    let wrong = || format!("`{text}`: as in `ch08_naive fails with \"lost\" and exits 1`");
    let (example, mut rest) = text.split_once(' ').ok_or_else(wrong)?;
    let mut claims = Vec::new();
    loop {
        rest = rest.trim_start();
        let end = rest.find(" and ").filter(|_| !rest.starts_with("fails with"));
        let (claim, left) = if let Some(quoted) = rest.strip_prefix("fails with \"") {
            let (words, left) = quoted.split_once('"').ok_or_else(wrong)?;
            (Claim::Says(words.to_owned()), left.trim_start())
        } else {
            let (words, left) = rest.split_at(end.unwrap_or(rest.len()));
            let claim = match words.trim() {
                "is killed" => Claim::Killed,
                "exits not 0" => Claim::ExitsNotZero,
                words => {
                    let code = words.strip_prefix("exits ").and_then(|code| code.parse().ok());
                    Claim::Exits(code.ok_or_else(wrong)?)
                }
            };
            (claim, left.trim_start())
        };
        claims.push(claim);
        match left.strip_prefix("and ") {
            Some(more) => rest = more,
            None if left.is_empty() => return Ok(Naive { example: example.to_owned(), claims }),
            None => return Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(line: &str) -> (What, Flags) {
        let caption = read(line).unwrap().unwrap();
        assert_eq!(caption.path, "src/a.rs");
        (caption.what, caption.flags)
    }

    #[test]
    fn captions_are_read() {
        assert_eq!(flags("**`src/a.rs`**"), (What::Edit, Flags::default()));
        let red = Flags { red: true, warns: false, course: Course::Try };
        assert_eq!(flags("**`src/a.rs`** (new, try, red)"), (What::New, red));
        let on = Flags { course: Course::TryOn, ..Flags::default() };
        assert_eq!(flags("**`src/a.rs`** (try on)"), (What::Edit, on));
        assert_eq!(flags("**`src/a.rs`** (rename to `src/b.rs`)").0, What::Rename("src/b.rs".into()));
    }

    #[test]
    fn prose_is_left_alone() {
        for line in ["**`Arc`** is a counter.", "**bold**", "`code`", "**`src/a.rs`** (new) and more"] {
            assert!(read(line).is_none(), "{line}");
        }
    }

    #[test]
    fn senseless_captions_are_refused() {
        for words in ["rename", "new, delete", "try, solution", "red, warns", "gone"] {
            assert!(read(&format!("**`src/a.rs`** ({words})")).unwrap().is_err(), "{words}");
        }
        for path in ["../a.rs", "/a.rs", "a//b.rs", "C:\\a"] {
            assert!(read(&format!("**`{path}`**")).unwrap().is_err(), "{path}");
        }
    }

    #[test]
    fn claims_are_read() {
        let read = naive("ch08_naive fails with \"lost and gone\" and exits not 0 and is killed").unwrap();
        assert_eq!(read.example, "ch08_naive");
        assert_eq!(read.claims, [Claim::Says("lost and gone".into()), Claim::ExitsNotZero, Claim::Killed]);
        assert_eq!(naive("a exits 1").unwrap().claims, [Claim::Exits(1)]);
        for text in ["a", "a fails", "a fails with \"x", "a exits x", "a exits 1 or 2"] {
            assert!(naive(text).is_err(), "{text}");
        }
    }
}
