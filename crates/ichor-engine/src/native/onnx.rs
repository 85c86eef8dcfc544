//! Converts an ONNX model to a [`Graph`]. An operator or an attribute that is not supported is an error. Sizes are
//! checked before anything of that size is allocated.

mod attributes;
mod operators;
mod resize;
mod windows;

use super::LoadError;
use super::constant::Constant;
use super::graph::{Clamp, Graph, Op, Shape, Step, ValueId};
use super::messages::{GraphProto, ModelProto, NodeProto};
use crate::IoSpec;
use std::collections::HashMap;

/// Versions of the default operator set in which the supported operators have the same meaning.
const OPERATOR_SETS: std::ops::RangeInclusive<i64> = 11..=23;
/// Maximum number of elements of a value: 256 MiB.
const MAX_VALUE_LEN: usize = 1 << 26;

/// The tensor that a name in the file refers to.
#[derive(Debug, Clone)]
enum Binding<'a> {
    Constant(Constant<'a>),
    /// A value, and whether it is a vector `[1, channels]` instead of an image `[1, channels, height, width]`.
    Value(ValueId, bool),
}

/// State of the conversion: the tensors by name, and the steps so far.
struct Reader<'a> {
    names: HashMap<&'a str, Binding<'a>>,
    shapes: Vec<Shape>,
    steps: Vec<Step<'a>>,
}

/// Converts a model.
///
/// # Errors
/// [`LoadError`] if the model does not match `spec` or is not supported.
pub(super) fn read<'a>(model: &'a ModelProto, spec: &IoSpec) -> Result<Graph<'a>, LoadError> {
    let set = model.opset_import.iter().find(|o| o.domain.is_empty()).map_or(0, |o| o.version);
    if !OPERATOR_SETS.contains(&set) {
        return Err(LoadError::new("the version of the operator set is not supported"));
    }
    let graph = model.graph.as_ref().ok_or_else(|| LoadError::new("the file has no graph"))?;
    if !graph.sparse_initializer.is_empty() || !model.functions.is_empty() {
        return Err(LoadError::new("sparse constants and functions are not supported"));
    }
    let mut reader = Reader::new(graph, spec)?;
    for node in &graph.node {
        reader.node(node).map_err(|error| error.in_operator(&node.op_type))?;
    }
    reader.finish(spec)
}

impl<'a> Reader<'a> {
    fn new(graph: &'a GraphProto, spec: &IoSpec) -> Result<Self, LoadError> {
        let [_, channels, height, width] = spec.input_shape;
        let mut names = HashMap::new();
        for tensor in &graph.initializer {
            names.insert(tensor.name.as_str(), Binding::Constant(Constant::from_tensor(tensor)?));
        }
        let mut inputs = graph.input.iter().filter(|i| !names.contains_key(i.name.as_str()));
        let (Some(input), None) = (inputs.next(), inputs.next()) else {
            return Err(LoadError::new("the network does not have exactly one input"));
        };
        names.insert(&input.name, Binding::Value(0, false));
        let shape = Shape { channels, height, width };
        Ok(Self { names, shapes: vec![shape], steps: Vec::new() })
    }

    fn finish(self, spec: &IoSpec) -> Result<Graph<'a>, LoadError> {
        let [_, _, height, width] = spec.input_shape;
        let mask = Shape { channels: 1, height, width };
        let slice = spec
            .slice
            .as_ref()
            .map(|slice| (slice.name.as_str(), Shape { channels: slice.len, height: 1, width: 1 }));
        let mut outputs = Vec::new();
        for (name, shape) in std::iter::once((spec.mask.as_str(), mask)).chain(slice) {
            match self.names.get(name) {
                Some(&Binding::Value(value, _)) if value != 0 && self.shapes[value] == shape => {
                    outputs.push(value);
                }
                _ => return Err(LoadError::new("an output is missing or has another shape")),
            }
        }
        Ok(Graph { shapes: self.shapes, steps: self.steps, outputs })
    }

    /// Converts one node to a constant or a step.
    fn node(&mut self, node: &'a NodeProto) -> Result<(), LoadError> {
        let [output] = node.output.as_slice() else {
            return Err(LoadError::new("does not have exactly one output"));
        };
        if !node.domain.is_empty() {
            return Err(LoadError::new("belongs to an unsupported domain"));
        }
        let binding = self.operator(node)?;
        match self.names.insert(output, binding) {
            None => Ok(()),
            Some(_) => Err(LoadError::new("has an output name that is already used")),
        }
    }

    /// Adds a step and returns the binding of its output.
    fn push_step(
        &mut self,
        op: Op<'a>,
        inputs: Vec<ValueId>,
        clamp: Clamp,
        shape: Shape,
        vector: bool,
    ) -> Result<Binding<'a>, LoadError> {
        let Shape { channels, height, width } = shape;
        // Kernels process complete blocks of channels.
        let len = [channels.next_multiple_of(16), height, width]
            .iter()
            .try_fold(1_usize, |n, &d| n.checked_mul(d));
        if len.is_none_or(|n| n == 0 || n > MAX_VALUE_LEN) {
            return Err(LoadError::new("has an output that is empty or too large"));
        }
        let output = self.shapes.len();
        self.shapes.push(shape);
        self.steps.push(Step { op, inputs, residual: None, clamp, output });
        Ok(Binding::Value(output, vector))
    }
}
