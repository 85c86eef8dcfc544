//! Time since the work on an input began.

use crate::segmenter::Observer;
use std::time::Instant;

/// An [`Observer`] that measures time and nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts at 0 ms.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Observer for Stopwatch {
    fn elapsed_ms(&self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1e3
    }
}
