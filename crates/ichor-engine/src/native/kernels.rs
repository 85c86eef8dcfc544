//! The arithmetic of the native engine, compiled for each supported instruction set. The only module of this crate with
//! `unsafe` code.
//!
//! # Reasons for `unsafe`
//! The kernels are generic over a [`vector::Vector`] of 16 `f32`. They reach the peak performance of a CPU only with
//! its vector instructions, which a program for all CPUs may use only in functions with `#[target_feature]`, and
//! without a bounds check for each load.
//!
//! # Invariants
//! 1. A [`Level`] other than `PORTABLE` exists only if the CPU was detected to have its instructions: the field is
//!    private and only [`Level::available`] makes such values. So each call through [`by_level`] runs on a CPU that has
//!    the instructions. WebAssembly needs no detection: a module with an unknown instruction is refused as a whole.
//! 2. Only `vector`, `tile`, `depthwise`, `one_channel` and `winograd` contain `unsafe` blocks besides the calls of
//!    [`by_level`]. They take slices, compute the first and the last element that a row of work accesses, and assert
//!    that both lie in the slices before they use pointers. All addresses between them are affine in the loop counters,
//!    so none is out of bounds. The assertions are active in release builds.
//! 3. Sources and targets do not overlap: a target is `&mut`.

#![allow(unsafe_code)]

mod autovectorized;
mod dense;
mod depthwise;
mod one_channel;
#[cfg(test)]
mod tests;
mod tile;
mod vector;
mod winograd;

pub(super) use autovectorized::{Pool, Pooling};
pub(super) use dense::{ConvArgs, DenseConv, MAX_SOURCES, Scatter};
pub(super) use depthwise::DepthwiseConv;
pub(super) use one_channel::OneChannelConv;
pub(super) use winograd::WinogradConv;

use super::graph::{Clamp, LerpTap};
use super::view::{Source, Target};
use vector::Vector as _;

/// The instruction set that the kernels use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(Instructions);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(all(target_family = "wasm", feature = "relaxed-simd"))]
    RelaxedSimd,
    Portable,
}

impl Level {
    /// Portable code without explicit vector instructions, for any CPU. In a WebAssembly module that was compiled with
    /// SIMD of 128 bits, its instructions, which every engine that runs the module has.
    pub const PORTABLE: Self = Self(Instructions::Portable);

    /// All levels that this CPU supports, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let detected = {
            let fma = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let wide = fma && is_x86_feature_detected!("avx512f");
            [wide.then_some(Self(Instructions::Avx512)), fma.then_some(Self(Instructions::Avx2))]
        };
        #[cfg(target_arch = "aarch64")]
        let detected =
            [std::arch::is_aarch64_feature_detected!("neon").then_some(Self(Instructions::Neon))];
        #[cfg(target_family = "wasm")]
        let detected: [Option<Self>; _] = [
            #[cfg(feature = "relaxed-simd")]
            Some(Self(Instructions::RelaxedSimd)),
        ];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_family = "wasm")))]
        let detected: [Option<Self>; 0] = [];
        detected.into_iter().flatten().chain([Self::PORTABLE])
    }

    /// The fastest level that this CPU supports.
    pub fn best() -> Self {
        Self::available().next().unwrap_or(Self::PORTABLE)
    }

    /// The level that the environment variable `ICHOR_KERNELS` names (`avx512`, `avx2`, `neon` or `portable`), or the
    /// fastest if it is unset or empty. A slower level reproduces the results of another CPU.
    ///
    /// # Errors
    /// A message with the names of the supported levels, if the variable names another one.
    pub fn from_environment() -> Result<Self, String> {
        let Some(requested) = std::env::var_os("ICHOR_KERNELS").filter(|name| !name.is_empty())
        else {
            return Ok(Self::best());
        };
        let requested = requested.to_string_lossy();
        let key = |level: &Self| level.name().replace('-', "").to_lowercase();
        Self::available().find(|level| key(level) == requested).ok_or_else(|| {
            let names: Vec<String> = Self::available().map(|level| key(&level)).collect();
            format!(
                "ICHOR_KERNELS is {requested}, which this CPU does not support. Give {}",
                names.join(" or ")
            )
        })
    }

    /// Name of the instruction set, such as `AVX-512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "AVX2",
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => "NEON",
            #[cfg(all(target_family = "wasm", feature = "relaxed-simd"))]
            Instructions::RelaxedSimd => "relaxed-SIMD",
            #[cfg(all(target_family = "wasm", target_feature = "simd128"))]
            Instructions::Portable => "SIMD128",
            #[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
            Instructions::Portable => "portable",
        }
    }

    /// Maximum number of blocks of output channels that a dense convolution computes together.
    pub(super) fn max_group_blocks(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => vector::Avx512::max_group_blocks(),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => vector::Avx2::max_group_blocks(),
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => vector::Neon::max_group_blocks(),
            #[cfg(all(target_family = "wasm", feature = "relaxed-simd"))]
            Instructions::RelaxedSimd => vector::Simd128::<true>::max_group_blocks(),
            Instructions::Portable => vector::Portable::max_group_blocks(),
        }
    }
}

/// Calls a kernel that is generic over [`vector::Vector`], compiled for the instructions of a level.
macro_rules! by_level {
    ($level:expr, $($kernel:ident)::+, $($name:ident: $kind:ty),+) => {
        match $level.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => {
                #[target_feature(enable = "avx512f,avx2,fma")]
                fn compiled($($name: $kind),+) {
                    $($kernel)::+::<vector::Avx512>($($name),+);
                }
                // SAFETY: invariant 1.
                unsafe { compiled($($name),+) }
            }
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => {
                #[target_feature(enable = "avx2,fma")]
                fn compiled($($name: $kind),+) {
                    $($kernel)::+::<vector::Avx2>($($name),+);
                }
                // SAFETY: invariant 1.
                unsafe { compiled($($name),+) }
            }
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => {
                #[target_feature(enable = "neon")]
                fn compiled($($name: $kind),+) {
                    $($kernel)::+::<vector::Neon>($($name),+);
                }
                // SAFETY: invariant 1.
                unsafe { compiled($($name),+) }
            }
            #[cfg(all(target_family = "wasm", feature = "relaxed-simd"))]
            Instructions::RelaxedSimd => {
                #[target_feature(enable = "simd128,relaxed-simd")]
                fn compiled($($name: $kind),+) {
                    $($kernel)::+::<vector::Simd128<true>>($($name),+);
                }
                compiled($($name),+)
            }
            Instructions::Portable => $($kernel)::+::<vector::Portable>($($name),+),
        }
    };
}

impl Level {
    /// Dense convolution.
    pub(super) fn dense_conv(self, dense: &DenseConv, args: &ConvArgs<'_>, out: &mut Target<'_>) {
        by_level!(self, tile::run, dense: &DenseConv, args: &ConvArgs<'_>, out: &mut Target<'_>);
    }

    /// Dense 3x3 convolution by Winograd's method. `scratch` has [`WinogradConv::scratch_len`] elements.
    pub(super) fn winograd_conv(
        self,
        winograd: &WinogradConv,
        args: &ConvArgs<'_>,
        scratch: &mut [f32],
        out: &mut Target<'_>,
    ) {
        by_level!(
            self,
            winograd::run,
            winograd: &WinogradConv,
            args: &ConvArgs<'_>,
            scratch: &mut [f32],
            out: &mut Target<'_>
        );
    }

    /// Dense convolution to one output channel.
    pub(super) fn one_channel_conv(
        self,
        single: &OneChannelConv,
        args: &ConvArgs<'_>,
        out: &mut Target<'_>,
    ) {
        by_level!(self, one_channel::run, single: &OneChannelConv, args: &ConvArgs<'_>, out: &mut Target<'_>);
    }

    /// Depthwise convolution.
    pub(super) fn depthwise_conv(
        self,
        depthwise: &DepthwiseConv,
        args: &ConvArgs<'_>,
        out: &mut Target<'_>,
    ) {
        by_level!(
            self, depthwise::run, depthwise: &DepthwiseConv, args: &ConvArgs<'_>, out: &mut Target<'_>
        );
    }

    /// Maximum or mean of each window.
    pub(super) fn pool(self, pool: &Pool, source: Source<'_>, out: &mut Target<'_>) {
        by_level!(self, autovectorized::pool, pool: &Pool, source: Source<'_>, out: &mut Target<'_>);
    }

    /// Bilinear or nearest interpolation; `taps` are those of rows and columns.
    pub(super) fn resize(self, taps: [&[LerpTap]; 2], source: Source<'_>, out: &mut Target<'_>) {
        by_level!(self, autovectorized::resize, taps: [&[LerpTap]; 2], source: Source<'_>, out: &mut Target<'_>);
    }

    /// Sum of one or two values, clamped.
    pub(super) fn sum(self, clamp: Clamp, sources: &[Source<'_>], out: &mut Target<'_>) {
        by_level!(self, autovectorized::sum, clamp: Clamp, sources: &[Source<'_>], out: &mut Target<'_>);
    }

    /// Maximum or mean over all pixels, for each channel.
    pub(super) fn reduce(self, pooling: Pooling, source: Source<'_>, out: &mut Target<'_>) {
        by_level!(self, autovectorized::reduce, pooling: Pooling, source: Source<'_>, out: &mut Target<'_>);
    }
}
