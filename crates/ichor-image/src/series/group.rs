//! Properties that the slices of a group have in common.

use super::Member;
use super::groups::{Group, heights, is_derived};
use super::order::direction;
use crate::slice::{CtSlice, DicomReference};
use crate::vector::cross;

/// Maximum distance between the ends of two reconstructions of one acquisition, mm.
const END_MM: f64 = 10.0;

impl<'a> Group<'a> {
    /// The first slice, which represents the others.
    pub(super) fn slice(&self) -> &'a CtSlice {
        // Groups are never empty.
        self.members[0].slice
    }

    pub(super) fn reference(&self) -> Option<&'a DicomReference> {
        self.slice().reference.as_deref()
    }

    pub(super) fn first_index(&self) -> usize {
        self.members.first().map_or(0, |member| member.index)
    }

    /// Series and acquisition number, as sort key.
    pub(super) fn number(&self) -> (Option<i32>, Option<i32>) {
        self.reference().map_or((None, None), |r| (r.tags.series_number, r.tags.acquisition_number))
    }

    fn is_one_acquisition(&self) -> bool {
        let number = |m: &Member<'_>| m.slice.reference.as_ref()?.tags.acquisition_number;
        let mut numbers = self.members.iter().map(number);
        let first = numbers.next();
        numbers.all(|number| Some(number) == first)
    }

    pub(super) fn has_contrast(&self) -> bool {
        self.reference().is_some_and(|r| r.tags.has_contrast)
    }

    pub(super) fn is_axial(&self) -> bool {
        let normal = direction(self.slice()).map(|[row, column]| cross(row, column));
        normal.is_none_or(|normal| normal[2].abs() >= std::f64::consts::FRAC_1_SQRT_2)
    }

    /// Heights along the normal if all slices are placed, else their Slice Locations, mm.
    pub(super) fn heights(&self) -> Option<Vec<f64>> {
        let location = |m: &Member<'_>| m.slice.reference.as_ref()?.tags.slice_location_mm;
        heights(&self.members).or_else(|| self.members.iter().map(location).collect())
    }

    /// Distance from the lowest to the highest slice plus one step, mm.
    pub(super) fn extent_mm(&self) -> Option<f64> {
        let heights = self.heights()?;
        let (low, high) = range(&heights)?;
        let steps = heights.len().saturating_sub(1).max(1) as f64;
        Some((high - low) * (steps + 1.0) / steps)
    }

    /// Whether this group shows all positions of the other one; `is_whole_head` is true if it shows a complete head.
    pub(super) fn covers(&self, other: &Self, is_whole_head: bool) -> bool {
        let frame = |group: &Self| group.reference().and_then(|r| r.frame_of_reference_uid.clone());
        if frame(self) != frame(other) {
            return is_whole_head;
        }
        let (Some(mut here), Some(there)) = (self.heights(), other.heights()) else {
            return is_whole_head;
        };
        here.sort_by(f64::total_cmp);
        let Some((low, high)) = range(&here) else { return false };
        let widest = here.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
        let usual = (high - low) / here.len().saturating_sub(1).max(1) as f64;
        let thickness = self.slice().thickness_mm.map_or(0.0, f64::from);
        let reach = (0.6 * usual).max(0.6 * thickness).min(widest.max(thickness));
        there.iter().all(|&height| {
            if height < low || height > high {
                return is_whole_head || height > low - END_MM && height < high + END_MM;
            }
            here.iter().any(|at| (at - height).abs() <= reach)
        })
    }

    pub(super) fn is_same_reconstruction(&self, other: &Self) -> bool {
        let key = |group: &Self| {
            let slice = group.slice();
            let thickness = slice.thickness_mm.map(|mm| (mm * 100.0).round() as i32);
            let kernel = group.reference().map(|r| r.tags.kernel.clone());
            let size = (slice.plane.width, slice.plane.height);
            (kernel, size, thickness, group.has_contrast(), is_derived(slice))
        };
        key(self) == key(other)
    }

    /// Describes the group by its tags, without patient data.
    pub(super) fn label(&self) -> String {
        let mut parts = Vec::new();
        let slice = self.slice();
        if let Some(tags) = self.reference().map(|r| &r.tags) {
            parts.extend(tags.series_number.map(|number| format!("series {number}")));
            let acquisition = tags.acquisition_number.filter(|_| self.is_one_acquisition());
            parts.extend(acquisition.map(|number| format!("acquisition {number}")));
            let kernel: String = tags
                .kernel
                .chars()
                .filter(|c| c.is_ascii_graphic() && *c != ';')
                .take(16)
                .collect();
            parts.extend((!kernel.is_empty()).then(|| format!("kernel {kernel}")));
            parts.extend(tags.has_contrast.then(|| "with contrast agent".to_owned()));
            parts.extend(is_derived(slice).then(|| "derived".to_owned()));
        }
        parts.extend(slice.thickness_mm.map(|mm| format!("{mm} mm")));
        parts.push(format!("{} x {} px", slice.plane.width, slice.plane.height));
        let count = self.members.len();
        parts.push(if count == 1 { "1 slice".into() } else { format!("{count} slices") });
        parts.join(", ")
    }
}

fn range(heights: &[f64]) -> Option<(f64, f64)> {
    let low = heights.iter().copied().min_by(f64::total_cmp)?;
    let high = heights.iter().copied().max_by(f64::total_cmp)?;
    Some((low, high))
}
