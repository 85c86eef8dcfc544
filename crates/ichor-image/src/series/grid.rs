//! How a volume's voxels map to the slices cut from it, and back.

/// A NIfTI volume's own grid, and how its voxels map to the slices cut from it.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeGrid {
    /// Voxels along the file's axes i, j, k.
    pub dimensions: [usize; 3],
    /// Voxel (i, j, k) to NIfTI world coordinates, mm (x right, y front, z up): three rows of four.
    pub affine: [[f64; 4]; 3],
    /// Which of the file's axes the slices' columns, rows and slice numbers run along.
    pub axes: [usize; 3],
    /// Whether each runs against the file's axis.
    pub reversed: [bool; 3],
}

impl VolumeGrid {
    /// Columns, rows and number of the slices cut from the volume.
    pub fn sizes(&self) -> [usize; 3] {
        self.axes.map(|axis| self.dimensions[axis])
    }

    /// Puts one plane a slice back into the file's voxel order, i fastest and k slowest.
    ///
    /// `slices` are the cut slices in their order (as decoded, and as in a
    /// [`Series`](super::Series) that kept this grid), each row-major with [`Self::sizes`] columns
    /// and rows. A plane that is absent or too short leaves `T::default()`.
    pub fn to_file_order<T: Copy + Default>(&self, slices: &[impl AsRef<[T]>]) -> Vec<T> {
        let mut voxels = Vec::with_capacity(self.dimensions.iter().product());
        self.for_each_voxel(|slice, sample| {
            let plane = slices.get(slice).map(AsRef::as_ref).unwrap_or_default();
            voxels.push(plane.get(sample).copied().unwrap_or_default());
        });
        voxels
    }

    /// Calls `f` for every voxel in file order with its slice and its sample in that plane.
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

    /// Where the voxels `(0.., j, k)` of the file lie in the slices.
    pub fn file_row(&self, j: usize, k: usize) -> FileRow {
        let [columns, ..] = self.sizes();
        let mut place = FileRow { start: [0; 3], along: 0, step: 1, columns };
        for out in 0..3 {
            let axis = self.axes[out];
            let last = self.dimensions[axis].saturating_sub(1);
            let file = [0, j, k][axis];
            place.start[out] = if self.reversed[out] { last.saturating_sub(file) } else { file };
            if axis == 0 {
                place.along = out;
                place.step = if self.reversed[out] { -1 } else { 1 };
            }
        }
        place
    }
}

/// One row of the file's voxels, as places in the slices.
pub struct FileRow {
    /// Column, row and slice of its first voxel.
    start: [usize; 3],
    /// Which of the three changes along it,
    along: usize,
    /// and by how much.
    step: isize,
    columns: usize,
}

impl FileRow {
    /// Where the row lies in one slice: its number, the sample of the first voxel, and how far it is to
    /// the next. `None` where each voxel lies in a slice of its own.
    pub fn in_slice(&self) -> Option<(usize, usize, isize)> {
        let distance = *[1, self.columns as isize].get(self.along)?;
        let [column, row, slice] = self.start;
        Some((slice, row * self.columns + column, self.step * distance))
    }

    /// Slice, and sample within its plane, of the row's voxel `i`.
    pub fn at(&self, i: usize) -> (usize, usize) {
        let mut place = self.start;
        place[self.along] = place[self.along].wrapping_add_signed(self.step * i as isize);
        (place[2], place[1] * self.columns + place[0])
    }
}
