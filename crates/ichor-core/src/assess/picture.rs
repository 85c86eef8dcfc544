//! Pictures: whether one shows an axial slice of a head, and how its grey values relate to Hounsfield units.

use super::bits::Extent;
use super::cells::{Cells, percentile};
use super::structure::{Enclosure, Foreground, Tissue, enclosures, sides};
use super::window::{estimate, estimate_without_skull};
use super::{Assessment, GrayScale, HeadBox};
use crate::slice::{Plane, Warning};
use crate::window::WindowLevel;

/// Grey values from which the brightest sample of a cell is bone, tried in this order. Bone is grey in windows that are
/// wide or dim.
const BONE_LEVELS: [f32; 3] = [0.9, 0.75, 0.6];

/// Grey value from which the mean of a cell is bone, tried after [`BONE_LEVELS`].
const BONE_MEAN: f32 = 0.85;

/// A picture on the coarse grid, without frames, stretched so that black is 0 and white is 1.
pub(super) struct Scene {
    pub(super) cells: Cells,
    /// Range of the samples within each cell, before black and white were stretched.
    pub(super) roughness: Vec<f32>,
    /// Grey value of the picture that became 0.
    pub(super) black: f32,
    /// Grey value of the picture that became 1.
    pub(super) white: f32,
    /// Share of the cells that are dark, 0 to 1.
    pub(super) dark: f32,
}

impl Scene {
    /// The scene of a picture; `None` where it has hardly any contrast or is smaller than 16 x 16 cells.
    pub(super) fn new(cells: &Cells) -> Option<Self> {
        let cells = without_frames(cells);
        let mut means = cells.mean.clone();
        let (low, high) = (percentile(&mut means, 0.005), percentile(&mut means, 0.995));
        if high - low < MIN_CONTRAST || cells.width < 16 || cells.height < 16 {
            return None;
        }
        let black = if low < 0.04 { 0.0 } else { low };
        let white = if high > 0.9 { 1.0 } else { high };
        let roughness = cells.max.iter().zip(&cells.min).map(|(max, min)| max - min).collect();
        let cells = cells.map(|grey| ((grey - black) / (white - black)).clamp(0.0, 1.0));
        let dark = cells.share(|index| cells.mean[index] < 0.05);
        Some(Self { cells, roughness, black, white, dark })
    }

    /// The scene of Hounsfield units in a window, after `shift` is added to the values.
    pub(super) fn from_hounsfield(cells: &Cells, window: WindowLevel, shift: f32) -> Self {
        let low = window.to_hu(0.0) - shift;
        // Values below 0 HU are black: where values were clipped at 0, air is at 0.
        let grey = |hu: f32| if hu + shift < 0.0 { 0.0 } else { (hu - low) / window.width_hu };
        let cells = cells.map(|hu| grey(hu).clamp(0.0, 1.0));
        let roughness = cells.max.iter().zip(&cells.min).map(|(max, min)| max - min).collect();
        let dark = cells.share(|index| cells.mean[index] < 0.05);
        Self { cells, roughness, black: 0.0, white: 1.0, dark }
    }

    fn inverted(&self) -> Self {
        let cells = &self.cells;
        let inverted = |samples: &[f32]| samples.iter().map(|grey| 1.0 - grey).collect();
        let cells = Cells {
            mean: inverted(&cells.mean),
            min: inverted(&cells.max),
            max: inverted(&cells.min),
            ..*cells
        };
        let dark = cells.share(|index| cells.mean[index] < 0.05);
        Self { cells, roughness: self.roughness.clone(), dark, ..*self }
    }

    /// Number of corners that are bright, 0 to 4.
    fn bright_corners(&self) -> usize {
        let (last, rows) = (self.cells.width - 1, self.cells.height - 1);
        let corners = [0, last, rows * self.cells.width, rows * self.cells.width + last];
        corners.iter().filter(|&&index| self.cells.mean[index] >= 0.85).count()
    }

    /// Skulls with brain inside, the largest first, by the first grey value of bone that gives any.
    pub(super) fn heads(&self) -> Vec<Enclosure> {
        let cells = &self.cells;
        // By the brightest sample, as a skull may be thinner than a cell. In narrow windows single samples of brain are
        // as bright, but the means of cells are not.
        let by_max = BONE_LEVELS.iter().map(|&level| cells.bits(|i| cells.max[i] >= level));
        let by_mean = std::iter::once_with(|| cells.bits(|i| cells.mean[i] >= BONE_MEAN));
        by_max
            .chain(by_mean)
            .map(|bone| {
                let mut found = enclosures(cells, &bone);
                found.retain(|e| e.holds_brain() && e.rim_brightness(cells) >= MIN_RIM_BRIGHTNESS);
                found
            })
            .find(|found| !found.is_empty())
            .unwrap_or_default()
    }

    /// The largest skull with brain inside.
    pub(super) fn head(&self) -> Option<Enclosure> {
        self.heads().into_iter().next()
    }

    /// Whether black air surrounds white bone and soft tissue, as on the vertex and the skull base, where no skull
    /// encloses brain.
    pub(super) fn is_slice_of_head(&self, foreground: &Foreground) -> bool {
        let Some(extent) = foreground.extent else { return false };
        let [long, short] = sides(extent);
        let (surround, roughness) = foreground.surround;
        // Other parts of the body are wider and have less bone.
        let slender = if foreground.white >= 0.28 { 1.85 } else { 1.6 };
        (0.45..0.985).contains(&self.dark)
            && (self.black, self.white) == (0.0, 1.0)
            && surround * 100 >= self.cells.len() * 38
            && roughness <= 0.03
            && foreground.white >= 0.14
            && foreground.flat_end <= 0.6
            && long <= slender * short
    }
}

/// Smallest difference of grey value between the dark and the bright cells of a picture.
const MIN_CONTRAST: f32 = 0.04;
/// Smallest brightness of the rim of brain, relative to its mode. On CT brain reaches the bone. On MR bone is dark, and
/// the bright ring is the scalp.
const MIN_RIM_BRIGHTNESS: f32 = 0.35;

/// The cells without up to three nested frames of one grey value.
fn without_frames(cells: &Cells) -> Cells {
    let mut cells = cells.clone();
    for _ in 0..3 {
        let (width, height) = (cells.width, cells.height);
        if width < 32 || height < 32 {
            break;
        }
        let at_border = |i: usize| {
            i.is_multiple_of(width)
                || i % width == width - 1
                || i / width == 0
                || i / width == height - 1
        };
        let border = cells.bits(at_border).values(|index| cells.mean[index]);
        let grey = percentile(&mut border.clone(), 0.5);
        let alike = border.iter().filter(|&&value| (value - grey).abs() < 0.05).count();
        // A black border is the air around a head, not a frame.
        if grey < 0.06 || alike * 10 < border.len() * 6 {
            break;
        }
        let other = |index: usize| (cells.mean[index] - grey).abs() > 0.06;
        let row = |y: usize| (0..width).filter(|x| other(y * width + x)).count() * 10 > width;
        let column = |x: usize| (0..height).filter(|y| other(y * width + x)).count() * 10 > height;
        let Some(top) = (0..height).find(|&y| row(y)) else { break };
        let Some(left) = (0..width).find(|&x| column(x)) else { break };
        let bottom = (0..height).rfind(|&y| row(y)).unwrap_or(top) + 1;
        let right = (0..width).rfind(|&x| column(x)).unwrap_or(left) + 1;
        if [left, right, top, bottom] == [0, width, 0, height] {
            break;
        }
        cells = cells.cut([left, right], [top, bottom]);
    }
    cells
}

/// Smallest number of grey levels of a picture that can show tissue.
const MIN_LEVELS: usize = 5;

/// Whether a picture has more than one but fewer than [`MIN_LEVELS`] of 256 grey levels.
fn has_few_levels(plane: &Plane) -> bool {
    let mut seen = [false; 256];
    let mut count = 0;
    for &sample in &plane.samples {
        let level = &mut seen[(sample.clamp(0.0, 1.0) * 255.0) as usize];
        count += usize::from(!*level);
        *level = true;
        if count >= MIN_LEVELS {
            return false;
        }
    }
    count >= 2
}

/// Assesses a picture by itself. `plane` holds grey values in [0, 1].
pub(super) fn assess_picture(plane: &Plane) -> Assessment {
    if has_few_levels(plane) {
        return unreadable(
            "few_grey_levels",
            "The picture has almost no grey levels between black and white, so that tissue and blood look the \
             same. Export the slice again with all grey levels, in a brain window (level 40, width 80 to 120).",
        );
    }
    let cells = Cells::new(plane, 0.0);
    let Some(scene) = Scene::new(&cells) else {
        return unreadable(
            "blank_image",
            "The picture is blank: it has hardly any contrast. Export the slice again, in a brain window (level \
             40, width 80 to 120).",
        );
    };
    if scene.bright_corners() >= 3 {
        let inverted = scene.inverted();
        let foreground = Foreground::new(&inverted.cells, &inverted.roughness, 1.0);
        if inverted.head().is_some() || inverted.is_slice_of_head(&foreground) {
            return unreadable(
                "inverted_image",
                "The picture is inverted: air is white and bone is black. Invert it, or export it with black air.",
            );
        }
        return no_head();
    }
    let heads = scene.heads();
    let head = heads.first();
    let tissue = head.map_or(1.0, |head| head.tissue.mode * 0.5);
    let foreground = Foreground::new(&scene.cells, &scene.roughness, tissue);
    let Some(head) = head else {
        if foreground.shows_several() {
            return montage();
        }
        if !scene.is_slice_of_head(&foreground) {
            let cut = scene.dark > 0.3 && foreground.white >= 0.16 && is_cut(&scene, &foreground);
            return if cut { not_axial() } else { no_head() };
        }
        let head = foreground.extent.map(|extent| head_box(&scene.cells, extent));
        let tissue = Tissue::without_skull(&scene.cells, &foreground);
        return Assessment { head, ..in_window(estimate_without_skull(&scene, tissue)) };
    };
    if let Some(unreadable) = contradiction(&scene, &foreground, &heads) {
        return unreadable;
    }
    let head_box = Some(head_box(&scene.cells, head.extent));
    Assessment { head: head_box, ..in_window(estimate(&scene, head)) }
}

/// The assessment of a picture by the estimate of its window.
fn in_window(estimated: Result<Option<WindowLevel>, Warning>) -> Assessment {
    match estimated {
        Ok(None) => Assessment::new(GrayScale::WindowKnown),
        Ok(Some(window)) => {
            let message = format!(
                "The window of the picture was estimated as level {:.0}, width {:.0} HU, and its grey values \
                 were mapped from it to the model's window. Export it with level 40 and width 80 to 120 for a \
                 result that needs no estimate.",
                window.center_hu, window.width_hu
            );
            Assessment {
                warnings: vec![Warning::new("window_estimated", message)],
                ..Assessment::new(GrayScale::WindowEstimated(window))
            }
        }
        Err(warning) => Assessment::unreadable(warning),
    }
}

/// Why the picture is not one axial slice, although it shows a skull with brain inside; `None` where it is one.
fn contradiction(
    scene: &Scene,
    foreground: &Foreground,
    heads: &[Enclosure],
) -> Option<Assessment> {
    let largest = heads.first().map_or(0, |head| head.inside.count());
    if heads.iter().filter(|head| head.inside.count() * 5 >= largest * 2).count() >= 2
        || foreground.shows_several()
    {
        return Some(montage());
    }
    let (surround, roughness) = foreground.surround;
    if surround >= 20 && roughness > 0.05 {
        return Some(unreadable(
            "photo_of_screen",
            "The picture looks like a photograph of a monitor or film: its black is uneven. Export the slice \
             from the viewer instead of photographing it.",
        ));
    }
    is_cut(scene, foreground).then(not_axial)
}

/// Whether the body ends straight although air surrounds it, as the neck does on coronal and sagittal views.
fn is_cut(scene: &Scene, foreground: &Foreground) -> bool {
    foreground.flat_end >= 0.42 && foreground.surround.0 * 4 >= scene.cells.len()
}

fn not_axial() -> Assessment {
    unreadable(
        "not_axial",
        "The head is cut off straight, as on coronal and sagittal views. Send axial slices.",
    )
}

fn montage() -> Assessment {
    unreadable(
        "several_slices",
        "The picture shows several slices side by side. Send each slice as a file of its own.",
    )
}

fn no_head() -> Assessment {
    unreadable(
        "head_not_recognized",
        "No head was recognized: there is no white bone around soft tissue on a black background. Send an axial \
         slice of a head CT, in a brain window (level 40, width 80 to 120), or the DICOM file.",
    )
}

fn unreadable(code: &'static str, message: &str) -> Assessment {
    Assessment::unreadable(Warning::unreadable(code, message))
}

/// An extent of cells as a rectangle in pixels of the slice.
pub(super) fn head_box(cells: &Cells, extent: Extent) -> HeadBox {
    let px = |cell: usize| cell * cells.side_px;
    HeadBox {
        x: px(cells.start[0] + extent.columns[0]),
        y: px(cells.start[1] + extent.rows[0]),
        width: px(extent.width()),
        height: px(extent.height()),
    }
}
