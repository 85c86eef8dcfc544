//! A series, slice by slice in parallel, and what its slices say together.

use super::{Clock, Gate, SegmentOptions, Segmenter, SliceFinding, StageTimings};
use crate::assess::GrayScale;
use crate::error::Result;
use crate::mask::PackedMask;
use crate::series::Series;
use crate::slice::Warning;
use crate::volumetry::Volumetry;
use image::DynamicImage;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What was found in a series. Display and probability planes are not kept: at 512 slices of
/// 512 px a side they would take 1 GiB beside the samples (256 MiB at most) and the masks (16 MiB).
#[derive(Debug, Clone)]
pub struct SeriesSegmentation {
    /// The slices as they were given to the segmenter.
    pub series: Series,
    /// The mask of each slice, in its geometry.
    pub masks: Vec<PackedMask>,
    /// What was found on each slice.
    pub slices: Vec<SliceFinding>,
    /// Volumes across the slices.
    pub volume: Volumetry,
    /// Index of the slice to look at first: the largest area, or without any lesion the highest
    /// probability.
    pub key_slice: usize,
    /// Whether any mask holds anything; `None` where that cannot be said, for the reason in a warning.
    pub detected: Option<bool>,
    /// How the grey values were read.
    pub gray_scale: GrayScale,
    /// Highest probability of the slices. Each is of one slice, so that the maximum grows with their
    /// number; it ranks heads but is no probability of the head. `None` where no slice could be interpreted.
    pub probability: Option<f32>,
    /// What the model says of each type, in the order of its spec.
    pub subtypes: Vec<SeriesSubtype>,
    /// The threshold used.
    pub threshold: f32,
    /// Cautions of the series, its volumes and its slices, each kind once.
    pub warnings: Vec<Warning>,
    /// Each stage summed over the slices, which run in parallel, ms.
    pub timings: StageTimings,
}

/// One hemorrhage type in a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesSubtype {
    /// Highest probability of the slices.
    pub probability: f32,
    /// The total volume shared out: each slice's part goes to the types in proportion to their
    /// probabilities on that slice. The model types slices, not pixels, so this is an estimate
    /// of nothing finer; `None` where the total is.
    pub volume_ml: Option<f32>,
}

impl Segmenter {
    /// Segments the slices of a series in parallel. `progress` hears how many of all are done.
    ///
    /// # Errors
    /// As [`Segmenter::segment_slice`]; [`ichor_image::Error::Unprocessable`] for a series without slices.
    pub fn segment_series(
        &self,
        series: Series,
        options: SegmentOptions,
        progress: &(dyn Fn(usize, usize) + Sync),
        clock: Clock<'_>,
    ) -> Result<SeriesSegmentation> {
        let all = series.slices.len();
        let done = AtomicUsize::new(0);
        let gate = Gate::of(&series);
        let found = series
            .slices
            .par_iter()
            // One at a time, or a thread that is done finds nothing to take over from the others.
            .with_max_len(1)
            .map(|slice| {
                let infer = |prepared: &_| self.infer(prepared);
                let found = self.segment_with(slice, options, gate, clock, &infer)?;
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, all);
                Ok((found.finding, found.mask.pack()))
            })
            .collect::<Result<Vec<(SliceFinding, PackedMask)>>>()?;
        self.gather(series, found, clock)
    }

    /// One slice of a segmented series with its hemorrhage tinted and outlined.
    pub fn overlay_of(
        &self,
        found: &SeriesSegmentation,
        index: usize,
        options: SegmentOptions,
    ) -> DynamicImage {
        let slice = &found.series.slices[index];
        self.draw(slice, &found.masks[index].unpack(), self.display_window(slice, options.window))
    }
}
