//! Maps the voxels of a volume to the slices cut from it, and back.

/// The voxel grid of a NIfTI volume, and its relation to the slices cut from it.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeGrid {
    /// Number of voxels along the axes i, j, k of the file.
    pub dimensions: [usize; 3],
    /// Voxel (i, j, k) to NIfTI world coordinates, mm (x right, y front, z up): three rows of four.
    pub affine: [[f64; 4]; 3],
    /// The file axis along which columns, rows and slice indices increase.
    pub axes: [usize; 3],
    /// Whether columns, rows and slice indices increase against the direction of that axis.
    pub reversed: [bool; 3],
}

impl VolumeGrid {
    /// Number of columns, rows and slices.
    #[inline]
    pub fn sizes(&self) -> [usize; 3] {
        self.axes.map(|axis| self.dimensions[axis])
    }

    /// Arranges one plane per slice in the voxel order of the file, i fastest and k slowest.
    ///
    /// `slices` are in the order of the decoded slices, each row by row with the columns and rows of [`Self::sizes`].
    /// Voxels of a missing or too short plane are `T::default()`.
    pub fn to_file_order<T: Copy + Default>(&self, slices: &[impl AsRef<[T]>]) -> Vec<T> {
        let mut voxels = Vec::with_capacity(self.dimensions.iter().product());
        self.for_each_voxel(|slice, sample| {
            let plane = slices.get(slice).map(AsRef::as_ref).unwrap_or_default();
            voxels.push(plane.get(sample).copied().unwrap_or_default());
        });
        voxels
    }

    /// Calls `f` with slice and sample index of each voxel, in the order of the file.
    fn for_each_voxel(&self, mut f: impl FnMut(usize, usize)) {
        let [ni, nj, nk] = self.dimensions;
        for k in 0..nk {
            for j in 0..nj {
                let row = self.file_row(j, k);
                (0..ni).for_each(|i| {
                    let (slice, sample) = row.at(i);
                    f(slice, sample);
                });
            }
        }
    }

    /// Positions of the voxels `(0.., j, k)` of the file in the slices.
    pub fn file_row(&self, j: usize, k: usize) -> FileRow {
        let [columns, ..] = self.sizes();
        let mut position = FileRow { start: [0; 3], along: 0, step: 1, columns };
        for out in 0..3 {
            let axis = self.axes[out];
            let last = self.dimensions[axis].saturating_sub(1);
            let file = [0, j, k][axis];
            position.start[out] = if self.reversed[out] { last.saturating_sub(file) } else { file };
            if axis == 0 {
                position.along = out;
                position.step = if self.reversed[out] { -1 } else { 1 };
            }
        }
        position
    }
}

/// Positions in the slices of a row of voxels of the file.
pub struct FileRow {
    /// Column, row and slice of the first voxel.
    start: [usize; 3],
    /// The index of `start` that changes along the row.
    along: usize,
    /// Change per voxel: 1 or -1.
    step: isize,
    columns: usize,
}

impl FileRow {
    /// The slice of the row, the sample index of its first voxel, and the distance to the next; `None` if each voxel is
    /// in another slice.
    pub fn in_slice(&self) -> Option<(usize, usize, isize)> {
        let distance = *[1, self.columns as isize].get(self.along)?;
        let [column, row, slice] = self.start;
        Some((slice, row * self.columns + column, self.step * distance))
    }

    /// Slice and sample index of the voxel `i` of the row.
    #[inline]
    pub fn at(&self, i: usize) -> (usize, usize) {
        let mut position = self.start;
        position[self.along] = position[self.along].wrapping_add_signed(self.step * i as isize);
        (position[2], position[1] * self.columns + position[0])
    }
}
