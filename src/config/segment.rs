//! Flags of `ichor segment`.

use super::ModelArgs;
use crate::window::WindowLevel;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `ichor segment`.
#[derive(Debug, Args)]
pub struct SegmentArgs {
    /// Where the models lie.
    #[command(flatten)]
    pub model_dir: ModelArgs,
    /// Images (PNG, JPEG, TIFF, WebP, BMP), DICOM, NIfTI, zip files, or folders of them; - for the
    /// standard input. DICOM files of one head, given together or in a folder, are segmented as a series.
    #[arg(required = true, value_name = "FILES")]
    pub inputs: Vec<PathBuf>,
    /// Model; the first by name without it.
    #[arg(long)]
    pub model: Option<String>,
    /// Folder for the results; made if missing.
    #[arg(long)]
    pub output: PathBuf,
    /// Threshold in place of the model's own, between 0 and 1.
    #[arg(long)]
    pub threshold: Option<f32>,
    /// What to write, with commas between.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "png")]
    pub format: Vec<OutputFormat>,
    /// Take pictures for slices of one head, which inform each other: those of one size in one folder
    /// whose names differ only in the number at their end, as 12.png and 13.png or a_12.jpg and
    /// a_13.jpg, and those of a zip. Otherwise each picture is judged by itself.
    #[arg(long)]
    pub as_series: bool,
    /// Segment each picture by itself, as without --as-series.
    #[arg(long, conflicts_with = "as_series")]
    pub alone: bool,
    /// Which of several series of a head to take, by its number in the warning that lists them.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub series: Option<u32>,
    /// Window of the overlays: brain, ct-ich, subdural, stroke, bone or CENTER,WIDTH in HU; the
    /// model's input window without it. The result does not depend on it.
    #[arg(long, allow_hyphen_values = true)]
    pub window: Option<WindowLevel>,
}

/// What `ichor segment` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Mask and overlay of each slice.
    Png,
    /// The mask as a volume on the grid of the input.
    Nifti,
    /// The mask as a DICOM segmentation object.
    DicomSeg,
    /// The volumes as a DICOM structured report (TID 1500), with the segmentation it measures.
    DicomSr,
    /// The report, also for single slices.
    Json,
    /// Lesions and their regions on the slices.
    Csv,
    /// Overlays of the key slices on one picture.
    Montage,
}

impl std::fmt::Display for OutputFormat {
    /// The name on the command line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

pub(super) const SEGMENT_HELP: &str = "Examples:
  ichor segment slice.png --model unet --output results --threshold 0.4
  ichor segment head.nii.gz --output results --format nifti,csv
  ichor segment dicom-folder --output results --format png,dicom-seg,montage --window subdural

Names of the results, where <stem> is the name of the file, or of the folder of a series:
  png        <stem>_mask.png, <stem>_overlay.png; in a series <stem>_001_mask.png and so on
  nifti      <stem>_mask.nii.gz
  dicom-seg  <stem>_seg.dcm
  dicom-sr   <stem>_sr.dcm, and <stem>_seg.dcm, which it refers to
  json       <stem>_report.json
  csv        <stem>_lesions.csv, <stem>_regions.csv
  montage    <stem>_montage.png
A format that an input cannot be written in, as dicom-seg of a picture, is left out with a warning in the report.

Exit code: 0 when every file was segmented and written in at least one of the formats, else 1; 2 for wrong flags.";
