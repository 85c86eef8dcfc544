//! The result files of `segment`, each written once.

use crate::config::{OutputFormat, SegmentArgs};
use crate::error::{Error, Result};
use crate::export::dicom_seg::encode_dicom_seg;
use crate::export::dicom_sr::encode_dicom_sr;
use crate::export::html::{HtmlOptions, encode_html};
use crate::export::montage::draw_montage;
use crate::export::nifti::encode_nifti;
use crate::export::table::{lesion_table, region_table};
use crate::export::warn_not_written;
use crate::png::encode_png;
use crate::report::Report;
use crate::segmenter::{Analysis, Segmenter};
use crate::slice::Warning;
use crate::summary::{Language, Summary, report_text};
use rayon::prelude::*;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The output folder and the formats to write.
pub(super) struct Outputs {
    folder: PathBuf,
    formats: Vec<OutputFormat>,
    language: Language,
    written: Mutex<HashSet<String>>,
}

/// Outcome of writing one input: warnings, and formats that could not be written.
#[derive(Default)]
pub(super) struct WriteOutcome {
    /// Warnings about values that a format cannot hold exactly, and formats that could not be written.
    pub(super) warnings: Vec<Warning>,
    /// Formats that the input cannot be written in.
    pub(super) missing: Vec<OutputFormat>,
}

impl WriteOutcome {
    /// The encoded form; `None`, with a warning per format, where the input does not allow it.
    fn encoded_or_warn<T>(
        &mut self,
        formats: &[OutputFormat],
        encoded: ichor_core::Result<T>,
    ) -> Result<Option<T>> {
        let error = match encoded {
            Ok(encoded) => return Ok(Some(encoded)),
            Err(error) if error.is_unprocessable() => error,
            Err(error) => return Err(error.into()),
        };
        self.warnings
            .extend(formats.iter().map(|format| warn_not_written(&format.to_string(), &error)));
        self.missing.extend(formats);
        Ok(None)
    }
}

impl Outputs {
    /// Creates the folder.
    pub(super) fn create(args: &SegmentArgs) -> Result<Self> {
        let folder = &args.output;
        std::fs::create_dir_all(folder).map_err(Error::io("The output folder cannot be made"))?;
        Ok(Self {
            folder: folder.clone(),
            formats: args.format.clone(),
            language: args.language.into(),
            written: Mutex::new(HashSet::new()),
        })
    }

    fn has(&self, format: OutputFormat) -> bool {
        self.formats.contains(&format)
    }

    /// Writes all formats but those of [`Self::write_readable`] and the report. A format that this input cannot be written in is left out, with a
    /// warning; the others are written.
    ///
    /// # Errors
    /// Those of writing the files.
    pub(super) fn write(
        &self,
        stem: &str,
        model: &Segmenter,
        analysis: &Analysis,
    ) -> Result<WriteOutcome> {
        use OutputFormat::{Csv, DicomSeg, DicomSr, Montage, Nifti, Png};
        let mut written = WriteOutcome::default();
        if self.has(Png) {
            self.write_pictures(stem, model, analysis)?;
        }
        if self.has(Nifti)
            && let Some((bytes, warnings)) = written
                .encoded_or_warn(&[Nifti], encode_nifti(&analysis.series, &analysis.masks))?
        {
            written.warnings.extend(warnings);
            self.put(stem, "mask.nii.gz", &bytes)?;
        }
        if self.has(Csv) {
            self.put(stem, "lesions.csv", &lesion_table(analysis)?)?;
            self.put(stem, "regions.csv", &region_table(analysis)?)?;
        }
        if self.has(Montage) {
            let picture = draw_montage(model, analysis);
            self.put(stem, "montage.png", &encode_png(&picture.into())?)?;
        }
        let objects: Vec<OutputFormat> =
            [DicomSeg, DicomSr].into_iter().filter(|&format| self.has(format)).collect();
        if objects.is_empty() {
            return Ok(written);
        }
        let now = SystemTime::now();
        let seg = encode_dicom_seg(model.spec(), &analysis.series, &analysis.masks, now);
        if let Some(seg) = written.encoded_or_warn(&objects, seg)? {
            written.warnings.extend(seg.warnings.iter().cloned());
            self.put(stem, "seg.dcm", &seg.bytes)?;
            if self.has(DicomSr)
                && let Some(report) = written.encoded_or_warn(
                    &[DicomSr],
                    encode_dicom_sr(model.spec(), analysis, &seg, now),
                )?
            {
                self.put(stem, "sr.dcm", &report)?;
            }
        }
        Ok(written)
    }

    /// Whether a requested format is written other than those that are `missing`.
    pub(super) fn writes_any_but(&self, missing: &[OutputFormat]) -> bool {
        self.formats.iter().any(|format| !missing.contains(format))
    }

    fn write_pictures(&self, stem: &str, model: &Segmenter, analysis: &Analysis) -> Result<()> {
        analysis.masks.par_iter().enumerate().try_for_each(|(index, mask)| {
            // Three digits, as a series has at most 512 slices: names then sort in the order of the slices.
            let number = match analysis.is_single_slice {
                true => String::new(),
                false => format!("{:03}_", index + 1),
            };
            let overlay = model.overlay_of(analysis, index);
            let mask = mask.unpack().into_grey().into();
            self.put(stem, &format!("{number}mask.png"), &encode_png(&mask)?)?;
            self.put(stem, &format!("{number}overlay.png"), &encode_png(&overlay)?)
        })
    }

    /// Writes the formats for readers, which repeat the warnings of the others; with causes to consider if `patterns`.
    ///
    /// # Errors
    /// Those of writing the files.
    pub(super) fn write_readable(
        &self,
        stem: &str,
        model: &Segmenter,
        analysis: &Analysis,
        patterns: bool,
    ) -> Result<()> {
        if self.has(OutputFormat::Report) {
            let options =
                HtmlOptions { language: self.language, patterns, created_at: SystemTime::now() };
            self.put(stem, "report.html", &encode_html(model, analysis, &options)?)?;
        }
        if self.has(OutputFormat::Text) {
            let summary = Summary::from_analysis(model.spec(), analysis);
            let text = report_text(&summary, self.language) + "\n";
            self.put(stem, "report.txt", text.as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn write_report(&self, stem: &str, report: &Report) -> Result<()> {
        if !self.has(OutputFormat::Json) {
            return Ok(());
        }
        let json = serde_json::to_vec_pretty(report).map_err(|e| Error::Internal(e.to_string()))?;
        self.put(stem, "report.json", &json)
    }

    /// Writes a file of this run once: `a_001.png` and slice 1 of the series `a` must not
    /// replace each other.
    fn put(&self, stem: &str, suffix: &str, bytes: &[u8]) -> Result<()> {
        let name = format!("{stem}_{suffix}");
        let path = self.folder.join(&name);
        if !self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(name) {
            return Err(Error::InvalidParameter(
                "A result would overwrite another input's. Segment them into different --output \
                 folders."
                    .into(),
            ));
        }
        std::fs::write(path, bytes).map_err(Error::io("A result cannot be written"))
    }
}
