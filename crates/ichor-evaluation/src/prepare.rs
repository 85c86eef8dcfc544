//! Writes the input tensors and masks that training reads, with the preprocessing that serves requests.

use crate::dataset::{LabelledSlice, SUBTYPES, read_dataset};
use crate::decode::Limits;
use crate::error::{Error, Result};
use crate::mask::Mask;
use crate::model_spec::ModelSpec;
use crate::preprocess::{NetworkInput, preprocess};
use npyz::{AutoSerialize, WriterBuilder};
use rayon::prelude::*;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Value of `masks.npy` on a slice whose true mask is unknown.
const MASK_UNKNOWN: u8 = 255;
const CANNOT_WRITE: &str = "The prepared tensors cannot be written";
/// Number of slices that are decoded at a time, which bounds the memory on large data sets.
const BATCH: usize = 64;

/// Writes the N slices of the data set at `root` into the folder `output` and returns N.
///
/// The files are `images.npy` (f32 `[N, C, H, W]`), `masks.npy` (u8 `[N, H, W]`; 0, 1, or 255 where unknown),
/// `within.npy` (u8 `[N, H, W]`; 1 where a mask may lie) and `index.csv`, one row per slice with its labels, `mask_known`,
/// `mask_tier` as the table gives it, and `gray_scale` as in the report of the slice alone. After each batch `progress`
/// receives the number of slices done and that of all.
///
/// # Errors
/// [`Error::Dataset`] or [`ichor_image::Error::Io`] naming the row or the file.
pub fn prepare_dataset(
    root: &Path,
    spec: &ModelSpec,
    output: &Path,
    progress: impl Fn(usize, usize),
) -> Result<usize> {
    let rows = read_dataset(root)?;
    std::fs::create_dir_all(output).map_err(Error::io("The output folder cannot be made"))?;
    let count = rows.len() as u64;
    let [_, c, h, w] = spec.input.shape.map(|n| n as u64);
    let mut images = npy::<f32>(&output.join("images.npy"), &[count, c, h, w], CANNOT_WRITE)?;
    let mut masks = npy::<u8>(&output.join("masks.npy"), &[count, h, w], CANNOT_WRITE)?;
    let mut within = npy::<u8>(&output.join("within.npy"), &[count, h, w], CANNOT_WRITE)?;
    let mut index = csv::Writer::from_writer(create(&output.join("index.csv"), CANNOT_WRITE)?);
    let written = Error::io(CANNOT_WRITE);
    (|| {
        let columns = ["patient", "slice", "image", "hemorrhage"].into_iter().chain(SUBTYPES);
        index.write_record(columns.chain(["mask_known", "mask_tier", "gray_scale"]))?;
        let mut done = 0;
        for batch in rows.chunks(BATCH) {
            let planes: Vec<Result<Planes>> =
                batch.par_iter().map(|row| prepare_slice(row, spec)).collect();
            for (row, planes) in batch.iter().zip(planes) {
                let planes = planes.map_err(std::io::Error::other)?;
                images.extend(planes.image)?;
                masks.extend(planes.mask)?;
                within.extend(planes.within)?;
                index.write_record(index_row(row, planes.gray_scale))?;
            }
            done += batch.len();
            progress(done, rows.len());
        }
        images.finish()?;
        masks.finish()?;
        within.finish()?;
        index.flush()
    })()
    .map_err(written)?;
    Ok(rows.len())
}

struct Planes {
    image: Vec<f32>,
    mask: Vec<u8>,
    within: Vec<u8>,
    gray_scale: &'static str,
}

fn prepare_slice(row: &LabelledSlice, spec: &ModelSpec) -> Result<Planes> {
    let slice = row.read(&Limits::default())?;
    let (width, height) = (slice.plane.width, slice.plane.height);
    let prepared = preprocess(&slice, spec)?;
    let [_, _, rows, columns] = spec.input.shape;
    let mask = match row.read_mask(width, height)? {
        Some(mask) => {
            mask_on_grid(mask, &prepared, columns, rows)?.pixels.into_iter().map(u8::from).collect()
        }
        None => vec![MASK_UNKNOWN; rows * columns],
    };
    let gray_scale = prepared.assessment.gray_scale.name();
    let within = match prepared.within {
        Some(within) => within.pixels.into_iter().map(u8::from).collect(),
        None => vec![1; rows * columns],
    };
    Ok(Planes { image: prepared.tensor, mask, within, gray_scale })
}

/// A mask on the network's grid: turned, cropped and resized like the image, with the threshold at one half.
pub(crate) fn mask_on_grid(
    mask: Mask,
    prepared: &NetworkInput,
    width: usize,
    height: usize,
) -> Result<Mask> {
    let plane = prepared.turn.plane(mask.to_plane());
    Ok(Mask::from_plane(&prepared.crop.cut_and_resize(&plane, width, height)?, 0.5))
}

fn index_row<'a>(row: &'a LabelledSlice, gray_scale: &'a str) -> impl Iterator<Item = &'a str> {
    let flag = |b: bool| if b { "1" } else { "0" };
    let subtypes = row.subtypes.map_or([""; SUBTYPES.len()], |labels| labels.map(flag));
    let known = flag(row.mask != crate::dataset::MaskSource::Unknown);
    [&row.patient, &row.slice, &row.image, flag(row.hemorrhage)]
        .into_iter()
        .chain(subtypes)
        .chain([known, row.mask_tier.as_str(), gray_scale])
}

/// Creates a file; `context` states what failed in an error.
pub(crate) fn create(path: &Path, context: &str) -> Result<File> {
    File::create(path).map_err(Error::io(context))
}

/// Starts a NumPy file for an array of this shape.
pub(crate) fn npy<T: AutoSerialize>(
    path: &Path,
    shape: &[u64],
    context: &str,
) -> Result<npyz::NpyWriter<T, BufWriter<File>>> {
    npyz::WriteOptions::new()
        .default_dtype()
        .shape(shape)
        .writer(BufWriter::new(create(path, context)?))
        .begin_nd()
        .map_err(Error::io(context))
}
