//! The time that a network takes per batch, by batch size.

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::segmenter::Segmenter;
use serde::Serialize;
use std::time::Instant;

/// Measured times of one batch size.
#[derive(Debug, Clone, Serialize)]
pub struct BatchTimes {
    /// Slices per batch.
    pub batch: usize,
    /// Median of the runs, ms, with the copies to the GPU and back.
    pub median_ms: f64,
    /// Shortest run, ms.
    pub best_ms: f64,
    /// Slices per second, from the median.
    pub slices_per_second: f64,
}

/// Runs the network of a model `runs` times at each batch size, after two runs that are not counted.
///
/// # Errors
/// As [`Engine::run_batch`].
pub fn batch_times(model: &Segmenter, batches: &[usize], runs: usize) -> Result<Vec<BatchTimes>> {
    let not_built = || Error::Internal("the network is not built".into());
    let engine = model.engine().ok_or_else(not_built)?;
    let length: usize = model.spec().input.shape.iter().product();
    // A ramp instead of an image: the time of a convolution does not depend on the values.
    let tensor: Vec<f32> = (0..length).map(|i| i as f32 / length as f32).collect();
    batches.iter().map(|&batch| times(engine, &vec![&tensor[..]; batch.max(1)], runs)).collect()
}

fn times(engine: &Engine, batch: &[&[f32]], runs: usize) -> Result<BatchTimes> {
    let mut durations = Vec::with_capacity(runs);
    for run in 0..runs.max(1) + 2 {
        let start = Instant::now();
        engine.run_batch(batch)?;
        if run >= 2 {
            durations.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    durations.sort_by(f64::total_cmp);
    let (median_ms, best_ms) = (durations[durations.len() / 2], durations[0]);
    let slices_per_second = batch.len() as f64 / median_ms * 1e3;
    Ok(BatchTimes { batch: batch.len(), median_ms, best_ms, slices_per_second })
}
