//! The header of a NIfTI-1 file, checked. Field names are those of `nifti1.h` (NIfTI-1.1, 2007).

use crate::decode::{Limits, foreign};
use crate::error::{Error, Result};
use crate::slice::Warning;
use nifti::{Endianness, NiftiHeader, NiftiType};
use std::io::Read;

/// Bytes of a NIfTI-1 header, and of the header with its mandatory extension flags.
const HEADER_BYTES: usize = 348;
const HEADER_WITH_FLAGS: u64 = 352;
const NIFTI_2_BYTES: i32 = 540;
/// Extensions hold notes of kilobytes; more than this is no honest file.
const MOST_EXTENSIONS: u64 = 64 << 20;

/// What a volume's header says, after checks.
pub(super) struct VolumeHeader {
    /// Voxels along i, j and k; 1 for axes that the file does not have.
    pub(super) dimensions: [usize; 3],
    /// Number of axes that the file declares.
    pub(super) dimensionality: usize,
    pub(super) sample: NiftiType,
    pub(super) little_endian: bool,
    /// From the start of the file to the first voxel, bytes.
    pub(super) offset: u64,
    /// `scl_slope` and `scl_inter`; value = slope * stored + intercept.
    pub(super) scaling: [f64; 2],
    /// The fields, for the orientation.
    pub(super) fields: NiftiHeader,
    pub(super) warnings: Vec<Warning>,
}

/// Whether the bytes begin with the length of a NIfTI header, in either byte order.
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
    /// Reads the header and leaves `reader` behind it.
    pub(super) fn read(reader: &mut impl Read, gzipped: bool) -> Result<Self> {
        let mut bytes = [0; HEADER_BYTES];
        reader.read_exact(&mut bytes).map_err(|_| {
            Error::Undecodable("it ends or is damaged within its NIfTI header".into())
        })?;
        match header_size(&bytes) {
            None if gzipped => return Err(foreign::refusal_of_packed(&bytes)),
            Some(NIFTI_2_BYTES) => {
                return Err(Error::UnsupportedType(
                    "NIfTI-2 is not read here. Save the volume as NIfTI-1, for instance with nibabel's \
                     Nifti1Image.from_image."
                        .into(),
                ));
            }
            _ => {}
        }
        // ANALYZE 7.5 has the same length and no magic.
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
        Self::checked(fields)
    }

    fn checked(fields: NiftiHeader) -> Result<Self> {
        let mut warnings = Vec::new();
        let declared = fields
            .dim()
            .map_err(|_| Error::Undecodable("its dimensions contradict each other".into()))?;
        let mut dimensions: [usize; 3] =
            std::array::from_fn(|axis| declared.get(axis).map_or(1, |&n| usize::from(n)));
        let further: Vec<u16> = declared.iter().skip(3).copied().filter(|&n| n > 1).collect();
        match further[..] {
            [] => {}
            // Converters that took slices for points in time.
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
        // Writers leave 0 for "right after the header".
        let offset = if offset.is_finite() { offset as u64 } else { u64::MAX };
        if offset > MOST_EXTENSIONS {
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

    /// Bytes of the first volume as stored.
    pub(super) fn raw_bytes(&self) -> u64 {
        self.voxels() * self.sample.size_of() as u64
    }

    /// Bytes of the first volume as 32-bit numbers.
    pub(super) fn float_bytes(&self) -> u64 {
        self.voxels() * 4
    }

    /// At most 2^48: each dimension has 16 bits.
    fn voxels(&self) -> u64 {
        self.dimensions.iter().map(|&n| n as u64).product()
    }

    /// Refuses volumes that are too large as stored or as decoded, which takes 4 bytes a voxel.
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

    /// Unscaled bytes are grey values of a picture: Hounsfield units need a sign.
    pub(super) fn is_picture(&self) -> bool {
        self.sample == NiftiType::Uint8 && self.scaling == [1.0, 0.0]
    }
}

/// The distance of such slices is the third voxel side, if anybody set it: 1 is what writers put where
/// they know nothing.
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

/// A slope of 0 means that the values are not scaled.
fn scaling(fields: &NiftiHeader, warnings: &mut Vec<Warning>) -> [f64; 2] {
    let (slope, intercept) = (f64::from(fields.scl_slope), f64::from(fields.scl_inter));
    if slope.is_finite() && intercept.is_finite() {
        return if slope == 0.0 { [1.0, 0.0] } else { [slope, intercept] };
    }
    warnings.push(Warning::new(
        "scaling_ignored",
        "The header's scaling is no number; the values are read as stored.",
    ));
    [1.0, 0.0]
}
