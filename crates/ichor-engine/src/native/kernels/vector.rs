//! Sixteen numbers side by side, in as many registers as a processor needs for them.

use crate::native::view::LANES;

/// Sixteen numbers.
///
/// # Safety
/// The methods may be called where the processor has the implementor's instructions, and become those
/// instructions where they are inlined into a function that is compiled for them. `load` and `store` need
/// an address of 16 numbers that may be read or written.
pub(super) trait Vector: Copy {
    /// Pixels that a dense convolution makes at once with one, two and three blocks of output channels,
    /// so that the sums, weights and one number stay in registers; 0 for too many blocks.
    const PIXELS: [usize; 3];

    fn blocks_at_once() -> usize {
        Self::PIXELS.iter().filter(|&&pixels| pixels > 0).count()
    }

    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn splat(number: f32) -> Self;
    /// `self * factor + sum`, rounded once where the processor can.
    unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    /// Within limits.
    unsafe fn clamp(self, low: Self, high: Self) -> Self;

    /// Sum of the numbers.
    #[inline(always)]
    unsafe fn total(self) -> f32 {
        let mut numbers = [0.0; LANES];
        // SAFETY: the array holds 16 numbers.
        unsafe { self.store(numbers.as_mut_ptr()) };
        numbers.iter().sum()
    }
}

/// What any processor does; the compiler uses the vectors that all of its kind have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable([f32; LANES]);

impl Portable {
    #[inline(always)]
    fn each(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }
}

impl Vector for Portable {
    const PIXELS: [usize; 3] = [2, 0, 0];

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's address holds 16 numbers.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's address holds 16 numbers.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn splat(number: f32) -> Self {
        Self([number; LANES])
    }
    #[inline(always)]
    unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self {
        // Not `mul_add`: without the instruction that is a call of the mathematics library.
        self.each(factor, |a, b| a * b).each(sum, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self.each(other, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn clamp(self, low: Self, high: Self) -> Self {
        self.each(low, f32::max).each(high, f32::min)
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Vector;
    use std::arch::x86_64::*;

    /// One register of 512 bits, of 32.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Avx512(__m512);

    // SAFETY of the blocks below: the caller's processor has AVX-512, its addresses hold 16 numbers.
    impl Vector for Avx512 {
        const PIXELS: [usize; 3] = [16, 8, 8];

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self(unsafe { _mm512_loadu_ps(from) })
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm512_storeu_ps(to, self.0) }
        }
        #[inline(always)]
        unsafe fn splat(number: f32) -> Self {
            Self(unsafe { _mm512_set1_ps(number) })
        }
        #[inline(always)]
        unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self {
            Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, sum.0) })
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            Self(unsafe { _mm512_add_ps(self.0, other.0) })
        }
        #[inline(always)]
        unsafe fn clamp(self, low: Self, high: Self) -> Self {
            Self(unsafe { _mm512_min_ps(_mm512_max_ps(self.0, low.0), high.0) })
        }
        #[inline(always)]
        unsafe fn total(self) -> f32 {
            unsafe { _mm512_reduce_add_ps(self.0) }
        }
    }

    /// Two registers of 256 bits, of 16.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Avx2([__m256; 2]);

    // SAFETY of the blocks below: the caller's processor has AVX2 and FMA, its addresses hold 16 numbers.
    impl Vector for Avx2 {
        const PIXELS: [usize; 3] = [6, 0, 0];

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self(unsafe { [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))] })
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe {
                _mm256_storeu_ps(to, self.0[0]);
                _mm256_storeu_ps(to.add(8), self.0[1]);
            }
        }
        #[inline(always)]
        unsafe fn splat(number: f32) -> Self {
            Self([unsafe { _mm256_set1_ps(number) }; 2])
        }
        #[inline(always)]
        unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self {
            let ([a, b], [f, g], [s, t]) = (self.0, factor.0, sum.0);
            Self(unsafe { [_mm256_fmadd_ps(a, f, s), _mm256_fmadd_ps(b, g, t)] })
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            let ([a, b], [c, d]) = (self.0, other.0);
            Self(unsafe { [_mm256_add_ps(a, c), _mm256_add_ps(b, d)] })
        }
        #[inline(always)]
        unsafe fn clamp(self, low: Self, high: Self) -> Self {
            let ([a, b], [l, m], [h, i]) = (self.0, low.0, high.0);
            Self(unsafe {
                [_mm256_min_ps(_mm256_max_ps(a, l), h), _mm256_min_ps(_mm256_max_ps(b, m), i)]
            })
        }
    }
}

#[cfg(target_arch = "aarch64")]
pub(super) use arm::Neon;

#[cfg(target_arch = "aarch64")]
mod arm {
    use super::Vector;
    use std::arch::aarch64::*;

    /// Four registers of 128 bits, of 32.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Neon([float32x4_t; 4]);

    // SAFETY of the blocks below: the caller's processor has NEON, its addresses hold 16 numbers.
    impl Vector for Neon {
        const PIXELS: [usize; 3] = [6, 0, 0];

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self([0, 4, 8, 12].map(|lane| unsafe { vld1q_f32(from.add(lane)) }))
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            for (part, numbers) in self.0.into_iter().enumerate() {
                unsafe { vst1q_f32(to.add(4 * part), numbers) }
            }
        }
        #[inline(always)]
        unsafe fn splat(number: f32) -> Self {
            Self([unsafe { vdupq_n_f32(number) }; 4])
        }
        #[inline(always)]
        unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self {
            Self(std::array::from_fn(|i| unsafe { vfmaq_f32(sum.0[i], self.0[i], factor.0[i]) }))
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            Self(std::array::from_fn(|i| unsafe { vaddq_f32(self.0[i], other.0[i]) }))
        }
        #[inline(always)]
        unsafe fn clamp(self, low: Self, high: Self) -> Self {
            // Not `vmaxq` and `vminq`, which let NaN through where the other levels give the limit.
            let within =
                |i: usize| unsafe { vminnmq_f32(vmaxnmq_f32(self.0[i], low.0[i]), high.0[i]) };
            Self(std::array::from_fn(within))
        }
    }
}
