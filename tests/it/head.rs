//! A generated head in Hounsfield units, as DICOM files and as NIfTI: an ellipsoid of blood on the
//! patient's left, without any symmetry that could hide a flip.

use crate::volume::nifti_file::NiftiFile;
use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use dicom_object::meta::FileMetaTableBuilder;
use std::path::Path;

pub(crate) const COLUMNS: usize = 160;
pub(crate) const ROWS: usize = 176;
pub(crate) const SLICES: usize = 6;
/// Between columns, rows and slices, mm.
pub(crate) const STEPS_MM: [f64; 3] = [1.25, 1.2, 6.0];
/// First sample: x to the left, y to the back, z to the head, mm.
const ORIGIN_MM: [f64; 3] = [-100.5, -110.25, -40.0];

/// Hounsfield units of one voxel.
pub(crate) fn hounsfield(column: usize, row: usize, slice: usize) -> i16 {
    let (x, y) = (column as f64 / COLUMNS as f64 - 0.5, row as f64 / ROWS as f64 - 0.5);
    let z = slice as f64 / (SLICES - 1) as f64 - 0.5;
    let inside = |at: [f64; 3], r: [f64; 3]| {
        ((x - at[0]) / r[0]).powi(2) + ((y - at[1]) / r[1]).powi(2) + ((z - at[2]) / r[2]).powi(2)
            < 1.0
    };
    // Noise as of a scanner, the same in every run.
    let grain = (column * 7919 + row * 104_729 + slice * 1_299_709) % 13;
    if inside([0.16, 0.05, 0.0], [0.09, 0.13, 0.45]) {
        66 + grain as i16
    } else if inside([0.05, -0.02, 0.0], [0.03, 0.09, 0.5]) {
        2 + grain as i16
    } else if inside([0.0; 3], [0.35, 0.41, 1.0]) {
        28 + grain as i16
    } else if inside([0.0; 3], [0.39, 0.45, 1.1]) {
        1000
    } else {
        -1000
    }
}

/// Direction of the rows and columns of a stored slice in the head: reversed where flipped, exchanged where
/// transposed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Layout {
    pub(crate) transposed: bool,
    pub(crate) flipped: [bool; 2],
}

impl Layout {
    /// The head's axis along a stored row, and along a stored column.
    fn axes(self) -> [usize; 2] {
        if self.transposed { [1, 0] } else { [0, 1] }
    }

    /// Columns and rows of a stored slice.
    pub(crate) fn size(self) -> [usize; 2] {
        self.axes().map(|axis| [COLUMNS, ROWS][axis])
    }

    /// The head's column and row of a stored pixel.
    pub(crate) fn voxel(self, pixel: usize) -> [usize; 2] {
        let size = self.size();
        let stored = [pixel % size[0], pixel / size[0]];
        let mut voxel = [0; 2];
        for (out, axis) in self.axes().into_iter().enumerate() {
            let reversed = size[out] - 1 - stored[out];
            voxel[axis] = if self.flipped[out] { reversed } else { stored[out] };
        }
        voxel
    }

    /// Directions of the stored rows and columns in the patient, one after the other.
    fn orientation(self) -> [f64; 6] {
        let mut cosines = [0.0; 6];
        for (out, axis) in self.axes().into_iter().enumerate() {
            cosines[3 * out + axis] = if self.flipped[out] { -1.0 } else { 1.0 };
        }
        cosines
    }
}

/// Writes one DICOM file per slice. The names are in reverse order of the slices.
pub(crate) fn write_dicom(folder: &Path) {
    write_with_layout(folder, Layout::default());
}

/// As [`write_dicom`], with rows and columns in another direction.
pub(crate) fn write_with_layout(folder: &Path, layout: Layout) {
    std::fs::create_dir_all(folder).unwrap();
    for slice in 0..SLICES {
        let name = format!("{:02}.dcm", SLICES - slice);
        std::fs::write(folder.join(name), dicom(slice, layout)).unwrap();
    }
}

fn joined(values: impl IntoIterator<Item = f64>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join("\\")
}

fn dicom(slice: usize, layout: Layout) -> Vec<u8> {
    let mut object = InMemDicomObject::new_empty();
    let mut put = |tag: Tag, vr: VR, value: PrimitiveValue| {
        object.put(DataElement::new(tag, vr, value));
    };
    let [column, row] = layout.voxel(0);
    let at = |axis: usize, index: usize| ORIGIN_MM[axis] + STEPS_MM[axis] * index as f64;
    let position = [at(0, column), at(1, row), at(2, slice)];
    let [along_row, along_column] = layout.axes().map(|axis| STEPS_MM[axis]);
    let texts = [
        (tags::SOP_CLASS_UID, VR::UI, uids::CT_IMAGE_STORAGE.to_owned()),
        (tags::SOP_INSTANCE_UID, VR::UI, format!("2.25.1.1.{}", slice + 1)),
        (tags::SERIES_INSTANCE_UID, VR::UI, "2.25.1.1".into()),
        (tags::STUDY_INSTANCE_UID, VR::UI, "2.25.1".into()),
        (tags::FRAME_OF_REFERENCE_UID, VR::UI, "2.25.2".into()),
        (tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL".into()),
        (tags::MODALITY, VR::CS, "CT".into()),
        (tags::PATIENT_ID, VR::LO, "PHANTOM".into()),
        (tags::PATIENT_NAME, VR::PN, "Phantom^Generated".into()),
        (tags::STUDY_DATE, VR::DA, "20200102".into()),
        (tags::INSTANCE_NUMBER, VR::IS, (slice + 1).to_string()),
        (tags::IMAGE_POSITION_PATIENT, VR::DS, joined(position)),
        (tags::IMAGE_ORIENTATION_PATIENT, VR::DS, joined(layout.orientation())),
        (tags::PIXEL_SPACING, VR::DS, joined([along_column, along_row])),
        (tags::SLICE_THICKNESS, VR::DS, STEPS_MM[2].to_string()),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2".into()),
        (tags::RESCALE_INTERCEPT, VR::DS, "-1024".into()),
        (tags::RESCALE_SLOPE, VR::DS, "1".into()),
        (tags::RESCALE_TYPE, VR::LO, "HU".into()),
    ];
    for (tag, vr, value) in texts {
        put(tag, vr, value.into());
    }
    let numbers = [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, layout.size()[1] as u16),
        (tags::COLUMNS, layout.size()[0] as u16),
        (tags::BITS_ALLOCATED, 16),
        (tags::BITS_STORED, 12),
        (tags::HIGH_BIT, 11),
        (tags::PIXEL_REPRESENTATION, 0),
    ];
    for (tag, value) in numbers {
        put(tag, VR::US, value.into());
    }
    let stored: Vec<u16> = (0..ROWS * COLUMNS)
        .map(|pixel| {
            let [column, row] = layout.voxel(pixel);
            (hounsfield(column, row, slice) + 1024) as u16
        })
        .collect();
    put(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(stored.into()));
    let meta = FileMetaTableBuilder::new().transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN);
    let mut bytes = Vec::new();
    object.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
    bytes
}

/// The same voxels as NIfTI-1; along axes that are `flipped` the file stores them the other way
/// round, with the affine that puts them in the same place.
pub(crate) fn nifti(flipped: [bool; 3]) -> Vec<u8> {
    let sizes = [COLUMNS, ROWS, SLICES];
    let mut sform = [[0.0; 4]; 3];
    for (axis, row) in sform.iter_mut().enumerate() {
        // DICOM's x and y point left and back, NIfTI's right and front.
        let to_world = if axis < 2 { -1.0 } else { 1.0 };
        let last = STEPS_MM[axis] * (sizes[axis] - 1) as f64;
        let (step, start) =
            if flipped[axis] { (-STEPS_MM[axis], last) } else { (STEPS_MM[axis], 0.0) };
        row[axis] = (to_world * step) as f32;
        row[3] = (to_world * (ORIGIN_MM[axis] + start)) as f32;
    }
    let sample = |voxel: usize| {
        let stored = [voxel % COLUMNS, voxel / COLUMNS % ROWS, voxel / (COLUMNS * ROWS)];
        let [column, row, slice] = [0, 1, 2].map(|axis: usize| {
            if flipped[axis] { sizes[axis] - 1 - stored[axis] } else { stored[axis] }
        });
        hounsfield(column, row, slice)
    };
    let samples: Vec<i16> = (0..COLUMNS * ROWS * SLICES).map(sample).collect();
    NiftiFile { sform: Some(sform), ..NiftiFile::new(sizes, &samples) }.bytes()
}
