//! Files of the network's output and of the results on each slice of a data set, for comparisons that need more than
//! the summary.

use super::figures::SliceScore;
use crate::dataset::LabelledSlice;
use crate::engine::Logits;
use crate::error::{Error, Result};
use crate::model_spec::ModelSpec;
use crate::prepare::{create, npy};
use npyz::NpyWriter;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Context of every error of a file of `--output`.
pub(super) const CANNOT_WRITE: &str = "The files of --output cannot be written";

/// Writer of `mask_logits.npy` (f32 `[N, H, W]`) and `slice_logits.npy` (f32 `[N, K]`), the network's output, and of
/// `answers.csv` with the results. All hold the N slices in the same order.
pub(super) struct AnswerFiles {
    masks: NpyWriter<f32, BufWriter<File>>,
    slices: NpyWriter<f32, BufWriter<File>>,
    index: BufWriter<File>,
}

impl AnswerFiles {
    /// Creates the files for this number of slices in the folder `output`, which is created if it is missing.
    ///
    /// # Errors
    /// [`ichor_image::Error::Io`], as for the other methods.
    pub(super) fn create(output: &Path, spec: &ModelSpec, slices: usize) -> Result<Self> {
        std::fs::create_dir_all(output).map_err(Error::io(CANNOT_WRITE))?;
        let [_, _, height, width] = spec.input.shape.map(|side| side as u64);
        let classes = spec.outputs.slice.as_ref().map_or(0, |slice| slice.classes.len() as u64);
        let slices = slices as u64;
        let mut index = BufWriter::new(create(&output.join("answers.csv"), CANNOT_WRITE)?);
        writeln!(index, "patient,slice,probability,mask_px,overlap_px,true_px,lesions,lesions_hit")
            .map_err(Error::io(CANNOT_WRITE))?;
        Ok(Self {
            masks: npy(&output.join("mask_logits.npy"), &[slices, height, width], CANNOT_WRITE)?,
            slices: npy(&output.join("slice_logits.npy"), &[slices, classes], CANNOT_WRITE)?,
            index,
        })
    }

    /// Writes the next slice.
    pub(super) fn write(
        &mut self,
        row: &LabelledSlice,
        logits: Logits,
        score: &SliceScore,
    ) -> Result<()> {
        // Empty columns where the true mask is unknown.
        let drawn = score.overlap.as_ref().map_or_else(
            || ",,,".to_owned(),
            |drawn| {
                let overlap = drawn.counts.true_positive;
                let truth = overlap + drawn.counts.false_negative;
                format!("{overlap},{truth},{},{}", drawn.lesions, drawn.lesions_hit)
            },
        );
        let (patient, slice) = (&row.patient, &row.slice);
        let (probability, mask_px) = (score.probability, score.mask_px);
        (|| {
            self.masks.extend(logits.mask)?;
            self.slices.extend(logits.slice)?;
            writeln!(self.index, "{patient},{slice},{probability},{mask_px},{drawn}")
        })()
        .map_err(Error::io(CANNOT_WRITE))
    }

    /// Completes the files.
    pub(super) fn finish(mut self) -> Result<()> {
        (|| {
            self.masks.finish()?;
            self.slices.finish()?;
            self.index.flush()
        })()
        .map_err(Error::io(CANNOT_WRITE))
    }
}
