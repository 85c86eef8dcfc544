//! Sets of cells with one bit per cell and one word per row, so that morphology takes microseconds.

/// Largest number of columns: the bits of a row's word.
pub(super) const MAX_WIDTH: usize = u128::BITS as usize;

/// Number of components that are examined. Heads have dozens; noise has thousands.
const MAX_COMPONENTS: usize = 256;

/// A set of cells on a grid of at most [`MAX_WIDTH`] columns; column 0 is the lowest bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits {
    /// Columns, cells.
    pub(super) width: usize,
    /// One word per row.
    pub(super) rows: Rows,
}

/// One word per row, for at most [`MAX_WIDTH`] rows. Not on the heap, as an assessment creates hundreds of sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rows {
    words: [u128; MAX_WIDTH],
    count: usize,
}

impl Rows {
    fn empty(count: usize) -> Self {
        Self { words: [0; MAX_WIDTH], count: count.min(MAX_WIDTH) }
    }
}

impl FromIterator<u128> for Rows {
    fn from_iter<I: IntoIterator<Item = u128>>(rows: I) -> Self {
        let mut all = Self::empty(0);
        for (word, row) in all.words.iter_mut().zip(rows) {
            *word = row;
            all.count += 1;
        }
        all
    }
}

impl std::ops::Deref for Rows {
    type Target = [u128];

    fn deref(&self) -> &[u128] {
        &self.words[..self.count]
    }
}

impl std::ops::DerefMut for Rows {
    fn deref_mut(&mut self) -> &mut [u128] {
        &mut self.words[..self.count]
    }
}

/// First and last column and row of a set, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) columns: [usize; 2],
    pub(super) rows: [usize; 2],
}

impl Extent {
    pub(super) fn width(self) -> usize {
        self.columns[1] - self.columns[0] + 1
    }

    pub(super) fn height(self) -> usize {
        self.rows[1] - self.rows[0] + 1
    }

    pub(super) fn area(self) -> usize {
        self.width() * self.height()
    }
}

/// A connected component of a set.
#[derive(Debug)]
pub(super) struct Part {
    /// Its cells.
    pub(super) bits: Bits,
    /// Number of its cells.
    pub(super) count: usize,
}

impl Bits {
    pub(super) fn empty(width: usize, height: usize) -> Self {
        Self { width, rows: Rows::empty(height) }
    }

    /// The cells whose row-major index satisfies `is`.
    pub(super) fn new(width: usize, height: usize, is: impl Fn(usize) -> bool) -> Self {
        // In two words of 64 bits, as shifts of 128 bits take several times as long.
        let half = |y: usize, start: usize| {
            let bit = |x: usize| u64::from(is(y * width + x)) << (x - start);
            (start..width.min(start + 64)).map(bit).fold(0, |half, bit| half | bit)
        };
        let row = |y: usize| u128::from(half(y, 0)) | u128::from(half(y, 64)) << 64;
        Self { width, rows: (0..height).map(row).collect() }
    }

    /// A row that holds every cell.
    fn full_row(&self) -> u128 {
        if self.width >= MAX_WIDTH { u128::MAX } else { (1 << self.width) - 1 }
    }

    /// Number of cells in the set.
    pub(super) fn count(&self) -> usize {
        self.rows.iter().map(|row| row.count_ones() as usize).sum()
    }

    #[cfg(test)]
    fn contains(&self, index: usize) -> bool {
        self.rows[index / self.width] >> (index % self.width) & 1 == 1
    }

    /// Row-major indices of the cells in the set.
    pub(super) fn cells(&self) -> impl Iterator<Item = usize> + '_ {
        self.rows.iter().enumerate().flat_map(move |(y, &row)| {
            let mut rest = row;
            std::iter::from_fn(move || {
                let x = rest.trailing_zeros() as usize;
                rest &= rest.wrapping_sub(1);
                (x < MAX_WIDTH).then_some(y * self.width + x)
            })
        })
    }

    /// The value of each cell in the set, row-major. The number of cells is known, so that one allocation suffices.
    pub(super) fn values(&self, of: impl Fn(usize) -> f32) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.count());
        values.extend(self.cells().map(of));
        values
    }

    fn zip(&self, other: &Self, f: impl Fn(u128, u128) -> u128) -> Self {
        let rows = self.rows.iter().zip(other.rows.iter()).map(|(&a, &b)| f(a, b)).collect();
        Self { width: self.width, rows }
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    pub(super) fn or(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    pub(super) fn without(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    pub(super) fn complement(&self) -> Self {
        let full = self.full_row();
        Self { width: self.width, rows: self.rows.iter().map(|row| !row & full).collect() }
    }

    /// Dilation: the cells and their eight neighbours.
    pub(super) fn dilate(&self) -> Self {
        let full = self.full_row();
        let wide: Rows = self.rows.iter().map(|&row| (row | row << 1 | row >> 1) & full).collect();
        let row = |y: usize| {
            let above = if y > 0 { wide[y - 1] } else { 0 };
            wide[y] | above | wide.get(y + 1).copied().unwrap_or(0)
        };
        Self { width: self.width, rows: (0..wide.len()).map(row).collect() }
    }

    /// Erosion: the cells all of whose neighbours within the grid belong to the set.
    pub(super) fn erode(&self) -> Self {
        self.complement().dilate().complement()
    }

    /// First and last column and row of the set; `None` where it is empty.
    pub(super) fn extent(&self) -> Option<Extent> {
        let first = self.rows.iter().position(|&row| row != 0)?;
        let last = self.rows.iter().rposition(|&row| row != 0)?;
        let all = self.rows.iter().fold(0, |all, row| all | row);
        let right = MAX_WIDTH - 1 - all.leading_zeros() as usize;
        Some(Extent { columns: [all.trailing_zeros() as usize, right], rows: [first, last] })
    }

    /// The cells that are connected within the set, by edges and corners, to a cell of `seeds`.
    pub(super) fn reached_from(&self, seeds: &Self) -> Self {
        let mut reached = self.and(seeds);
        let last = self.rows.len().saturating_sub(1);
        let first = reached.rows.iter().position(|&row| row != 0);
        let (Some(mut top), Some(mut bottom)) =
            (first, reached.rows.iter().rposition(|&row| row != 0))
        else {
            return reached;
        };
        loop {
            let mut changed = false;
            // Alternating sweeps down and up, each to one row beyond the reached rows.
            let mut y = top;
            while y <= (bottom + 1).min(last) {
                if self.reach_row(&mut reached, y, y.wrapping_sub(1)) {
                    (changed, bottom) = (true, bottom.max(y));
                }
                y += 1;
            }
            let mut y = bottom + 1;
            while y > top.saturating_sub(1) {
                y -= 1;
                if self.reach_row(&mut reached, y, y + 1) {
                    (changed, top) = (true, top.min(y));
                }
            }
            if !changed {
                return reached;
            }
        }
    }

    /// Extends `reached` within row `y` from its own cells and from those of row `from`. Returns whether it grew.
    fn reach_row(&self, reached: &mut Self, y: usize, from: usize) -> bool {
        let beside = reached.rows.get(from).copied().unwrap_or(0);
        let before = reached.rows[y];
        let start = before | (beside | beside << 1 | beside >> 1) & self.rows[y];
        if start != 0 && start != self.rows[y] {
            reached.rows[y] = fill_runs(start, self.rows[y]);
        } else {
            reached.rows[y] = start;
        }
        reached.rows[y] != before
    }

    /// Connected components of at least `smallest` cells, largest first.
    pub(super) fn parts(&self, smallest: usize) -> Vec<Part> {
        let mut parts = Vec::new();
        // Noise gives hundreds of single cells, each of which takes as long to extract as a skull.
        let all = if smallest > 1 { &self.without_single_cells() } else { self };
        all.for_each_part(|part| {
            if part.count >= smallest {
                parts.push(part);
            }
        });
        parts.sort_by_key(|part| std::cmp::Reverse(part.count));
        parts
    }

    /// The set without the cells that have no neighbour in it.
    fn without_single_cells(&self) -> Self {
        let full = self.full_row();
        let row = |y: usize| {
            let row = self.rows[y];
            let above = if y > 0 { self.rows[y - 1] } else { 0 };
            let beside = above | self.rows.get(y + 1).copied().unwrap_or(0);
            let near = row << 1 | row >> 1 | beside | beside << 1 | beside >> 1;
            row & near & full
        };
        Self { width: self.width, rows: (0..self.rows.len()).map(row).collect() }
    }

    /// Calls `f` with each connected component, up to [`MAX_COMPONENTS`].
    fn for_each_part(&self, mut f: impl FnMut(Part)) {
        let mut rest = self.clone();
        let mut seed = Self::empty(self.width, self.rows.len());
        let mut top = 0;
        for _ in 0..MAX_COMPONENTS {
            let Some(y) = rest.rows[top..].iter().position(|&row| row != 0) else { break };
            top += y;
            seed.rows[top] = rest.rows[top] & rest.rows[top].wrapping_neg();
            let bits = rest.reached_from(&seed);
            seed.rows[top] = 0;
            rest = rest.without(&bits);
            let count = bits.count();
            f(Part { bits, count });
        }
    }

    /// The largest connected component; empty where the set is empty.
    pub(super) fn largest(&self) -> Self {
        let mut largest = Part { bits: Self::empty(self.width, self.rows.len()), count: 0 };
        let joined = self.without_single_cells();
        let all = if joined.count() > 0 { &joined } else { self };
        all.for_each_part(|part| {
            if part.count > largest.count {
                largest = part;
            }
        });
        largest.bits
    }

    /// Whether the set has a cell at the border of the grid.
    pub(super) fn touches_border(&self) -> bool {
        let ends = 1 | 1 << (self.width.max(1) - 1);
        let ends_of = |row: Option<&u128>| row.is_some_and(|&row| row != 0);
        ends_of(self.rows.first())
            || ends_of(self.rows.last())
            || self.rows.iter().any(|row| row & ends != 0)
    }

    /// The set plus, on each side of the grid, the border cells between its first and its last cell there.
    pub(super) fn closed_at_border(&self) -> Self {
        let mut closed = self.clone();
        let last = self.rows.len().saturating_sub(1);
        for y in [0, last] {
            if let Some(row) = closed.rows.get_mut(y) {
                *row = smear_up(*row) & smear_down(*row);
            }
        }
        for end in [1, 1 << (self.width.max(1) - 1)] {
            let first = self.rows.iter().position(|row| row & end != 0);
            let last = self.rows.iter().rposition(|row| row & end != 0);
            if let (Some(first), Some(last)) = (first, last) {
                closed.rows[first..=last].iter_mut().for_each(|row| *row |= end);
            }
        }
        closed
    }

    /// The cells from which the set lies in at least seven of the eight compass directions.
    pub(super) fn enclosed(&self) -> Self {
        let met = self.directions();
        let rows = (0..self.rows.len()).map(|y| {
            // Cells that miss the set in one direction or more, and in two or more.
            let (mut missed, mut missed_twice) = (0, 0);
            for direction in &met {
                let miss = !direction[y];
                missed_twice |= missed & miss;
                missed |= miss;
            }
            !missed_twice & self.full_row()
        });
        Self { width: self.width, rows: rows.collect() }
    }

    /// For each of the eight compass directions, the cells from which the set lies in it.
    fn directions(&self) -> [Rows; 8] {
        let full = self.full_row();
        let sweep = |from_top: bool, step: fn(u128) -> u128| {
            let height = self.rows.len();
            let mut met = Rows::empty(height);
            let mut seen = 0;
            for at in 0..height {
                let y = if from_top { at } else { height - 1 - at };
                seen = step(seen) & full | self.rows[y];
                met[y] = seen;
            }
            met
        };
        let along = |smear: fn(u128) -> u128| self.rows.iter().map(|&row| smear(row)).collect();
        [
            along(smear_up),
            along(smear_down),
            sweep(true, |row| row),
            sweep(true, |row| row << 1),
            sweep(true, |row| row >> 1),
            sweep(false, |row| row),
            sweep(false, |row| row << 1),
            sweep(false, |row| row >> 1),
        ]
    }
}

/// Sets every bit above the lowest set bit.
fn smear_up(row: u128) -> u128 {
    [1, 2, 4, 8, 16, 32, 64].iter().fold(row, |row, shift| row | row << shift)
}

/// Sets every bit below the highest set bit.
fn smear_down(row: u128) -> u128 {
    [1, 2, 4, 8, 16, 32, 64].iter().fold(row, |row, shift| row | row >> shift)
}

/// The runs of set bits in `within` that hold a bit of `start` (Kogge-Stone fill).
fn fill_runs(start: u128, within: u128) -> u128 {
    let (mut up, mut open) = (start, within);
    let (mut down, mut below) = (start, within);
    for shift in [1, 2, 4, 8, 16, 32, 64] {
        up |= open & up << shift;
        open &= open << shift;
        down |= below & down >> shift;
        below &= below >> shift;
    }
    up | down
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_text(rows: &[&str]) -> Bits {
        let width = rows[0].len();
        Bits::new(width, rows.len(), |i| rows[i / width].as_bytes()[i % width] == b'#')
    }

    fn to_text(bits: &Bits) -> Vec<String> {
        let cell = |y: usize, x: usize| if bits.contains(y * bits.width + x) { '#' } else { '.' };
        let row = |y| (0..bits.width).map(|x| cell(y, x)).collect();
        (0..bits.rows.len()).map(row).collect()
    }

    #[test]
    fn a_ring_encloses_the_cells_inside() {
        let ring = from_text(&[".......", ".#####.", ".#...#.", ".#...#.", ".#####.", "......."]);
        let inside = ring.enclosed().without(&ring);
        let expected = [".......", ".......", "..###..", "..###..", ".......", "......."];
        assert_eq!(to_text(&inside), expected);
        assert_eq!(inside.extent().map(Extent::area), Some(6));
        assert_eq!(inside.erode().count(), 0);
        assert_eq!(inside.dilate().count(), 20);
    }

    #[test]
    fn the_border_closes_a_ring_that_it_cuts() {
        let cut = from_text(&[
            "..###..", ".#...#.", "#.....#", ".......", "#.....#", ".#...#.", "..###..",
        ]);
        let closed = cut.closed_at_border();
        assert!(cut.touches_border() && closed.contains(3 * 7) && closed.contains(3 * 7 + 6));
        assert_eq!(closed.count(), cut.count() + 2);
        let inner = from_text(&[".....", ".###.", ".#.#.", ".###.", "....."]);
        assert_eq!((inner.touches_border(), inner.closed_at_border()), (false, inner.clone()));
    }

    #[test]
    fn parts_are_found_largest_first() {
        let set = from_text(&["##..#", "#...#", "...#.", "....."]);
        let counts: Vec<usize> = set.parts(1).iter().map(|part| part.count).collect();
        assert_eq!(counts, [3, 3]);
        assert_eq!(set.largest().count(), 3);
        let dots = from_text(&["#.#.#", ".....", "#...#"]);
        assert_eq!((dots.parts(1).len(), dots.parts(2).len(), dots.largest().count()), (5, 0, 1));
        assert!(Bits::empty(3, 3).largest().rows.iter().all(|&row| row == 0));
    }

    #[test]
    fn a_spiral_is_one_part() {
        let spiral = from_text(&[
            "#######", "......#", "#####.#", "#...#.#", "#.###.#", "#.....#", "#######",
        ]);
        assert_eq!(spiral.parts(1).len(), 1);
        let wide = Bits::new(128, 128, |i| (i / 128) % 2 == 0 || i % 128 == 127);
        assert_eq!(wide.parts(1).len(), 1);
        assert_eq!(wide.complement().complement(), wide);
        assert_eq!(wide.cells().count(), wide.count());
    }
}
