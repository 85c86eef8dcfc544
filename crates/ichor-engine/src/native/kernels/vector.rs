//! Vectors of 16 `f32`, in as many registers as an instruction set needs for them.

use crate::native::view::LANES;

/// A vector of 16 `f32`, or a [`Vector::Part`] of it.
///
/// # Safety
/// The CPU must have the instructions of the implementor. The methods compile to these instructions when they are
/// inlined into a function with the matching `#[target_feature]`. `load` and `store` need an address of `WIDTH` elements
/// that are valid for reads or writes; it does not have to be aligned.
pub(super) trait Vector: Copy {
    /// What a kernel with many live vectors computes with, part by part: the vector itself, or one register of it where
    /// registers are few.
    type Part: Vector;
    /// Number of elements.
    const WIDTH: usize = LANES;
    /// Pixels per tile of a dense convolution with one, two and three blocks of output channels, such that the sums,
    /// the weights and one input vector fit the registers; 0 if the number of blocks is not supported.
    const PIXELS: [usize; 3];
    /// Pixels per tile of a depthwise convolution: 8, or 2 for few registers.
    const DEPTHWISE_PIXELS: usize = 8;

    /// Maximum number of blocks of output channels per tile.
    fn max_group_blocks() -> usize {
        Self::PIXELS.iter().filter(|&&pixels| pixels > 0).count()
    }

    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn splat(value: f32) -> Self;
    /// `self * factor + sum`, rounded once if the CPU has a fused multiply-add.
    unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    /// Each lane clamped to `low` and `high`; NaN becomes a bound.
    unsafe fn clamp(self, low: Self, high: Self) -> Self;

    /// Sum of the lanes.
    #[inline(always)]
    unsafe fn total(self) -> f32 {
        let mut lanes = [0.0; LANES];
        // SAFETY: the array has 16 elements.
        unsafe { self.store(lanes.as_mut_ptr()) };
        lanes.iter().sum()
    }
}

#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
pub(super) type Portable = Simd128<false>;

/// Portable code. The compiler may use vector instructions that all CPUs of the target architecture have.
#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable([f32; LANES]);

#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
impl Portable {
    #[inline(always)]
    fn each(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
    }
}

#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
impl Vector for Portable {
    type Part = Self;
    const PIXELS: [usize; 3] = [2, 0, 0];

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller passes an address of 16 elements.
        Self(unsafe { from.cast::<[f32; LANES]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller passes an address of 16 elements.
        unsafe { to.cast::<[f32; LANES]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; LANES])
    }
    #[inline(always)]
    unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self {
        // Not `mul_add`, which calls the math library if the target has no fused instruction.
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

    /// One of the 32 registers of 512 bits.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Avx512(__m512);

    // SAFETY of the blocks below: the caller ensures that the CPU has AVX-512 and passes addresses of 16 elements.
    impl Vector for Avx512 {
        type Part = Self;
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
        unsafe fn splat(value: f32) -> Self {
            Self(unsafe { _mm512_set1_ps(value) })
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

    /// Two of the 16 registers of 256 bits.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Avx2([__m256; 2]);

    // SAFETY of the blocks below: the caller ensures that the CPU has AVX2 and FMA and passes addresses of 16 elements.
    impl Vector for Avx2 {
        type Part = Self;
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
        unsafe fn splat(value: f32) -> Self {
            Self([unsafe { _mm256_set1_ps(value) }; 2])
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

    /// Four of the 32 registers of 128 bits.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Neon([float32x4_t; 4]);

    // SAFETY of the blocks below: the caller ensures that the CPU has NEON and passes addresses of 16 elements.
    impl Vector for Neon {
        type Part = Self;
        const PIXELS: [usize; 3] = [6, 0, 0];

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self([0, 4, 8, 12].map(|lane| unsafe { vld1q_f32(from.add(lane)) }))
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            for (part, lanes) in self.0.into_iter().enumerate() {
                unsafe { vst1q_f32(to.add(4 * part), lanes) }
            }
        }
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            Self([unsafe { vdupq_n_f32(value) }; 4])
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
            // Not `vmaxq` and `vminq`, which return NaN where the other levels return a bound.
            let clamped =
                |i: usize| unsafe { vminnmq_f32(vmaxnmq_f32(self.0[i], low.0[i]), high.0[i]) };
            Self(std::array::from_fn(clamped))
        }
    }
}

#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
pub(super) use wasm::Simd128;

#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
mod wasm {
    use super::Vector;
    use std::arch::wasm32::*;

    /// Vectors of 128 bits. Browsers compile them to the 16 registers of SSE and AVX, or the 32 of NEON. `FUSED`:
    /// `multiply_add` is one instruction of relaxed SIMD.
    #[derive(Debug, Clone, Copy)]
    pub(in super::super) struct Simd128<const FUSED: bool, const PARTS: usize = 4>([v128; PARTS]);

    impl<const FUSED: bool, const PARTS: usize> Simd128<FUSED, PARTS> {
        #[inline(always)]
        fn each(self, other: Self, f: impl Fn(v128, v128) -> v128) -> Self {
            Self(std::array::from_fn(|part| f(self.0[part], other.0[part])))
        }
    }

    // SAFETY of the blocks below: the module has the instructions, or it would not run; the caller passes addresses of
    // `WIDTH` elements.
    impl<const FUSED: bool, const PARTS: usize> Vector for Simd128<FUSED, PARTS> {
        type Part = Simd128<FUSED, 1>;
        const WIDTH: usize = 4 * PARTS;
        const PIXELS: [usize; 3] = [2, 0, 0];
        const DEPTHWISE_PIXELS: usize = 2;

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self(std::array::from_fn(|part| unsafe { v128_load(from.add(4 * part).cast()) }))
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            for (part, lanes) in self.0.into_iter().enumerate() {
                unsafe { v128_store(to.add(4 * part).cast(), lanes) }
            }
        }
        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            Self([f32x4_splat(value); PARTS])
        }
        #[inline(always)]
        unsafe fn multiply_add(self, factor: Self, sum: Self) -> Self {
            #[cfg(feature = "relaxed-simd")]
            if FUSED {
                let part =
                    |i: usize| unsafe { f32x4_relaxed_madd(self.0[i], factor.0[i], sum.0[i]) };
                return Self(std::array::from_fn(part));
            }
            self.each(factor, |a, b| f32x4_mul(a, b)).each(sum, |a, b| f32x4_add(a, b))
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            self.each(other, |a, b| f32x4_add(a, b))
        }
        #[inline(always)]
        unsafe fn clamp(self, low: Self, high: Self) -> Self {
            // A comparison with NaN is false, which leaves the first argument: the bound.
            let at_least = low.each(self, |low, value| f32x4_pmax(low, value));
            high.each(at_least, |high, value| f32x4_pmin(high, value))
        }
        #[inline(always)]
        unsafe fn total(self) -> f32 {
            let sums = self.0.into_iter().fold(f32x4_splat(0.0), |a, b| f32x4_add(a, b));
            let sums = f32x4_add(sums, i32x4_shuffle::<2, 3, 2, 3>(sums, sums));
            f32x4_extract_lane::<0>(sums) + f32x4_extract_lane::<1>(sums)
        }
    }
}
