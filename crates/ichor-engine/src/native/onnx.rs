//! ONNX to a [`Graph`]: the operators known here, each with every attribute that it carries, or a
//! refusal. Sizes are checked before anything of that size is made.

mod attributes;
mod operators;
mod resize;
mod windows;

use super::Refusal;
use super::constant::Constant;
use super::graph::{Clamp, Graph, Op, Shape, Step, ValueId};
use super::messages::{GraphProto, ModelProto, NodeProto};
use crate::IoSpec;
use std::collections::HashMap;

/// Operator sets whose meaning of the known operators is the same.
const OPERATOR_SETS: std::ops::RangeInclusive<i64> = 11..=23;
/// Numbers of one value, at most: 256 MiB.
const LARGEST_VALUE: usize = 1 << 26;

/// What a name stands for.
#[derive(Debug, Clone)]
enum Known<'a> {
    Constant(Constant<'a>),
    /// A value and whether it is `[1, channels]` rather than `[1, channels, height, width]`.
    Value(ValueId, bool),
}

struct Reader<'a> {
    names: HashMap<&'a str, Known<'a>>,
    shapes: Vec<Shape>,
    steps: Vec<Step<'a>>,
}

/// Reads the network of `spec`.
pub(super) fn read<'a>(model: &'a ModelProto, spec: &IoSpec) -> Result<Graph<'a>, Refusal> {
    let set = model.opset_import.iter().find(|o| o.domain.is_empty()).map_or(0, |o| o.version);
    if !OPERATOR_SETS.contains(&set) {
        return Err(Refusal::new("the operator set is not known"));
    }
    let graph = model.graph.as_ref().ok_or_else(|| Refusal::new("there is no graph"))?;
    if !graph.sparse_initializer.is_empty() || !model.functions.is_empty() {
        return Err(Refusal::new("sparse constants and functions are not known"));
    }
    let mut reader = Reader::start(graph, spec)?;
    for node in &graph.node {
        reader.node(node).map_err(|refusal| refusal.at(&node.op_type))?;
    }
    reader.finish(spec)
}

impl<'a> Reader<'a> {
    fn start(graph: &'a GraphProto, spec: &IoSpec) -> Result<Self, Refusal> {
        let [_, channels, height, width] = spec.input_shape;
        let mut names = HashMap::new();
        for tensor in &graph.initializer {
            names.insert(tensor.name.as_str(), Known::Constant(Constant::of(tensor)?));
        }
        let mut inputs = graph.input.iter().filter(|i| !names.contains_key(i.name.as_str()));
        let (Some(input), None) = (inputs.next(), inputs.next()) else {
            return Err(Refusal::new("there is not one input"));
        };
        names.insert(&input.name, Known::Value(0, false));
        let shape = Shape { channels, height, width };
        Ok(Self { names, shapes: vec![shape], steps: Vec::new() })
    }

    fn finish(self, spec: &IoSpec) -> Result<Graph<'a>, Refusal> {
        let [_, _, height, width] = spec.input_shape;
        let mask = Shape { channels: 1, height, width };
        let slice = spec
            .slice
            .as_ref()
            .map(|slice| (slice.name.as_str(), Shape { channels: slice.len, height: 1, width: 1 }));
        let mut outputs = Vec::new();
        for (name, shape) in std::iter::once((spec.mask.as_str(), mask)).chain(slice) {
            match self.names.get(name) {
                Some(&Known::Value(value, _)) if value != 0 && self.shapes[value] == shape => {
                    outputs.push(value);
                }
                _ => return Err(Refusal::new("an output is missing or of another shape")),
            }
        }
        Ok(Graph { shapes: self.shapes, steps: self.steps, outputs })
    }

    /// Reads one node; constants stay constants, everything else becomes a step.
    fn node(&mut self, node: &'a NodeProto) -> Result<(), Refusal> {
        let [output] = node.output.as_slice() else {
            return Err(Refusal::new("has not one output"));
        };
        if !node.domain.is_empty() {
            return Err(Refusal::new("is of a domain that is not known"));
        }
        let known = self.operator(node)?;
        match self.names.insert(output, known) {
            None => Ok(()),
            Some(_) => Err(Refusal::new("names its output as another")),
        }
    }

    /// Adds a step and gives the name of what it makes.
    fn step(
        &mut self,
        op: Op<'a>,
        inputs: Vec<ValueId>,
        clamp: Clamp,
        shape: Shape,
        vector: bool,
    ) -> Result<Known<'a>, Refusal> {
        let Shape { channels, height, width } = shape;
        // Kernels work on whole blocks of channels.
        let size = [channels.next_multiple_of(16), height, width]
            .iter()
            .try_fold(1_usize, |n, &d| n.checked_mul(d));
        if size.is_none_or(|n| n == 0 || n > LARGEST_VALUE) {
            return Err(Refusal::new("makes a value that is empty or too large"));
        }
        let output = self.shapes.len();
        self.shapes.push(shape);
        self.steps.push(Step { op, inputs, residual: None, clamp, output });
        Ok(Known::Value(output, vector))
    }
}
