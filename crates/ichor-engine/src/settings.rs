//! How networks are run: what a caller may choose, and what became of it.

use serde::Serialize;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Where onnxruntime computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// The NVIDIA card where there is one that works, else the processor.
    Auto,
    /// The NVIDIA card, or not at all.
    Cuda,
    /// The processor.
    Cpu,
}

impl FromStr for Provider {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "auto" => Ok(Self::Auto),
            "cuda" => Ok(Self::Cuda),
            "cpu" => Ok(Self::Cpu),
            _ => Err("give auto, cuda or cpu".into()),
        }
    }
}

/// Numbers that a network is computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Half precision on a card, where the masks of built-in phantoms agree; else single.
    Auto,
    /// Single precision.
    F32,
    /// Half precision where the masks of built-in phantoms agree, on the processor too.
    F16,
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "auto" => Ok(Self::Auto),
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            _ => Err("give auto, f32 or f16".into()),
        }
    }
}

/// How slices that come one by one are put into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// Most slices of a batch, at least 1.
    pub most: usize,
    /// How long the first slice of a batch waits for others.
    pub wait: Duration,
    /// Slices that may wait for a batch; further ones are told to come back.
    pub queue: usize,
}

/// What onnxruntime is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrtSettings {
    /// The library, `libonnxruntime.so` of 1.17 or newer.
    pub library: PathBuf,
    /// Where to compute.
    pub provider: Provider,
    /// Number of the card.
    pub device: i32,
    /// Most memory that networks take on the card, each, bytes; no limit without it.
    pub device_bytes: Option<usize>,
    /// Numbers to compute with.
    pub precision: Precision,
    /// Threads of the processor that a network uses; 0 for one a core.
    pub threads: usize,
    /// Most slices of a batch; without it 16 on a card and 4 on the processor, where more gain little
    /// and each takes some 30 MB.
    pub max_batch: Option<usize>,
    /// How long a slice that came alone waits for others.
    pub wait: Duration,
    /// Slices that may wait for a batch.
    pub queue: usize,
}

/// What runs a network, as `/v1/models` and `/ping` say it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EngineFacts {
    /// `blocked` (kernels of our own), `tract` or `onnxruntime`.
    pub name: &'static str,
    /// Version of the library, where it is loaded at run time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `cpu` or `cuda`.
    pub provider: &'static str,
    /// Number of the card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<i32>,
    /// `f32` or `f16`.
    pub precision: &'static str,
    /// Most slices that are computed at once.
    pub max_batch: usize,
    /// Why it is not what was asked for, in words; `None` where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

impl EngineFacts {
    /// Of an engine of this process: one slice at a time on the CPU.
    pub(super) fn in_process(name: &'static str) -> Self {
        Self {
            name,
            version: None,
            provider: "cpu",
            device: None,
            precision: "f32",
            max_batch: 1,
            fallback: None,
        }
    }
}

/// What an engine has done so far.
#[derive(Debug, Default)]
pub struct Counts {
    batches: AtomicU64,
    slices: AtomicU64,
    failed_in_a_row: AtomicU64,
}

impl Counts {
    /// Notes a batch that was computed.
    pub fn computed(&self, slices: usize) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.slices.fetch_add(slices as u64, Ordering::Relaxed);
        self.failed_in_a_row.store(0, Ordering::Relaxed);
    }

    /// Notes a batch that could not be computed.
    pub fn failed(&self) {
        self.failed_in_a_row.fetch_add(1, Ordering::Relaxed);
    }

    /// Batches and slices so far.
    pub fn so_far(&self) -> [u64; 2] {
        [self.batches.load(Ordering::Relaxed), self.slices.load(Ordering::Relaxed)]
    }

    /// Whether an engine that fails like this is worth keeping: a card that has dropped off the
    /// bus fails on everything, and only a new process gets another one.
    pub fn healthy(&self) -> bool {
        self.failed_in_a_row.load(Ordering::Relaxed) < 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        assert_eq!("auto".parse(), Ok(Provider::Auto));
        assert_eq!("cuda".parse(), Ok(Provider::Cuda));
        assert!("rocm".parse::<Provider>().is_err());
        assert_eq!("f16".parse(), Ok(Precision::F16));
        assert!("int8".parse::<Precision>().is_err());
    }

    #[test]
    fn three_failures_in_a_row_are_too_many() {
        let counts = Counts::default();
        counts.failed();
        counts.failed();
        assert!(counts.healthy());
        counts.computed(7);
        counts.failed();
        counts.failed();
        assert!(counts.healthy(), "a batch that succeeded wipes the slate");
        counts.failed();
        assert!(!counts.healthy());
        assert_eq!(counts.so_far(), [1, 7]);
    }
}
