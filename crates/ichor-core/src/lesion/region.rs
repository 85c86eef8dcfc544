//! Parts of the brain, by position in the head.
//!
//! There is no atlas image. The head is scaled to the average adult brain of Talairach and Tournoux (*Co-planar stereotaxic
//! atlas of the human brain*, 1988): 136 mm wide, 172 mm long, and 74 mm high above the line between the anterior and the
//! posterior commissure. Height is measured from the top of the skull, so that a series must show it. The borders between
//! regions are those of the atlas, as planes. Heads lie tilted by up to 20 degrees in the scanner, and so much
//! are the borders uncertain: near them no region is given.

use super::location::square_pixel_mm;
use crate::series::Series;
use crate::slice::{CtSlice, Placement};
use crate::vector::{cross, dot, normalised, scaled_sum};
use serde::Serialize;

/// A part of the brain, or of the space around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// The frontal lobe, or its convexity.
    Frontal,
    /// The parietal lobe, or its convexity.
    Parietal,
    /// The temporal lobe, or its convexity.
    Temporal,
    /// The occipital lobe, or its convexity.
    Occipital,
    /// Basal ganglia, thalamus and the capsules between them.
    BasalGanglia,
    /// Midbrain, pons and medulla.
    Brainstem,
    /// The cerebellum.
    Cerebellum,
}

/// Equivalent radius of the largest slice of an average adult head with its skull, mm: 190 x 150 mm.
const ADULT_RADIUS_MM: f64 = 84.0;

/// Equivalent radii that can be an adult's or an older child's. The atlas does not hold for infants.
const RADII_MM: std::ops::RangeInclusive<f64> = 66.0..=105.0;

/// Height of the top of the skull above the commissures in the average head, mm: 74 mm of brain, the fluid and the bone.
const TOP_MM: f64 = 84.0;

/// Distance of the commissures' midpoint in front of the middle of the inside, mm: the brain reaches from 70 mm in front of the
/// anterior commissure to 102 mm behind it.
const MIDDLE_MM: f64 = -17.0;

/// Largest area of the highest slice with a skull, as a part of the largest: above it the top of the head is not shown.
const MAX_TOP_AREA: f64 = 0.55;

/// Smallest part along the patient's axis of the normal of axial slices: 30 degrees of tilt.
const MIN_AXIAL: f64 = 0.86;

/// The height of the slices of a series in the head.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeadHeight {
    /// Of each slice: height above the commissures, mm of the average head.
    heights_mm: Vec<f64>,
    /// Of each slice: mm of the average head per px of the image.
    mm_per_px: Vec<Option<f64>>,
    /// Of each slice: radius of its skull as a part of the largest.
    sizes: Vec<f64>,
}

impl HeadHeight {
    /// `areas_px` are the areas of the skull and its inside on the slices; `None` where no skull was found. `None` for a
    /// series that does not show the top of the head, is not axial, has no positions, or is not of an adult's size.
    pub(crate) fn of_series(series: &Series, areas_px: &[Option<f64>]) -> Option<Self> {
        let places = series.slices.iter().map(place).collect::<Option<Vec<_>>>()?;
        let normal = places.first()?.0;
        if places.iter().any(|(other, _)| dot(*other, normal) < 0.999) {
            return None;
        }
        let heights: Vec<f64> = places.iter().map(|&(_, at)| dot(at, normal)).collect();
        let pixel_mm: Vec<Option<f64>> =
            series.slices.iter().map(|slice| square_pixel_mm(slice.spacing_mm)).collect();
        let areas: Vec<f64> = areas_px
            .iter()
            .zip(&pixel_mm)
            .map(|(area, mm)| area.zip(*mm).map_or(0.0, |(area, mm)| area * mm * mm))
            .collect();
        let largest = areas.iter().copied().fold(0.0, f64::max);
        let radius = (largest / std::f64::consts::PI).sqrt();
        let with_skull = heights.iter().zip(&areas).filter(|(_, area)| **area > 0.0);
        let (highest, area) = with_skull.max_by(|a, b| a.0.total_cmp(b.0))?;
        if !RADII_MM.contains(&radius) || *area > MAX_TOP_AREA * largest {
            return None;
        }
        // The rest of the head above the highest slice, as the cap of a sphere.
        let top =
            highest + radius - (radius * radius - area / std::f64::consts::PI).max(0.0).sqrt();
        let scale = ADULT_RADIUS_MM / radius;
        Some(Self {
            heights_mm: heights.iter().map(|height| TOP_MM - (top - height) * scale).collect(),
            mm_per_px: pixel_mm.iter().map(|mm| mm.map(|mm| mm * scale)).collect(),
            sizes: areas.iter().map(|area| (area / largest).sqrt()).collect(),
        })
    }

    /// Radius of the skull on a slice as a part of the largest of the series; 1 where it is not known.
    pub(super) fn relative_size(&self, slice: usize) -> f64 {
        self.sizes.get(slice).copied().filter(|size| *size > 0.0).unwrap_or(1.0)
    }

    /// A place on a slice in the average head: to the left, to the front and up from the commissures, mm.
    pub(super) fn place(&self, slice: usize, [left, back]: [f64; 2]) -> Option<[f64; 3]> {
        let mm = (*self.mm_per_px.get(slice)?)?;
        Some([left * mm, MIDDLE_MM - back * mm, *self.heights_mm.get(slice)?])
    }
}

/// The normal of an axial slice, up, and the middle of the image, mm.
fn place(slice: &CtSlice) -> Option<([f64; 3], [f64; 3])> {
    let Placement { position_mm, row, column } = slice.placement?;
    let [rows, columns] = slice.spacing_mm?.map(f64::from);
    let normal = normalised(cross(row, column))?;
    let normal = if normal[2] < 0.0 { normal.map(|along| -along) } else { normal };
    let (x, y) = (slice.plane.width as f64 / 2.0 * columns, slice.plane.height as f64 / 2.0 * rows);
    let middle = scaled_sum(position_mm, (x, row), (y, column), (0.0, normal));
    (normal[2] >= MIN_AXIAL).then_some((normal, middle))
}

/// Distance from a border within which no region is given, mm.
const MARGIN_MM: f64 = 4.0;

impl Region {
    /// The region at a place of the average head: to the left, to the front and up from the commissures, mm. `None` within
    /// 4 mm of a border.
    pub fn at(place: [f64; 3]) -> Option<Self> {
        let here = Self::nearest(place)?;
        let is_clear = (0..6).all(|step| {
            let mut near = place;
            near[step / 2] += if step % 2 == 0 { MARGIN_MM } else { -MARGIN_MM };
            // A step over the midline leads to the same region on the other side.
            Self::nearest(near) == Some(here)
        });
        is_clear.then_some(here)
    }

    fn nearest([left, front, up]: [f64; 3]) -> Option<Self> {
        let side = left.abs();
        if ![left, front, up].iter().all(|value| value.is_finite()) || side > 80.0 {
            return None;
        }
        // The tentorium rises from the transverse sinuses, 30 mm below the commissures at the back, to the notch.
        let tentorium = -6.0 - 0.55 * side.min(45.0);
        let is_behind_petrous_bone = front < -30.0 - 0.3 * side.min(60.0);
        if side < 16.0 && (-42.0..-14.0).contains(&front) && up < -6.0 {
            return Some(Self::Brainstem);
        }
        if up < tentorium && is_behind_petrous_bone {
            return Some(Self::Cerebellum);
        }
        let is_level_of_nuclei = (-10.0..30.0).contains(&up);
        if is_level_of_nuclei && (3.0..36.0).contains(&side) && (-38.0..24.0).contains(&front) {
            return Some(Self::BasalGanglia);
        }
        // The parieto-occipital sulcus and the notch before the occipital lobe.
        if front < -68.0 - 0.2 * (up - 10.0) && up < 45.0 {
            return Some(Self::Occipital);
        }
        // The lateral fissure rises to the back, and ends 40 mm behind the commissures.
        let fissure = if front > -40.0 { 2.0 - 0.35 * front } else { 16.0 };
        if up < fissure && front < 18.0 && side > 16.0 {
            return Some(Self::Temporal);
        }
        // The central sulcus runs down from behind the vertex to the front.
        let central = -8.0 - 0.35 * (up - 20.0);
        if front > central {
            return Some(Self::Frontal);
        }
        (up > 10.0).then_some(Self::Parietal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slice::{Intensity, Plane};

    /// Centres of structures, mm left of, in front of and above the anterior commissure (Talairach and Tournoux 1988).
    #[test]
    fn structures_of_the_atlas_lie_in_their_regions() {
        use Region::*;
        for (name, at, region) in [
            ("putamen", [24.0, 2.0, 4.0], BasalGanglia),
            ("head of the caudate nucleus", [12.0, 12.0, 8.0], BasalGanglia),
            ("thalamus", [12.0, -19.0, 8.0], BasalGanglia),
            ("middle frontal gyrus", [36.0, 36.0, 24.0], Frontal),
            ("superior frontal gyrus", [20.0, 30.0, 50.0], Frontal),
            ("orbital gyri", [24.0, 36.0, -14.0], Frontal),
            ("inferior parietal lobule", [46.0, -48.0, 42.0], Parietal),
            ("superior parietal lobule", [26.0, -58.0, 54.0], Parietal),
            ("middle temporal gyrus", [56.0, -30.0, -6.0], Temporal),
            ("temporal pole", [38.0, 10.0, -26.0], Temporal),
            ("middle occipital gyrus", [32.0, -84.0, 8.0], Occipital),
            ("cuneus", [10.0, -84.0, 20.0], Occipital),
            ("pons", [2.0, -26.0, -28.0], Brainstem),
            ("cerebellar hemisphere", [28.0, -62.0, -34.0], Cerebellum),
            ("vermis", [0.0, -62.0, -22.0], Cerebellum),
        ] {
            assert_eq!(Region::at(at), Some(region), "{name}");
            assert_eq!(Region::at([-at[0], at[1], at[2]]), Some(region), "{name}, right");
        }
    }

    #[test]
    fn near_a_border_and_far_from_the_brain_no_region_is_given() {
        // The central sulcus at the vertex.
        let central = |up: f64| -8.0 - 0.35 * (up - 20.0);
        assert_eq!(Region::at([30.0, central(60.0), 60.0]), None);
        assert_eq!(Region::at([30.0, central(60.0) + 10.0, 60.0]), Some(Region::Frontal));
        assert_eq!(Region::at([30.0, central(60.0) - 10.0, 60.0]), Some(Region::Parietal));
        assert_eq!(Region::at([120.0, 0.0, 0.0]), None);
        assert_eq!(Region::at([f64::NAN, 0.0, 0.0]), None);
    }

    /// Slices 5 mm apart from the top of a sphere down, of 0.5 mm per px; with the areas of the sphere on them.
    fn sphere(radius: f64, first_below_top: f64, count: usize) -> (Series, Vec<Option<f64>>) {
        let top = 100.0;
        let at = |index: usize| top - first_below_top - 5.0 * (count - 1 - index) as f64;
        let slice = |index: usize| CtSlice {
            spacing_mm: Some([0.5, 0.5]),
            placement: Some(Placement {
                position_mm: [-128.0, -128.0, at(index)],
                row: [1.0, 0.0, 0.0],
                column: [0.0, 1.0, 0.0],
            }),
            ..CtSlice::bare(Plane::filled(512, 512, 0.0), Intensity::Hounsfield)
        };
        let area = |index: usize| {
            let below = top - at(index);
            let square = (2.0 * radius * below - below * below).max(0.0);
            (square > 0.0).then_some(std::f64::consts::PI * square / 0.25)
        };
        let series = Series {
            slices: (0..count).map(slice).collect(),
            sources: (0..count).collect(),
            extents_mm: Some(vec![5.0; count]),
            tilt_degrees: None,
            grid: None,
            is_one_head: true,
            warnings: Vec::new(),
        };
        (series, (0..count).map(area).collect())
    }

    #[test]
    fn height_is_measured_from_the_top_of_the_skull() {
        for (radius, first) in [(84.0, 3.0), (84.0, 18.0), (75.0, 6.0), (92.0, 10.0)] {
            let (series, areas) = sphere(radius, first, 28);
            let height = HeadHeight::of_series(&series, &areas).unwrap();
            // The highest slice lies `first` below the top.
            let expected = TOP_MM - first * ADULT_RADIUS_MM / radius;
            let [left, front, up] = height.place(27, [20.0, 40.0]).unwrap();
            assert!((up - expected).abs() < 0.5, "{radius} {first}: {up}, {expected}");
            let scale = 0.5 * ADULT_RADIUS_MM / radius;
            assert!(
                (left - 20.0 * scale).abs() < 0.1 && (front - MIDDLE_MM + 40.0 * scale).abs() < 0.1
            );
            assert!(height.relative_size(27) < 0.65 && height.relative_size(10) > 0.9);
        }
    }

    #[test]
    fn without_the_top_of_an_adult_head_there_is_no_height() {
        let (series, areas) = sphere(84.0, 3.0, 28);
        let without = |change: &dyn Fn(&mut Series)| {
            let mut changed = series.clone();
            change(&mut changed);
            HeadHeight::of_series(&changed, &areas)
        };
        assert!(without(&|_| {}).is_some());
        assert!(without(&|series| series.slices[3].placement = None).is_none());
        assert!(without(&|series| series.slices[3].spacing_mm = None).is_none());
        let coronal = |series: &mut Series| {
            for slice in &mut series.slices {
                let placement = slice.placement.as_mut().unwrap();
                placement.column = [0.0, 0.0, -1.0];
            }
        };
        assert!(without(&coronal).is_none());
        // Cut off 45 mm below the top, and an infant's head.
        let (cut, areas) = sphere(84.0, 45.0, 20);
        assert!(HeadHeight::of_series(&cut, &areas).is_none());
        let (infant, areas) = sphere(55.0, 3.0, 20);
        assert!(HeadHeight::of_series(&infant, &areas).is_none());
        assert!(HeadHeight::of_series(&infant, &vec![None; 20]).is_none());
    }
}
