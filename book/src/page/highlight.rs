//! How does code get its colours? One lexer, driven by a table for each language, cuts a text into classed pieces.
//!
//! It runs once, when the book is built, so that a reader's browser has nothing to do. A text is lexed as a whole and
//! then cut into lines: a comment or a string may go on over several. What it does not understand stays plain, for
//! listings are fragments. Not for deciding whether code is right: the compiler sees every listing.

use super::html::escape;

/// What the lexer has to know about a language.
#[derive(Debug)]
pub(super) struct Language {
    comments: &'static [&'static str],
    quotes: &'static str,
    keywords: &'static [&'static str],
    /// Where there are words for values, numbers are told from text too.
    values: &'static [&'static str],
    /// What follows a key: `"name": 1`, `name = 1`.
    key: Option<char>,
    rust: bool,
}

const PLAIN: Language =
    Language { comments: &[], quotes: "", keywords: &[], values: &[], key: None, rust: false };
const RUST: Language = Language {
    comments: &["//"],
    quotes: "\"",
    keywords: &[
        "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "fn",
        "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return",
        "self", "static", "struct", "super", "trait", "type", "unsafe", "use", "where", "while",
    ],
    values: &["true", "false"],
    key: None,
    rust: true,
};
const PRIMITIVES: &[&str] = &[
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8", "u16", "u32",
    "u64", "u128", "usize",
];
const TOML: Language =
    Language { comments: &["#"], quotes: "\"'", values: &["true", "false"], key: Some('='), ..PLAIN };
const YAML: Language =
    Language { comments: &["#"], quotes: "\"'", values: &["true", "false", "null"], key: Some(':'), ..PLAIN };
const JSON: Language = Language { quotes: "\"", values: &["true", "false", "null"], key: Some(':'), ..PLAIN };
const SQL: Language = Language {
    comments: &["--"],
    quotes: "'",
    keywords: &[
        "AND", "AS", "ASC", "BETWEEN", "BY", "CREATE", "DELETE", "DESC", "FROM", "GROUP", "IN", "INDEX",
        "INSERT", "INTO", "IS", "JOIN", "LIKE", "LIMIT", "NOT", "ON", "OR", "ORDER", "SELECT", "SET",
        "TABLE", "UPDATE", "VALUES", "WHERE",
    ],
    values: &["NULL", "TRUE", "FALSE"],
    ..PLAIN
};
const SHELL: Language = Language {
    comments: &["#"],
    quotes: "\"'",
    keywords: &["case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "while"],
    ..PLAIN
};
const DOCKERFILE: Language = Language {
    comments: &["#"],
    quotes: "\"",
    keywords: &[
        "ARG",
        "AS",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "RUN",
        "USER",
        "VOLUME",
        "WORKDIR",
    ],
    ..PLAIN
};

impl Language {
    /// By the word that labels a fence; unknown ones are plain text.
    pub(super) fn of_label(label: &str) -> &'static Self {
        match label {
            "rust" => &RUST,
            "toml" => &TOML,
            "yaml" | "yml" => &YAML,
            "json" => &JSON,
            "sql" => &SQL,
            "sh" | "bash" => &SHELL,
            "dockerfile" => &DOCKERFILE,
            _ => &PLAIN,
        }
    }

    /// By the name of the file that a listing changes.
    pub(super) fn of_file(path: &str) -> &'static Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name.rsplit_once('.') {
            Some((_, "rs")) => &RUST,
            Some((_, extension)) => Self::of_label(extension),
            None if name.starts_with("Dockerfile") => &DOCKERFILE,
            None => &PLAIN,
        }
    }
}

/// The lines of `source` as HTML, without line ends. The text of the HTML is the text of `source`.
pub(super) fn lines(language: &Language, source: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for (class, text) in lex(language, source) {
        for (i, piece) in text.split('\n').enumerate() {
            if i > 0 {
                lines.push(String::new());
            }
            let line = lines.last_mut().expect("there is always a line");
            match class {
                Some(class) if !piece.trim().is_empty() => {
                    line.push_str(&format!("<span class=\"{class}\">{}</span>", escape(piece)));
                }
                _ => line.push_str(&escape(piece)),
            }
        }
    }
    if source.ends_with('\n') {
        lines.pop();
    }
    lines
}

/// The pieces of `source` in order, each with its class: `k`eyword, `t`ype or key, `f`unction or macro, `s`tring,
/// `n`umber or constant, `c`omment or attribute.
fn lex<'a>(language: &Language, source: &'a str) -> Vec<(Option<char>, &'a str)> {
    let mut pieces = Vec::new();
    let (mut at, mut plain) = (0, 0);
    while at < source.len() {
        let (class, length) = piece(language, source, at);
        if class.is_some() {
            if plain < at {
                pieces.push((None, &source[plain..at]));
            }
            pieces.push((class, &source[at..at + length]));
            plain = at + length;
        }
        at += length;
    }
    if plain < source.len() {
        pieces.push((None, &source[plain..]));
    }
    pieces
}

/// The class and the length in bytes of the piece that begins at `at`.
fn piece(language: &Language, source: &str, at: usize) -> (Option<char>, usize) {
    let rest = &source[at..];
    let first = rest.chars().next().expect("`at` is before the end");
    let line_start = source[..at].rsplit('\n').next().is_some_and(|before| before.trim().is_empty());
    if language.comments.iter().any(|comment| rest.starts_with(comment)) {
        return (Some('c'), rest.find('\n').unwrap_or(rest.len()));
    }
    if language.rust
        && let Some(found) = rust_piece(rest)
    {
        return found;
    }
    if language.key == Some('=') && first == '[' && line_start {
        return (Some('t'), rest.find('\n').unwrap_or(rest.len()));
    }
    if language.quotes.contains(first) {
        let length = quoted(rest, first);
        return (Some(if is_key(language, &rest[length..]) { 't' } else { 's' }), length);
    }
    if first.is_ascii_digit() {
        return ((!language.values.is_empty()).then_some('n'), number(rest));
    }
    if first.is_alphabetic() || first == '_' {
        return word(language, source, at, line_start);
    }
    (None, first.len_utf8())
}

fn is_key(language: &Language, after: &str) -> bool {
    language.key.is_some_and(|key| after.trim_start_matches(' ').starts_with(key))
}

/// What only Rust has: nested comments, attributes, raw and prefixed strings, lifetimes and characters.
fn rust_piece(rest: &str) -> Option<(Option<char>, usize)> {
    if rest.starts_with("/*") {
        return Some((Some('c'), nested(rest, "/*", "*/")));
    }
    if rest.starts_with("#[") || rest.starts_with("#![") {
        return Some((Some('c'), nested(rest, "[", "]")));
    }
    let prefix = rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).filter(|&length| length <= 2)?;
    let literal = &rest[prefix..];
    if rest[..prefix].contains('r') {
        let hashes = literal.len() - literal.trim_start_matches('#').len();
        if literal[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = prefix + hashes + 1;
            let length = rest[body..].find(&end).map_or(rest.len(), |i| body + i + end.len());
            return Some((Some('s'), length));
        }
        return None;
    }
    if literal.starts_with('"') {
        return Some((Some('s'), prefix + quoted(literal, '"')));
    }
    let quote = literal.strip_prefix('\'')?;
    let name = quote.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(quote.len());
    if name > 0 && !quote[name..].starts_with('\'') {
        return Some((Some('n'), prefix + 1 + name));
    }
    Some((Some('s'), prefix + quoted(literal, '\'')))
}

/// The length of what opens and closes in pairs.
fn nested(rest: &str, open: &str, close: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(open) {
            depth += 1;
            at += open.len();
        } else if rest[at..].starts_with(close) {
            depth -= 1;
            at += close.len();
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of a string with both its quotes; a backslash takes the next character along.
fn quoted(rest: &str, quote: char) -> usize {
    let mut characters = rest.char_indices().skip(1);
    while let Some((i, c)) = characters.next() {
        if c == '\\' {
            characters.next();
        } else if c == quote {
            return i + c.len_utf8();
        }
    }
    rest.len()
}

/// The length of a number: `0xff_u8`, `1.5e-3`; but the range `0..10` begins with the number `0`.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut end = 1;
    while end < bytes.len() {
        let digit_follows = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        let part = bytes[end].is_ascii_alphanumeric()
            || bytes[end] == b'_'
            || bytes[end] == b'.' && digit_follows && !rest[..end].contains('.')
            || matches!(bytes[end], b'-' | b'+') && digit_follows && rest[..end].ends_with(['e', 'E']);
        if !part {
            break;
        }
        end += 1;
    }
    end
}

fn word(language: &Language, source: &str, at: usize, line_start: bool) -> (Option<char>, usize) {
    let rest = &source[at..];
    let dashes = language.key.is_some() || !language.rust;
    let inside = |c: char| c.is_alphanumeric() || c == '_' || dashes && c == '-';
    let length = rest.find(|c| !inside(c)).unwrap_or(rest.len());
    let (word, after) = rest.split_at(length);
    let is = |words: &[&str]| words.contains(&word);
    let class = if is(language.keywords) {
        Some('k')
    } else if is(language.values) {
        Some('n')
    } else if language.key.is_some() {
        (line_start && is_key(language, after)).then_some('t')
    } else if language.rust {
        rust_word(word, &source[..at], after)
    } else {
        None
    };
    (class, length)
}

fn rust_word(word: &str, before: &str, after: &str) -> Option<char> {
    let capital = word.starts_with(char::is_uppercase);
    if PRIMITIVES.contains(&word) {
        Some('t')
    } else if capital && word.len() > 1 && !word.contains(char::is_lowercase) {
        Some('n')
    } else if capital {
        Some('t')
    } else if after.starts_with('(')
        || after.starts_with("::<")
        || after.starts_with('!') && !after.starts_with("!=")
        || before.ends_with("fn ")
    {
        Some('f')
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(label: &str, source: &str) -> String {
        let pieces = lex(Language::of_label(label), source);
        assert_eq!(pieces.iter().map(|(_, text)| *text).collect::<String>(), source);
        let shown = pieces.iter().filter_map(|(class, text)| class.map(|class| format!("{class}:{text}")));
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn rust() {
        assert_eq!(classes("rust", "let x: &'a str = r#\"a\"b\"#;"), "k:let n:'a t:str s:r#\"a\"b\"#");
        assert_eq!(
            classes("rust", "for i in 0..10 { 1.5e-3; 0xff_u8 }"),
            "k:for k:in n:0 n:10 n:1.5e-3 n:0xff_u8"
        );
        assert_eq!(
            classes("rust", "fn get<T>() { vec![b'\\'', 'x'] }"),
            "k:fn f:get t:T f:vec s:b'\\'' s:'x'"
        );
        assert_eq!(
            classes("rust", "#[derive(Debug)] // é\nconst MAX: u8"),
            "c:#[derive(Debug)] c:// é k:const n:MAX t:u8"
        );
        assert_eq!(classes("rust", "/* a /* b */ c */ x != y"), "c:/* a /* b */ c */");
        assert_eq!(classes("rust", "parse::<u64>() \"open"), "f:parse t:u64 s:\"open");
    }

    #[test]
    fn the_others() {
        assert_eq!(classes("toml", "[a.b] # c\nkey-1 = \"v\"\nn = 1"), "t:[a.b] # c t:key-1 s:\"v\" t:n n:1");
        assert_eq!(classes("json", r#"{"a": [1, true, "b"]}"#), r#"t:"a" n:1 n:true s:"b""#);
        assert_eq!(
            classes("sql", "SELECT a FROM t WHERE b = 'c' -- d"),
            "k:SELECT k:FROM k:WHERE s:'c' c:-- d"
        );
        assert_eq!(classes("text", "let it be"), "");
    }

    #[test]
    fn a_piece_over_several_lines_is_closed_and_opened_again() {
        let lines = lines(&RUST, "/* a\n\nb */ <\n");
        assert_eq!(lines, ["<span class=\"c\">/* a</span>", "", "<span class=\"c\">b */</span> &lt;"]);
    }
}
