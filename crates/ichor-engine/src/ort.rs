//! The engine for batches and NVIDIA cards: onnxruntime, loaded at run time.
//!
//! ```text
//! library -> runtime (environment, CUDA or not) -> graph (any batch, half precision) -> session
//!         -> probe (agrees with the file as it is?) -> engine: queue -> batch -> session
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

/// A network in onnxruntime. Slices that come one by one wait for each other in a queue; batches
/// that come whole are computed at once, between two batches of the queue.
pub struct OrtEngine {
    shared: Arc<Shared>,
    queue: Queue,
}

/// The session, which takes one batch at a time, and what was done with it.
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
    fn start(session: BatchSession, facts: EngineFacts, settings: &OrtSettings) -> Self {
        let (wait, queue) = (settings.wait, settings.queue);
        let batching = Batching { most: facts.max_batch, wait, queue };
        let session = Mutex::new(session);
        let shared = Arc::new(Shared { session, facts, counts: Counts::default() });
        let worker = Arc::clone(&shared);
        let queue = Queue::start(batching, move |tensors| worker.compute(tensors));
        Self { shared, queue }
    }

    /// Waits for a batch with others and for its result.
    pub(super) fn run(&self, tensor: &[f32]) -> Result<Logits> {
        self.queue.submit(tensor.to_vec())
    }

    /// Computes tensors in their order, as many at once as a batch holds.
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
            Ok(_) => self.counts.computed(tensors.len()),
            Err(_) => self.counts.failed(),
        }
        logits
    }
}
