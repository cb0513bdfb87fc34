//! The kernels' instructions on 64-bit ARM, where NEON is always there.
//!
//! Proven by the same tests as the others, on a machine that has it; the x86 checks only ever compile around it.

// Reason: intrinsics on raw pointers.
#![allow(unsafe_code)]

use std::arch::aarch64::*;

use super::kernel::{self, Isa, Kernels};

/// Four lanes.
#[derive(Clone, Copy)]
struct Neon;

pub(super) static KERNELS: Kernels = Kernels {
    name: "neon",
    dot: |a, b| kernel::dot(Neon, a, b),
    l2: |a, b| kernel::l2(Neon, a, b),
    l1: |a, b| kernel::l1(Neon, a, b),
};

// SAFETY (of every block below): NEON is part of this target's baseline,
// and what is read from memory lies in the slice, as the assertion before it says.
impl Isa for Neon {
    type Lanes = float32x4_t;
    const WIDTH: usize = 4;

    #[inline(always)]
    fn zero(self) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vdupq_n_f32(0.0) }
    }

    #[inline(always)]
    fn load(self, values: &[f32]) -> float32x4_t {
        assert!(values.len() >= Self::WIDTH);
        // SAFETY: see above.
        unsafe { vld1q_f32(values.as_ptr()) }
    }

    #[inline(always)]
    fn load_partial(self, values: &[f32]) -> float32x4_t {
        let mut lanes = [0.0; 4];
        lanes[..values.len()].copy_from_slice(values);
        self.load(&lanes)
    }

    #[inline(always)]
    fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vaddq_f32(a, b) }
    }

    #[inline(always)]
    fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vsubq_f32(a, b) }
    }

    #[inline(always)]
    fn abs(self, a: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vabsq_f32(a) }
    }

    #[inline(always)]
    fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
        // SAFETY: see above.
        unsafe { vfmaq_f32(c, a, b) }
    }

    #[inline(always)]
    fn sum(self, a: float32x4_t) -> f32 {
        // SAFETY: see above.
        unsafe { vaddvq_f32(a) }
    }
}
