//! How long a network takes by the number of slices that it is given at once.

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::segmenter::Segmenter;
use serde::Serialize;
use std::time::Instant;

/// Times of one batch size.
#[derive(Debug, Clone, Serialize)]
pub struct BatchTimes {
    /// Slices given at once.
    pub batch: usize,
    /// Middle of all runs, ms, with the copies to the card and back.
    pub median_ms: f64,
    /// Shortest of all runs, ms.
    pub best_ms: f64,
    /// Slices a second in the middle run.
    pub slices_per_second: f64,
}

/// Runs the network of a model `runs` times with each number of slices, after two that do not count.
///
/// # Errors
/// As [`Engine::run_batch`].
pub fn batch_times(model: &Segmenter, batches: &[usize], runs: usize) -> Result<Vec<BatchTimes>> {
    let not_built = || Error::Internal("the network is not built".into());
    let engine = model.engine().ok_or_else(not_built)?;
    let length: usize = model.spec().input.shape.iter().product();
    // A slope is as good as a head: the time of a convolution does not depend on what it sees.
    let tensor: Vec<f32> = (0..length).map(|i| i as f32 / length as f32).collect();
    batches.iter().map(|&batch| times(engine, &vec![&tensor[..]; batch.max(1)], runs)).collect()
}

fn times(engine: &Engine, batch: &[&[f32]], runs: usize) -> Result<BatchTimes> {
    let mut took = Vec::with_capacity(runs);
    for run in 0..runs.max(1) + 2 {
        let begun = Instant::now();
        engine.run_batch(batch)?;
        if run >= 2 {
            took.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    took.sort_by(f64::total_cmp);
    let (median_ms, best_ms) = (took[took.len() / 2], took[0]);
    let slices_per_second = batch.len() as f64 / median_ms * 1e3;
    Ok(BatchTimes { batch: batch.len(), median_ms, best_ms, slices_per_second })
}
