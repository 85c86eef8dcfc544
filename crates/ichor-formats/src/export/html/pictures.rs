//! The pictures of the printed report: slices with the outline over the image.

use crate::error::Result;
use crate::png::encode_png;
use crate::segmenter::{Analysis, Segmenter};
use crate::summary::Summary;
use image::DynamicImage;
use image::imageops::FilterType;

/// Largest number of pictures.
const MAX_PICTURES: usize = 3;
/// Longer side of a picture, px: 170 px per inch at a width of 58 mm. Three of them in colour take 1.8 MB in base64 at
/// most, as the encoder stores what it cannot compress.
const MAX_SIDE_PX: u32 = 384;

/// One slice with its outline.
#[derive(Debug)]
pub(super) struct ReportPicture {
    /// The PNG file.
    pub(super) png: Vec<u8>,
    /// Width and height, px.
    pub(super) size: [u32; 2],
    /// Index of the slice in the series.
    pub(super) slice: usize,
    /// Lesions on the slice that are drawn, by `id`.
    pub(super) lesions: Vec<usize>,
}

/// What lies at the left and at the right of the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sides {
    /// The patient's right is at the left of the pictures, as is usual in radiology.
    Radiological,
    /// The patient's left is at the left of the pictures.
    Mirrored,
    /// The file does not give it, or slices differ.
    Unknown,
}

/// Draws the key slices of the largest lesions, in the order of the series; the key slice of the series where there is no
/// lesion.
pub(super) fn draw(
    model: &Segmenter,
    analysis: &Analysis,
    summary: &Summary<'_>,
) -> Result<Vec<ReportPicture>> {
    choose(summary, analysis.key_slice)
        .into_iter()
        .filter(|&slice| slice < analysis.slices.len())
        .map(|slice| {
            let shown = shrink(model.overlay_of(analysis, slice), spacing(analysis, slice));
            let on_slice = |range: [usize; 2]| (range[0]..=range[1]).contains(&slice);
            let lesions = summary.lesions.iter().filter(|lesion| on_slice(lesion.slices));
            Ok(ReportPicture {
                size: [shown.width(), shown.height()],
                png: encode_png(&shown)?,
                slice,
                lesions: lesions.map(|lesion| lesion.id).collect(),
            })
        })
        .collect()
}

/// Indices of the slices to draw, ascending.
pub(super) fn choose(summary: &Summary<'_>, key_slice: usize) -> Vec<usize> {
    let mut chosen = Vec::new();
    for lesion in &summary.lesions {
        if chosen.len() < MAX_PICTURES && !chosen.contains(&lesion.key_slice) {
            chosen.push(lesion.key_slice);
        }
    }
    if chosen.is_empty() {
        chosen.push(key_slice);
    }
    chosen.sort_unstable();
    chosen
}

/// Distance between rows and between columns, where it is plausible.
fn spacing(analysis: &Analysis, slice: usize) -> [f32; 2] {
    let slice_result = &analysis.slices[slice];
    let spacing_mm = analysis.series.slices[slice].spacing_mm;
    spacing_mm.filter(|_| slice_result.is_measurable).unwrap_or([1.0; 2])
}

/// Scales a picture to at most [`MAX_SIDE_PX`], with the proportions that it has in the patient.
fn shrink(picture: DynamicImage, [row_mm, column_mm]: [f32; 2]) -> DynamicImage {
    let finest = row_mm.min(column_mm);
    let extent = [picture.width() as f32 * column_mm, picture.height() as f32 * row_mm];
    let longest_px = extent[0].max(extent[1]) / finest;
    let scale = (MAX_SIDE_PX as f32 / longest_px).min(1.0) / finest;
    let [width, height] = extent.map(|mm| ((mm * scale).round() as u32).clamp(1, MAX_SIDE_PX));
    if [width, height] == [picture.width(), picture.height()] {
        return picture;
    }
    picture.resize_exact(width, height, FilterType::Triangle)
}

/// The sides of the patient in the pictures.
pub(super) fn sides(analysis: &Analysis) -> Sides {
    // Cosine of the angle between a row and the patient's left; steeper slices have no clear side.
    const MIN_COSINE: f64 = 0.9;
    let all = analysis.series.slices.iter().map(|slice| slice.placement.map(|at| at.row[0]));
    let along: Option<Vec<f64>> = all.collect();
    match along {
        Some(along) if along.iter().all(|&x| x > MIN_COSINE) => Sides::Radiological,
        Some(along) if along.iter().all(|&x| x < -MIN_COSINE) => Sides::Mirrored,
        _ => Sides::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::LesionSummary;

    #[test]
    fn the_key_slices_of_the_largest_lesions_are_drawn_in_order() {
        let lesion = |id, key_slice| LesionSummary { id, key_slice, ..LesionSummary::default() };
        let mut summary = crate::summary::sample(None, None, None);
        assert_eq!(choose(&summary, 4), [4]);
        summary.lesions =
            [9, 2, 9, 5, 7].into_iter().enumerate().map(|(i, k)| lesion(i, k)).collect();
        assert_eq!(choose(&summary, 4), [2, 5, 9]);
    }

    #[test]
    fn a_picture_keeps_the_proportions_of_the_patient() {
        let size = |width, height, spacing| {
            let shown = shrink(DynamicImage::new_luma8(width, height), spacing);
            [shown.width(), shown.height()]
        };
        assert_eq!(size(512, 512, [0.5, 0.5]), [384, 384]);
        assert_eq!(size(100, 50, [1.0, 1.0]), [100, 50]);
        assert_eq!(size(100, 100, [2.0, 1.0]), [100, 200]);
        assert_eq!(size(1000, 10, [1.0, 1.0]), [384, 4]);
        assert_eq!(size(4096, 1, [1.0, 1.0]), [384, 1]);
    }
}
