//! One axial slice as it was decoded.

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
    pub plane: Plane,
    /// What the samples mean.
    pub intensity: Intensity,
    /// Row and column spacing in mm, where the file carries it.
    pub spacing_mm: Option<[f32; 2]>,
    /// DICOM modality, where the file carries it.
    pub modality: Option<String>,
    /// Notes on how the file was read, for the report.
    pub warnings: Vec<Warning>,
}

/// A caution that travels with the result.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Warning {
    /// Stable identifier.
    pub code: &'static str,
    /// Plain sentence for people.
    pub message: String,
}

impl Warning {
    /// A warning with a stable code and a sentence.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
