//! What a head looks like on the cells: a wall of bone that encloses soft tissue.

use super::bits::{Bits, Extent, Part};
use super::cells::{Cells, mode, percentile};

/// Components of bone that are looked at as skulls.
const MAX_WALLS: usize = 4;

/// Smallest component of bone that is looked at, cells.
const SMALLEST_WALL: usize = 12;

/// Smallest inside of a skull that says something of the grey values, cells.
const SMALLEST_CORE: usize = 40;

/// Bone and what it encloses.
#[derive(Debug, Clone)]
pub(super) struct Enclosure {
    /// The component of bone.
    pub(super) wall: Bits,
    /// All bone, other components included.
    pub(super) bone: Bits,
    /// The largest region without bone that the wall encloses.
    pub(super) inside: Bits,
    /// Of the inside, what is no edge and not black.
    pub(super) core: Bits,
    /// Place of the wall.
    pub(super) extent: Extent,
    /// Share of the inside's outline that is bone.
    pub(super) closure: f32,
    /// Cells of the core per cell of the extent.
    pub(super) core_share: f32,
    /// Share of the wall at white.
    pub(super) saturated: f32,
    /// Grey values of the core.
    pub(super) tissue: Tissue,
}

/// Grey values of a region.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tissue {
    /// The most frequent.
    pub(super) mode: f32,
    /// Between the quartiles.
    pub(super) spread: f32,
    /// Share within a tenth of the mode.
    pub(super) near: f32,
}

impl Tissue {
    fn new(cells: &Cells, region: &Bits) -> Self {
        let mut values = region.values(|index| cells.mean[index]);
        if values.is_empty() {
            return Self::default();
        }
        let mode = mode(values.iter().copied(), 0.0, 1.0);
        let near = values.iter().filter(|&&value| (value - mode).abs() < 0.1).count();
        let near = near as f32 / values.len() as f32;
        let spread = percentile(&mut values, 0.75) - percentile(&mut values, 0.25);
        Self { mode, spread, near }
    }
}

impl Enclosure {
    fn new(cells: &Cells, bone: &Bits, wall: &Bits) -> Option<Self> {
        // Where the picture cuts the skull, the border between the ends closes it.
        let closed = wall.closed_at_border();
        let inside = closed.enclosed().without(bone).without(&closed).largest();
        let extent = wall.extent()?;
        let outline = inside.dilated().without(&inside);
        let closure = outline.and(&bone.or(&closed)).count() as f32 / outline.count().max(1) as f32;
        let core = inside.eroded().and(&cells.bits(|index| cells.mean[index] > BLACK));
        let white = wall.cells().filter(|&index| cells.max[index] > WHITE).count();
        Some(Self {
            closure,
            core_share: core.count() as f32 / extent.area() as f32,
            saturated: white as f32 / wall.count().max(1) as f32,
            tissue: Tissue::new(cells, &core),
            wall: wall.clone(),
            bone: bone.clone(),
            inside,
            core,
            extent,
        })
    }

    /// Whether it is a skull with brain inside: mostly closed, and filled with tissue of one kind.
    pub(super) fn holds_brain(&self) -> bool {
        let [long, short] = sides(self.extent);
        self.core.count() >= SMALLEST_CORE
            && self.core_share >= 0.12
            && self.closure >= 0.6
            && self.tissue.near >= 0.4
            && long <= 1.9 * short
    }

    /// Median difference of samples within a cell of the core: the grain.
    pub(super) fn grain(&self, cells: &Cells) -> f32 {
        let mut grain = self.core.values(|index| cells.max[index] - cells.min[index]);
        percentile(&mut grain, 0.5)
    }

    /// Mean grey of the inside's outermost cells, which touch bone, per grey of its mode.
    pub(super) fn rim(&self, cells: &Cells) -> f32 {
        let rim = self.inside.and(&self.wall.dilated().dilated());
        let sum: f32 = rim.cells().map(|index| cells.mean[index]).sum();
        sum / rim.count().max(1) as f32 / self.tissue.mode.max(1e-3)
    }
}

/// The longer and the shorter side.
pub(super) fn sides(extent: Extent) -> [f32; 2] {
    let (width, height) = (extent.width() as f32, extent.height() as f32);
    [width.max(height), width.min(height)]
}

/// Grey that counts as black.
pub(super) const BLACK: f32 = 0.04;
/// Grey that counts as white.
pub(super) const WHITE: f32 = 0.95;

/// What the largest components of `bone` enclose, the one with the largest inside first.
pub(super) fn enclosures(cells: &Cells, bone: &Bits) -> Vec<Enclosure> {
    let walls = bone.parts(SMALLEST_WALL);
    let largest = walls.first().map_or(0, |wall| wall.count);
    let walls = walls.iter().take(MAX_WALLS).filter(|wall| wall.count * 8 >= largest);
    let walls: Vec<&Bits> = walls.map(|wall| &wall.bits).collect();
    // A skull that is cut at two sides of the picture is two walls.
    let cut: Vec<&Bits> = walls.iter().copied().filter(|wall| wall.touches_border()).collect();
    let joined =
        (cut.len() > 1).then(|| cut[1..].iter().fold(cut[0].clone(), |all, wall| all.or(wall)));
    let walls = walls.into_iter().chain(&joined);
    let mut found: Vec<Enclosure> =
        walls.filter_map(|wall| Enclosure::new(cells, bone, wall)).collect();
    found.sort_by_key(|enclosure| std::cmp::Reverse(enclosure.inside.count()));
    found
}

/// What is not dark: body, holder and whatever else the picture shows.
#[derive(Debug)]
pub(super) struct Foreground {
    /// Components of at least half of the largest's cells.
    pub(super) large: Vec<Part>,
    /// Place of the largest.
    pub(super) extent: Option<Extent>,
    /// Share of the largest at white.
    pub(super) white: f32,
    /// The longest straight end of the largest: cells of its outermost row or column per cells of its
    /// longest.
    pub(super) flat_end: f32,
    /// Of the cells that are joined to the border by dark ones: their number, and the median difference
    /// of samples within a cell.
    pub(super) surround: (usize, f32),
}

/// Grey that separates tissue from the surround.
const TISSUE: f32 = 0.12;

impl Foreground {
    /// `roughness` is the difference of samples within each cell, as they are in the picture; soft tissue is at
    /// or above the grey `tissue` at least.
    pub(super) fn new(cells: &Cells, roughness: &[f32], tissue: f32) -> Self {
        let tissue = tissue.min(TISSUE);
        let parts = cells.bits(|index| cells.mean[index] >= tissue).parts(SMALLEST_WALL);
        let largest = parts.first().map_or(0, |part| part.count);
        let extent = parts.first().and_then(|part| part.bits.extent());
        let (mut white, mut flat_end) = (0.0, 0.0);
        if let (Some(part), Some(extent)) = (parts.first(), extent) {
            let whites = part.bits.cells().filter(|&index| cells.max[index] > 0.97).count();
            white = whites as f32 / part.count as f32;
            flat_end = longest_end(&part.bits, extent);
        }
        let dark = cells.bits(|index| cells.mean[index] < 0.15);
        let mut border = Bits::empty(cells.width, cells.height);
        let last = cells.height.saturating_sub(1);
        for (y, row) in border.rows.iter_mut().enumerate() {
            let edges = 1 | 1 << (cells.width - 1);
            *row = if y == 0 || y == last { (edges - 1) | edges } else { edges };
        }
        let surround = dark.reached_from(&border);
        let surround = surround.eroded();
        let mut rough = surround.values(|index| roughness[index]);
        let surround = (rough.len(), percentile(&mut rough, 0.5));
        let smallest = cells.len() / 50;
        let large = parts
            .into_iter()
            .filter(|part| part.count * 2 >= largest && part.count >= smallest)
            .collect();
        Self { large, extent, white, flat_end, surround }
    }
}

impl Foreground {
    /// Whether there are several bodies of about the same size, side by side.
    pub(super) fn shows_several(&self) -> bool {
        let extents: Vec<Extent> =
            self.large.iter().filter_map(|part| part.bits.extent()).collect();
        let alike = |a: usize, b: usize| a * 3 >= b * 2 && b * 3 >= a * 2;
        let apart = |a: [usize; 2], b: [usize; 2]| a[1] < b[0] || b[1] < a[0];
        extents.split_first().is_some_and(|(first, others)| {
            !others.is_empty()
                && others.iter().all(|other| {
                    alike(first.width(), other.width())
                        && alike(first.height(), other.height())
                        && (apart(first.columns, other.columns) || apart(first.rows, other.rows))
                })
        })
    }
}

/// The outermost row or column with the most cells, per cells of the fullest row or column.
fn longest_end(bits: &Bits, extent: Extent) -> f32 {
    let [left, right] = extent.columns;
    let mut columns = vec![0_u32; right + 1];
    for &row in bits.rows.iter() {
        (left..=right).for_each(|x| columns[x] += (row >> x & 1) as u32);
    }
    let rows: Vec<u32> = bits.rows.iter().map(|row| row.count_ones()).collect();
    let share = |ends: [u32; 2], all: &[u32]| {
        let longest = all.iter().copied().max().unwrap_or(0).max(1);
        ends[0].max(ends[1]) as f32 / longest as f32
    };
    let [top, bottom] = extent.rows;
    share([rows[top], rows[bottom]], &rows).max(share([columns[left], columns[right]], &columns))
}
