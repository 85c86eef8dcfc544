//! Structure of the scene: walls of bone that enclose soft tissue, and the foreground.

use super::bits::{Bits, Extent, Part};
use super::cells::{Cells, mode, percentile};

/// Number of components of bone, the largest, that are examined as skulls.
const MAX_WALLS: usize = 4;

/// Smallest component of bone that is examined, cells.
const MIN_WALL: usize = 12;

/// Smallest core of a skull whose grey values are measured, cells.
const MIN_CORE: usize = 40;

/// Bone and what it encloses.
#[derive(Debug, Clone)]
pub(super) struct Enclosure {
    /// The component of bone.
    pub(super) wall: Bits,
    /// All bone, other components included.
    pub(super) bone: Bits,
    /// The largest region without bone that the wall encloses.
    pub(super) inside: Bits,
    /// The inside without its outermost cells and without black cells.
    pub(super) core: Bits,
    /// Extent of the wall.
    pub(super) extent: Extent,
    /// Share of the inside's outline that is bone, 0 to 1.
    pub(super) closure: f32,
    /// Cells of the core per cell of the extent.
    pub(super) core_share: f32,
    /// Share of the wall that is white, 0 to 1.
    pub(super) saturated: f32,
    /// Grey values of the core.
    pub(super) tissue: Tissue,
}

/// Distribution of the grey values of a region.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tissue {
    /// Most frequent grey value.
    pub(super) mode: f32,
    /// Interquartile range.
    pub(super) spread: f32,
    /// Share of cells within 0.1 of the mode, 0 to 1.
    pub(super) near: f32,
}

impl Tissue {
    /// The tissue of a slice whose skull is not closed, as on the vertex, the skull base and after a craniectomy: the
    /// largest component of the foreground, without bone, its outermost cells and black cells.
    pub(super) fn without_skull(cells: &Cells, foreground: &Foreground) -> Self {
        let Some(body) = foreground.large.first() else { return Self::default() };
        let bone = cells.bits(|index| cells.max[index] >= MIN_BONE);
        let soft = cells.bits(|index| cells.mean[index] > BLACK);
        Self::new(cells, &body.bits.without(&bone).erode().and(&soft))
    }

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
        // Where the picture cuts the skull, its border between the ends closes the wall.
        let closed = wall.closed_at_border();
        let inside = closed.enclosed().without(bone).without(&closed).largest();
        let extent = wall.extent()?;
        let outline = inside.dilate().without(&inside);
        let closure = outline.and(&bone.or(&closed)).count() as f32 / outline.count().max(1) as f32;
        let core = inside.erode().and(&cells.bits(|index| cells.mean[index] > BLACK));
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

    /// Whether it is a skull with brain inside: mostly closed, and filled with tissue of one grey value.
    pub(super) fn holds_brain(&self) -> bool {
        let [long, short] = sides(self.extent);
        self.core.count() >= MIN_CORE
            && self.core_share >= 0.12
            && self.closure >= 0.6
            && self.tissue.near >= 0.4
            && long <= 1.9 * short
    }

    /// Noise of the core: the median range of the samples within a cell.
    pub(super) fn noise(&self, cells: &Cells) -> f32 {
        let mut ranges = self.core.values(|index| cells.max[index] - cells.min[index]);
        percentile(&mut ranges, 0.5)
    }

    /// Mean grey value of the inside's cells that touch bone, relative to the mode of the core.
    pub(super) fn rim_brightness(&self, cells: &Cells) -> f32 {
        let rim = self.inside.and(&self.wall.dilate().dilate());
        let sum: f32 = rim.cells().map(|index| cells.mean[index]).sum();
        sum / rim.count().max(1) as f32 / self.tissue.mode.max(1e-3)
    }
}

/// The longer and the shorter side, cells.
pub(super) fn sides(extent: Extent) -> [f32; 2] {
    let (width, height) = (extent.width() as f32, extent.height() as f32);
    [width.max(height), width.min(height)]
}

/// Grey value from which a cell of a slice without a closed skull is bone.
const MIN_BONE: f32 = 0.6;
/// Grey value up to which a cell is black.
pub(super) const BLACK: f32 = 0.04;
/// Grey value above which a cell is white.
pub(super) const WHITE: f32 = 0.95;

/// The enclosures of the largest components of `bone`, the one with the largest inside first.
pub(super) fn enclosures(cells: &Cells, bone: &Bits) -> Vec<Enclosure> {
    let walls = bone.parts(MIN_WALL);
    let largest = walls.first().map_or(0, |wall| wall.count);
    let walls = walls.iter().take(MAX_WALLS).filter(|wall| wall.count * 8 >= largest);
    let walls: Vec<&Bits> = walls.map(|wall| &wall.bits).collect();
    // A skull that two sides of the picture cut consists of two walls, which are also examined as one.
    let cut: Vec<&Bits> = walls.iter().copied().filter(|wall| wall.touches_border()).collect();
    let joined =
        (cut.len() > 1).then(|| cut[1..].iter().fold(cut[0].clone(), |all, wall| all.or(wall)));
    let walls = walls.into_iter().chain(&joined);
    let mut found: Vec<Enclosure> =
        walls.filter_map(|wall| Enclosure::new(cells, bone, wall)).collect();
    found.sort_by_key(|enclosure| std::cmp::Reverse(enclosure.inside.count()));
    found
}

/// The cells that are not dark: body, head holder and whatever else the picture shows.
#[derive(Debug)]
pub(super) struct Foreground {
    /// Components with at least half as many cells as the largest.
    pub(super) large: Vec<Part>,
    /// Extent of the largest component.
    pub(super) extent: Option<Extent>,
    /// Share of the largest component that is white, 0 to 1.
    pub(super) white: f32,
    /// Straightness of the ends of the largest component: cells of its outermost row or column per cells of its
    /// longest, 0 to 1.
    pub(super) flat_end: f32,
    /// The dark cells that are connected to the left or right border: their number, and their noise, the median range
    /// of the samples within a cell.
    pub(super) surround: (usize, f32),
}

/// Largest grey value that separates tissue from the surround.
const MAX_TISSUE_GREY: f32 = 0.12;

impl Foreground {
    /// `roughness` is the range of the samples within each cell, in grey values of the picture. Cells from the grey
    /// value `tissue` on are foreground.
    pub(super) fn new(cells: &Cells, roughness: &[f32], tissue: f32) -> Self {
        let tissue = tissue.min(MAX_TISSUE_GREY);
        let parts = cells.bits(|index| cells.mean[index] >= tissue).parts(MIN_WALL);
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
        // The left and the right border.
        border.rows.iter_mut().for_each(|row| *row = 1 | 1 << (cells.width - 1));
        let surround = dark.reached_from(&border).erode();
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
    /// Whether the large components are several of about the same size, side by side.
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

/// Straightness of the ends of a set: the cells of its fullest outermost row or column, per cells of its fullest row or
/// column, 0 to 1.
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
