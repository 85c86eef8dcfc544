//! Settings of onnxruntime, and what an engine reports about itself.

use serde::Serialize;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The device that onnxruntime computes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// The NVIDIA GPU if there is a usable one, else the CPU.
    Auto,
    /// The NVIDIA GPU; loading fails without a usable one.
    Cuda,
    /// The CPU.
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

/// The floating-point type that onnxruntime computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Half precision on a GPU if it passes the [`AgreementProbe`](crate::AgreementProbe), else single precision.
    Auto,
    /// Single precision.
    F32,
    /// Half precision on any device if it passes the probe, else single precision.
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

/// How slices that are submitted one by one are collected into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// Maximum number of slices per batch, at least 1.
    pub max_batch: usize,
    /// Time that the first slice of a batch waits for others.
    pub wait: Duration,
    /// Maximum number of slices in the queue; further ones give [`Error::Busy`](crate::Error::Busy).
    pub queue: usize,
}

/// Settings of onnxruntime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrtSettings {
    /// Path of the library, `libonnxruntime.so` 1.17 or newer.
    pub library: PathBuf,
    /// The device to compute on.
    pub provider: Provider,
    /// Index of the GPU, from 0.
    pub device: i32,
    /// Maximum GPU memory per network, bytes; `None` for no limit.
    pub device_bytes: Option<usize>,
    /// The floating-point type to compute with.
    pub precision: Precision,
    /// CPU threads per network; 0 for one per core.
    pub threads: usize,
    /// Maximum number of slices per batch. `None` for 16 on a GPU and 4 on the CPU, where larger batches are hardly
    /// faster and each slice takes about 30 MB.
    pub max_batch: Option<usize>,
    /// Time that the first slice of a batch waits for others.
    pub wait: Duration,
    /// Maximum number of slices in the queue, at least 1.
    pub queue: usize,
}

/// Name, device and precision of an engine, as serialized in `/v1/models` and `/ping`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct EngineFacts {
    /// `blocked` (the native engine), `tract` or `onnxruntime`.
    pub name: &'static str,
    /// Version of a library that is loaded at run time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `cpu` or `cuda`.
    pub provider: &'static str,
    /// Index of the GPU; `None` on the CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<i32>,
    /// `f32` or `f16`.
    pub precision: &'static str,
    /// Maximum number of slices per batch.
    pub max_batch: usize,
    /// Why a requested device, precision or batch size is not used, as text; `None` if all are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

impl EngineFacts {
    /// Facts of an engine that runs one slice at a time on the CPU, in single precision.
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

/// Consecutive failures after which an engine counts as unhealthy.
const MAX_CONSECUTIVE_FAILURES: u64 = 3;

/// Counters of computed and failed batches.
#[derive(Debug, Default)]
pub struct Counts {
    batches: AtomicU64,
    slices: AtomicU64,
    consecutive_failures: AtomicU64,
}

impl Counts {
    /// Counts a batch of `slices` slices that succeeded.
    pub fn record_batch(&self, slices: usize) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.slices.fetch_add(slices as u64, Ordering::Relaxed);
        self.consecutive_failures.store(0, Ordering::Relaxed);
    }

    /// Counts a batch that failed.
    pub fn record_failure(&self) {
        self.consecutive_failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Number of batches and of slices that succeeded.
    pub fn so_far(&self) -> [u64; 2] {
        [self.batches.load(Ordering::Relaxed), self.slices.load(Ordering::Relaxed)]
    }

    /// Whether fewer than three batches in a row failed. A GPU that is lost from the bus fails on every batch, and only
    /// a new process can use another one.
    pub fn healthy(&self) -> bool {
        self.consecutive_failures.load(Ordering::Relaxed) < MAX_CONSECUTIVE_FAILURES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_and_precisions_parse_from_their_command_line_names() {
        assert_eq!("auto".parse(), Ok(Provider::Auto));
        assert_eq!("cuda".parse(), Ok(Provider::Cuda));
        assert!("rocm".parse::<Provider>().is_err());
        assert_eq!("f16".parse(), Ok(Precision::F16));
        assert!("int8".parse::<Precision>().is_err());
    }

    #[test]
    fn three_consecutive_failures_are_unhealthy() {
        let counts = Counts::default();
        counts.record_failure();
        counts.record_failure();
        assert!(counts.healthy());
        counts.record_batch(7);
        counts.record_failure();
        counts.record_failure();
        assert!(counts.healthy(), "a success resets the count of failures");
        counts.record_failure();
        assert!(!counts.healthy());
        assert_eq!(counts.so_far(), [1, 7]);
    }
}
