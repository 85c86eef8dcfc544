//! Flags on what runs the networks.

use crate::engine::{OrtSettings, Precision, Provider};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// What runs the networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    /// The native engine: in Rust on the CPU, one slice per core.
    Own,
    /// tract, which knows more operators and takes more than twice as long; in builds with the feature tract.
    Tract,
    /// onnxruntime, in batches, on an NVIDIA GPU where there is one; in builds with the feature gpu.
    Ort,
}

/// How onnxruntime runs networks.
#[derive(Debug, Args)]
#[command(next_help_heading = "onnxruntime")]
pub struct OrtArgs {
    /// Its library, of version 1.17 or newer.
    #[arg(long, env = "ICHOR_ONNXRUNTIME", default_value = "libonnxruntime.so")]
    pub onnxruntime: PathBuf,
    /// auto (the NVIDIA card, or the processor with a word why), cuda (the card or an error) or cpu.
    #[arg(long, env = "ICHOR_PROVIDER", default_value = "auto")]
    pub provider: Provider,
    /// Number of the card.
    #[arg(long, env = "ICHOR_DEVICE", default_value_t = 0)]
    pub device: i32,
    /// Most memory of the card that a network's arena takes, MiB; no limit without it.
    #[arg(long, env = "ICHOR_DEVICE_MIB", value_parser = clap::value_parser!(u32).range(64..))]
    pub device_mib: Option<u32>,
    /// f32, f16, or auto: f16 on a card, where masks of built-in phantoms agree.
    #[arg(long, env = "ICHOR_PRECISION", default_value = "auto")]
    pub precision: Precision,
    /// Threads of the processor a network; 0 for one a core.
    #[arg(long, env = "ICHOR_THREADS", default_value_t = 0)]
    pub threads: usize,
    /// Most slices of a batch; 16 on a card and 4 on the processor without it.
    #[arg(long, env = "ICHOR_MAX_BATCH", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub max_batch: Option<u16>,
    /// How long a slice that came alone waits for others, ms.
    #[arg(long, env = "ICHOR_BATCH_WAIT_MS", default_value = "5", value_parser = clap::value_parser!(u16).range(..=1000))]
    pub batch_wait_ms: u16,
    /// Slices that may wait for a batch; further ones are answered 503.
    #[arg(long, env = "ICHOR_QUEUE", default_value = "128", value_parser = clap::value_parser!(u16).range(1..))]
    pub queue: u16,
}

impl OrtArgs {
    /// What onnxruntime is started with.
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
