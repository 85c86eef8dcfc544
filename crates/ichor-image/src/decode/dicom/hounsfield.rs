//! Converts stored values to Hounsfield units (Modality LUT, PS3.3 C.11.1), or to display grey if they are not CT
//! numbers.

use super::attributes::Attributes;
use super::layout::Layout;
use crate::error::{Error, Result};
use crate::slice::{CtSlice, Intensity, Plane, Scale, StoredPlane, Warning};
use crate::window::WindowLevel;
use dicom_dictionary_std::{tags, uids};

/// Maximum magnitude of rescale slope and intercept. CT has values near 1 and -1024.
const MAX_RESCALE: f64 = 1e6;
/// Air around a head is at -1000 HU. A slice without samples below this value was not rescaled correctly.
const AIR_HU: f32 = -200.0;
/// The extended scale of metal artefact reconstruction ends at 30,710 HU.
const ABOVE_METAL_HU: f32 = 32_000.0;
/// Lower bound of padding: scanners use -2000, -2048, -3024 or -4096, before or after rescaling.
const LOWEST_PADDING_HU: f32 = -6000.0;
/// 12-bit scanners reach -1024 HU. Lower values mark samples outside of the field of view.
const PADDING_HU: f32 = -1200.0;

/// Makes a slice of the stored values of one frame, with intensity, windows and warnings but without geometry.
///
/// MONOCHROME1 does not invert Hounsfield units: it specifies how they are displayed (C.7.6.3.1.2).
///
/// # Errors
/// [`Error::Unprocessable`] if rescale slope or intercept is present but not plausible.
pub(super) fn slice(
    attributes: &Attributes<'_>,
    layout: &Layout,
    stored: &[i32],
) -> Result<CtSlice> {
    let rescale = Rescale::read(attributes)?;
    let kind = Kind::of(attributes, layout, &rescale);
    let stored = &stored[..layout.samples().min(stored.len())];
    let signed = matches!(kind, Kind::Ct).then(|| rescale.as_signed(stored, layout)).flatten();
    let was_reinterpreted = signed.is_some();
    let stored = signed.as_deref().unwrap_or(stored);
    let plane = rescale.plane(stored, layout);
    let windows = windows(attributes);
    let mut slice = match kind {
        Kind::Ct => {
            let darkest = rescale.darkest(stored);
            let mut warnings = ct_warnings(attributes, layout, &rescale, darkest);
            if was_reinterpreted {
                warnings.push(Warning::new(
                    "pixel_representation_wrong",
                    "The DICOM file declares unsigned samples (Pixel Representation 0) and holds \
                     values far above any CT's; they are negative numbers and were read as such.",
                ));
            }
            CtSlice { warnings, ..CtSlice::bare(plane, Intensity::Hounsfield) }
        }
        Kind::Other(warning) => {
            let plane = for_display(plane.expand(), windows.first().copied(), layout.inverted);
            let plane = StoredPlane::grey(&plane);
            CtSlice { warnings: vec![warning], ..CtSlice::bare(plane, Intensity::Display) }
        }
    };
    slice.windows = windows;
    slice.modality = attributes.text(tags::MODALITY, tags::MODALITY).map(Into::into);
    Ok(slice)
}

/// The linear map `stored value * slope + intercept`.
struct Rescale {
    slope: f64,
    intercept: f64,
    /// Whether both are in the file.
    is_complete: bool,
}

impl Rescale {
    fn read(attributes: &Attributes<'_>) -> Result<Self> {
        let group = tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE;
        let read = |tag| match attributes.numbers(group, tag).as_deref() {
            None => Ok(None),
            Some([value]) if value.abs() <= MAX_RESCALE => Ok(Some(*value)),
            Some(_) => Err(implausible()),
        };
        let (slope, intercept) = (read(tags::RESCALE_SLOPE)?, read(tags::RESCALE_INTERCEPT)?);
        if slope == Some(0.0) {
            return Err(implausible());
        }
        Ok(Self {
            slope: slope.unwrap_or(1.0),
            intercept: intercept.unwrap_or(0.0),
            is_complete: slope.is_some() && intercept.is_some(),
        })
    }

    /// The plane of rescaled values. Stored values have at most 16 bits, so that differences from the lowest fit `u16`.
    fn plane(&self, stored: &[i32], layout: &Layout) -> StoredPlane {
        let first = stored.iter().copied().min().unwrap_or(0);
        let steps = stored.iter().map(|&value| (value - first) as u16).collect();
        StoredPlane::steps(layout.columns, layout.rows, steps, self.scale(first))
    }

    /// Reinterprets samples that are declared unsigned as signed; `None` if they are plausible as declared. They are
    /// implausible if all values in the upper half of 16 bits are far above metal, as small negative numbers are.
    fn as_signed(&self, stored: &[i32], layout: &Layout) -> Option<Vec<i32>> {
        const MODULUS: i32 = 1 << 16;
        let scale = self.scale(0);
        let is_high = |value: &i32| *value >= MODULUS / 2;
        if layout.signed || layout.bits_stored != 16 || self.slope <= 0.0 {
            return None;
        }
        let lowest_high = stored.iter().copied().filter(is_high).min()?;
        let is_negative = scale.value(lowest_high) > ABOVE_METAL_HU
            && scale.value(lowest_high - MODULUS) >= LOWEST_PADDING_HU;
        let signed = |value: &i32| if is_high(value) { value - MODULUS } else { *value };
        is_negative.then(|| stored.iter().map(signed).collect())
    }

    fn scale(&self, first: i32) -> Scale {
        Scale { first, slope: self.slope, intercept: self.intercept }
    }

    /// The lowest rescaled value; with a negative slope it comes from the highest stored one.
    fn darkest(&self, stored: &[i32]) -> f32 {
        let ends = [stored.iter().min(), stored.iter().max()];
        let values = ends.into_iter().flatten().map(|&end| self.scale(0).value(end));
        values.fold(f32::INFINITY, f32::min)
    }
}

fn implausible() -> Error {
    Error::Unprocessable(
        "The rescale slope or intercept of the DICOM file is no usable number, so that its \
         Hounsfield units are unknown. Export the CT images again from the archive."
            .into(),
    )
}

/// Meaning of the rescaled samples.
enum Kind {
    /// Hounsfield units.
    Ct,
    /// Another quantity, with a warning that explains it.
    Other(Warning),
}

impl Kind {
    fn of(attributes: &Attributes<'_>, layout: &Layout, rescale: &Rescale) -> Self {
        let text = |tag| attributes.text(tag, tag);
        let class = text(tags::SOP_CLASS_UID);
        let other = |reason: &str| {
            Self::Other(Warning::new(
                "not_hounsfield",
                format!("{reason}; its samples are no Hounsfield units and were mapped to grey."),
            ))
        };
        match text(tags::MODALITY).as_deref() {
            Some("CT") => {}
            Some(_) => return other("The DICOM file is not a CT image"),
            None if class.as_deref().is_some_and(is_ct_class) || rescale.is_complete => {}
            None => return other("The DICOM file does not say its modality"),
        }
        let is_capture =
            class.is_some_and(|uid| uid.starts_with(uids::SECONDARY_CAPTURE_IMAGE_STORAGE));
        if !rescale.is_complete && (is_capture || layout.bits_stored <= 8) {
            return other("The DICOM file is a captured picture of a CT image");
        }
        let group = tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE;
        match attributes.text(group, tags::RESCALE_TYPE) {
            Some(name) if !means_hounsfield(&name) => {
                other("The DICOM file is a map computed from CT, such as electron density")
            }
            _ => Self::Ct,
        }
    }
}

/// Whether a rescale type means Hounsfield units: HU or HU_MOD by the standard (PS3.3 C.11.1.1.2), and in practice
/// other spellings and US (unspecified).
fn means_hounsfield(rescale_type: &str) -> bool {
    let letters = rescale_type.chars().filter(char::is_ascii_alphabetic);
    let name: String = letters.map(|letter| letter.to_ascii_uppercase()).collect();
    let names = ["", "HU", "H", "HUS", "HUMOD", "US", "UNSPECIFIED", "UNKNOWN"];
    names.contains(&name.as_str()) || name.starts_with("HOUNSFIELD")
}

fn is_ct_class(uid: &str) -> bool {
    [
        uids::CT_IMAGE_STORAGE,
        uids::ENHANCED_CT_IMAGE_STORAGE,
        uids::LEGACY_CONVERTED_ENHANCED_CT_IMAGE_STORAGE,
    ]
    .contains(&uid)
}

fn ct_warnings(
    attributes: &Attributes<'_>,
    layout: &Layout,
    rescale: &Rescale,
    darkest: f32,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |code, message: &str| warnings.push(Warning::new(code, message));
    if attributes.text(tags::MODALITY, tags::MODALITY).is_none() {
        warn("modality_missing", "The DICOM file does not say its modality; it is read as CT.");
    }
    if !rescale.is_complete {
        warn(
            "rescale_missing",
            "The DICOM file lacks a rescale slope or intercept; 1 and 0 were taken, and its \
             Hounsfield units may be wrong.",
        );
    }
    if layout.inverted {
        warn(
            "inverted_display",
            "The DICOM file asks for an inverted display; its Hounsfield units are read as stored.",
        );
    }
    if darkest > AIR_HU {
        warn(
            "no_air",
            "No sample is as dark as air (-1000 HU); the rescale slope or intercept of the DICOM \
             file may be wrong.",
        );
    }
    if darkest < PADDING_HU {
        warn(
            "padding",
            "Samples far below air (-1000 HU) mark places outside the field of view; they are \
             shown and segmented as air.",
        );
    }
    warnings
}

/// Display windows in the order of the file, without unpaired values and impossible widths.
fn windows(attributes: &Attributes<'_>) -> Vec<WindowLevel> {
    let values = |tag| attributes.numbers(tags::FRAME_VOILUT_SEQUENCE, tag).unwrap_or_default();
    let (centers, widths) = (values(tags::WINDOW_CENTER), values(tags::WINDOW_WIDTH));
    centers
        .into_iter()
        .zip(widths)
        .map(|(center, width)| WindowLevel { center_hu: center as f32, width_hu: width as f32 })
        .filter(|w| w.width_hu >= 1.0 && w.width_hu.is_finite() && w.center_hu.is_finite())
        .collect()
}

/// Maps samples to grey from 0 to 1, by the first window of the file or else by the range of the samples.
fn for_display(plane: Plane, window: Option<WindowLevel>, inverted: bool) -> Plane {
    let grey = |value: f32| if inverted { 1.0 - value } else { value };
    if let Some(window) = window {
        return plane.map(|s| grey(window.apply(s)));
    }
    let (low, high) = plane
        .samples
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &s| (low.min(s), high.max(s)));
    let span = if high > low { high - low } else { 1.0 };
    plane.map(|s| grey((s - low) / span))
}
