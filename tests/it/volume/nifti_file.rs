//! NIfTI-1 files written field by field, right or wrong (offsets as in `nifti1.h`).

/// The fields that the tests set; the rest are zero.
#[derive(Clone)]
pub(crate) struct NiftiFile {
    pub(crate) dim: [u16; 8],
    pub(crate) datatype: i16,
    pub(crate) bitpix: i16,
    pub(crate) pixdim: [f32; 8],
    pub(crate) vox_offset: f32,
    /// `scl_slope`, `scl_inter`.
    pub(crate) scaling: [f32; 2],
    pub(crate) units: u8,
    /// Quaternion b, c, d and offsets x, y, z.
    pub(crate) qform: Option<[f32; 6]>,
    pub(crate) sform: Option<[[f32; 4]; 3]>,
    pub(crate) magic: [u8; 4],
    pub(crate) big_endian: bool,
    /// Samples as stored.
    pub(crate) voxels: Vec<u8>,
}

impl NiftiFile {
    /// Little-endian 16-bit samples with voxels of 1 mm and no orientation.
    pub(crate) fn new(dimensions: [usize; 3], samples: &[i16]) -> Self {
        let [i, j, k] = dimensions.map(|n| n as u16);
        Self {
            dim: [3, i, j, k, 1, 1, 1, 1],
            datatype: 4,
            bitpix: 16,
            pixdim: [1.0; 8],
            vox_offset: 352.0,
            scaling: [1.0, 0.0],
            units: 2,
            qform: None,
            sform: None,
            magic: *b"n+1\0",
            big_endian: false,
            voxels: samples.iter().flat_map(|s| s.to_le_bytes()).collect(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 352];
        let mut put = |offset: usize, little: &[u8]| {
            let mut value = little.to_vec();
            if self.big_endian {
                value.reverse();
            }
            bytes[offset..offset + value.len()].copy_from_slice(&value);
        };
        put(0, &348_i32.to_le_bytes());
        self.dim.iter().enumerate().for_each(|(n, d)| put(40 + 2 * n, &d.to_le_bytes()));
        put(70, &self.datatype.to_le_bytes());
        put(72, &self.bitpix.to_le_bytes());
        self.pixdim.iter().enumerate().for_each(|(n, d)| put(76 + 4 * n, &d.to_le_bytes()));
        put(108, &self.vox_offset.to_le_bytes());
        put(112, &self.scaling[0].to_le_bytes());
        put(116, &self.scaling[1].to_le_bytes());
        put(123, &[self.units]);
        put(252, &i16::from(self.qform.is_some()).to_le_bytes());
        put(254, &i16::from(self.sform.is_some()).to_le_bytes());
        let numbers = self.qform.into_iter().flatten();
        numbers.enumerate().for_each(|(n, v)| put(256 + 4 * n, &v.to_le_bytes()));
        let numbers = self.sform.iter().flatten().flatten();
        numbers.enumerate().for_each(|(n, v)| put(280 + 4 * n, &v.to_le_bytes()));
        bytes[344..348].copy_from_slice(&self.magic);
        bytes.extend(&self.voxels);
        bytes
    }
}
