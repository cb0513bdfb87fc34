//! How does text become a vector, with no network and no model server?
//!
//! By looking words up in a table. A text is cut into word pieces as BERT's uncased models cut it; each piece has a
//! vector; a text's vector is the sum of its pieces' vectors, scaled to unit length. The table was fitted so that this
//! sum comes close to what a real language model (all-MiniLM-L6-v2) says about the whole text: see `data/README.md`.
//!
//! What is lost is the order of words: "dog bites man" and "man bites dog" have the same vector. For short texts and
//! for search that costs little; whoever needs more brings their own vectors.

use std::collections::HashMap;
use std::iter;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, Result};

/// The name under which the API knows this model.
pub const MODEL: &str = "kith/mini";

const MAGIC: &[u8; 8] = b"KITHEMB\0";
const VERSION: u32 = 1;
const HEADER: usize = 32;
/// Longer words are unknown, whatever they are made of; so says BERT.
const LONGEST_WORD: usize = 100;

/// A table of word pieces and their vectors. The bytes it was parsed from, little-endian throughout:
///
/// ```text
///  0  magic       "KITHEMB\0"
///  8  version     u32, 1
/// 12  checksum    u32, crc32c of every byte from 16 on
/// 16  dimension   u32
/// 20  pieces      u32
/// 24  rows        u32, how many pieces have a vector: the first ones; the others are only known as words
/// 28  ranges      u32
/// 32  ranges      × (first: u32, last: u24, class: u8), ascending: the characters that are treated specially
///     ends        pieces × u32, where each piece ends in `text`
///     scales      rows × f32
///     table       rows × dimension × i8; a piece's vector is its row times its scale
///     text        the pieces in UTF-8, one after the other; those that continue a word begin with "##"
/// ```
///
/// A piece's weight (rare pieces say more than common ones) is folded into its scale.
pub struct Embedder {
    dimension: usize,
    ranges: Vec<Range>,
    ascii: [Class; 128],
    /// Pieces that begin a word, and pieces that continue one, by their text.
    beginnings: HashMap<&'static str, u32>,
    continuations: HashMap<&'static str, u32>,
    longest_piece: usize,
    scales: Vec<f32>,
    table: &'static [u8],
}

/// How a character is treated before words are looked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    /// Part of a word.
    Plain,
    /// Control and format characters: dropped.
    Removed,
    Space,
    /// Ideographs: each is a word of its own.
    Ideograph,
    /// Accents, after decomposition: dropped.
    Mark,
    /// Each is a word of its own.
    Punctuation,
}

#[derive(Clone, Copy)]
struct Range {
    first: u32,
    last: u32,
    class: Class,
}

impl Embedder {
    /// The embedder that is compiled into the binary; parsed at the first call.
    pub fn builtin() -> &'static Embedder {
        static BUILTIN: LazyLock<Embedder> = LazyLock::new(|| {
            Embedder::parse(include_bytes!("../data/embedder.bin")).expect("the compiled-in table was tested")
        });
        &BUILTIN
    }

    /// Reads a table; the vectors stay where they are. Anything that is cut or garbled is [`Error::Corrupt`].
    pub fn parse(bytes: &'static [u8]) -> Result<Embedder> {
        let mut rest = check_header(bytes)?;
        let [dimension, pieces, rows, ranges] = [16, 20, 24, 28].map(|at| u32_at(bytes, at) as usize);
        if dimension == 0 || rows > pieces {
            return Err(Error::corrupt(format!("embedder: {rows} rows × {dimension} for {pieces} pieces")));
        }
        let ranges = parse_ranges(take(&mut rest, ranges)?)?;
        let ends = take(&mut rest, pieces)?;
        let scales: Vec<f32> =
            take(&mut rest, rows)?.iter().map(|&scale| f32::from_le_bytes(scale)).collect();
        if !scales.iter().all(|scale| scale.is_finite()) {
            return Err(Error::corrupt("embedder: a scale is not a number"));
        }
        let (table, text) = rows
            .checked_mul(dimension)
            .and_then(|size| rest.split_at_checked(size))
            .ok_or_else(|| Error::corrupt("embedder: cut off in its table"))?;
        let text = str::from_utf8(text).map_err(|_| Error::corrupt("embedder: pieces are not UTF-8"))?;
        let mut embedder = Embedder {
            dimension,
            ascii: [Class::Plain; 128],
            ranges,
            beginnings: HashMap::with_capacity(pieces),
            continuations: HashMap::new(),
            longest_piece: 0,
            scales,
            table,
        };
        embedder.index_ascii();
        embedder.index_pieces(ends, text)?;
        Ok(embedder)
    }

    /// How many numbers [`Embedder::embed`] returns.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// The unit-length vector of a text; all zeros if the text is empty or no piece of it is known.
    pub fn embed(&self, text: &str) -> Vec<f32> {
        let mut sum = vec![0.0; self.dimension];
        for piece in self.pieces(text) {
            self.add_piece(piece as usize, &mut sum);
        }
        let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
        if norm > 0.0 {
            sum.iter_mut().for_each(|x| *x /= norm);
        }
        sum
    }

    fn add_piece(&self, piece: usize, sum: &mut [f32]) {
        let Some(&scale) = self.scales.get(piece) else { return };
        let row = &self.table[piece * self.dimension..][..self.dimension];
        for (x, &byte) in sum.iter_mut().zip(row) {
            *x += scale * f32::from(byte.cast_signed());
        }
    }

    /// The pieces of a text in reading order, unknown words left out.
    fn pieces(&self, text: &str) -> Vec<u32> {
        let mut pieces = Vec::with_capacity(text.len() / 4 + 1);
        let mut word = String::new();
        for c in self.normalise(text) {
            match self.class(c) {
                Class::Space => self.end_word(&mut word, &mut pieces),
                Class::Punctuation => {
                    self.end_word(&mut word, &mut pieces);
                    word.push(c);
                    self.end_word(&mut word, &mut pieces);
                }
                _ => word.push(c),
            }
        }
        self.end_word(&mut word, &mut pieces);
        pieces
    }

    /// Cleans, sets ideographs apart, drops accents and lowers case, in this order.
    fn normalise<'a>(&'a self, text: &'a str) -> impl Iterator<Item = char> + 'a {
        text.chars()
            .flat_map(|c| match self.class(c) {
                Class::Removed => [None; 3],
                Class::Space => [Some(' '), None, None],
                Class::Ideograph => [Some(' '), Some(c), Some(' ')],
                _ => [Some(c), None, None],
            })
            .flatten()
            .nfd()
            .filter(|&c| self.class(c) != Class::Mark)
            .flat_map(char::to_lowercase)
    }

    fn class(&self, c: char) -> Class {
        if let Some(&class) = self.ascii.get(c as usize) {
            return class;
        }
        self.search_class(c as u32)
    }

    fn search_class(&self, c: u32) -> Class {
        let after = self.ranges.partition_point(|range| range.first <= c);
        match after.checked_sub(1).map(|i| &self.ranges[i]) {
            Some(range) if c <= range.last => range.class,
            _ => Class::Plain,
        }
    }

    /// Cuts a word into the longest pieces there are, from its beginning on; if any part of it is unknown, all is.
    fn end_word(&self, word: &mut String, pieces: &mut Vec<u32>) {
        let before = pieces.len();
        let mut rest = word.as_str();
        if rest.chars().nth(LONGEST_WORD).is_some() {
            rest = "";
        }
        let mut known = &self.beginnings;
        while !rest.is_empty() {
            let ends = (1..=rest.len().min(self.longest_piece)).rev();
            let longest = ends
                .filter(|&end| rest.is_char_boundary(end))
                .find_map(|end| Some((end, *known.get(&rest[..end])?)));
            let Some((end, piece)) = longest else {
                pieces.truncate(before);
                break;
            };
            pieces.push(piece);
            rest = &rest[end..];
            known = &self.continuations;
        }
        word.clear();
    }

    fn index_ascii(&mut self) {
        for c in 0..128u8 {
            self.ascii[usize::from(c)] = self.search_class(u32::from(c));
        }
    }

    fn index_pieces(&mut self, ends: &[[u8; 4]], text: &'static str) -> Result<()> {
        let mut start = 0;
        for (number, end) in iter::zip(0.., ends) {
            let end = u32::from_le_bytes(*end) as usize;
            let piece = text.get(start..end).filter(|piece| !piece.is_empty());
            let piece = piece
                .ok_or_else(|| Error::corrupt(format!("embedder: piece {number} is not in the text")))?;
            match piece.strip_prefix("##") {
                Some(continuation) => self.continuations.insert(continuation, number),
                None => self.beginnings.insert(piece, number),
            };
            self.longest_piece = self.longest_piece.max(piece.len());
            start = end;
        }
        if start == text.len() { Ok(()) } else { Err(Error::corrupt("embedder: text after the last piece")) }
    }
}

/// Checks magic, version and checksum; what follows the header.
fn check_header(bytes: &'static [u8]) -> Result<&'static [u8]> {
    let Some((header, rest)) = bytes.split_at_checked(HEADER) else {
        return Err(Error::corrupt("embedder: cut off in its header"));
    };
    if &header[..8] != MAGIC {
        return Err(Error::corrupt("embedder: not a table of word pieces"));
    }
    if u32_at(bytes, 8) != VERSION {
        return Err(Error::corrupt(format!("embedder: version {} is unknown", u32_at(bytes, 8))));
    }
    if crc32c::crc32c(&bytes[16..]) != u32_at(bytes, 12) {
        return Err(Error::corrupt("embedder: checksum does not match"));
    }
    Ok(rest)
}

/// Cuts `count` records of `N` bytes off the front.
fn take<const N: usize>(rest: &mut &'static [u8], count: usize) -> Result<&'static [[u8; N]]> {
    let (records, after) = count
        .checked_mul(N)
        .and_then(|size| rest.split_at_checked(size))
        .ok_or_else(|| Error::corrupt("embedder: cut off before its table"))?;
    *rest = after;
    Ok(records.as_chunks().0)
}

fn parse_ranges(records: &[[u8; 8]]) -> Result<Vec<Range>> {
    let mut ranges: Vec<Range> = Vec::with_capacity(records.len());
    for &[f0, f1, f2, f3, l0, l1, l2, class] in records {
        let class = match class {
            1 => Class::Removed,
            2 => Class::Space,
            3 => Class::Ideograph,
            4 => Class::Mark,
            5 => Class::Punctuation,
            _ => return Err(Error::corrupt(format!("embedder: character class {class} is unknown"))),
        };
        let first = u32::from_le_bytes([f0, f1, f2, f3]);
        let last = u32::from_le_bytes([l0, l1, l2, 0]);
        if last < first || ranges.last().is_some_and(|before| first <= before.last) {
            return Err(Error::corrupt("embedder: character ranges overlap"));
        }
        ranges.push(Range { first, last, class });
    }
    Ok(ranges)
}

/// The number at a place inside the header.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of these pieces, without vectors.
    fn words(pieces: &[&str]) -> Embedder {
        let mut embedder = Embedder { scales: Vec::new(), table: &[], ..rules() };
        let text = pieces.concat().leak();
        let ends: Vec<[u8; 4]> = pieces
            .iter()
            .scan(0, |end, piece| {
                *end += piece.len() as u32;
                Some(end.to_le_bytes())
            })
            .collect();
        embedder.index_pieces(&ends, text).unwrap();
        embedder
    }

    /// The character classes of the built-in table alone.
    fn rules() -> Embedder {
        let builtin = Embedder::builtin();
        Embedder {
            dimension: 1,
            ranges: builtin.ranges.clone(),
            ascii: builtin.ascii,
            beginnings: HashMap::new(),
            continuations: HashMap::new(),
            longest_piece: 0,
            scales: Vec::new(),
            table: &[],
        }
    }

    fn normal(text: &str) -> String {
        Embedder::builtin().normalise(text).collect()
    }

    #[test]
    fn words_are_cut_into_the_longest_pieces() {
        let embedder = words(&["un", "##aff", "##able", "runn", "run", "##ning", "u", "##n"]);
        assert_eq!(embedder.pieces("unaffable"), [0, 1, 2]);
        assert_eq!(embedder.pieces("running"), [0u32; 0], "greedy takes runn, and nothing goes on with ing");
        assert_eq!(embedder.pieces("run UN u nn"), [4, 0, 6]);
        assert_eq!(embedder.pieces("aff able"), [0u32; 0], "a continuation does not begin a word");
        assert_eq!(embedder.pieces("un unx un"), [0, 0], "what is unknown in part is unknown");
    }

    #[test]
    fn punctuation_and_ideographs_stand_alone() {
        let embedder = words(&["a", "b", "-", "_", "数", "据", "«", "##b"]);
        assert_eq!(embedder.pieces("a-b_a"), [0, 2, 1, 3, 0]);
        assert_eq!(embedder.pieces("a数据b«ab"), [0, 4, 5, 1, 6, 0, 7]);
    }

    #[test]
    fn long_words_are_unknown() {
        let embedder = words(&["x", "##x", "é"]);
        assert_eq!(embedder.pieces(&"x".repeat(100)).len(), 100);
        assert_eq!(embedder.pieces(&"x".repeat(101)), [0u32; 0]);
        assert_eq!(embedder.pieces(&"x\u{301}".repeat(100)).len(), 100, "accents do not count");
    }

    #[test]
    fn case_accents_and_control_characters_go() {
        assert_eq!(normal("Crème BRÛLÉE Ångström"), "creme brulee angstrom");
        assert_eq!(normal("a\u{0}b\u{7f}c\u{200b}d\u{ad}e\u{fffd}f"), "abcdef");
        assert_eq!(normal("a\tb\nc\u{a0}d\u{3000}e"), "a b c d e");
        assert_eq!(normal("ΑΣ straße"), "ας straße".replace('ς', "σ"), "a final sigma is not special");
        assert_eq!(normal("한"), "\u{1112}\u{1161}\u{11ab}");
    }
}
