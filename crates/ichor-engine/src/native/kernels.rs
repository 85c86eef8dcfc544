//! The arithmetic, once for every kind of processor. The one place with `unsafe` in this crate.
//!
//! # Why
//! The kernels are generic over a [`vector::Vector`] of 16 numbers and reach a processor's peak only with
//! its own instructions, which a program that runs anywhere may not contain outside functions marked for
//! them, and without a bounds check at every load.
//!
//! # Invariants
//! 1. A [`Level`] other than `PORTABLE` exists only where the processor was seen to have its instructions:
//!    its field is private and [`Level::available`] alone makes them. So a call that [`by_level`] makes
//!    runs on a processor that has the instructions.
//! 2. Everything in this module but `vector`, `tile`, `depthwise`, `single` and `winograd` is safe code. Those take
//!    slices, compute the first and the last number that a row of their work touches, and check both
//!    against the slices before they go on with pointers; addresses between are affine in the loop
//!    counters, so none lies outside. The checks are made in release builds as well.
//! 3. Sources and targets do not overlap: a target is `&mut`.

#![allow(unsafe_code)]

mod dense;
mod depthwise;
mod lines;
mod single;
#[cfg(test)]
mod tests;
mod tile;
mod vector;
mod winograd;

pub(super) use dense::{Convolution, Dense, MOST_PARTS, Scatter};
pub(super) use depthwise::Depthwise;
pub(super) use lines::{Pool, Pooling};
pub(super) use single::Single;
pub(super) use winograd::Winograd;

use super::graph::{Between, Clamp};
use super::view::{Source, Target};
use vector::Vector as _;

/// Which instructions the kernels use.
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
    Portable,
}

impl Level {
    /// What every processor has.
    pub const PORTABLE: Self = Self(Instructions::Portable);

    /// All that this processor can run, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let own = {
            let fma = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let wide = fma && is_x86_feature_detected!("avx512f");
            [wide.then_some(Self(Instructions::Avx512)), fma.then_some(Self(Instructions::Avx2))]
        };
        #[cfg(target_arch = "aarch64")]
        let own =
            [std::arch::is_aarch64_feature_detected!("neon").then_some(Self(Instructions::Neon))];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let own: [Option<Self>; 0] = [];
        own.into_iter().flatten().chain([Self::PORTABLE])
    }

    /// The fastest that this processor can run.
    pub fn best() -> Self {
        Self::available().next().unwrap_or(Self::PORTABLE)
    }

    /// The one that the environment variable `ICHOR_KERNELS` names, to see what another processor computes; the
    /// fastest where it is not set.
    ///
    /// # Errors
    /// A sentence with the names, where it is none of this processor's.
    pub fn from_environment() -> Result<Self, String> {
        let Some(wanted) = std::env::var_os("ICHOR_KERNELS").filter(|wanted| !wanted.is_empty())
        else {
            return Ok(Self::best());
        };
        let wanted = wanted.to_string_lossy();
        let plain = |level: &Self| level.name().replace('-', "").to_lowercase();
        Self::available().find(|level| plain(level) == wanted).ok_or_else(|| {
            let names: Vec<String> = Self::available().map(|level| plain(&level)).collect();
            format!(
                "ICHOR_KERNELS is {wanted}, which this CPU does not run. Give {}",
                names.join(" or ")
            )
        })
    }

    /// The name of the instruction set.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => "AVX2",
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => "NEON",
            Instructions::Portable => "portable",
        }
    }

    /// Blocks of output channels that a dense convolution makes at once, at most.
    pub(super) fn blocks_at_once(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 => vector::Avx512::blocks_at_once(),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => vector::Avx2::blocks_at_once(),
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => vector::Neon::blocks_at_once(),
            Instructions::Portable => vector::Portable::blocks_at_once(),
        }
    }
}

/// Calls a kernel that is generic over the vector, compiled for the instructions of a level.
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
            Instructions::Portable => $($kernel)::+::<vector::Portable>($($name),+),
        }
    };
}

impl Level {
    /// A dense convolution.
    pub(super) fn convolve(self, dense: &Dense, call: &Convolution<'_>, out: &mut Target<'_>) {
        by_level!(self, tile::run, dense: &Dense, call: &Convolution<'_>, out: &mut Target<'_>);
    }

    /// A dense convolution of 3x3 pixels by fewer multiplications, in memory of [`Winograd::scratch`].
    pub(super) fn convolve_tiles(
        self,
        winograd: &Winograd,
        call: &Convolution<'_>,
        scratch: &mut [f32],
        out: &mut Target<'_>,
    ) {
        by_level!(
            self,
            winograd::run,
            winograd: &Winograd,
            call: &Convolution<'_>,
            scratch: &mut [f32],
            out: &mut Target<'_>
        );
    }

    /// A dense convolution to one channel.
    pub(super) fn convolve_single(
        self,
        single: &Single,
        call: &Convolution<'_>,
        out: &mut Target<'_>,
    ) {
        by_level!(self, single::run, single: &Single, call: &Convolution<'_>, out: &mut Target<'_>);
    }

    /// A convolution of each channel by itself.
    pub(super) fn convolve_each(
        self,
        depthwise: &Depthwise,
        call: &Convolution<'_>,
        out: &mut Target<'_>,
    ) {
        by_level!(
            self, depthwise::run, depthwise: &Depthwise, call: &Convolution<'_>, out: &mut Target<'_>
        );
    }

    /// Greatest or mean of windows.
    pub(super) fn pool(self, pool: &Pool, source: Source<'_>, out: &mut Target<'_>) {
        by_level!(self, lines::pool, pool: &Pool, source: Source<'_>, out: &mut Target<'_>);
    }

    /// Bilinear interpolation.
    pub(super) fn resize(self, lines: [&[Between]; 2], source: Source<'_>, out: &mut Target<'_>) {
        by_level!(self, lines::resize, lines: [&[Between]; 2], source: Source<'_>, out: &mut Target<'_>);
    }

    /// Sum of one or two values within limits.
    pub(super) fn sum(self, clamp: Clamp, sources: &[Source<'_>], out: &mut Target<'_>) {
        by_level!(self, lines::sum, clamp: Clamp, sources: &[Source<'_>], out: &mut Target<'_>);
    }

    /// Mean or greatest of all pixels.
    pub(super) fn reduce(self, pooling: Pooling, source: Source<'_>, out: &mut Target<'_>) {
        by_level!(self, lines::reduce, pooling: Pooling, source: Source<'_>, out: &mut Target<'_>);
    }
}
