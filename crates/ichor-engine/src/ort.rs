//! The engine for batches and NVIDIA GPUs: onnxruntime, whose library is opened at run time.
//!
//! ```text
//! load: library -> runtime -> graph (variable batch size, half precision) -> session -> probe against the file
//! run:  queue -> batch -> session
//! ```

mod graph;
mod queue;
mod reason;
mod runtime;
mod session;

pub use runtime::OrtRuntime;

use super::{Batching, Counts, EngineFacts, Logits, OrtSettings};
use crate::Result;
use queue::Queue;
use session::BatchSession;
use std::sync::{Arc, Mutex, PoisonError};

/// A network in onnxruntime. Slices that are submitted one by one are collected into batches by a queue. Complete
/// batches bypass the queue and run between two of its batches.
pub struct OrtEngine {
    shared: Arc<Shared>,
    queue: Queue,
}

/// State that the queue's thread and the callers share. The session runs one batch at a time.
struct Shared {
    session: Mutex<BatchSession>,
    facts: EngineFacts,
    counts: Counts,
}

impl std::fmt::Debug for OrtEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrtEngine").field("facts", &self.shared.facts).finish_non_exhaustive()
    }
}

impl OrtEngine {
    fn new(session: BatchSession, facts: EngineFacts, settings: &OrtSettings) -> Self {
        let (wait, queue) = (settings.wait, settings.queue);
        let batching = Batching { max_batch: facts.max_batch, wait, queue };
        let session = Mutex::new(session);
        let shared = Arc::new(Shared { session, facts, counts: Counts::default() });
        let worker = Arc::clone(&shared);
        let queue = Queue::new(batching, move |tensors| worker.compute(tensors));
        Self { shared, queue }
    }

    /// Submits one slice to the queue and blocks until its batch is computed.
    pub(super) fn run(&self, tensor: &[f32]) -> Result<Logits> {
        self.queue.submit(tensor.to_vec())
    }

    /// Computes `tensors` in batches of the maximum size; the results have the same order.
    pub(super) fn run_batch(&self, tensors: &[&[f32]]) -> Result<Vec<Logits>> {
        let mut logits = Vec::with_capacity(tensors.len());
        for batch in tensors.chunks(self.shared.facts.max_batch.max(1)) {
            logits.extend(self.shared.compute(batch)?);
        }
        Ok(logits)
    }

    pub(super) fn facts(&self) -> &EngineFacts {
        &self.shared.facts
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.shared.counts
    }
}

impl Shared {
    fn compute(&self, tensors: &[&[f32]]) -> Result<Vec<Logits>> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let logits = session.run(tensors);
        match logits {
            Ok(_) => self.counts.record_batch(tensors.len()),
            Err(_) => self.counts.record_failure(),
        }
        logits
    }
}
