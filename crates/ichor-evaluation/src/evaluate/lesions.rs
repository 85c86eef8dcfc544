//! `lesions.csv`: features and true type of every lesion of a data set, from which `training/lesion_types.py` fits the
//! types of `model.json`. Training does not compute features of its own.

use super::answers::CANNOT_WRITE;
use crate::dataset::{LabelledSlice, SUBTYPES};
use crate::error::{Error, Result};
use crate::lesion::{FEATURES, Features, GridLesions, TYPES, measure_lesions};
use crate::mask::Mask;
use crate::model_spec::ModelSpec;
use crate::prepare::{create, mask_on_grid};
use crate::preprocess::NetworkInput;
use crate::slice::CtSlice;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Area of the smallest true lesion that is measured, pixels of the grid.
const MIN_TRUE_PX: usize = 12;

/// The lesions of one slice.
pub(super) struct LesionRows {
    /// Those of the true mask.
    truth: Vec<LesionRow>,
    /// Those that the model outlines.
    own: Vec<LesionRow>,
}

/// One lesion on the grid.
struct LesionRow {
    area_px: usize,
    /// Its type and the part of its pixels, or of its labelled ones, that have this type. `None` where it is unknown.
    known_type: Option<(&'static str, f32)>,
    /// The part of its pixels that lies in the true mask; `None` where that is unknown.
    overlap: Option<f32>,
    features: Features,
}

impl LesionRows {
    /// Measures the true lesions of a slice, and those of `own`, the model's mask. `truth` is the true mask; both are on
    /// the grid that `input` shows.
    pub(super) fn measure(
        row: &LabelledSlice,
        slice: &CtSlice,
        input: &NetworkInput,
        spec: &ModelSpec,
        own: &Mask,
        truth: Option<&Mask>,
    ) -> Result<Self> {
        let nothing = own.is_empty() && truth.is_none_or(Mask::is_empty);
        if nothing || !row.hemorrhage {
            return Ok(Self { truth: Vec::new(), own: Vec::new() });
        }
        let size = [slice.plane.width, slice.plane.height];
        let labels = row.read_labels(size[0], size[1])?;
        let types: Vec<Option<Mask>> = (1..=SUBTYPES.len() as u8)
            .map(|class| {
                let pixels: Vec<bool> = labels.as_ref()?.iter().map(|&l| l == class).collect();
                let mask = Mask { width: size[0], height: size[1], pixels };
                (!mask.is_empty()).then(|| mask_on_grid(mask, input, own.width, own.height))
            })
            .map(Option::transpose)
            .collect::<Result<_>>()?;
        let describe = |mask: &Mask, known: &dyn Fn(&Mask) -> Option<(&'static str, f32)>| {
            let lesions = GridLesions::from_mask(mask);
            let Some(measured) = measure_lesions(input, spec, &lesions) else { return Vec::new() };
            let with_mask = lesions.masks().zip(measured);
            with_mask
                .map(|(lesion, measured)| LesionRow {
                    area_px: lesion.area_px(),
                    known_type: known(&lesion),
                    overlap: truth.map(|truth| common_px(&lesion, truth) / lesion.area_px() as f32),
                    features: measured.features,
                })
                .filter(|lesion| lesion.area_px >= MIN_TRUE_PX)
                .collect()
        };
        let single = single_type(row);
        let of_lesion = |lesion: &Mask| match &labels {
            Some(_) => {
                let parts = types
                    .iter()
                    .zip(TYPES)
                    .filter_map(|(mask, code)| Some((code, common_px(lesion, mask.as_ref()?))));
                let parts: Vec<_> = parts.filter(|part| part.1 > 0.0).collect();
                let sum: f32 = parts.iter().map(|part| part.1).sum();
                parts
                    .into_iter()
                    .max_by(|a, b| a.1.total_cmp(&b.1))
                    .map(|(code, px)| (code, px / sum))
            }
            None => single.map(|code| (code, 1.0)),
        };
        let true_rows = match (truth, &labels) {
            (Some(truth), Some(_)) => {
                let of_class = types.iter().zip(TYPES).filter_map(|(mask, code)| {
                    let both = mask.as_ref()?.pixels.iter().zip(&truth.pixels);
                    let pixels = both.map(|(&class, &truth)| class && truth).collect();
                    Some(describe(&Mask { pixels, ..*truth }, &|_| Some((code, 1.0))))
                });
                of_class.flatten().collect()
            }
            (Some(truth), None) => describe(truth, &of_lesion),
            (None, _) => Vec::new(),
        };
        Ok(Self { truth: true_rows, own: describe(own, &of_lesion) })
    }
}

/// The type of a slice that is labelled with one type only.
fn single_type(row: &LabelledSlice) -> Option<&'static str> {
    let subtypes = row.subtypes?;
    let mut present = TYPES.into_iter().zip(subtypes).filter(|(_, is_present)| *is_present);
    let first = present.next()?.0;
    present.next().is_none().then_some(first)
}

/// Number of pixels that two masks of one size share.
fn common_px(a: &Mask, b: &Mask) -> f32 {
    a.pixels.iter().zip(&b.pixels).filter(|&(&a, &b)| a && b).count() as f32
}

/// Writer of `lesions.csv`: one row per lesion. `outline` is `true` for the true mask and `own` for the model's.
pub(super) struct LesionFile(csv::Writer<BufWriter<File>>);

impl LesionFile {
    /// Creates the file in the folder `output`, which exists.
    ///
    /// # Errors
    /// [`ichor_image::Error::Io`], as for the other methods.
    pub(super) fn create(output: &Path) -> Result<Self> {
        let mut file = csv::Writer::from_writer(BufWriter::new(create(
            &output.join("lesions.csv"),
            CANNOT_WRITE,
        )?));
        let facts =
            ["patient", "slice", "image", "outline", "area_px", "type", "type_share", "overlap"];
        let header = facts.into_iter().chain(["slice_types"]).chain(FEATURES);
        file.write_record(header).map_err(|e| Error::io(CANNOT_WRITE)(e.into()))?;
        Ok(Self(file))
    }

    /// Writes the lesions of a slice, those of the model where `own` is set.
    pub(super) fn write(
        &mut self,
        row: &LabelledSlice,
        lesions: &LesionRows,
        own: bool,
    ) -> Result<()> {
        let labelled = TYPES.into_iter().zip(row.subtypes.unwrap_or_default());
        let slice_types: Vec<_> =
            labelled.filter(|(_, is_present)| *is_present).map(|(code, _)| code).collect();
        let of = |outline, rows| std::iter::repeat(outline).zip(rows);
        let own = if own { &lesions.own[..] } else { &[] };
        for (outline, lesion) in of("true", &lesions.truth[..]).chain(of("own", own)) {
            let (code, share) =
                lesion.known_type.map_or((String::new(), String::new()), |(code, share)| {
                    (code.to_owned(), share.to_string())
                });
            let overlap = lesion.overlap.map_or_else(String::new, |overlap| overlap.to_string());
            let facts = [&row.patient, &row.slice, &row.image].map(String::clone);
            let facts = facts.into_iter().chain([
                outline.to_owned(),
                lesion.area_px.to_string(),
                code,
                share,
                overlap,
            ]);
            let facts = facts.chain([slice_types.join(" ")]);
            let record = facts.chain(lesion.features.iter().map(f32::to_string));
            self.0.write_record(record).map_err(|e| Error::io(CANNOT_WRITE)(e.into()))?;
        }
        Ok(())
    }

    /// Completes the file.
    pub(super) fn finish(mut self) -> Result<()> {
        self.0.flush().map_err(Error::io(CANNOT_WRITE))
    }
}
