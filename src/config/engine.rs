//! Flags of the engines that run the networks.

use crate::engine::{OrtSettings, Precision, Provider};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// The engine that runs the networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    /// The native engine: Rust code on the CPU, one slice per core.
    Own,
    /// tract: more operators, more than twice the time; in builds with the feature tract.
    Tract,
    /// onnxruntime: batches, on an NVIDIA GPU if there is one; in builds with the feature gpu.
    Ort,
}

/// Settings of onnxruntime.
#[derive(Debug, Args)]
#[command(next_help_heading = "onnxruntime")]
pub struct OrtArgs {
    /// Its library, version 1.17 or newer.
    #[arg(long, env = "ICHOR_ONNXRUNTIME", default_value = "libonnxruntime.so")]
    pub onnxruntime: PathBuf,
    /// auto (the NVIDIA GPU, or the CPU with a message that gives the reason), cuda (the GPU, or an error) or cpu.
    #[arg(long, env = "ICHOR_PROVIDER", default_value = "auto")]
    pub provider: Provider,
    /// Number of the GPU.
    #[arg(long, env = "ICHOR_DEVICE", default_value_t = 0)]
    pub device: i32,
    /// Maximum GPU memory for the arena of a network, MiB; default: no limit.
    #[arg(long, env = "ICHOR_DEVICE_MIB", value_parser = clap::value_parser!(u32).range(64..))]
    pub device_mib: Option<u32>,
    /// f32, f16, or auto: f16 on a GPU if the masks of built-in phantoms agree with those of f32.
    #[arg(long, env = "ICHOR_PRECISION", default_value = "auto")]
    pub precision: Precision,
    /// CPU threads per network; 0 for one per core.
    #[arg(long, env = "ICHOR_THREADS", default_value_t = 0)]
    pub threads: usize,
    /// Maximum slices per batch; default: 16 on a GPU, 4 on a CPU.
    #[arg(long, env = "ICHOR_MAX_BATCH", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub max_batch: Option<u16>,
    /// Time that a batch waits for more slices, ms.
    #[arg(long, env = "ICHOR_BATCH_WAIT_MS", default_value = "5", value_parser = clap::value_parser!(u16).range(..=1000))]
    pub batch_wait_ms: u16,
    /// Maximum slices that wait for a batch; further ones get the answer 503.
    #[arg(long, env = "ICHOR_QUEUE", default_value = "128", value_parser = clap::value_parser!(u16).range(1..))]
    pub queue: u16,
}

impl OrtArgs {
    /// The settings as the engine takes them.
    pub fn settings(&self) -> OrtSettings {
        OrtSettings {
            library: self.onnxruntime.clone(),
            provider: self.provider,
            device: self.device,
            device_bytes: self.device_mib.map(|mib| (mib as usize) << 20),
            precision: self.precision,
            threads: self.threads,
            max_batch: self.max_batch.map(usize::from),
            wait: Duration::from_millis(self.batch_wait_ms.into()),
            queue: self.queue.into(),
        }
    }
}
