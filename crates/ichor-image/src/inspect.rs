//! The properties of a file as the reader understands them, for support and for tests. They do not identify a
//! patient: identifiers, names, dates and free texts of the file are left out.

use crate::decode::{Decoded, Limits, decode, decode_path};
use crate::error::Result;
use crate::slice::{CtSlice, Intensity, Warning};
use crate::window::WindowLevel;
use serde::Serialize;
use std::path::Path;

/// The properties of one file.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// `dicom`, `nifti` or `image`.
    pub format: &'static str,
    /// Slices or frames in it.
    pub slice_count: usize,
    /// Transfer syntax UID, of DICOM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_syntax: Option<String>,
    /// Each slice, in the order of the file.
    pub slices: Vec<SliceFacts>,
}

/// The properties of one slice.
#[derive(Debug, Clone, Serialize)]
pub struct SliceFacts {
    /// Columns, px.
    pub width: usize,
    /// Rows, px.
    pub height: usize,
    /// DICOM modality, where it is one of the standard's codes.
    pub modality: Option<String>,
    /// Whether the samples are Hounsfield units; `false` for grey from 0 to 1.
    pub is_hounsfield: bool,
    /// Distance between rows and between columns, mm.
    pub spacing_mm: Option<[f32; 2]>,
    /// Nominal thickness, mm.
    pub thickness_mm: Option<f32>,
    /// Centre of the first sample in the patient, mm: left, back, head.
    pub position_mm: Option<[f64; 3]>,
    /// Direction of the rows, then of the columns, in the same axes.
    pub orientation: Option<[[f64; 3]; 2]>,
    /// Gantry tilt by the file, degrees.
    pub gantry_tilt_degrees: Option<f64>,
    /// Display windows that the file proposes.
    pub windows: Vec<WindowLevel>,
    /// Statistics of the samples, in HU where `is_hounsfield`, else of grey from 0 to 1.
    pub samples: SampleFacts,
    /// Warnings.
    pub warnings: Vec<Warning>,
}

/// Minimum, maximum and mean of the samples of a slice, in HU or in grey from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SampleFacts {
    /// Minimum.
    pub min: f32,
    /// Maximum.
    pub max: f32,
    /// Mean over the slice.
    pub mean: f64,
}

impl SampleFacts {
    /// Statistics of `samples`. Without any sample the mean is NaN.
    pub fn from_samples(samples: &[f32]) -> Self {
        let sum: f64 = samples.iter().copied().map(f64::from).sum();
        Self {
            min: samples.iter().copied().fold(f32::INFINITY, f32::min),
            max: samples.iter().copied().fold(f32::NEG_INFINITY, f32::max),
            mean: sum / samples.len() as f64,
        }
    }
}

/// Decodes a file and returns its properties.
///
/// # Errors
/// As [`decode`].
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspection> {
    decode(bytes, limits).map(inspection)
}

/// Decodes a file on disk and returns its properties.
///
/// # Errors
/// As [`decode_path`].
pub fn inspect_path(path: &Path, limits: &Limits) -> Result<Inspection> {
    decode_path(path, limits).map(inspection)
}

fn inspection(decoded: Decoded) -> Inspection {
    let Decoded { slices, grid, .. } = decoded;
    let reference = slices.iter().find_map(|slice| slice.reference.as_deref());
    Inspection {
        format: match (reference, grid) {
            (Some(_), _) => "dicom",
            (None, Some(_)) => "nifti",
            (None, None) => "image",
        },
        slice_count: slices.len(),
        transfer_syntax: reference.map(|r| r.transfer_syntax.clone()),
        slices: slices.into_iter().map(slice_facts).collect(),
    }
}

fn slice_facts(slice: CtSlice) -> SliceFacts {
    let tilt = slice.reference.as_deref().and_then(|r| r.gantry_tilt.as_deref());
    SliceFacts {
        width: slice.plane.width,
        height: slice.plane.height,
        // A free text in the wrong place could name a patient; codes are two to sixteen capitals.
        modality: slice
            .modality
            .filter(|m| m.len() <= 16 && m.bytes().all(|b| b.is_ascii_uppercase())),
        is_hounsfield: slice.intensity == Intensity::Hounsfield,
        spacing_mm: slice.spacing_mm,
        thickness_mm: slice.thickness_mm,
        position_mm: slice.placement.map(|p| p.position_mm),
        orientation: slice.placement.map(|p| [p.row, p.column]),
        gantry_tilt_degrees: tilt.and_then(|t| t.parse().ok()).filter(|t: &f64| t.is_finite()),
        windows: slice.windows,
        samples: SampleFacts::from_samples(&slice.plane.samples()),
        warnings: slice.warnings,
    }
}
