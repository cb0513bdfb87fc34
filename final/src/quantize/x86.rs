//! The loops on x86-64: AVX-512 and AVX2.
//!
//! A shuffle is 16 look-ups in each 16 bytes of a register, so a register holds the tables of several groups beside the
//! lines that belong to them. Results are bytes and are added up in 16 bits, even and odd places apart: adding the
//! register as it is puts the odd bytes, times 256, on top of the even ones, and taking the odd sums away again at the
//! end is cheaper than masking in every step.
//!
//! Not here: SSE. The portable loops compile to it.

// Reason: intrinsics on raw pointers, and instructions that the build's baseline does not have.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{
    code::Sums,
    fastscan::{BLOCK, Factors},
    kernel::{self, Kernels, Loops, Query, Records},
};
use crate::point::Ordinal;

/// Bytes of a block whose entries fit into 16 bits when added up: 256 groups, 255 · 256 < 65,536.
const PART: usize = 16 * 256;

/// The tables this processor can run, the fastest first.
pub(super) fn available() -> impl Iterator<Item = &'static Kernels> {
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq");
    let avx2 = is_x86_feature_detected!("avx2").then_some(&AVX2);
    let vnni = (avx512 && is_x86_feature_detected!("avx512vnni")).then_some(&VNNI);
    vnni.into_iter().chain(avx512.then_some(&AVX512)).chain(avx2)
}

/// One copy of the plain loops for an instruction set, and its own look-ups.
macro_rules! kernels {
    ($name:literal, $features:literal, $scan:expr, $chosen:expr, $products:expr) => {{
        #[target_feature(enable = $features)]
        fn mix(values: &mut [f32], signs: &[f32], window: usize) {
            kernel::mix(values, signs, window);
        }
        #[target_feature(enable = $features)]
        fn encode(row: &[f32], centre: &[f32], signs: &mut [u16]) -> Sums {
            kernel::encode(row, centre, signs)
        }
        #[target_feature(enable = $features)]
        fn encode_bytes(row: &[f32], centre: &[f32], bytes: &mut [u8]) -> [f32; 2] {
            kernel::encode_bytes(row, centre, bytes)
        }
        #[target_feature(enable = $features)]
        fn steps(values: &[f32], per_step: f32, whole: &mut [i8]) {
            kernel::steps(values, per_step, whole);
        }
        #[target_feature(enable = $features)]
        fn binary(records: &Records<'_>, query: &Query<'_>, rows: &[Ordinal], found: &mut [[f32; 2]]) {
            kernel::estimate(records, query, rows, found, |bits, values| $chosen(bits, values));
        }
        #[target_feature(enable = $features)]
        fn scalar(records: &Records<'_>, query: &Query<'_>, rows: &[Ordinal], found: &mut [[f32; 2]]) {
            kernel::estimate(records, query, rows, found, |bytes, values| $products(bytes, values));
        }
        #[target_feature(enable = $features)]
        fn tables(rotated: &[f32], per_step: f32, tables: &mut [u8]) {
            kernel::tables(rotated, per_step, tables);
        }
        #[target_feature(enable = $features)]
        fn finish(
            sums: &[u32; BLOCK],
            query: [f32; 4],
            codes: &Factors<'_>,
            estimates: &mut [f32; BLOCK],
        ) -> u32 {
            kernel::finish(sums, query, codes, estimates)
        }
        Kernels {
            name: $name,
            loops: Loops { mix, encode, encode_bytes, steps, binary, scalar, tables, scan: $scan, finish },
        }
    }};
}

static VNNI: Kernels = kernels!(
    "avx512-vnni",
    "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni",
    scan_avx512,
    chosen_vnni,
    products_vnni
);
static AVX512: Kernels =
    kernels!("avx512", "avx512f,avx512bw,avx512vl,avx512dq", scan_avx512, chosen_avx2, kernel::products);
static AVX2: Kernels = kernels!("avx2", "avx2", scan_avx2, chosen_avx2, kernel::products);

#[target_feature(enable = "avx512f,avx512bw")]
fn scan_avx512(block: &[u8], tables: &[u8], sums: &mut [u32; BLOCK]) {
    sums.fill(0);
    let low = _mm512_set1_epi8(15);
    for (block, tables) in block.chunks(PART).zip(tables.chunks(PART)) {
        let mut counts = [_mm512_setzero_si512(); 4];
        for (lines, tables) in block.as_chunks::<64>().0.iter().zip(tables.as_chunks::<64>().0) {
            // SAFETY: both are 64 bytes long.
            let (lines, tables) = unsafe {
                (_mm512_loadu_si512(lines.as_ptr().cast()), _mm512_loadu_si512(tables.as_ptr().cast()))
            };
            let first = _mm512_shuffle_epi8(tables, _mm512_and_si512(lines, low));
            let second = _mm512_shuffle_epi8(tables, _mm512_and_si512(_mm512_srli_epi16::<4>(lines), low));
            counts[0] = _mm512_add_epi16(counts[0], first);
            counts[1] = _mm512_add_epi16(counts[1], _mm512_srli_epi16::<8>(first));
            counts[2] = _mm512_add_epi16(counts[2], second);
            counts[3] = _mm512_add_epi16(counts[3], _mm512_srli_epi16::<8>(second));
        }
        let [a, b, c, d] = counts;
        add([halve(a), halve(b), halve(c), halve(d)], sums);
    }
}

/// The sums of a register's two halves. None overflows: together they are one part's entries.
#[target_feature(enable = "avx512f")]
fn halve(counts: __m512i) -> __m256i {
    _mm256_add_epi16(_mm512_castsi512_si256(counts), _mm512_extracti64x4_epi64::<1>(counts))
}

#[target_feature(enable = "avx2")]
fn scan_avx2(block: &[u8], tables: &[u8], sums: &mut [u32; BLOCK]) {
    sums.fill(0);
    let low = _mm256_set1_epi8(15);
    for (block, tables) in block.chunks(PART).zip(tables.chunks(PART)) {
        let mut counts = [_mm256_setzero_si256(); 4];
        for (lines, tables) in block.as_chunks::<32>().0.iter().zip(tables.as_chunks::<32>().0) {
            // SAFETY: both are 32 bytes long.
            let (lines, tables) = unsafe {
                (_mm256_loadu_si256(lines.as_ptr().cast()), _mm256_loadu_si256(tables.as_ptr().cast()))
            };
            let first = _mm256_shuffle_epi8(tables, _mm256_and_si256(lines, low));
            let second = _mm256_shuffle_epi8(tables, _mm256_and_si256(_mm256_srli_epi16::<4>(lines), low));
            counts[0] = _mm256_add_epi16(counts[0], first);
            counts[1] = _mm256_add_epi16(counts[1], _mm256_srli_epi16::<8>(first));
            counts[2] = _mm256_add_epi16(counts[2], second);
            counts[3] = _mm256_add_epi16(counts[3], _mm256_srli_epi16::<8>(second));
        }
        add(counts, sums);
    }
}

/// Takes the odd places' sums out of the even ones' and adds all to the codes' sums: codes 0 to 15 are in the first two
/// registers, the others in the last two.
#[target_feature(enable = "avx2")]
fn add(counts: [__m256i; 4], sums: &mut [u32; BLOCK]) {
    for (counts, sums) in counts.as_chunks::<2>().0.iter().zip(sums.as_chunks_mut::<16>().0) {
        let odd = counts[1];
        let even = _mm256_sub_epi16(counts[0], _mm256_slli_epi16::<8>(odd));
        let (even, odd) = (quarter(even), quarter(odd));
        for (pair, (even, odd)) in sums.as_chunks_mut::<2>().0.iter_mut().zip(even.into_iter().zip(odd)) {
            pair[0] += u32::from(even);
            pair[1] += u32::from(odd);
        }
    }
}

/// The sums of a register's two halves, as numbers.
#[target_feature(enable = "avx2")]
fn quarter(counts: __m256i) -> [u16; 8] {
    let sums = _mm_add_epi16(_mm256_castsi256_si128(counts), _mm256_extracti128_si256::<1>(counts));
    let mut numbers = [0; 8];
    // SAFETY: eight numbers of 16 bits are the 16 bytes that are stored.
    unsafe { _mm_storeu_si128(numbers.as_mut_ptr().cast(), sums) };
    numbers
}

/// The bits are a mask: a value whose bit is not set is not loaded, and 0 instead. 64 values a step; the last may be 32.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn chosen_vnni(bits: &[u8], values: &[i8]) -> i32 {
    let ones = _mm512_set1_epi8(1);
    let add = |sum, mask, values: &[i8]| {
        // SAFETY: there is a value for each bit that may be set.
        let chosen = unsafe { _mm512_maskz_loadu_epi8(mask, values.as_ptr()) };
        _mm512_dpbusd_epi32(sum, ones, chosen)
    };
    let mut sum = _mm512_setzero_si512();
    let (whole, rest) = bits.as_chunks::<8>();
    for (bits, values) in whole.iter().zip(values.chunks(64)) {
        sum = add(sum, u64::from_le_bytes(*bits), values);
    }
    if let [a, b, c, d] = *rest {
        sum = add(sum, u32::from_le_bytes([a, b, c, d]).into(), &values[64 * whole.len()..]);
    }
    _mm512_reduce_add_epi32(sum)
}

/// 32 bits become 32 bytes of 0 or 1, to be multiplied with their values; pairs of products are added up in 16 bits, at
/// most `STEPS` of them: 64 · 2 · 128 < 32,768.
#[inline]
#[target_feature(enable = "avx2")]
fn chosen_avx2(bits: &[u8], values: &[i8]) -> i32 {
    const STEPS: usize = 64;
    let own_byte = _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
    let (own_bit, ones) =
        (_mm256_set1_epi64x(i64::from_le_bytes([1, 2, 4, 8, 16, 32, 64, 128])), _mm256_set1_epi8(1));
    let mut sum = _mm256_setzero_si256();
    for (bits, values) in bits.chunks(4 * STEPS).zip(values.chunks(32 * STEPS)) {
        let mut pairs = _mm256_setzero_si256();
        for (&bits, values) in bits.as_chunks::<4>().0.iter().zip(values.as_chunks::<32>().0) {
            let spread = _mm256_shuffle_epi8(_mm256_set1_epi32(i32::from_le_bytes(bits)), own_byte);
            let chosen = _mm256_min_epu8(_mm256_and_si256(spread, own_bit), ones);
            // SAFETY: 32 numbers are the 32 bytes that are loaded.
            let values = unsafe { _mm256_loadu_si256(values.as_ptr().cast()) };
            pairs = _mm256_add_epi16(pairs, _mm256_maddubs_epi16(chosen, values));
        }
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
    let mut lanes = [0i32; 8];
    // SAFETY: eight numbers are the 32 bytes that are stored.
    unsafe { _mm256_storeu_si256(lanes.as_mut_ptr().cast(), sum) };
    lanes.iter().sum()
}

/// 64 products a step, added up by fours; the last step may be of 16, 32 or 48.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn products_vnni(bytes: &[u8], values: &[i8]) -> i32 {
    let mut sum = _mm512_setzero_si512();
    for (bytes, values) in bytes.chunks(64).zip(values.chunks(64)) {
        let some = u64::MAX >> (64 - bytes.len());
        // SAFETY: no more bytes are loaded than there are.
        let (bytes, values) = unsafe {
            (
                _mm512_maskz_loadu_epi8(some, bytes.as_ptr().cast()),
                _mm512_maskz_loadu_epi8(some, values.as_ptr()),
            )
        };
        sum = _mm512_dpbusd_epi32(sum, bytes, values);
    }
    _mm512_reduce_add_epi32(sum)
}
