//! Flags of `ichor segment`.

use super::ModelArgs;
use crate::summary::Language;
use crate::window::WindowLevel;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `ichor segment`.
#[derive(Debug, Args)]
pub struct SegmentArgs {
    /// The models.
    #[command(flatten)]
    pub model_dir: ModelArgs,
    /// Images (PNG, JPEG, TIFF, WebP, BMP), DICOM, NIfTI or zip files, or folders of them; - for the
    /// standard input. DICOM files of one head, given together or in a folder, are segmented as a series.
    #[arg(required = true, value_name = "FILES")]
    pub inputs: Vec<PathBuf>,
    /// Model; default: the first by name.
    #[arg(long)]
    pub model: Option<String>,
    /// Folder for the results; created if missing.
    #[arg(long)]
    pub output: PathBuf,
    /// Threshold in place of the model's own, between 0 and 1.
    #[arg(long)]
    pub threshold: Option<f32>,
    /// Formats of the results, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "png")]
    pub format: Vec<OutputFormat>,
    /// Treat pictures as slices of one head, so that neighbours inform each other: pictures of one size in
    /// one folder whose names differ only in the number at the end, as a_12.jpg and a_13.jpg, and the
    /// pictures of a zip. Without it each picture is judged alone.
    #[arg(long)]
    pub as_series: bool,
    /// Judge each picture alone; this is the default.
    #[arg(long, conflicts_with = "as_series")]
    pub alone: bool,
    /// Which of several series of a head to segment: its number in the warning that lists them.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub series: Option<u32>,
    /// Window of the overlays: brain, ct-ich, subdural, stroke, bone or CENTER,WIDTH in HU; default: the
    /// input window of the model. The masks do not depend on it.
    #[arg(long, allow_hyphen_values = true)]
    pub window: Option<WindowLevel>,
    /// Language of the formats report and text.
    #[arg(long, value_enum, default_value_t = LanguageChoice::En)]
    pub language: LanguageChoice,
    /// Leave out the causes that a textbook considers for a type of lesion at a place.
    #[arg(long)]
    pub no_patterns: bool,
}

/// A language of texts for readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LanguageChoice {
    /// English.
    En,
    /// German; warnings are in English.
    De,
}

impl From<LanguageChoice> for Language {
    fn from(choice: LanguageChoice) -> Self {
        match choice {
            LanguageChoice::En => Self::English,
            LanguageChoice::De => Self::German,
        }
    }
}

/// A format of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Mask and overlay of each slice.
    Png,
    /// The mask as a volume with the voxels of the input.
    Nifti,
    /// The mask as a DICOM segmentation object.
    DicomSeg,
    /// The volumes as a DICOM structured report (TID 1500), with the segmentation that it refers to.
    DicomSr,
    /// The report as JSON.
    Json,
    /// Tables of the lesions and of their regions on the slices.
    Csv,
    /// Overlays of the key slices in one picture.
    Montage,
    /// The report on one page, to read and to print: HTML with its pictures inside.
    Report,
    /// The finding as a paragraph of plain text.
    Text,
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
  ichor segment dicom-folder --output results --format report --language de

Names of the results; <stem> is the name of the file, or of the folder of a series:
  png        <stem>_mask.png, <stem>_overlay.png; in a series <stem>_001_mask.png and so on
  nifti      <stem>_mask.nii.gz
  dicom-seg  <stem>_seg.dcm
  dicom-sr   <stem>_sr.dcm, and <stem>_seg.dcm, which it refers to
  json       <stem>_report.json
  csv        <stem>_lesions.csv, <stem>_regions.csv
  montage    <stem>_montage.png
  report     <stem>_report.html
  text       <stem>_report.txt
A format that does not fit the input, such as dicom-seg for a picture, is left out with a warning in the report.

Exit code: 0 if every file was segmented and written in at least one format, else 1; 2 for wrong flags.";
