//! The native engine: runs networks on the CPU with kernels for AVX-512, AVX2, NEON and portable code.
//!
//! `onnx` parses the file into a graph, `fuse` merges its operators, `layer` packs the weights, `plan` assigns order
//! and memory, `kernels` computes. All values keep their channels in blocks of 16 from the first layer to the last. A
//! network with an unsupported operator gives a [`LoadError`], so that the caller can use another engine.

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
use kernels::MAX_SOURCES;
use layer::Layer;
use messages::ModelProto;
use plan::{Memory, Plan};
use prost::Message;
use std::sync::{Mutex, PoisonError};
use view::{Source, Target};

/// The reason why the native engine does not load a network: the file is damaged, or it has an operator, or a form of
/// an operator, that is not supported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LoadError(String);

impl LoadError {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// Adds the name of the operator to the message.
    fn in_operator(self, operator: &str) -> Self {
        Self(format!("operator {operator}: {}", self.0))
    }
}

/// Maximum number of [`Memory`] values kept for reuse: at least as many as concurrent runs on a large machine.
const MAX_IDLE: usize = 64;

/// A network with its weights packed for one [`Level`].
#[derive(Debug)]
pub struct NativeEngine {
    level: Level,
    layers: Vec<Layer>,
    plan: Plan,
    outputs: Vec<ValueId>,
    /// Memory of completed runs, reused by later ones.
    idle: Mutex<Vec<Memory>>,
}

impl NativeEngine {
    /// Loads the ONNX file `onnx`. `on_stage` is called when a stage is complete.
    ///
    /// # Errors
    /// [`LoadError`] if the file is damaged, does not match `spec`, or has an operator that is not supported.
    pub fn load(
        spec: &IoSpec,
        onnx: &[u8],
        level: Level,
        on_stage: &dyn Fn(LoadStage),
    ) -> Result<Self, LoadError> {
        let model = ModelProto::decode(onnx)
            .map_err(|_| LoadError::new("the file is not an ONNX model"))?;
        on_stage(LoadStage::Read);
        let mut graph = onnx::read(&model, spec)?;
        fuse::fuse(&mut graph);
        let pack = |step| Layer::pack(step, &graph.shapes, level);
        let layers: Vec<Layer> =
            graph.steps.into_iter().map(pack).collect::<Result<_, LoadError>>()?;
        let plan = Plan::new(&layers, &graph.shapes, &graph.outputs)?;
        let idle = Mutex::default();
        on_stage(LoadStage::Planned);
        Ok(Self { level, layers, plan, outputs: graph.outputs, idle })
    }

    /// Runs the network on one NCHW tensor. Returns `None` if its length does not match the input shape.
    pub(super) fn run(&self, tensor: &[f32]) -> Option<Logits> {
        let shape = self.plan.views[0].shape;
        if tensor.len() != shape.channels * shape.height * shape.width {
            return None;
        }
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = idle().pop().unwrap_or_else(|| self.plan.memory());
        let input = self.plan.slots[0];
        self.plan.views[0].write_planes(tensor, memory.slots[input].as_mut_slice());
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
        let mut outputs = self.outputs.iter().map(|&output| {
            self.plan.views[output].to_planes(memory.slots[self.plan.slots[output]].as_slice())
        });
        let logits = Logits { mask: outputs.next()?, slice: outputs.next().unwrap_or_default() };
        let mut idle = idle();
        if idle.len() < MAX_IDLE {
            idle.push(memory);
        }
        Some(logits)
    }

    fn run_layer(&self, layer: &Layer, rows: std::ops::Range<usize>, memory: &mut Memory) {
        let slot = self.plan.slots[layer.output];
        // Moved out, because the other slots are borrowed below; the plan never puts an input into the output's slot.
        let mut target = std::mem::take(&mut memory.slots[slot]);
        let source = |value: ValueId| Source {
            data: memory.slots[self.plan.slots[value]].as_slice(),
            view: &self.plan.views[value],
        };
        let mut sources = [source(layer.inputs[0]); MAX_SOURCES];
        for (slot, &input) in sources.iter_mut().zip(&layer.inputs) {
            *slot = source(input);
        }
        let view = &self.plan.views[layer.output];
        let mut out = Target { data: target.as_mut_slice(), view, rows };
        let residual = layer.residual.map(source);
        let scratch = memory.scratch.as_mut_slice();
        layer.run(self.level, &sources[..layer.inputs.len()], residual, scratch, &mut out);
        memory.slots[slot] = target;
    }
}
