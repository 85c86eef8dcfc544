//! Notifications to a caller while its input is segmented.

use super::SegmentedSlice;
use crate::engine::Logits;
use crate::error::Error;
use crate::series::Series;

/// Is notified of the progress of one input, and is the clock of this crate, which reads none itself.
///
/// Methods are called from several threads.
pub trait Observer: Sync {
    /// Time since the work began, ms; 0 where time is not measured.
    fn elapsed_ms(&self) -> f64 {
        0.0
    }

    /// The input is decoded and holds `slices` slices.
    fn on_decoded(&self, slices: usize) {
        let _ = slices;
    }

    /// One more slice is segmented.
    fn on_slice(&self) {}
}

/// Measures no time and reports no progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}

/// The work is to end early. The [`Checkpoints`] that return it keep the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted;

impl From<Interrupted> for Error {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

/// Keeps the work on a series slice by slice, so that a later run can continue it.
///
/// Methods are called from several threads. Each may end the work with [`Interrupted`].
pub trait Checkpoints: Sync {
    /// The series that is about to be segmented.
    ///
    /// # Errors
    /// [`Interrupted`].
    fn on_series(&self, series: &Series) -> Result<(), Interrupted>;

    /// The logits of slice `index` from an earlier run, if they were saved.
    ///
    /// # Errors
    /// [`Interrupted`].
    fn load_logits(&self, index: usize) -> Result<Option<Logits>, Interrupted>;

    /// Saves the logits of slice `index`.
    ///
    /// # Errors
    /// [`Interrupted`].
    fn save_logits(&self, index: usize, logits: &Logits) -> Result<(), Interrupted>;

    /// Slice `index` of `series` is segmented; its neighbours are not taken into account yet.
    ///
    /// # Errors
    /// [`Interrupted`].
    fn on_slice(
        &self,
        series: &Series,
        index: usize,
        slice: &SegmentedSlice,
    ) -> Result<(), Interrupted>;
}
