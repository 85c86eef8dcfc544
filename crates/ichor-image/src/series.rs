//! Slices of one head, in anatomical order.
//!
//! ```text
//! slices -> content (no localisers, pages, other modalities) -> groups (patient, study, series,
//!        acquisition, reconstruction) -> choice (one group, whole) -> order (positions, else
//!        locations, else numbers, else the order of the input) -> spacing
//! ```
//!
//! All steps up to the choice need headers alone, so that the files of a folder are chosen before they are
//! decoded, by the same rules.

mod choice;
mod content;
mod grid;
mod group;
mod groups;
mod kernel;
mod left_out;
mod order;
mod repeats;
mod scale;
mod spacing;
#[cfg(test)]
mod tests;

pub use choice::{HeadChoice, choose_heads};
pub use grid::FileRow;
pub use grid::VolumeGrid;
pub use spacing::MAX_TILT_DEGREES;

use crate::decode::Decoded;
use crate::error::{Error, Result};
use crate::slice::{CtSlice, Intensity, Warning};

/// Slices that belong together.
#[derive(Debug, Clone)]
pub struct Series {
    /// From the lowest along the normal to the highest where all have a position; else in the order of their
    /// location or instance number, or of the input.
    pub slices: Vec<CtSlice>,
    /// For each slice, its place in the input, from 0: files and frames in their order.
    pub sources: Vec<usize>,
    /// For each slice, the length along the slices' normal that it stands for, mm: half the way to
    /// either neighbour. `None` where positions are unknown or contradict each other.
    pub extents_mm: Option<Vec<f32>>,
    /// Angle between the slices' normal and the line through their positions, degrees.
    pub tilt_degrees: Option<f32>,
    /// How the volume was cut into `slices`, where it came as one file.
    pub grid: Option<VolumeGrid>,
    /// Whether the slices are known to be of one head, so that the result of each depends on its neighbours.
    /// For pictures in several files this is [`SeriesRequest::as_series`].
    pub is_one_head: bool,
    /// Warnings of the whole series, beside those of its slices.
    pub warnings: Vec<Warning>,
}

/// Parameters for the choice of the series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeriesRequest {
    /// Which of several series to take, by its number in the warning that lists them, from 1.
    pub series: Option<u32>,
    /// Whether pictures in several files are slices of one head.
    pub as_series: bool,
}

/// A slice and its place in the input.
type Numbered = (usize, CtSlice);

/// One slice of the input, to choose from; its samples may be missing.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its place in the input, from 0.
    pub index: usize,
    /// Its file, by place in the input.
    pub file: usize,
    /// The slice itself.
    pub slice: &'a CtSlice,
}

/// Chooses one head's slices, puts them into anatomical order and measures the stack.
///
/// One whole series is taken: original before derived slices, soft before sharp kernels, without
/// contrast agent before with it, then the one with most slices; or the one that `request` names.
/// [`Series::warnings`] names slices that were left out and irregularities of the stack. Where those slices may
/// show parts of the same head, the warning is [`Warning::incomplete`].
///
/// # Errors
/// [`Error::Unprocessable`] where there is no slice beside localisers;
/// [`Error::InvalidParameter`] where `request` names a series that is not there.
pub fn assemble(decoded: Decoded, request: SeriesRequest) -> Result<Series> {
    let Decoded { slices, grid, file_lengths } = decoded;
    let slice_count = slices.len();
    let files = file_of_each(&file_lengths, slice_count);
    let members: Vec<Member<'_>> = slices
        .iter()
        .zip(files)
        .enumerate()
        .map(|(index, (slice, file))| Member { index, file, slice })
        .collect();
    let several_files = members.last().is_some_and(|last| last.file > 0);
    let choice = choice::choose(&members, request.series)?;
    let mut warnings = choice.warnings(&|a, b| repeats::is_same_content(&slices[a], &slices[b]));
    let chosen = choice.chosen;
    let mut chosen = take(slices, &chosen);
    if chosen.is_empty() {
        return Err(Error::Unprocessable(
            "The series holds no axial slice, at most localisers. Send the slices themselves."
                .into(),
        ));
    }
    let stack = order::arrange(&mut chosen, &mut warnings);
    let is_one_head =
        !several_files || request.as_series || !chosen.iter().all(is_unplaced_picture);
    if !is_one_head && chosen.len() > 1 {
        warnings.push(Warning::new(
            "pictures_judged_alone",
            "Each picture was judged by itself, as nothing says that they are slices of one head. \
             If they are, ask for as_series=true (--as-series at the command line).",
        ));
    }
    let (sources, slices): (Vec<_>, Vec<_>) = chosen.into_iter().unzip();
    // Masks can be put back into the file's voxels if every slice of it is there, in its order.
    let is_complete = slices.len() == slice_count && sources.is_sorted();
    let grid = grid.filter(|grid| is_complete && slice_count == grid.sizes()[2]);
    Ok(Series {
        slices,
        sources,
        extents_mm: stack.extents_mm,
        tilt_degrees: stack.tilt_degrees,
        grid,
        is_one_head,
        warnings,
    })
}

/// A picture that neither a position nor an identifier connects with others.
fn is_unplaced_picture((_, slice): &Numbered) -> bool {
    let is_picture = slice.intensity == Intensity::Display;
    is_picture && slice.placement.is_none() && slice.reference.is_none()
}

/// The file of each slice, by place in the input; all of one where lengths are not known.
fn file_of_each(lengths: &[usize], slices: usize) -> Vec<usize> {
    let each = lengths.iter().enumerate();
    let mut files: Vec<usize> =
        each.flat_map(|(file, &length)| std::iter::repeat_n(file, length)).collect();
    let last = files.last().copied().unwrap_or(0);
    files.resize(slices, last);
    files
}

/// The slices at `indices`, in that order.
fn take(slices: Vec<CtSlice>, indices: &[usize]) -> Vec<Numbered> {
    let mut slices: Vec<Option<CtSlice>> = slices.into_iter().map(Some).collect();
    let mut taken = |index: usize| Some((index, slices.get_mut(index)?.take()?));
    indices.iter().filter_map(|&index| taken(index)).collect()
}

/// "1 slice was" or "3 slices were".
fn counted(count: usize) -> String {
    if count == 1 { "1 slice was".into() } else { format!("{count} slices were") }
}
