//! Removes slices that do not belong to the stack: copies, repeated positions, pages, and single slices far away.

use super::content::pages_left_out;
use super::order::{SAME_POSITION_MM, direction, height};
use super::{Numbered, counted};
use crate::slice::{CtSlice, Intensity, Warning};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Minimum gap before slices that are not of the same head, mm: a head is shorter.
const FAR_MM: f64 = 150.0;
/// Blocks per side for the comparison of two slices.
const BLOCKS: usize = 32;
/// Minimum difference of block means that shows a change of the tissue, HU: blood is 30 HU above brain, and the noise
/// of a block mean is a few HU.
const DIFFERENT_HU: f32 = 10.0;
/// Samples above this are bone, whose edge depends on the reconstruction, HU.
const BONE_HU: f32 = 200.0;
/// Samples below this are air, HU; in a head only the sinuses are.
const AIR_HU: f32 = -300.0;

/// Removes pages of text among the slices: those without a position and without air, if the others have both.
pub(super) fn remove_unplaced_pages(slices: &mut Vec<Numbered>, warnings: &mut Vec<Warning>) {
    let is_unplaced = |slice: &CtSlice| direction(slice).is_none();
    let unplaced = slices.iter().filter(|(_, slice)| is_unplaced(slice)).count();
    if unplaced == 0 || unplaced * 2 >= slices.len() {
        return;
    }
    let before = slices.len();
    if slices.iter().any(|(_, slice)| !is_unplaced(slice) && has_air(slice)) {
        slices.retain(|(_, slice)| !is_unplaced(slice) || has_air(slice));
    }
    if slices.len() < before {
        warnings.push(pages_left_out(before - slices.len()));
    }
}

/// Removes slices with the position and the samples of another one; `slices` are sorted by height.
pub(super) fn remove_copies(
    slices: &mut Vec<Numbered>,
    normal: [f64; 3],
    warnings: &mut Vec<Warning>,
) {
    let before = slices.len();
    let at = |numbered: &Numbered| height(&numbered.1, normal);
    let mut seen: Vec<u64> = Vec::new();
    let mut last = f64::NEG_INFINITY;
    let shares_position = |index: usize| {
        let here = at(&slices[index]);
        let near = |other: Option<&Numbered>| {
            other.is_some_and(|other| (at(other) - here).abs() < SAME_POSITION_MM)
        };
        near(index.checked_sub(1).and_then(|i| slices.get(i))) || near(slices.get(index + 1))
    };
    let shared: Vec<bool> = (0..before).map(shares_position).collect();
    let mut index = 0;
    slices.retain(|numbered| {
        let (is_shared, here) = (shared[index], at(numbered));
        index += 1;
        if here - last >= SAME_POSITION_MM {
            seen.clear();
            last = here;
        }
        if !is_shared {
            return true;
        }
        let digest = digest(&numbered.1);
        let is_new = !seen.contains(&digest);
        seen.push(digest);
        is_new
    });
    if slices.len() < before {
        let message = format!("{} left out: copies of others.", counted(before - slices.len()));
        warnings.push(Warning::new("copies_left_out", message));
    }
}

fn digest(slice: &CtSlice) -> u64 {
    let mut hasher = DefaultHasher::new();
    slice.plane.width.hash(&mut hasher);
    slice.plane.samples().iter().for_each(|sample| sample.to_bits().hash(&mut hasher));
    hasher.finish()
}

/// Keeps one slice per position: a head rather than a page, and of two scans always the first. `slices` are sorted by
/// height.
pub(super) fn remove_repeated(
    slices: &mut Vec<Numbered>,
    normal: [f64; 3],
    warnings: &mut Vec<Warning>,
) {
    let (mut same, mut different, mut pages) = (0, 0, 0);
    let mut kept: Vec<Numbered> = Vec::with_capacity(slices.len());
    let mut rest = std::mem::take(slices).into_iter().peekable();
    while let Some(first) = rest.next() {
        let here = height(&first.1, normal);
        let mut candidates = vec![first];
        while let Some(next) =
            rest.next_if(|next| height(&next.1, normal) - here < SAME_POSITION_MM)
        {
            candidates.push(next);
        }
        if candidates.len() > 1 {
            let number = |slice: &CtSlice| slice.reference.as_ref()?.tags.instance_number;
            candidates
                .sort_by_cached_key(|(source, slice)| (!has_air(slice), number(slice), *source));
        }
        let mut candidates = candidates.into_iter();
        let Some(best) = candidates.next() else { continue };
        for (_, other) in candidates {
            if is_same_content(&best.1, &other) {
                same += 1;
            } else if has_air(&best.1) && !has_air(&other) {
                pages += 1;
            } else {
                different += 1;
            }
        }
        kept.push(best);
    }
    *slices = kept;
    if pages > 0 {
        warnings.push(pages_left_out(pages));
    }
    if same > 0 {
        let message = format!(
            "{} left out: at the position of another slice that shows the same.",
            counted(same)
        );
        warnings.push(Warning::new("copies_left_out", message));
    }
    if different > 0 {
        let message = format!(
            "{} left out: at the position of another slice, from which they differ; the first of \
             each was kept. Segment them as well before you rely on the result.",
            counted(different)
        );
        warnings.push(Warning::incomplete("repeated_positions", message));
    }
}

/// Removes up to two slices, or up to one in ten, behind a gap that is longer than a head. `slices` are sorted by
/// height.
pub(super) fn remove_far_off(
    slices: &mut Vec<Numbered>,
    normal: [f64; 3],
    warnings: &mut Vec<Warning>,
) {
    let near = |a: &Numbered, b: &Numbered| height(&b.1, normal) - height(&a.1, normal) <= FAR_MM;
    let runs: Vec<usize> = slices.chunk_by(near).map(<[Numbered]>::len).collect();
    let longest = runs.iter().copied().max().unwrap_or(0);
    let few = (slices.len() / 10).max(2);
    if runs.len() < 2 || longest <= few || runs.iter().filter(|&&run| run > few).count() > 1 {
        return;
    }
    let mut keep = runs.iter().flat_map(|&run| std::iter::repeat_n(run == longest, run));
    let before = slices.len();
    slices.retain(|_| keep.next().unwrap_or(true));
    let message = format!(
        "{} left out: more than {FAR_MM:.0} mm from the others.",
        counted(before - slices.len())
    );
    warnings.push(Warning::new("far_off_left_out", message));
}

/// Whether a slice in Hounsfield units shows air; always true for pictures.
fn has_air(slice: &CtSlice) -> bool {
    if slice.intensity != Intensity::Hounsfield {
        return true;
    }
    let dark = slice.plane.map(|sample| sample < AIR_HU).into_iter().filter(|dark| *dark).count();
    dark * 200 > slice.plane.sample_count()
}

/// Whether two slices show the same anatomy, independent of noise and sharpness.
pub(super) fn is_same_content(a: &CtSlice, b: &CtSlice) -> bool {
    let size = |slice: &CtSlice| (slice.plane.width, slice.plane.height, slice.intensity);
    if size(a) != size(b) {
        return false;
    }
    let (a, b) = (block_means(a), block_means(b));
    let differs = |(a, b): (&Option<f32>, &Option<f32>)| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() > DIFFERENT_HU,
        _ => false,
    };
    a.iter().zip(&b).filter(|pair| differs(*pair)).count() < 2
}

/// Mean of each block of soft tissue, HU; `None` if the block contains bone.
fn block_means(slice: &CtSlice) -> Vec<Option<f32>> {
    // The range of a picture is about as many HU as 8-bit grey has steps.
    let unit = if slice.intensity == Intensity::Display { 255.0 } else { 1.0 };
    let (width, height) = (slice.plane.width, slice.plane.height);
    let side = (width.max(height)).div_ceil(BLOCKS).max(1);
    let columns = width.div_ceil(side);
    let mut sums = vec![(0.0_f32, 0_u32, 0_u32); columns * height.div_ceil(side)];
    for (index, sample) in slice.plane.samples().into_iter().enumerate() {
        let block = index / width / side * columns + index % width / side;
        let (sum, count, bone) = &mut sums[block];
        *sum += (sample * unit).clamp(-BONE_HU, BONE_HU);
        *count += 1;
        *bone += u32::from(unit == 1.0 && sample > BONE_HU);
    }
    sums.into_iter()
        .map(|(sum, count, bone)| (bone * 50 <= count).then(|| sum / count.max(1) as f32))
        .collect()
}
