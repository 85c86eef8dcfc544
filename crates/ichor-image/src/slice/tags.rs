//! Tags that distinguish the series, acquisitions and reconstructions of a DICOM study.

/// Attributes that determine which frames belong to the same series. Only series number, acquisition number, kernel and
/// contrast agent appear in reports; none appears in logs.
#[derive(Clone, Default, PartialEq)]
pub struct SeriesTags {
    /// Patient ID (0010,0020), or name and birth date if it is empty.
    pub patient: String,
    /// Study Date (0008,0020) and Study Time (0008,0030).
    pub study_time: String,
    /// Series Number (0020,0011).
    pub series_number: Option<i32>,
    /// Acquisition Number (0020,0012), of the frame or the object.
    pub acquisition_number: Option<i32>,
    /// Instance Number (0020,0013).
    pub instance_number: Option<i32>,
    /// Slice Location (0020,1041), mm from a reference point.
    pub slice_location_mm: Option<f64>,
    /// Spacing Between Slices (0018,0088), mm between centres along the normal.
    pub spacing_between_slices_mm: Option<f64>,
    /// Convolution Kernel (0018,1210); several values are separated by backslashes.
    pub kernel: String,
    /// Whether Contrast/Bolus Agent (0018,0010) names a contrast agent.
    pub has_contrast: bool,
}
