//! The arithmetic of a distance, as fast as this machine can do it.
//!
//! Each formula is written once, over [`Isa`]: a register's worth of numbers and the few instructions that the
//! formulas need. The compiler makes one copy per instruction set, and [`Kernels::best`] picks a table of function
//! pointers once. Four sums run side by side, because an addition that waits for the one before it leaves a processor
//! idle most of the time; this is also why the last bits of a result differ from one instruction set to another.
//!
//! Not here: a scan over many rows at once. A caller loops, and the hardware's prefetcher does the rest.

// Reason: the functions behind the table need instructions that the build's baseline does not have.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use super::Metric;

/// How many sums run side by side.
const SUMS: usize = 4;

/// An instruction set: a register of `f32` lanes and what can be done with it.
///
/// A value of the implementing type is the proof that this processor has the instructions.
/// Methods are `#[inline(always)]`, so that they end up inside a function compiled for the instruction set.
pub(super) trait Isa: Copy {
    /// A register.
    type Lanes: Copy;
    /// How many numbers a register holds.
    const WIDTH: usize;

    fn zero(self) -> Self::Lanes;
    /// The first [`Isa::WIDTH`] values. Panics if there are fewer.
    fn load(self, values: &[f32]) -> Self::Lanes;
    /// Fewer than [`Isa::WIDTH`] values, then zeros. Panics if there are more.
    fn load_partial(self, values: &[f32]) -> Self::Lanes;
    fn add(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    fn sub(self, a: Self::Lanes, b: Self::Lanes) -> Self::Lanes;
    fn abs(self, a: Self::Lanes) -> Self::Lanes;
    /// `a * b + c`
    fn mul_add(self, a: Self::Lanes, b: Self::Lanes, c: Self::Lanes) -> Self::Lanes;
    /// All lanes added up.
    fn sum(self, a: Self::Lanes) -> f32;
}

/// Σ aᵢ·bᵢ
#[inline(always)]
pub(super) fn dot<I: Isa>(isa: I, a: &[f32], b: &[f32]) -> f32 {
    #[inline(always)]
    fn step<I: Isa>(isa: I, a: I::Lanes, b: I::Lanes, sum: I::Lanes) -> I::Lanes {
        isa.mul_add(a, b, sum)
    }
    fold(isa, a, b, step)
}

/// Σ (aᵢ-bᵢ)²
#[inline(always)]
pub(super) fn l2<I: Isa>(isa: I, a: &[f32], b: &[f32]) -> f32 {
    #[inline(always)]
    fn step<I: Isa>(isa: I, a: I::Lanes, b: I::Lanes, sum: I::Lanes) -> I::Lanes {
        let difference = isa.sub(a, b);
        isa.mul_add(difference, difference, sum)
    }
    fold(isa, a, b, step)
}

/// Σ |aᵢ-bᵢ|
#[inline(always)]
pub(super) fn l1<I: Isa>(isa: I, a: &[f32], b: &[f32]) -> f32 {
    #[inline(always)]
    fn step<I: Isa>(isa: I, a: I::Lanes, b: I::Lanes, sum: I::Lanes) -> I::Lanes {
        isa.add(sum, isa.abs(isa.sub(a, b)))
    }
    fold(isa, a, b, step)
}

/// Runs `step` over two vectors of one length, a register at a time, and adds its sums up.
/// Zeros past the end must add nothing.
#[inline(always)]
fn fold<I: Isa>(
    isa: I,
    a: &[f32],
    b: &[f32],
    step: impl Fn(I, I::Lanes, I::Lanes, I::Lanes) -> I::Lanes,
) -> f32 {
    let mut sums = [isa.zero(); SUMS];
    let (a, b) = (a.chunks_exact(SUMS * I::WIDTH), b.chunks_exact(SUMS * I::WIDTH));
    let (rest_a, rest_b) = (a.remainder(), b.remainder());
    for (a, b) in a.zip(b) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            let at = lane * I::WIDTH;
            *sum = step(isa, isa.load(&a[at..]), isa.load(&b[at..]), *sum);
        }
    }
    let (a, b) = (rest_a.chunks_exact(I::WIDTH), rest_b.chunks_exact(I::WIDTH));
    let (rest_a, rest_b) = (a.remainder(), b.remainder());
    for ((a, b), sum) in a.zip(b).zip(&mut sums) {
        *sum = step(isa, isa.load(a), isa.load(b), *sum);
    }
    if !rest_a.is_empty() {
        sums[SUMS - 1] = step(isa, isa.load_partial(rest_a), isa.load_partial(rest_b), sums[SUMS - 1]);
    }
    isa.sum(isa.add(isa.add(sums[0], sums[1]), isa.add(sums[2], sums[3])))
}

/// A formula compiled for one instruction set. Safe to call only where the processor has it.
pub(super) type Kernel = unsafe fn(&[f32], &[f32]) -> f32;

/// The formulas for one instruction set, which this processor has. Two vectors of different lengths are a panic.
#[derive(Debug)]
pub struct Kernels {
    /// What the instruction set is called.
    pub name: &'static str,
    pub(super) dot: Kernel,
    pub(super) l2: Kernel,
    pub(super) l1: Kernel,
}

impl Kernels {
    /// The fastest on this machine.
    #[inline]
    pub fn best() -> &'static Self {
        static BEST: OnceLock<&Kernels> = OnceLock::new();
        BEST.get_or_init(|| Self::all_available()[0])
    }

    /// Every table that works on this machine, the fastest first, the portable one last.
    pub fn all_available() -> Vec<&'static Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        all.extend(super::x86::available());
        #[cfg(target_arch = "aarch64")]
        all.push(&super::neon::KERNELS);
        all.push(&PORTABLE);
        all
    }

    /// The dot product.
    #[inline]
    pub fn dot(&self, a: &[f32], b: &[f32]) -> f32 {
        check(a, b);
        // SAFETY: a table is handed out only if the processor has its instructions.
        unsafe { (self.dot)(a, b) }
    }

    /// The square of the Euclidean distance.
    #[inline]
    pub fn l2(&self, a: &[f32], b: &[f32]) -> f32 {
        check(a, b);
        // SAFETY: as in `dot`.
        unsafe { (self.l2)(a, b) }
    }

    /// The Manhattan distance.
    #[inline]
    pub fn l1(&self, a: &[f32], b: &[f32]) -> f32 {
        check(a, b);
        // SAFETY: as in `dot`.
        unsafe { (self.l1)(a, b) }
    }

    /// The distance of two prepared vectors: smaller is closer, and never -0.
    #[inline]
    pub fn distance(&self, metric: Metric, a: &[f32], b: &[f32]) -> f32 {
        match metric {
            Metric::Cosine | Metric::Dot => 0.0 - self.dot(a, b),
            Metric::Euclid => self.l2(a, b),
            Metric::Manhattan => self.l1(a, b),
        }
    }
}

#[inline]
fn check(a: &[f32], b: &[f32]) {
    assert!(a.len() == b.len(), "two vectors of different lengths: {} and {}", a.len(), b.len());
}

/// Asks for some data to be brought near, without waiting for it.
#[inline]
pub fn prefetch<T>(data: &[T]) {
    #[cfg(target_arch = "x86_64")]
    super::x86::prefetch(data);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = data;
}

/// What every processor can do: eight lanes of plain Rust, which the compiler spreads over the registers it has.
#[derive(Clone, Copy)]
struct Portable;

static PORTABLE: Kernels = Kernels {
    name: "portable",
    dot: |a, b| dot(Portable, a, b),
    l2: |a, b| l2(Portable, a, b),
    l1: |a, b| l1(Portable, a, b),
};

impl Isa for Portable {
    type Lanes = [f32; 8];
    const WIDTH: usize = 8;

    #[inline(always)]
    fn zero(self) -> [f32; 8] {
        [0.0; 8]
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> [f32; 8] {
        std::array::from_fn(|lane| values[lane])
    }

    #[inline(always)]
    fn load_partial(self, values: &[f32]) -> [f32; 8] {
        let mut lanes = [0.0; 8];
        lanes[..values.len()].copy_from_slice(values);
        lanes
    }

    #[inline(always)]
    fn add(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn sub(self, a: [f32; 8], b: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|lane| a[lane] - b[lane])
    }

    #[inline(always)]
    fn abs(self, a: [f32; 8]) -> [f32; 8] {
        a.map(f32::abs)
    }

    // Not `f32::mul_add`: without the instruction it is a call into the C library.
    #[inline(always)]
    fn mul_add(self, a: [f32; 8], b: [f32; 8], c: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|lane| a[lane] * b[lane] + c[lane])
    }

    #[inline(always)]
    fn sum(self, a: [f32; 8]) -> f32 {
        a.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng, rngs::SmallRng};

    use super::*;

    type Formula = fn(f64, f64) -> f64;
    const FORMULAS: [Formula; 3] = [|a, b| a * b, |a, b| (a - b) * (a - b), |a, b| (a - b).abs()];

    /// Every instruction set must come within rounding of the same sum in f64.
    fn agree_with_f64(a: &[f32], b: &[f32]) {
        for kernels in Kernels::all_available() {
            let found = [kernels.dot(a, b), kernels.l2(a, b), kernels.l1(a, b)];
            for (found, formula) in found.into_iter().zip(FORMULAS) {
                let terms = a.iter().zip(b).map(|(&a, &b)| formula(f64::from(a), f64::from(b)));
                let (exact, size) =
                    terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()));
                let steps = a.len() as f64 + 4.0;
                let bound = steps * (size * f64::from(f32::EPSILON) + f64::from(f32::from_bits(1)));
                let error = (f64::from(found) - exact).abs();
                assert!(error <= bound, "{} of {}: {found}, not {exact}", kernels.name, a.len());
            }
        }
    }

    #[test]
    fn every_length_on_every_instruction_set() {
        let mut random = SmallRng::seed_from_u64(1);
        for length in (0..=200).chain([256, 384, 767, 784, 1_536, 4_096, 65_535]) {
            let mut vector = || -> Vec<f32> { (0..length).map(|_| random.random_range(-1.0..1.0)).collect() };
            agree_with_f64(&vector(), &vector());
        }
    }

    /// Subnormal, tiny, ordinary and huge numbers and both zeros in one vector.
    fn awkward() -> impl Strategy<Value = f32> {
        let magnitude =
            prop_oneof![Just(1e-45f32), Just(1e-39), Just(1e-20), Just(1.0), Just(1e17), Just(0.0)];
        (magnitude, 0.5f32..2.0, any::<bool>())
            .prop_map(|(magnitude, factor, negative)| magnitude * if negative { -factor } else { factor })
    }

    proptest! {
        #[test]
        fn awkward_numbers(pairs in proptest::collection::vec((awkward(), awkward()), 0..150)) {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            agree_with_f64(&a, &b);
        }
    }

    #[test]
    fn nothing_past_the_end_is_read() {
        let values = [f32::NAN; 300];
        for length in 0..100 {
            let mut row = values;
            row[100..100 + length].fill(1.0);
            let row = &row[100..100 + length];
            for kernels in Kernels::all_available() {
                assert_eq!(kernels.dot(row, row), length as f32, "{}", kernels.name);
                assert_eq!(kernels.l2(row, row) + kernels.l1(row, row), 0.0, "{}", kernels.name);
            }
        }
    }
}
