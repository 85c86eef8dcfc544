//! When each layer makes which rows, and where in memory they lie: all settled before the first run.
//!
//! Layers whose values are too large for the cache next to the processor work together, some rows at a
//! time, and keep of the values between them only the rows that are still read. Memory of a value whose
//! last reader is done is used for later ones.

use super::Refusal;
use super::graph::{Shape, ValueId};
use super::layer::Layer;
use super::view::{Buffer, View};
use std::ops::Range;

/// Numbers of a value that is worth making row by row: 256 KiB.
const WORTH_STREAMING: usize = 1 << 16;
/// Numbers that layers working together may hold of weights: 768 KiB.
const MOST_WEIGHTS: usize = 192 << 10;
/// Numbers that they may keep of the values between them: 768 KiB.
const MOST_KEPT: usize = 192 << 10;

/// Numbers of memory that a run may take: 1 GiB.
const MOST_MEMORY: usize = 1 << 28;

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) views: Vec<View>,
    /// Which memory each value lies in.
    pub(super) slots: Vec<usize>,
    slot_sizes: Vec<usize>,
    scratch: usize,
    pub(super) stages: Vec<Stage>,
}

/// Memory of one run.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) slots: Vec<Buffer>,
    pub(super) scratch: Buffer,
}

/// Layers that work together.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) layers: Range<usize>,
    /// For each turn, the row that each layer has got to at its end.
    pub(super) turns: Vec<Vec<usize>>,
}

impl Plan {
    /// Plans the layers of a network; nothing of the size of a value is reserved yet.
    ///
    /// # Errors
    /// [`Refusal`] where a run would take more than 1 GiB.
    pub(super) fn of(
        layers: &[Layer],
        shapes: &[Shape],
        outputs: &[ValueId],
    ) -> Result<Self, Refusal> {
        let mut views: Vec<View> =
            shapes.iter().map(|&shape| View { shape, margin: 0, kept: shape.height }).collect();
        for layer in layers {
            for &input in &layer.inputs {
                let margin = layer.margin(shapes[input].width, shapes[layer.output].width);
                views[input].margin = views[input].margin.max(margin);
            }
        }
        let stages = stages(layers, &views, outputs);
        for stage in &stages {
            for (value, kept) in kept(stage, layers, shapes, outputs) {
                views[value].kept = kept;
            }
        }
        let (slots, slot_sizes) = place(layers, &stages, &views, outputs);
        let scratch = |layer: &Layer| layer.scratch(shapes[layer.output].width);
        let scratch = layers.iter().map(scratch).max().unwrap_or(0);
        let plan = Self { views, slots, slot_sizes, scratch, stages };
        if plan.slot_sizes.iter().sum::<usize>() + plan.scratch > MOST_MEMORY {
            return Err(Refusal::new("a run would take more than 1 GiB of memory"));
        }
        Ok(plan)
    }

    /// Memory for one run: of the values by slot, and to work in.
    pub(super) fn memory(&self) -> Memory {
        let slots = self.slot_sizes.iter().map(|&size| Buffer::zeros(size)).collect();
        Memory { slots, scratch: Buffer::zeros(self.scratch) }
    }
}

/// Cuts the layers into stages.
fn stages(layers: &[Layer], views: &[View], outputs: &[ValueId]) -> Vec<Stage> {
    let shapes: Vec<Shape> = views.iter().map(|view| view.shape).collect();
    let mut stages: Vec<Stage> = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let longer = stages.last().and_then(|stage| {
            let layers_so_far = &layers[stage.layers.clone()];
            let large = |input: &ValueId| views[*input].len() >= WORTH_STREAMING;
            let follows = layers_so_far.iter().any(|l| layer.inputs.contains(&l.output));
            let weights: usize = layers_so_far.iter().chain([layer]).map(Layer::weights).sum();
            if !follows
                || layer.needs_all()
                || layers_so_far.iter().any(Layer::needs_all)
                || !layer.inputs.iter().any(large)
                || weights > MOST_WEIGHTS
            {
                return None;
            }
            turns(stage.layers.start..index + 1, layers, views, &shapes, outputs)
        });
        match (longer, stages.last_mut()) {
            (Some(longer), Some(stage)) => *stage = longer,
            _ => stages.push(Stage {
                layers: index..index + 1,
                turns: vec![vec![shapes[layer.output].height]],
            }),
        }
    }
    stages
}

/// The most rows a turn with which a stage keeps little enough; `None` if four rows are too many.
fn turns(
    range: Range<usize>,
    layers: &[Layer],
    views: &[View],
    shapes: &[Shape],
    outputs: &[ValueId],
) -> Option<Stage> {
    [16, 8, 4].into_iter().find_map(|rows| {
        let stage =
            Stage { layers: range.clone(), turns: schedule(range.clone(), layers, shapes, rows) };
        let size =
            |(value, rows): (ValueId, usize)| View { kept: rows, ..views[value].clone() }.len();
        let kept: usize = kept(&stage, layers, shapes, outputs).map(size).sum();
        (kept <= MOST_KEPT).then_some(stage)
    })
}

/// How far each layer gets in each turn, if the last one makes `rows` rows a turn.
fn schedule(
    range: Range<usize>,
    layers: &[Layer],
    shapes: &[Shape],
    rows: usize,
) -> Vec<Vec<usize>> {
    let height = |layer: &Layer| shapes[layer.output].height;
    let Some(last) = layers[range.clone()].last() else { return Vec::new() };
    let turns = height(last).div_ceil(rows);
    let mut ends: Vec<Vec<usize>> = Vec::with_capacity(turns);
    for turn in 1..=turns {
        let done = |layer: usize| ends.last().map_or(0, |ends| ends[layer]);
        let mut end = vec![0; range.len()];
        for at in (0..range.len()).rev() {
            let layer = &layers[range.start + at];
            let whole = height(layer);
            let readers = (at + 1..range.len())
                .filter(|&reader| layers[range.start + reader].reads_value(layer.output));
            let needed = readers.map(|reader| {
                let by = &layers[range.start + reader];
                by.rows_of(layer.output, done(reader)..end[reader], whole).end
            });
            // A layer that nobody here reads keeps pace.
            let pace = (whole * turn).div_ceil(turns);
            let wanted = if turn == turns { Some(whole) } else { needed.max() };
            end[at] = wanted.unwrap_or(pace).clamp(done(at), whole);
        }
        ends.push(end);
    }
    ends
}

/// How many rows must be kept of each value that only this stage reads.
fn kept<'a>(
    stage: &'a Stage,
    layers: &'a [Layer],
    shapes: &'a [Shape],
    outputs: &'a [ValueId],
) -> impl Iterator<Item = (ValueId, usize)> + 'a {
    stage.layers.clone().filter_map(move |maker| {
        let value = layers[maker].output;
        let readers: Vec<usize> =
            (0..layers.len()).filter(|&reader| layers[reader].reads_value(value)).collect();
        let elsewhere = readers.iter().any(|reader| !stage.layers.contains(reader));
        if elsewhere || readers.is_empty() || outputs.contains(&value) {
            return None;
        }
        let height = shapes[value].height;
        let mut most = 1;
        let mut before = vec![0; stage.layers.len()];
        for ends in &stage.turns {
            for &reader in &readers {
                let at = reader - stage.layers.start;
                let rows = layers[reader].rows_of(value, before[at]..ends[at], height);
                if !rows.is_empty() {
                    most = most.max(ends[maker - stage.layers.start] - rows.start);
                }
            }
            before.clone_from(ends);
        }
        Some((value, most.min(height)))
    })
}

/// Gives each value a memory that no other one alive at the same time has.
fn place(
    layers: &[Layer],
    stages: &[Stage],
    views: &[View],
    outputs: &[ValueId],
) -> (Vec<usize>, Vec<usize>) {
    let stage_of = |layer: usize| stages.iter().position(|s| s.layers.contains(&layer));
    let mut last_read = vec![0; views.len()];
    for (index, layer) in layers.iter().enumerate() {
        for value in layer.values_read().chain([layer.output]) {
            last_read[value] = last_read[value].max(stage_of(index).unwrap_or(0));
        }
    }
    outputs.iter().for_each(|&output| last_read[output] = usize::MAX);
    let mut slots = vec![0; views.len()];
    let mut sizes = vec![views[0].len()];
    // Until which stage each memory is taken.
    let mut taken = vec![last_read[0]];
    for (at, stage) in stages.iter().enumerate() {
        for layer in &layers[stage.layers.clone()] {
            let need = views[layer.output].len();
            let free = (0..sizes.len()).filter(|&slot| taken[slot] < at);
            // The smallest that is large enough, else the largest, which then grows.
            let best = free.min_by_key(|&slot| (sizes[slot] < need, sizes[slot].abs_diff(need)));
            let slot = best.unwrap_or_else(|| {
                sizes.push(0);
                taken.push(0);
                sizes.len() - 1
            });
            sizes[slot] = sizes[slot].max(need);
            taken[slot] = last_read[layer.output];
            slots[layer.output] = slot;
        }
    }
    (slots, sizes)
}
