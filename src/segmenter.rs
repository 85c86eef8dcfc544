//! The one composition: bytes to a [`Segmentation`], by one loaded model; a [`series`] slice by slice.

mod file;
mod finding;
mod gather;
mod models;
pub mod series;
mod stream;

pub use file::{Found, Given};
pub use finding::{Readout, Segmentation, SliceFinding, StageTimings};
pub use models::Models;
pub use stream::Decode;

use crate::engine::{DeferredEngine, Engine, LoadTimings, Logits, OrtRuntime};
use crate::error::{Error, Result};
use crate::geometry::CropBox;
use crate::mask::Mask;
use crate::model_spec::{ModelSpec, Step, sigmoid};
use crate::overlay::{draw_overlay, grey, parse_color};
use crate::postprocess::{LogitMap, Regions, smallest_lesion_px};
use crate::preprocess::{Prepared, preprocess};
use crate::slice::{CtSlice, Intensity, Plane, Warning};
use crate::storage::ModelFiles;
use crate::window::WindowLevel;
use image::{DynamicImage, Rgb};
use serde::{Deserialize, Serialize};

/// A model that is loaded and ready.
#[derive(Debug)]
pub struct Segmenter {
    spec: ModelSpec,
    card: String,
    color: Rgb<u8>,
    engine: DeferredEngine,
    load_timings: LoadTimings,
}

/// What a caller may ask for.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct SegmentOptions {
    /// Replaces the model's own threshold, in (0, 1).
    pub threshold: Option<f32>,
    /// Whether lesions carry their contours.
    pub contours: bool,
    /// Window of the overlay in place of the model's input window; the result stays the same.
    pub window: Option<WindowLevel>,
}

impl SegmentOptions {
    /// Says whether the values can be used, before any work is done.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a threshold outside (0, 1).
    pub fn check(&self) -> Result<()> {
        if self.threshold.is_none_or(|threshold| threshold > 0.0 && threshold < 1.0) {
            return Ok(());
        }
        Err(Error::InvalidParameter(
            "threshold must lie between 0 and 1, both excluded; leave it out for the model's own"
                .into(),
        ))
    }
}

/// Gives the time in ms since any fixed moment; handed in, as this layer knows no clock.
pub type Clock<'a> = &'a (dyn Fn() -> f64 + Sync);

impl Segmenter {
    /// Loads the network of verified model files; `clock` gives ms.
    ///
    /// # Errors
    /// [`Error::Model`] if the network or the class colour cannot be used.
    pub fn load(files: ModelFiles, clock: &dyn Fn() -> f64) -> Result<Self> {
        let (engine, load_timings) = Engine::load(&files.spec, &files.onnx, clock)?;
        let loaded = Self::deferred(files)?;
        Ok(Self { engine: DeferredEngine::built(engine), load_timings, ..loaded })
    }

    /// Puts the network of verified model files into onnxruntime.
    ///
    /// # Errors
    /// As [`Engine::load_ort`].
    pub fn load_ort(files: ModelFiles, runtime: &OrtRuntime) -> Result<Self> {
        let engine = Engine::load_ort(runtime, &files.spec, &files.onnx)?;
        Ok(Self { engine: DeferredEngine::built(engine), ..Self::deferred(files)? })
    }

    /// Takes verified model files; the network is built by the first slice that asks for it.
    ///
    /// # Errors
    /// [`Error::Model`] if the class colour cannot be used.
    pub fn deferred(files: ModelFiles) -> Result<Self> {
        let ModelFiles { spec, onnx, card } = files;
        let color = parse_color(&spec.classes[0].color).ok_or_else(|| Error::Model {
            model: spec.name.clone(),
            reason: "the class colour in model.json must be #RRGGBB".into(),
        })?;
        let engine = DeferredEngine::waiting(onnx);
        Ok(Self { spec, card, color, engine, load_timings: LoadTimings::default() })
    }

    /// Builds a deferred network, or waits while another thread does.
    ///
    /// # Errors
    /// [`Error::Model`] if it cannot be built.
    pub fn build(&self) -> Result<()> {
        self.engine.get(&self.spec).map(drop)
    }

    /// How long it took to load the network.
    pub fn load_timings(&self) -> LoadTimings {
        self.load_timings
    }

    /// What runs the network; `None` until a deferred one is built.
    pub fn engine(&self) -> Option<&Engine> {
        self.engine.if_built()
    }

    /// The contract of the loaded model.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The model card, Markdown.
    pub fn card(&self) -> &str {
        &self.card
    }

    /// Segments one decoded slice.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a threshold outside (0, 1); [`Error::Inference`].
    pub fn segment_slice(
        &self,
        slice: &CtSlice,
        options: SegmentOptions,
        clock: Clock<'_>,
    ) -> Result<Segmentation> {
        self.segment_with(slice, options, clock, &|prepared| self.infer(prepared))
    }

    /// Segments one decoded slice with logits that `logits` gives: computed by
    /// [`Segmenter::infer`], or kept from an earlier run on the same slice.
    ///
    /// # Errors
    /// As [`Segmenter::segment_slice`], and whatever `logits` fails with.
    pub fn segment_with(
        &self,
        slice: &CtSlice,
        options: SegmentOptions,
        clock: Clock<'_>,
        logits: &dyn Fn(&Prepared) -> Result<Logits>,
    ) -> Result<Segmentation> {
        options.check()?;
        let threshold = options.threshold.unwrap_or(self.spec.postprocessing.threshold);
        let t0 = clock();
        let prepared = preprocess(slice, &self.spec)?;
        let t1 = clock();
        let logits = logits(&prepared)?;
        let t2 = clock();
        let mut found = self.read_out(slice, prepared, logits, threshold, options);
        let (preprocess, inference) = (t1 - t0, t2 - t1);
        found.finding.timings =
            StageTimings { decode: 0.0, preprocess, inference, postprocess: clock() - t2 };
        Ok(found)
    }

    /// Logits on the network's grid for one slice; the stage that golden cases compare.
    ///
    /// # Errors
    /// As [`Segmenter::segment_slice`].
    pub fn logits(&self, slice: &CtSlice) -> Result<(Prepared, Logits)> {
        let prepared = preprocess(slice, &self.spec)?;
        let logits = self.infer(&prepared)?;
        Ok((prepared, logits))
    }

    /// What [`Segmenter::logits`] gave, read out on the network's own grid: what training measures.
    pub fn read_out_on_grid(&self, mut prepared: Prepared, logits: Logits) -> Segmentation {
        let [_, _, height, width] = prepared.shape;
        let grid = Plane::filled(width, height, 0.0);
        prepared.crop = CropBox::whole(&grid);
        let grid = CtSlice::bare(grid, Intensity::Display);
        let threshold = self.spec.postprocessing.threshold;
        self.read_out(&grid, prepared, logits, threshold, SegmentOptions::default())
    }

    /// Runs the network on a prepared slice.
    ///
    /// # Errors
    /// [`Error::Inference`]; [`Error::Model`] where a deferred network cannot be built.
    pub fn infer(&self, prepared: &Prepared) -> Result<Logits> {
        self.engine.get(&self.spec)?.run(&prepared.tensor)
    }

    fn read_out(
        &self,
        slice: &CtSlice,
        prepared: Prepared,
        logits: Logits,
        threshold: f32,
        options: SegmentOptions,
    ) -> Segmentation {
        let [_, _, _, grid_width] = prepared.shape;
        let steps = &self.spec.postprocessing;
        let any = logits.slice.first().copied();
        let open = match (any, steps.slice_threshold) {
            (Some(logit), Some(least)) => sigmoid(logit) >= least,
            _ => true,
        };
        let strongest = || logits.mask.iter().copied().fold(f32::MIN, f32::max);
        let any = any.unwrap_or_else(strongest);
        let (width, height) = (slice.plane.width, slice.plane.height);
        let map = LogitMap::new(logits.mask, grid_width, prepared.crop, [width, height]);
        let min_lesion_px = smallest_lesion_px(steps, prepared.crop, grid_width);
        let (mask, lesions) = if open {
            let regions = Regions::of(&map, threshold, min_lesion_px);
            let lesions = regions.lesions(slice.spacing_mm, options.contours);
            (regions.mask, lesions)
        } else {
            (Mask::empty(width, height), Vec::new())
        };
        let suitable = slice.modality.as_ref().is_none_or(|m| self.spec.modalities.contains(m));
        let mut warnings = cautions(slice, prepared.head_missing, suitable);
        warnings.extend(window_ignored(slice, options.window));
        let window = self.display_window(slice, options.window);
        Segmentation {
            finding: SliceFinding {
                detected: suitable.then_some(!lesions.is_empty()),
                lesions,
                probability: self.spec.calibration.probability(any),
                subtype_probabilities: logits.slice.iter().skip(1).map(|&l| sigmoid(l)).collect(),
                threshold,
                readout: Readout { open, min_lesion_px },
                warnings,
                timings: StageTimings::default(),
            },
            mask,
            map,
            crop: prepared.crop,
            window,
            spacing_mm: slice.spacing_mm,
            modality: slice.modality.clone(),
        }
    }

    /// The window that a slice is shown with: the one asked for, else the model's input window.
    /// `None` for pictures, which come windowed.
    pub fn display_window(
        &self,
        slice: &CtSlice,
        wanted: Option<WindowLevel>,
    ) -> Option<WindowLevel> {
        let own = || {
            self.spec.preprocessing.iter().find_map(|step| match *step {
                Step::Window { center_hu, width_hu } => Some(WindowLevel { center_hu, width_hu }),
                _ => None,
            })
        };
        (slice.intensity == Intensity::Hounsfield).then(|| wanted.or_else(own)).flatten()
    }

    /// The slice that `found` was read from, with the hemorrhage tinted and outlined in the model's
    /// class colour.
    pub fn overlay(&self, slice: &CtSlice, found: &Segmentation) -> DynamicImage {
        self.draw(slice, &found.mask, found.window)
    }

    fn draw(&self, slice: &CtSlice, mask: &Mask, window: Option<WindowLevel>) -> DynamicImage {
        let shown = match window {
            Some(window) => slice.plane.levels(|hu| grey(window.apply(hu))),
            None => slice.plane.levels(grey),
        };
        draw_overlay(shown, mask, self.color)
    }

    /// Colour of the mask class.
    pub fn color(&self) -> Rgb<u8> {
        self.color
    }
}

fn window_ignored(slice: &CtSlice, wanted: Option<WindowLevel>) -> Option<Warning> {
    (wanted.is_some() && slice.intensity == Intensity::Display).then(|| {
        Warning::new(
            "window_ignored",
            "The picture comes windowed; the display window asked for was not applied.",
        )
    })
}

fn cautions(slice: &CtSlice, head_missing: bool, suitable: bool) -> Vec<Warning> {
    let mut warnings = slice.warnings.clone();
    if slice.spacing_mm.is_none() {
        warnings.push(Warning::new(
            "spacing_unknown",
            "The file says nothing of the pixel size; areas are in pixels only.",
        ));
    }
    if head_missing {
        warnings.push(Warning::new(
            "head_not_found",
            "No head was found on the image; the result means little.",
        ));
    }
    if !suitable {
        warnings.push(Warning::new(
            "modality_not_supported",
            "The model was not made for this kind of image; nothing is said of a hemorrhage.",
        ));
    }
    warnings
}
