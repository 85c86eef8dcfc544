//! The CPU engine for networks of the operators that the shipped models have: kernels of its own, which
//! keep channels in blocks as wide as a vector from the first layer to the last.
//!
//! `onnx` reads, `fuse` and `layer` make the steps few and ready, `plan` settles order and memory,
//! `kernels` computes. A network that is not known here is refused, for another engine to take.

mod constant;
mod fuse;
mod graph;
mod kernels;
mod layer;
mod messages;
mod onnx;
mod plan;
#[cfg(test)]
mod tests;
mod view;

pub use kernels::Level;

use super::{LoadStage, Logits};
use crate::IoSpec;
use graph::ValueId;
use kernels::MOST_PARTS;
use layer::Layer;
use messages::ModelProto;
use plan::{Memory, Plan};
use prost::Message;
use std::sync::{Mutex, PoisonError};
use view::{Source, Target};

/// Why a network is not taken by this engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(String);

impl Refusal {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// Names the operator.
    fn at(self, operator: &str) -> Self {
        Self(format!("operator {operator}: {}", self.0))
    }
}

/// Memories that are kept for later runs: as many as runs go on at once on a large machine.
const MOST_IDLE: usize = 64;

/// A network ready to run at one level.
#[derive(Debug)]
pub struct NativeEngine {
    level: Level,
    layers: Vec<Layer>,
    plan: Plan,
    outputs: Vec<ValueId>,
    /// Memory of runs that are over, for the next ones.
    idle: Mutex<Vec<Memory>>,
}

impl NativeEngine {
    /// Reads the network `onnx` of `spec`; `on_stage` is called at the end of each stage.
    ///
    /// # Errors
    /// [`Refusal`] if it is damaged, or anything in it is not known.
    pub fn load(
        spec: &IoSpec,
        onnx: &[u8],
        level: Level,
        on_stage: &dyn Fn(LoadStage),
    ) -> Result<Self, Refusal> {
        let model =
            ModelProto::decode(onnx).map_err(|_| Refusal::new("the network cannot be read"))?;
        on_stage(LoadStage::Read);
        let mut graph = onnx::read(&model, spec)?;
        fuse::fuse(&mut graph);
        let pack = |step| Layer::pack(step, &graph.shapes, level);
        let layers: Vec<Layer> =
            graph.steps.into_iter().map(pack).collect::<Result<_, Refusal>>()?;
        let plan = Plan::of(&layers, &graph.shapes, &graph.outputs)?;
        let idle = Mutex::default();
        on_stage(LoadStage::Planned);
        Ok(Self { level, layers, plan, outputs: graph.outputs, idle })
    }

    /// Runs the network on one NCHW tensor; `None` if it is not of the network's size.
    pub(super) fn run(&self, tensor: &[f32]) -> Option<Logits> {
        let shape = self.plan.views[0].shape;
        if tensor.len() != shape.channels * shape.height * shape.width {
            return None;
        }
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = idle().pop().unwrap_or_else(|| self.plan.memory());
        let input = self.plan.slots[0];
        self.plan.views[0].put_planes(tensor, memory.slots[input].numbers_mut());
        for stage in &self.plan.stages {
            for turn in 0..stage.turns.len() {
                for (at, index) in stage.layers.clone().enumerate() {
                    let start = if turn == 0 { 0 } else { stage.turns[turn - 1][at] };
                    let rows = start..stage.turns[turn][at];
                    if !rows.is_empty() {
                        self.run_layer(&self.layers[index], rows, &mut memory);
                    }
                }
            }
        }
        let mut answers = self.outputs.iter().map(|&output| {
            self.plan.views[output].planes(memory.slots[self.plan.slots[output]].numbers())
        });
        let logits = Logits { mask: answers.next()?, slice: answers.next().unwrap_or_default() };
        let mut idle = idle();
        if idle.len() < MOST_IDLE {
            idle.push(memory);
        }
        Some(logits)
    }

    fn run_layer(&self, layer: &Layer, rows: std::ops::Range<usize>, memory: &mut Memory) {
        let slot = self.plan.slots[layer.output];
        // Taken out, as the others are read meanwhile; no input lies in the same memory.
        let mut target = std::mem::take(&mut memory.slots[slot]);
        let source = |value: ValueId| Source {
            data: memory.slots[self.plan.slots[value]].numbers(),
            view: &self.plan.views[value],
        };
        let mut sources = [source(layer.inputs[0]); MOST_PARTS];
        for (place, &input) in sources.iter_mut().zip(&layer.inputs) {
            *place = source(input);
        }
        let view = &self.plan.views[layer.output];
        let mut out = Target { data: target.numbers_mut(), view, rows };
        let residual = layer.residual.map(source);
        let scratch = memory.scratch.numbers_mut();
        layer.run(self.level, &sources[..layer.inputs.len()], residual, scratch, &mut out);
        memory.slots[slot] = target;
    }
}
