//! Features of a lesion, from which its type is computed.
//!
//! Lengths are in units of the radius of the inside of the skull, depths in units of its largest depth. Grey levels are
//! those of the model's window, up to that of bone, so that they are defined for Hounsfield units and for pictures.

use super::GreyScale;
use super::grid::GridLesions;
use super::inside::{Inside, UNITS_PER_PX};
use super::location::SliceLocation;
use crate::components::push_to_chain;

/// Names of the features, in the order of [`Features`].
pub const FEATURES: [&str; 26] = [
    // Natural logarithm of the area as a part of the inside.
    "log_area",
    // Quantiles of the depth of its pixels.
    "depth_median",
    "depth_p10",
    "depth_p90",
    // Part of its edge that lies at the inner table, and the length of that part.
    "edge_at_table",
    "length_at_table",
    // Area as a part of the convex hull, and of the bounding box.
    "solidity",
    "extent",
    // Of the ellipse with the same second moments: eccentricity, half axes, and area as a part of it.
    "eccentricity",
    "major_axis",
    "minor_axis",
    "ellipse_fill",
    // Twice the area by the length of the edge.
    "width",
    // How parallel the longer axis is to the table: 1 along it, 0 towards the centre.
    "alignment",
    // Distance of the centroid from the midline, to the back, and from the centre.
    "lateral",
    "to_back",
    "radial",
    // Smallest distance of its pixels from the midline.
    "midline_gap",
    // Mean and standard deviation of the grey level.
    "grey_mean",
    "grey_sd",
    // Part of cerebrospinal fluid in the rings from 1 to 5 and from 6 to 12 pixels around it.
    "csf_near",
    "csf_far",
    // The slice: inside as a part of the grid, length by width of the inside.
    "inside_share",
    "inside_shape",
    // Other lesions: their number (logarithm of 1 + n), and the part of this one in the area of all.
    "other_lesions",
    "area_part",
];

/// The features of one lesion, in the order of [`FEATURES`].
pub type Features = [f32; FEATURES.len()];

/// One lesion of a slice as it was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredLesion {
    /// What its type is computed from.
    pub features: Features,
    /// Where it lies; `None` for a lesion without a pixel on the grid.
    pub location: Option<SliceLocation>,
}

/// Distance from the table that still counts as contact, in units of the radius: partial volume and the dura.
const CONTACT: f64 = 0.04;

/// Grey level below which tissue counts as cerebrospinal fluid: 15 HU in a window from -20 to 100 HU.
const CSF: f32 = 35.0 / 120.0;

/// Outer radii of the rings around a lesion, px.
const RINGS: [i64; 2] = [5, 12];

/// Bins of depth for the quantiles.
const BINS: usize = 128;

/// Sums over the pixels of one lesion.
#[derive(Clone)]
struct Sums {
    pixels: f64,
    edge: f64,
    edge_at_table: f64,
    at: [f64; 2],
    /// Of squared columns, squared rows, and products.
    squares: [f64; 3],
    grey: [f64; 2],
    midline_gap: f64,
    /// Pixels on the patient's left.
    on_the_left: f64,
    max_depth: u16,
    depths: [u32; BINS],
    /// First and last column and row.
    bounds: [i64; 4],
    /// Pixels and pixels of fluid in each ring.
    rings: [[f64; 2]; 2],
}

impl Sums {
    fn new() -> Self {
        Self {
            pixels: 0.0,
            edge: 0.0,
            edge_at_table: 0.0,
            at: [0.0; 2],
            squares: [0.0; 3],
            grey: [0.0; 2],
            midline_gap: f64::INFINITY,
            on_the_left: 0.0,
            max_depth: 0,
            depths: [0; BINS],
            bounds: [i64::MAX, i64::MIN, i64::MAX, i64::MIN],
            rings: [[0.0; 2]; 2],
        }
    }

    /// The depth below which this part of the pixels lies, 0 to 1.
    fn depth(&self, part: f64) -> f32 {
        let wanted = part * self.pixels;
        let mut below = 0.0;
        let bin = self.depths.iter().position(|&count| {
            below += f64::from(count);
            below >= wanted
        });
        (bin.unwrap_or(BINS - 1) as f32 + 0.5) / BINS as f32
    }
}

/// Measures the lesions, in the order of their labels. A lesion without a pixel on the grid has all features 0. One pixel of
/// the grid shows `image_px` pixels of the image per side.
pub(super) fn measure(
    samples: &[f32],
    scale: GreyScale,
    inside: &Inside,
    lesions: &GridLesions,
    image_px: f64,
) -> Vec<MeasuredLesion> {
    let mut sums = vec![Sums::new(); lesions.count];
    add_pixels(samples, scale, inside, lesions, &mut sums);
    add_rings(samples, scale, inside, lesions, &mut sums);
    let all: f64 = sums.iter().map(|sums| sums.pixels).sum();
    let mut chain = Vec::with_capacity(2 * lesions.height + 2);
    let with_hull = sums.iter().enumerate().map(|(index, sums)| {
        let hull_px = hull_area(lesions, index, sums.bounds, &mut chain);
        MeasuredLesion {
            features: features(sums, hull_px, inside, lesions, all),
            location: (sums.pixels > 0.0).then(|| location(sums, inside, image_px)),
        }
    });
    with_hull.collect()
}

fn add_pixels(
    samples: &[f32],
    scale: GreyScale,
    inside: &Inside,
    lesions: &GridLesions,
    sums: &mut [Sums],
) {
    let width = lesions.width;
    let contact =
        (CONTACT * inside.radius * f64::from(UNITS_PER_PX)).max(f64::from(2.0 * UNITS_PER_PX));
    for (place, &label) in lesions.labels.iter().enumerate().filter(|(_, label)| **label > 0) {
        let Some(sums) = sums.get_mut(usize::from(label) - 1) else { continue };
        let (column, row) = (place % width, place / width);
        let depth = inside.depth(column, row);
        let grey = f64::from(scale.grey(samples[place]));
        let (x, y) = (column as f64, row as f64);
        sums.pixels += 1.0;
        sums.at = [sums.at[0] + x, sums.at[1] + y];
        let squares = [x * x, y * y, x * y];
        sums.squares.iter_mut().zip(squares).for_each(|(sum, square)| *sum += square);
        sums.grey = [sums.grey[0] + grey, sums.grey[1] + grey * grey];
        let bin = usize::from(depth) * BINS / (usize::from(inside.max_depth) + 1);
        sums.depths[bin.min(BINS - 1)] += 1;
        let to_the_left = inside.place(x, y)[0];
        sums.midline_gap = sums.midline_gap.min(to_the_left.abs());
        sums.on_the_left += f64::from(u8::from(to_the_left > 0.0));
        sums.max_depth = sums.max_depth.max(depth);
        let same = |exists: bool, near: usize| exists && lesions.labels.get(near) == Some(&label);
        let left = same(column > 0, place.wrapping_sub(1));
        let right = same(column + 1 < width, place + 1);
        let above = same(row > 0, place.wrapping_sub(width));
        let below = same(true, place + width);
        let (x, y) = (column as i64, row as i64);
        if !(left && right && above && below) {
            sums.edge += 1.0;
            sums.edge_at_table += f64::from(u8::from(f64::from(depth) <= contact));
        }
        let [x0, x1, y0, y1] = sums.bounds;
        sums.bounds = [x0.min(x), x1.max(x), y0.min(y), y1.max(y)];
    }
}

/// Counts the pixels around each lesion that belong to no lesion and not to bone. Each is counted once per lesion and
/// ring: for the nearest pixel of the lesion's edge, by a distance transform in the box around the lesion.
fn add_rings(
    samples: &[f32],
    scale: GreyScale,
    inside: &Inside,
    lesions: &GridLesions,
    sums: &mut [Sums],
) {
    let (width, height) = (lesions.width as i64, lesions.height as i64);
    let reach = RINGS[1];
    let mut near: Vec<u8> = Vec::new();
    for (index, sums) in sums.iter_mut().enumerate().filter(|(_, sums)| sums.pixels > 0.0) {
        let [x0, x1, y0, y1] = sums.bounds;
        let (x0, x1) = ((x0 - reach).max(0), (x1 + reach + 1).min(width));
        let (y0, y1) = ((y0 - reach).max(0), (y1 + reach + 1).min(height));
        let (columns, rows) = ((x1 - x0) as usize, (y1 - y0) as usize);
        near.clear();
        let place =
            |at: usize| (y0 as usize + at / columns) * width as usize + x0 as usize + at % columns;
        near.extend((0..columns * rows).map(|at| {
            if usize::from(lesions.labels[place(at)]) == index + 1 { 0 } else { u8::MAX }
        }));
        city_distances(&mut near, columns);
        for (at, &distance) in near.iter().enumerate() {
            let ring = RINGS.iter().position(|&ring| i64::from(distance) <= ring);
            let place = place(at);
            let (column, row) = (place % lesions.width, place / lesions.width);
            let is_tissue = inside.depth(column, row) > 0 && lesions.labels[place] == 0;
            if let (Some(ring), true, true) = (ring, distance > 0, is_tissue) {
                let is_fluid = scale.grey(samples[place]) < CSF;
                sums.rings[ring][0] += 1.0;
                sums.rings[ring][1] += f64::from(u8::from(is_fluid));
            }
        }
    }
}

/// Replaces every value by its distance to the nearest 0, in steps along columns and rows, two passes.
fn city_distances(values: &mut [u8], width: usize) {
    for place in 0..values.len() {
        let left = if place % width > 0 { values[place - 1] } else { u8::MAX };
        let above = place.checked_sub(width).map_or(u8::MAX, |above| values[above]);
        values[place] = values[place].min(left.min(above).saturating_add(1));
    }
    for place in (0..values.len()).rev() {
        let right = if (place + 1) % width > 0 { values[place + 1] } else { u8::MAX };
        let below = values.get(place + width).copied().unwrap_or(u8::MAX);
        values[place] = values[place].min(right.min(below).saturating_add(1));
    }
}

/// Smallest part of the edge of a lesion along the inner table.
const MIN_EDGE_AT_TABLE: f64 = 0.15;

fn location(sums: &Sums, inside: &Inside, image_px: f64) -> SliceLocation {
    let [x, y] = sums.at.map(|sum| sum / sums.pixels);
    // The deepest pixel's distance: that lesions along the table begin at the table.
    let thickness_px = f64::from(sums.max_depth) / f64::from(UNITS_PER_PX);
    let is_at_table = sums.edge_at_table >= MIN_EDGE_AT_TABLE * sums.edge;
    SliceLocation {
        left_part: inside.frame.is_known().then_some(sums.on_the_left / sums.pixels),
        depth: f64::from(sums.depth(0.5)),
        at_px: inside.place(x, y).map(|along| along * inside.radius * image_px),
        thickness_px: is_at_table.then_some(thickness_px * image_px),
    }
}

fn features(
    sums: &Sums,
    hull_px: f64,
    inside: &Inside,
    lesions: &GridLesions,
    all: f64,
) -> Features {
    if sums.pixels == 0.0 {
        return [0.0; FEATURES.len()];
    }
    let (pixels, radius) = (sums.pixels, inside.radius);
    let [x, y] = sums.at.map(|sum| sum / pixels);
    let variance = |sum: f64, a: f64, b: f64| sum / pixels - a * b;
    // A pixel has an extent of its own, with a variance of a twelfth.
    let xx = variance(sums.squares[0], x, x) + 1.0 / 12.0;
    let yy = variance(sums.squares[1], y, y) + 1.0 / 12.0;
    let xy = variance(sums.squares[2], x, y);
    let (middle, half) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
    let (large, small) = (middle + half, (middle - half).max(1e-6));
    let (major, minor) = (2.0 * large.sqrt(), 2.0 * small.sqrt());
    let direction = 0.5 * (2.0 * xy).atan2(xx - yy);
    let [across, back] = inside.place(x, y);
    let outward = (y - inside.centroid[1]).atan2(x - inside.centroid[0]);
    let mean_grey = sums.grey[0] / pixels;
    let sd_grey = (sums.grey[1] / pixels - mean_grey * mean_grey).max(0.0).sqrt();
    let [x0, x1, y0, y1] = sums.bounds;
    let fluid = |ring: [f64; 2]| if ring[0] > 0.0 { ring[1] / ring[0] } else { 0.0 };
    let values = [
        (pixels / inside.area_px as f64).ln(),
        f64::from(sums.depth(0.5)),
        f64::from(sums.depth(0.1)),
        f64::from(sums.depth(0.9)),
        sums.edge_at_table / sums.edge.max(1.0),
        sums.edge_at_table / radius,
        pixels / hull_px.max(pixels),
        pixels / ((x1 - x0 + 1) * (y1 - y0 + 1)) as f64,
        (1.0 - small / large).max(0.0).sqrt(),
        major / radius,
        minor / radius,
        pixels / (std::f64::consts::PI * major * minor),
        2.0 * pixels / sums.edge.max(1.0) / radius,
        (direction - outward).sin().abs(),
        across.abs(),
        back,
        across.hypot(back),
        sums.midline_gap,
        mean_grey,
        sd_grey,
        fluid(sums.rings[0]),
        fluid(sums.rings[1]),
        inside.area_px as f64 / lesions.labels.len() as f64,
        inside.frame.length_by_width,
        (lesions.count as f64).ln(),
        pixels / all,
    ];
    values.map(|value| value as f32)
}

/// The area of the convex hull of a lesion's pixels, corners included. `chain` is memory that is used again.
fn hull_area(
    lesions: &GridLesions,
    index: usize,
    [x0, x1, y0, y1]: [i64; 4],
    chain: &mut Vec<[i64; 2]>,
) -> f64 {
    if x0 > x1 {
        return 0.0;
    }
    // Columns of the edge in a row, counted to the outside; `None` where the row has no pixel.
    let edge = |row: i64, is_right: bool| {
        let start = row as usize * lesions.width;
        let line = &lesions.labels[start + x0 as usize..=start + x1 as usize];
        let holds = |label: &u8| usize::from(*label) == index + 1;
        match is_right {
            true => line.iter().rposition(holds).map(|at| x0 + at as i64 + 1),
            false => line.iter().position(holds).map(|at| -(x0 + at as i64)),
        }
    };
    // Twice the area between the zero column and the outer chain of the hull, along the lines between rows.
    let mut twice = |is_right: bool| {
        chain.clear();
        let mut before = None;
        for row in y0..=y1 + 1 {
            let here = if row <= y1 { edge(row, is_right) } else { None };
            if let Some(column) = before.max(here) {
                push_to_chain(chain, [column, row]);
            }
            before = here;
        }
        let area = |pair: &[[i64; 2]]| (pair[1][1] - pair[0][1]) * (pair[0][0] + pair[1][0]);
        chain.windows(2).map(area).sum::<i64>()
    };
    (twice(true) + twice(false)) as f64 / 2.0
}
