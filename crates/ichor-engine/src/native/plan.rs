//! Execution order and memory of a network, fixed before the first run.
//!
//! Layers whose values are larger than the L2 cache run as one stage, a few rows at a time, and keep only those rows of
//! the values between them that are still needed. The memory of a value is reused after its last reader.

use super::LoadError;
use super::graph::{Shape, ValueId};
use super::layer::Layer;
use super::view::{Buffer, View};
use std::ops::Range;

/// Elements of a value from which its readers run a few rows at a time: 256 KiB.
const MIN_STREAMED_LEN: usize = 1 << 16;
/// Maximum number of packed weights of a stage with several layers: 768 KiB.
const MAX_WEIGHTS: usize = 192 << 10;
/// Maximum number of elements that such a stage keeps of the values between its layers: 768 KiB.
const MAX_KEPT_LEN: usize = 192 << 10;

/// Maximum number of elements of all memory of a run: 1 GiB.
const MAX_RUN_LEN: usize = 1 << 28;

/// Layouts, memory slots and stages of a network.
#[derive(Debug)]
pub(super) struct Plan {
    /// Layout of each value, by [`ValueId`].
    pub(super) views: Vec<View>,
    /// Index of the memory slot of each value, by [`ValueId`].
    pub(super) slots: Vec<usize>,
    slot_lens: Vec<usize>,
    scratch_len: usize,
    pub(super) stages: Vec<Stage>,
}

/// Memory of one run.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) slots: Vec<Buffer>,
    pub(super) scratch: Buffer,
}

/// Consecutive layers that run together, a few rows at a time.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub(super) layers: Range<usize>,
    /// For each turn and each layer, one past the last row that is complete after that turn.
    pub(super) turns: Vec<Vec<usize>>,
}

impl Plan {
    /// Plans the layers of a network. Allocates nothing of the size of a value.
    ///
    /// # Errors
    /// [`LoadError`] if a run would need more than 1 GiB of memory.
    pub(super) fn new(
        layers: &[Layer],
        shapes: &[Shape],
        outputs: &[ValueId],
    ) -> Result<Self, LoadError> {
        let mut views: Vec<View> = shapes
            .iter()
            .map(|&shape| View { shape, margin: 0, ring_rows: shape.height })
            .collect();
        for layer in layers {
            for &input in &layer.inputs {
                let margin = layer.margin(shapes[input].width, shapes[layer.output].width);
                views[input].margin = views[input].margin.max(margin);
            }
        }
        let stages = build_stages(layers, &views, outputs);
        for stage in &stages {
            for (value, rows) in kept_rows(stage, layers, shapes, outputs) {
                views[value].ring_rows = rows;
            }
        }
        let (slots, slot_lens) = assign_slots(layers, &stages, &views, outputs);
        let scratch_len = |layer: &Layer| layer.scratch_len(shapes[layer.output].width);
        let scratch_len = layers.iter().map(scratch_len).max().unwrap_or(0);
        let plan = Self { views, slots, slot_lens, scratch_len, stages };
        if plan.slot_lens.iter().sum::<usize>() + plan.scratch_len > MAX_RUN_LEN {
            return Err(LoadError::new("a run would take more than 1 GiB of memory"));
        }
        Ok(plan)
    }

    /// Allocates the memory of one run.
    pub(super) fn memory(&self) -> Memory {
        let slots = self.slot_lens.iter().map(|&len| Buffer::zeros(len)).collect();
        Memory { slots, scratch: Buffer::zeros(self.scratch_len) }
    }
}

/// Groups the layers into stages. A layer joins the stage before it if it reads a large value of that stage and their
/// weights and kept rows together fit the L2 cache.
fn build_stages(layers: &[Layer], views: &[View], outputs: &[ValueId]) -> Vec<Stage> {
    let shapes: Vec<Shape> = views.iter().map(|view| view.shape).collect();
    let mut stages: Vec<Stage> = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let extended = stages.last().and_then(|stage| {
            let members = &layers[stage.layers.clone()];
            let is_large = |input: &ValueId| views[*input].len() >= MIN_STREAMED_LEN;
            let reads_member = members.iter().any(|l| layer.inputs.contains(&l.output));
            let weights: usize = members.iter().chain([layer]).map(Layer::weights_len).sum();
            if !reads_member
                || layer.is_reduction()
                || members.iter().any(Layer::is_reduction)
                || !layer.inputs.iter().any(is_large)
                || weights > MAX_WEIGHTS
            {
                return None;
            }
            streamed_stage(stage.layers.start..index + 1, layers, views, &shapes, outputs)
        });
        match (extended, stages.last_mut()) {
            (Some(extended), Some(stage)) => *stage = extended,
            _ => stages.push(Stage {
                layers: index..index + 1,
                turns: vec![vec![shapes[layer.output].height]],
            }),
        }
    }
    stages
}

/// A stage of the layers in `range` with as many rows per turn as fit [`MAX_KEPT_LEN`]; `None` if four rows do not fit.
fn streamed_stage(
    range: Range<usize>,
    layers: &[Layer],
    views: &[View],
    shapes: &[Shape],
    outputs: &[ValueId],
) -> Option<Stage> {
    [16, 8, 4].into_iter().find_map(|rows| {
        let stage =
            Stage { layers: range.clone(), turns: schedule(range.clone(), layers, shapes, rows) };
        let len =
            |(value, ring_rows): (ValueId, usize)| View { ring_rows, ..views[value].clone() }.len();
        let kept_len: usize = kept_rows(&stage, layers, shapes, outputs).map(len).sum();
        (kept_len <= MAX_KEPT_LEN).then_some(stage)
    })
}

/// The turns of a stage whose last layer writes `rows` rows per turn: see [`Stage::turns`].
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
        // From the last layer to the first: readers determine how many rows a layer must provide.
        for at in (0..range.len()).rev() {
            let layer = &layers[range.start + at];
            let total = height(layer);
            let readers = (at + 1..range.len())
                .filter(|&reader| layers[range.start + reader].reads_value(layer.output));
            let needed = readers.map(|reader| {
                let by = &layers[range.start + reader];
                by.rows_read(layer.output, done(reader)..end[reader], total).end
            });
            // A layer without readers in this stage advances in proportion to the turns.
            let proportional = (total * turn).div_ceil(turns);
            let required = if turn == turns { Some(total) } else { needed.max() };
            end[at] = required.unwrap_or(proportional).clamp(done(at), total);
        }
        ends.push(end);
    }
    ends
}

/// The number of rows to keep in memory of each value that only this stage reads.
fn kept_rows<'a>(
    stage: &'a Stage,
    layers: &'a [Layer],
    shapes: &'a [Shape],
    outputs: &'a [ValueId],
) -> impl Iterator<Item = (ValueId, usize)> + 'a {
    stage.layers.clone().filter_map(move |writer| {
        let value = layers[writer].output;
        let readers: Vec<usize> =
            (0..layers.len()).filter(|&reader| layers[reader].reads_value(value)).collect();
        let read_elsewhere = readers.iter().any(|reader| !stage.layers.contains(reader));
        if read_elsewhere || readers.is_empty() || outputs.contains(&value) {
            return None;
        }
        let height = shapes[value].height;
        let mut max_rows = 1;
        let mut before = vec![0; stage.layers.len()];
        for ends in &stage.turns {
            for &reader in &readers {
                let at = reader - stage.layers.start;
                let rows = layers[reader].rows_read(value, before[at]..ends[at], height);
                if !rows.is_empty() {
                    max_rows = max_rows.max(ends[writer - stage.layers.start] - rows.start);
                }
            }
            before.clone_from(ends);
        }
        Some((value, max_rows.min(height)))
    })
}

/// Assigns a memory slot to each value, so that values which are needed at the same time never share one. Returns the
/// slot of each value and the length of each slot.
fn assign_slots(
    layers: &[Layer],
    stages: &[Stage],
    views: &[View],
    outputs: &[ValueId],
) -> (Vec<usize>, Vec<usize>) {
    let stage_of = |layer: usize| stages.iter().position(|s| s.layers.contains(&layer));
    let mut last_use = vec![0; views.len()];
    for (index, layer) in layers.iter().enumerate() {
        for value in layer.values_read().chain([layer.output]) {
            last_use[value] = last_use[value].max(stage_of(index).unwrap_or(0));
        }
    }
    outputs.iter().for_each(|&output| last_use[output] = usize::MAX);
    let mut slots = vec![0; views.len()];
    let mut lens = vec![views[0].len()];
    // For each slot, the last stage in which it is in use.
    let mut used_until = vec![last_use[0]];
    for (at, stage) in stages.iter().enumerate() {
        for layer in &layers[stage.layers.clone()] {
            let needed = views[layer.output].len();
            let free = (0..lens.len()).filter(|&slot| used_until[slot] < at);
            // The smallest slot that is large enough; else the largest one, which then grows.
            let best = free.min_by_key(|&slot| (lens[slot] < needed, lens[slot].abs_diff(needed)));
            let slot = best.unwrap_or_else(|| {
                lens.push(0);
                used_until.push(0);
                lens.len() - 1
            });
            lens[slot] = lens[slot].max(needed);
            used_until[slot] = last_use[layer.output];
            slots[layer.output] = slot;
        }
    }
    (slots, lens)
}
