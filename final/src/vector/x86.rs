//! The kernels' instructions on x86-64: AVX-512, and AVX2 with FMA.
//!
//! Not here: SSE. The portable kernels compile to it.

// Reason: intrinsics on raw pointers, and instructions that the build's baseline does not have.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::kernel::{self, Isa, Kernels};

/// The tables this processor can run, the fastest first.
pub(super) fn available() -> impl Iterator<Item = &'static Kernels> {
    let avx512 = is_x86_feature_detected!("avx512f").then_some(&AVX512);
    let avx2 = (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(&AVX2);
    avx512.into_iter().chain(avx2)
}

/// Brings data near, its first lines if it is large. All lines of what a walk comes to next: with the first 16 alone,
/// after which the processor might go on by itself, a walk over mapped files of 784 numbers takes a sixth longer.
#[inline]
pub(super) fn prefetch<T>(data: &[T]) {
    const LINE: usize = 64;
    const LINES: usize = 128;
    let start: *const i8 = data.as_ptr().cast();
    for line in 0..size_of_val(data).div_ceil(LINE).min(LINES) {
        // SAFETY: a prefetch reads nothing; the address lies inside `data`.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(line * LINE)) };
    }
}

/// Sixteen lanes; made only inside a function compiled for AVX-512.
#[derive(Clone, Copy)]
struct Avx512;

static AVX512: Kernels = {
    #[target_feature(enable = "avx512f")]
    fn dot(a: &[f32], b: &[f32]) -> f32 {
        kernel::dot(Avx512, a, b)
    }
    #[target_feature(enable = "avx512f")]
    fn l2(a: &[f32], b: &[f32]) -> f32 {
        kernel::l2(Avx512, a, b)
    }
    #[target_feature(enable = "avx512f")]
    fn l1(a: &[f32], b: &[f32]) -> f32 {
        kernel::l1(Avx512, a, b)
    }
    Kernels { name: "avx512", dot, l2, l1 }
};

// SAFETY (of every block below): an `Avx512` is made only in functions that need AVX-512 to be called,
// and what is read from memory lies in the slice, as the assertion before it says.
impl Isa for Avx512 {
    type Lanes = __m512;
    const WIDTH: usize = 16;

    #[inline(always)]
    fn zero(self) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_setzero_ps() }
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> __m512 {
        assert!(values.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe { _mm512_loadu_ps(values.as_ptr()) }
    }

    #[inline(always)]
    fn load_partial(self, values: &[f32]) -> __m512 {
        assert!(values.len() < Self::WIDTH);
        let mask = (1u16 << values.len()) - 1;
        // SAFETY: see above; the mask has a bit for each value and none past them.
        unsafe { _mm512_maskz_loadu_ps(mask, values.as_ptr()) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_sub_ps(a, b) }
    }

    #[inline(always)]
    fn abs(self, a: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_abs_ps(a) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: see above.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        // SAFETY: see above.
        unsafe { _mm512_reduce_add_ps(a) }
    }
}

/// Eight lanes; made only inside a function compiled for AVX2 and FMA.
#[derive(Clone, Copy)]
struct Avx2;

static AVX2: Kernels = {
    #[target_feature(enable = "avx2,fma")]
    fn dot(a: &[f32], b: &[f32]) -> f32 {
        kernel::dot(Avx2, a, b)
    }
    #[target_feature(enable = "avx2,fma")]
    fn l2(a: &[f32], b: &[f32]) -> f32 {
        kernel::l2(Avx2, a, b)
    }
    #[target_feature(enable = "avx2,fma")]
    fn l1(a: &[f32], b: &[f32]) -> f32 {
        kernel::l1(Avx2, a, b)
    }
    Kernels { name: "avx2", dot, l2, l1 }
};

/// Loaded from `8 - n` on, its first `n` lanes are set.
static FIRST_LANES: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

// SAFETY (of every block below): an `Avx2` is made only in functions that need AVX2 and FMA to be called,
// and what is read from memory lies in the slice, as the assertion before it says.
impl Isa for Avx2 {
    type Lanes = __m256;
    const WIDTH: usize = 8;

    #[inline(always)]
    fn zero(self) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_setzero_ps() }
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> __m256 {
        assert!(values.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe { _mm256_loadu_ps(values.as_ptr()) }
    }

    #[inline(always)]
    fn load_partial(self, values: &[f32]) -> __m256 {
        assert!(values.len() < Self::WIDTH);
        let mask = &FIRST_LANES[Self::WIDTH - values.len()..][..Self::WIDTH];
        // SAFETY: see above; the mask has a lane for each value and none past them.
        unsafe { _mm256_maskload_ps(values.as_ptr(), _mm256_loadu_si256(mask.as_ptr().cast())) }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_add_ps(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_sub_ps(a, b) }
    }

    #[inline(always)]
    fn abs(self, a: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), a) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: see above.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn sum(self, a: __m256) -> f32 {
        // SAFETY: see above.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps::<1>(a));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }
}
