//! What are the words of a text? The tokenizer that indexed values, queries and the check of a payload share.
//!
//! By default a word is a run of letters and digits, in lower case. A path may be declared to have a text index with
//! other options ([`TextRules`]); that is part of what its conditions mean, not only of how fast they are.
//!
//! Not here: stemming, stop words, folding of accents, and languages that do not put anything between words.

use std::collections::BTreeMap;

use super::path::Path;
use crate::schema::{CollectionSchema, FieldKind};
pub use crate::schema::{TextOptions, Tokenizer};

/// Longer words are cut, in texts and in queries alike, so that every word fits an index.
const MAX_WORD_BYTES: usize = 255;

/// The longest prefix the tokenizer makes unless told otherwise, in characters.
const MAX_PREFIX: usize = 20;

impl TextOptions {
    /// The tokens of an indexed text, in order, as often as they occur.
    pub fn tokens(&self, text: &str, token: &mut dyn FnMut(&str)) {
        if self.tokenizer != Tokenizer::Prefix {
            return self.words(text, token);
        }
        let (min, max) = self.prefix_lengths();
        self.words(text, &mut |word| {
            for (length, end) in ends_of_characters(word).enumerate() {
                if (min..=max).contains(&(length + 1)) {
                    token(&word[..end]);
                }
            }
        });
    }

    /// The tokens of a query: its words, with the tokenizer `Prefix` cut to the longest prefix a text has.
    pub fn query_tokens(&self, text: &str) -> Vec<String> {
        let mut tokens = Vec::new();
        self.words(text, &mut |word| tokens.push(self.query_token(word)));
        tokens
    }

    /// Whether the tokens, of a query, follow each other in the text.
    pub fn contains_phrase(&self, text: &str, phrase: &[String]) -> bool {
        let mut words = Vec::new();
        self.words(text, &mut |word| words.push(word.to_owned()));
        let covers = |(word, token): (&String, &String)| match self.tokenizer {
            Tokenizer::Prefix => word.starts_with(token),
            _ => word == token,
        };
        !phrase.is_empty() && words.windows(phrase.len()).any(|window| window.iter().zip(phrase).all(covers))
    }

    /// The words of the length that is asked for.
    fn words(&self, text: &str, word: &mut dyn FnMut(&str)) {
        let prefix = self.tokenizer == Tokenizer::Prefix;
        let min = self.min_token_len.unwrap_or(0);
        let max = self.max_token_len.filter(|_| !prefix).unwrap_or(usize::MAX);
        let (mut lower, pieces) = (String::new(), split(text, self.tokenizer));
        for mut piece in pieces {
            if self.lowercase && !is_lowercase_ascii(piece) {
                lower.clear();
                lower.extend(piece.chars().flat_map(char::to_lowercase));
                piece = &lower;
            }
            let characters = if min == 0 && max == usize::MAX { 0 } else { piece.chars().count() };
            if (min..=max).contains(&characters) {
                word(&piece[..piece.floor_char_boundary(MAX_WORD_BYTES)]);
            }
        }
    }

    fn query_token(&self, word: &str) -> String {
        let (_, max) = self.prefix_lengths();
        let end = match self.tokenizer {
            Tokenizer::Prefix => ends_of_characters(word).take(max).last().unwrap_or(0),
            _ => word.len(),
        };
        word[..end].to_owned()
    }

    fn prefix_lengths(&self) -> (usize, usize) {
        (self.min_token_len.unwrap_or(1), self.max_token_len.unwrap_or(MAX_PREFIX))
    }
}

fn split(text: &str, tokenizer: Tokenizer) -> impl Iterator<Item = &str> {
    let between = move |c: char| match tokenizer {
        Tokenizer::Whitespace => c.is_whitespace(),
        _ => !c.is_alphanumeric(),
    };
    text.split(between).filter(|piece| !piece.is_empty())
}

fn is_lowercase_ascii(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}

fn ends_of_characters(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().map(|(start, c)| start + c.len_utf8())
}

/// The paths that are declared to have a text index, with its options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextRules(BTreeMap<Path, TextOptions>);

impl TextRules {
    /// The text indexes that a collection has declared.
    pub fn of(schema: &CollectionSchema) -> Self {
        let declared = schema.fields.iter().filter_map(|(field, index)| match &index.kind {
            FieldKind::Text(options) => Some((field.parse().ok()?, options.clone())),
            _ => None,
        });
        Self::new(declared)
    }

    /// The rules that declare these paths.
    pub fn new(declared: impl IntoIterator<Item = (Path, TextOptions)>) -> Self {
        Self(declared.into_iter().collect())
    }

    /// The options of the text index declared at exactly this path.
    pub fn get(&self, path: &Path) -> Option<&TextOptions> {
        self.0.get(path)
    }

    /// The declared paths, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &TextOptions)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(options: &TextOptions, text: &str) -> Vec<String> {
        let mut tokens = Vec::new();
        options.tokens(text, &mut |token| tokens.push(token.to_owned()));
        tokens
    }

    #[test]
    fn texts_fall_into_words() {
        let word = TextOptions::default();
        assert_eq!(tokens(&word, "Vec::push_back(ÄB, x2)"), ["vec", "push", "back", "äb", "x2"]);
        assert_eq!(tokens(&word, " \u{2028}…! "), [""; 0]);
        let long = "é".repeat(200);
        assert_eq!(tokens(&word, &long), [&long[..254]], "cut between characters");
        assert_eq!(word.query_tokens(&long), tokens(&word, &long));
        let space =
            TextOptions { tokenizer: Tokenizer::Whitespace, lowercase: false, ..TextOptions::default() };
        assert_eq!(tokens(&space, "Vec::push x\ty"), ["Vec::push", "x", "y"]);
        let short = TextOptions { min_token_len: Some(2), max_token_len: Some(3), ..TextOptions::default() };
        assert_eq!(tokens(&short, "a ab äöü abcd"), ["ab", "äöü"]);
    }

    #[test]
    fn a_prefix_finds_its_words() {
        let options = TextOptions {
            tokenizer: Tokenizer::Prefix,
            min_token_len: Some(2),
            max_token_len: Some(4),
            ..TextOptions::default()
        };
        assert_eq!(tokens(&options, "Hello a wö"), ["he", "hel", "hell", "wö"]);
        assert_eq!(options.query_tokens("HELLOS a"), ["hell"]);
        assert!(options.contains_phrase("well hello world", &options.query_tokens("hel wo")));
    }

    #[test]
    fn a_phrase_is_words_in_a_row() {
        let options = TextOptions::default();
        let phrase = |text: &str| options.query_tokens(text);
        assert!(options.contains_phrase("The quick, brown fox", &phrase("QUICK brown")));
        assert!(!options.contains_phrase("The quick, brown fox", &phrase("quick fox")));
        assert!(
            !options.contains_phrase("fox", &phrase(""))
                && !options.contains_phrase("fox", &phrase("fox fox"))
        );
    }
}
