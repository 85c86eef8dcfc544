//! One axial slice as it was decoded.

mod patient;
mod stored;
mod tags;

pub use patient::{PatientStudy, QuotedAttribute};
pub use stored::{Scale, StoredPlane};
pub use tags::SeriesTags;

use crate::window::WindowLevel;
use std::sync::Arc;

/// A grey plane, row-major, `width * height` samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Columns, px.
    pub width: usize,
    /// Rows, px.
    pub height: usize,
    /// Samples, row by row.
    pub samples: Vec<f32>,
}

impl Plane {
    /// A plane of one value.
    pub fn filled(width: usize, height: usize, value: f32) -> Self {
        Self { width, height, samples: vec![value; width * height] }
    }

    /// Applies `f` to every sample.
    pub fn map(mut self, f: impl Fn(f32) -> f32) -> Self {
        self.samples.iter_mut().for_each(|s| *s = f(*s));
        self
    }
}

/// What the samples of a slice mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intensity {
    /// Already windowed for display, 0 (black) to 1 (white).
    Display,
    /// Hounsfield units.
    Hounsfield,
}

/// One CT slice: samples, their meaning and what the file said of its geometry.
#[derive(Debug, Clone)]
pub struct CtSlice {
    /// The samples.
    pub plane: StoredPlane,
    /// What the samples mean.
    pub intensity: Intensity,
    /// Row and column spacing in mm, where the file carries it.
    pub spacing_mm: Option<[f32; 2]>,
    /// DICOM modality, where the file carries it.
    pub modality: Option<String>,
    /// Where the slice lies in the patient, where the file carries it.
    pub placement: Option<Placement>,
    /// Nominal slice thickness, mm, where the file carries it.
    pub thickness_mm: Option<f32>,
    /// Display windows that the file proposes, in its order.
    pub windows: Vec<WindowLevel>,
    /// What a derived DICOM object must quote of its source; `None` for other formats.
    pub reference: Option<Arc<DicomReference>>,
    /// Notes on how the file was read, for the report.
    pub warnings: Vec<Warning>,
}

impl CtSlice {
    /// A slice of which nothing but its samples is known.
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
pub struct Placement {
    /// Centre of the first sample, mm.
    pub position_mm: [f64; 3],
    /// Unit vector along a row, to higher columns.
    pub row: [f64; 3],
    /// Unit vector along a column, to higher rows.
    pub column: [f64; 3],
}

/// Identity of the DICOM frame that a slice came from. It never appears in reports or logs; only
/// DICOM objects written for the same patient quote it.
#[derive(Clone, PartialEq)]
pub struct DicomReference {
    /// SOP Class UID (0008,0016).
    pub sop_class_uid: String,
    /// SOP Instance UID (0008,0018).
    pub sop_instance_uid: String,
    /// Frame of the instance, from 1; `None` in a single-frame object.
    pub frame: Option<u32>,
    /// Series Instance UID (0020,000E).
    pub series_uid: String,
    /// Study Instance UID (0020,000D).
    pub study_uid: String,
    /// Frame of Reference UID (0020,0052).
    pub frame_of_reference_uid: Option<String>,
    /// Transfer syntax UID of the file, without padding.
    pub transfer_syntax: String,
    /// Image Type (0008,0008), its values; tells localisers (`LOCALIZER`) from axial slices.
    pub image_type: Vec<String>,
    /// Gantry/Detector Tilt (0018,1120), degrees.
    pub gantry_tilt: Option<String>,
    /// What tells its series from others.
    pub tags: SeriesTags,
    /// Patient and study attributes that a derived object repeats.
    pub patient_study: Arc<PatientStudy>,
}

impl std::fmt::Debug for DicomReference {
    /// Says nothing of the patient: debug output ends up in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DicomReference").field("frame", &self.frame).finish_non_exhaustive()
    }
}

/// A caution that travels with the result.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Warning {
    /// Stable identifier.
    pub code: &'static str,
    /// Plain sentence for people.
    pub message: String,
    /// What of the result cannot be relied on because of it; `None` for a note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

/// What a warning takes away from the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Image content of the same head was not segmented: hemorrhage may have been seen, but "none" cannot be
    /// said, and no volume is the head's.
    Incomplete,
    /// The grey values or the content cannot be interpreted: nothing is said of hemorrhage.
    Unreadable,
    /// The network contradicts itself: the slice is above its cut-off, and no region reaches the threshold.
    /// Neither "hemorrhage" nor "none" can be said.
    Undecided,
    /// The size of the pixels or the distance of the slices cannot be believed: lengths, areas and volumes
    /// are unknown.
    Unmeasurable,
}

impl Warning {
    /// A note with a stable code and a sentence; the result stands as it is.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), doubt: None }
    }

    /// Image content of the same head was not segmented ([`Doubt::Incomplete`]).
    pub fn incomplete(code: &'static str, message: impl Into<String>) -> Self {
        Self { doubt: Some(Doubt::Incomplete), ..Self::new(code, message) }
    }

    /// The image cannot be interpreted ([`Doubt::Unreadable`]).
    pub fn unreadable(code: &'static str, message: impl Into<String>) -> Self {
        Self { doubt: Some(Doubt::Unreadable), ..Self::new(code, message) }
    }

    /// Slice and pixels contradict each other ([`Doubt::Undecided`]).
    pub fn undecided(code: &'static str, message: impl Into<String>) -> Self {
        Self { doubt: Some(Doubt::Undecided), ..Self::new(code, message) }
    }

    /// Sizes cannot be believed ([`Doubt::Unmeasurable`]).
    pub fn unmeasurable(code: &'static str, message: impl Into<String>) -> Self {
        Self { doubt: Some(Doubt::Unmeasurable), ..Self::new(code, message) }
    }
}
