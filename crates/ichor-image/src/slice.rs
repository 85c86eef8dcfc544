//! A decoded axial slice: samples, geometry, identity and warnings.

mod patient;
mod stored;
mod tags;

pub use patient::{PatientStudy, QuotedAttribute};
pub use stored::{Scale, StoredPlane};
pub use tags::SeriesTags;

use crate::window::WindowLevel;
use std::sync::Arc;

/// A plane of `f32` samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Columns, px.
    pub width: usize,
    /// Rows, px.
    pub height: usize,
    /// `width * height` samples, row by row.
    pub samples: Vec<f32>,
}

impl Plane {
    /// A plane with the same value everywhere.
    pub fn filled(width: usize, height: usize, value: f32) -> Self {
        Self { width, height, samples: vec![value; width * height] }
    }

    /// Replaces each sample `s` by `f(s)`.
    pub fn map(mut self, f: impl Fn(f32) -> f32) -> Self {
        self.samples.iter_mut().for_each(|s| *s = f(*s));
        self
    }
}

/// Meaning of the samples of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intensity {
    /// Grey of a display image, from 0 (black) to 1 (white).
    Display,
    /// Hounsfield units.
    Hounsfield,
}

/// A CT slice: samples, their meaning, and the geometry and identity that the file contains.
#[derive(Debug, Clone)]
pub struct CtSlice {
    /// The samples.
    pub plane: StoredPlane,
    /// Meaning of the samples.
    pub intensity: Intensity,
    /// Distance between rows and between columns, mm, if the file contains it.
    pub spacing_mm: Option<[f32; 2]>,
    /// DICOM modality, such as `CT`, if the file contains it.
    pub modality: Option<String>,
    /// Position and orientation in the patient, if the file contains them.
    pub placement: Option<Placement>,
    /// Nominal slice thickness, mm, if the file contains it.
    pub thickness_mm: Option<f32>,
    /// Display windows of the file, in its order.
    pub windows: Vec<WindowLevel>,
    /// Identity that a derived DICOM object must quote; `None` for other formats.
    pub reference: Option<Arc<DicomReference>>,
    /// Warnings about how the file was read.
    pub warnings: Vec<Warning>,
}

impl CtSlice {
    /// A slice without geometry, identity and warnings.
    pub fn bare(plane: impl Into<StoredPlane>, intensity: Intensity) -> Self {
        Self {
            plane: plane.into(),
            intensity,
            spacing_mm: None,
            modality: None,
            placement: None,
            thickness_mm: None,
            windows: Vec::new(),
            reference: None,
            warnings: Vec::new(),
        }
    }
}

/// Position and orientation in the patient's coordinates (DICOM PS3.3 C.7.6.2.1.1): mm, x to the
/// patient's left, y to the back, z to the head.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Placement {
    /// Centre of the first sample, mm.
    pub position_mm: [f64; 3],
    /// Unit vector along a row, in the direction of increasing columns.
    pub row: [f64; 3],
    /// Unit vector along a column, in the direction of increasing rows.
    pub column: [f64; 3],
}

/// Identity of the DICOM frame of a slice. It is written to derived DICOM objects only, never to reports or logs.
#[derive(Clone, PartialEq)]
pub struct DicomReference {
    /// SOP Class UID (0008,0016).
    pub sop_class_uid: String,
    /// SOP Instance UID (0008,0018).
    pub sop_instance_uid: String,
    /// Number of the frame in the instance, from 1; `None` for a single-frame object.
    pub frame: Option<u32>,
    /// Series Instance UID (0020,000E).
    pub series_uid: String,
    /// Study Instance UID (0020,000D).
    pub study_uid: String,
    /// Frame of Reference UID (0020,0052).
    pub frame_of_reference_uid: Option<String>,
    /// Transfer syntax UID of the file, without padding.
    pub transfer_syntax: String,
    /// Values of Image Type (0008,0008); one of them is `LOCALIZER` for a localiser.
    pub image_type: Vec<String>,
    /// Gantry/Detector Tilt (0018,1120), degrees.
    pub gantry_tilt: Option<String>,
    /// Tags that distinguish its series from others.
    pub tags: SeriesTags,
    /// Patient and study attributes that a derived object repeats.
    pub patient_study: Arc<PatientStudy>,
}

impl std::fmt::Debug for DicomReference {
    /// Omits everything about the patient, because debug output may be logged.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DicomReference").field("frame", &self.frame).finish_non_exhaustive()
    }
}

/// A caution in the report.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct Warning {
    /// Stable identifier.
    pub code: &'static str,
    /// Sentence for users.
    pub message: String,
    /// What the warning leaves open; `None` if it does not affect the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

/// What a warning leaves open in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Part of the head was not segmented. Hemorrhage can be reported but not excluded, and volumes are not those of
    /// the whole head.
    Incomplete,
    /// The grey values or the content cannot be interpreted. Hemorrhage is neither reported nor excluded.
    Unreadable,
    /// The outputs of the network contradict each other: the slice is above its cut-off, but no pixel reaches the
    /// threshold. Hemorrhage is neither reported nor excluded.
    Undecided,
    /// The pixel spacing or the distance of the slices is not plausible. Lengths, areas and volumes are unknown.
    Unmeasurable,
}

impl Warning {
    /// A warning that does not affect the result.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), doubt: None }
    }

    /// A warning that part of the head was not segmented ([`Doubt::Incomplete`]).
    pub fn incomplete(code: &'static str, message: impl Into<String>) -> Self {
        Self { doubt: Some(Doubt::Incomplete), ..Self::new(code, message) }
    }

    /// A warning that the image cannot be interpreted ([`Doubt::Unreadable`]).
    pub fn unreadable(code: &'static str, message: impl Into<String>) -> Self {
        Self { doubt: Some(Doubt::Unreadable), ..Self::new(code, message) }
    }

    /// A warning that slice and pixel outputs contradict each other ([`Doubt::Undecided`]).
    pub fn undecided(code: &'static str, message: impl Into<String>) -> Self {
        Self { doubt: Some(Doubt::Undecided), ..Self::new(code, message) }
    }

    /// A warning that sizes are not plausible ([`Doubt::Unmeasurable`]).
    pub fn unmeasurable(code: &'static str, message: impl Into<String>) -> Self {
        Self { doubt: Some(Doubt::Unmeasurable), ..Self::new(code, message) }
    }
}
