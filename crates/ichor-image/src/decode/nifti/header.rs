//! Reads and checks the header of a NIfTI-1 file. Field names are those of `nifti1.h` (NIfTI-1.1, 2007).

use crate::decode::{Limits, foreign};
use crate::error::{Error, Result};
use crate::slice::Warning;
use nifti::{Endianness, NiftiHeader, NiftiType};
use std::io::Read;

/// Bytes of a NIfTI-1 header, and of the header with its mandatory extension flags.
pub(super) const HEADER_BYTES: usize = 348;
const HEADER_WITH_FLAGS: u64 = 352;
const NIFTI_2_BYTES: i32 = 540;
/// Maximum offset of the voxels, bytes. Header extensions have some kilobytes.
const MAX_OFFSET: u64 = 64 << 20;

/// The checked header of a volume.
pub(super) struct VolumeHeader {
    /// Number of voxels along the axes i, j and k; 1 for an axis that the file does not have.
    pub(super) dimensions: [usize; 3],
    /// Number of axes that the file declares.
    pub(super) dimensionality: usize,
    pub(super) sample: NiftiType,
    pub(super) little_endian: bool,
    /// Offset of the first voxel in the file, bytes.
    pub(super) offset: u64,
    /// `scl_slope` and `scl_inter`; value = slope * stored + intercept.
    pub(super) scaling: [f64; 2],
    /// All fields of the header; the orientation is in them.
    pub(super) fields: NiftiHeader,
    pub(super) warnings: Vec<Warning>,
}

/// Whether the bytes start with the length of a NIfTI header, in either byte order.
pub(super) fn has_nifti_size(bytes: &[u8]) -> bool {
    header_size(bytes).is_some()
}

fn header_size(bytes: &[u8]) -> Option<i32> {
    let size = *bytes.first_chunk::<4>()?;
    [i32::from_le_bytes(size), i32::from_be_bytes(size)]
        .into_iter()
        .find(|size| [HEADER_BYTES as i32, NIFTI_2_BYTES].contains(size))
}

impl VolumeHeader {
    /// Reads the header; `reader` is then positioned at [`HEADER_BYTES`].
    ///
    /// # Errors
    /// [`Error::Undecodable`] for a damaged header, [`Error::UnsupportedType`] for other formats and NIfTI-2.
    pub(super) fn read(reader: &mut impl Read, is_gzip: bool) -> Result<Self> {
        let mut bytes = [0; HEADER_BYTES];
        reader.read_exact(&mut bytes).map_err(|_| {
            Error::Undecodable("it ends or is damaged within its NIfTI header".into())
        })?;
        match header_size(&bytes) {
            None if is_gzip => return Err(foreign::unsupported_gzip(&bytes)),
            Some(NIFTI_2_BYTES) => {
                return Err(Error::UnsupportedType(
                    "NIfTI-2 is not supported. Save the volume as NIfTI-1, for instance with nibabel's \
                     Nifti1Image.from_image."
                        .into(),
                ));
            }
            _ => {}
        }
        // ANALYZE 7.5 has a header of the same length without the magic.
        if bytes[344..].iter().all(|byte| *byte == 0) {
            return Err(Error::UnsupportedType(
                "The file is an ANALYZE header, which says neither where its image lies nor left \
                 from right. Convert the original images to NIfTI-1, as one .nii file."
                    .into(),
            ));
        }
        let fields = NiftiHeader::from_reader(&bytes[..])
            .map_err(|_| Error::Undecodable("its NIfTI header is damaged".into()))?;
        if &fields.magic == nifti::header::MAGIC_CODE_NI1 {
            return Err(Error::UnsupportedType(
                "The NIfTI file is a header without its image (.hdr beside .img). Save the volume \
                 as one .nii file, for instance with `fslchfiletype NIFTI IN`."
                    .into(),
            ));
        }
        Self::from_fields(fields)
    }

    /// Checks the fields of a header.
    fn from_fields(fields: NiftiHeader) -> Result<Self> {
        let mut warnings = Vec::new();
        let declared = fields
            .dim()
            .map_err(|_| Error::Undecodable("its dimensions contradict each other".into()))?;
        let mut dimensions: [usize; 3] =
            std::array::from_fn(|axis| declared.get(axis).map_or(1, |&n| usize::from(n)));
        let further: Vec<u16> = declared.iter().skip(3).copied().filter(|&n| n > 1).collect();
        match further[..] {
            [] => {}
            // Some converters store the slices along the axis of time.
            [slices] if dimensions[2] == 1 => {
                dimensions[2] = slices.into();
                warnings.push(slices_along_another_axis(&fields));
            }
            _ => warnings.push(Warning::incomplete(
                "first_volume_only",
                "The file holds several volumes, as of contrast phases or points in time; only the \
                 first was read. Save each as a file.",
            )),
        }
        let offset = f64::from(fields.vox_offset);
        // Some writers store 0 for "directly after the header".
        let offset = if offset.is_finite() { offset as u64 } else { u64::MAX };
        if offset > MAX_OFFSET {
            return Err(Error::Undecodable("its header places the voxels out of reach".into()));
        }
        Ok(Self {
            dimensions,
            dimensionality: declared.len(),
            sample: sample_type(&fields)?,
            little_endian: fields.endianness == Endianness::Little,
            offset: offset.max(HEADER_WITH_FLAGS),
            scaling: scaling(&fields, &mut warnings),
            warnings,
            fields,
        })
    }

    /// Size of the first volume in the file, bytes.
    pub(super) fn raw_bytes(&self) -> u64 {
        self.voxels() * self.sample.size_of() as u64
    }

    /// Size of the first volume as `f32`, bytes.
    pub(super) fn float_bytes(&self) -> u64 {
        self.voxels() * 4
    }

    /// Number of voxels of the first volume; at most 2^48, because each dimension has 16 bits.
    fn voxels(&self) -> u64 {
        self.dimensions.iter().map(|&n| n as u64).product()
    }

    /// Checks the size of the volume, in the file and as `f32`.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above the limit of a series.
    pub(super) fn check_size(&self, limits: &Limits) -> Result<()> {
        let bytes = self.raw_bytes().max(self.float_bytes());
        if bytes > limits.max_series_bytes {
            return Err(Error::TooLarge {
                what: "The size of the volume in bytes",
                limit: limits.max_series_bytes,
                remedy: "Crop or resample it, and store 16-bit values.",
            });
        }
        Ok(())
    }

    /// Whether the values are grey of a picture: unscaled bytes, which cannot be Hounsfield units because those are
    /// signed.
    pub(super) fn is_picture(&self) -> bool {
        self.sample == NiftiType::Uint8 && self.scaling == [1.0, 0.0]
    }
}

/// The warning for slices along the axis of time. Their distance is the third voxel side, unless it is 1, which writers
/// store for an unknown value.
fn slices_along_another_axis(fields: &NiftiHeader) -> Warning {
    const CODE: &str = "slices_along_fourth_axis";
    let side = fields.pixdim[3];
    if (0.2..=20.0).contains(&side) && side != 1.0 {
        let message = "The file has one slice per point in time; they are read as the slices of one \
                       head, at the distance of the third voxel side.";
        return Warning::new(CODE, message);
    }
    let message = "The file has one slice per point in time; they are read as the slices of one head, \
                   whose distance the file does not say: sizes are not known.";
    Warning::unmeasurable(CODE, message)
}

fn sample_type(fields: &NiftiHeader) -> Result<NiftiType> {
    use NiftiType as T;
    let sample = fields
        .data_type()
        .map_err(|_| Error::Undecodable("its header names no known sample type".into()))?;
    match sample {
        T::Uint8
        | T::Int8
        | T::Uint16
        | T::Int16
        | T::Uint32
        | T::Int32
        | T::Uint64
        | T::Int64
        | T::Float32
        | T::Float64 => Ok(sample),
        _ => Err(Error::UnsupportedType(
            "The volume holds colours, complex or 128-bit numbers, which no CT has. Save it as \
             16-bit integers or 32-bit floats."
                .into(),
        )),
    }
}

/// Slope and intercept. A slope of 0 means that the values are not scaled.
fn scaling(fields: &NiftiHeader, warnings: &mut Vec<Warning>) -> [f64; 2] {
    let (slope, intercept) = (f64::from(fields.scl_slope), f64::from(fields.scl_inter));
    if slope.is_finite() && intercept.is_finite() {
        return if slope == 0.0 { [1.0, 0.0] } else { [slope, intercept] };
    }
    warnings.push(Warning::new(
        "scaling_ignored",
        "The header's scaling is NaN or infinite; the values are read as stored.",
    ));
    [1.0, 0.0]
}
