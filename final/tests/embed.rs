//! The built-in embedder agrees with an independent implementation (data/make/reference.py: the tokenizer that the
//! teacher was published with, and matrix arithmetic), and no garbled table makes it panic.

use kith::embed::Embedder;
use kith::error::Error;

const TABLE: &[u8] = include_bytes!("../data/embedder.bin");
const REFERENCE: &[u8] = include_bytes!("data/embed-reference.bin");

/// The texts of the reference with their vectors.
fn reference(dimension: usize) -> Vec<(&'static str, Vec<f32>)> {
    let mut rest = REFERENCE;
    let mut found = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (text, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        let (numbers, after) = after.split_at(2 * dimension);
        let numbers = numbers.as_chunks::<2>().0.iter().map(|&x| f32::from(i16::from_le_bytes(x)) / 32767.0);
        found.push((str::from_utf8(text).expect("the reference is UTF-8"), numbers.collect()));
        rest = after;
    }
    found
}

#[test]
fn a_thousand_texts_have_the_vectors_of_the_reference() {
    let embedder = Embedder::builtin();
    let texts = reference(embedder.dimension());
    assert_eq!(texts.len(), 1000);
    for (text, expected) in texts {
        let vector = embedder.embed(text);
        let off = vector.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-4, "off by {off}: {text:?}");
    }
}

#[test]
fn vectors_have_unit_length_or_none() {
    let embedder = Embedder::builtin();
    let length = |text: &str| embedder.embed(text).iter().map(|x| x * x).sum::<f32>().sqrt();
    assert!((length("how do I sort a vector") - 1.0).abs() < 1e-5);
    for nothing in ["", " \n\t", "\u{0}\u{200b}", &"x".repeat(101)] {
        assert_eq!(length(nothing), 0.0, "{nothing:?}");
    }
}

#[test]
fn like_is_near_like() {
    let embedder = Embedder::builtin();
    let near = |a: &str, b: &str| -> f32 {
        embedder.embed(a).iter().zip(embedder.embed(b)).map(|(x, y)| x * y).sum()
    };
    let question = "remove duplicates from a list";
    assert!(
        near(question, "delete repeated elements of a vector")
            > near(question, "open a TCP connection") + 0.2
    );
}

/// A table of five pieces with two numbers each; the checksum is right.
fn small() -> Vec<u8> {
    let mut bytes = b"KITHEMB\0\x01\0\0\0....".to_vec();
    for number in [2u32, 5, 4, 2, 0x20, 2 << 24 | 0x20, 0x300, 4 << 24 | 0x36f, 1, 2, 5, 8, 10] {
        bytes.extend(number.to_le_bytes());
    }
    [0.5f32, 0.25, 0.125, 1.0].iter().for_each(|scale| bytes.extend(scale.to_le_bytes()));
    bytes.extend([1, 2, 3, 4, 0xff, 6, 7, 0x80]);
    bytes.extend("ab##b##eé".as_bytes());
    reseal(bytes)
}

/// Makes the checksum right, so that what is garbled gets past it.
fn reseal(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some((_, body)) = bytes.split_at_checked(16) {
        let checksum = crc32c::crc32c(body);
        bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    }
    bytes
}

fn parse(bytes: Vec<u8>) -> Result<Embedder, Error> {
    Embedder::parse(bytes.leak())
}

#[test]
fn a_sound_table_is_read() {
    let embedder = parse(small()).unwrap();
    assert_eq!(embedder.dimension(), 2);
    let sum = [0.5 + 0.25 * 3.0 + -0.125, 1.0 + 0.25 * 4.0 + 0.125 * 6.0f32];
    let norm = sum[0].hypot(sum[1]);
    assert_eq!(embedder.embed("a b\u{300}b"), sum.map(|x| x / norm));
}

#[test]
fn a_cut_table_is_an_error() {
    let whole = small();
    for length in 0..whole.len() {
        let cut = whole[..length].to_vec();
        assert!(matches!(parse(reseal(cut.clone())), Err(Error::Corrupt(_))), "cut at {length}, resealed");
        assert!(matches!(parse(cut), Err(Error::Corrupt(_))), "cut at {length}");
    }
    for length in (0..TABLE.len()).step_by(TABLE.len() / 20) {
        assert!(matches!(Embedder::parse(&TABLE[..length]), Err(Error::Corrupt(_))), "cut at {length}");
    }
}

#[test]
fn a_flipped_bit_is_an_error() {
    for bit in 0..8 * small().len() {
        let mut bytes = small();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(parse(bytes), Err(Error::Corrupt(_))), "bit {bit}");
    }
}

#[test]
fn no_garbling_makes_it_panic_even_with_a_right_checksum() {
    for at in 16..small().len() {
        for value in 0..=255 {
            let mut bytes = small();
            bytes[at] = value;
            if let Ok(embedder) = parse(reseal(bytes)) {
                embedder.embed("a bé ab\u{300} \u{0}");
            }
        }
    }
}
