//! The supported operators, and the conversion of those without a window. Their meaning is defined in the ONNX operator
//! reference.

use super::super::messages::DataType;
use super::super::messages::NodeProto;
use super::attributes::Attributes;
use super::{Binding, Reader};
use crate::native::LoadError;
use crate::native::constant::Constant;
use crate::native::graph::{Clamp, Op, Shape, ValueId};

/// Result of converting one operator.
pub(super) type BindingResult<'a> = Result<Binding<'a>, LoadError>;

impl<'a> Reader<'a> {
    pub(super) fn operator(&mut self, node: &'a NodeProto) -> BindingResult<'a> {
        let attributes = Attributes::new(node);
        let binding = match node.op_type.as_str() {
            "Constant" => constant(node, &attributes),
            "Cast" => self.cast(node, &attributes),
            "Conv" => self.convolution(node, &attributes),
            "ConvTranspose" => self.conv_transpose(node, &attributes),
            "Gemm" => self.gemm(node, &attributes),
            "Relu" => self.activation(node, Clamp { low: 0.0, ..Clamp::NONE }),
            "Clip" => {
                let low = self.limit(node, 1, Clamp::NONE.low)?;
                let high = self.limit(node, 2, Clamp::NONE.high)?;
                self.activation(node, Clamp { low, high })
            }
            "Add" => self.add(node),
            "Mul" => self.mul(node),
            "Concat" => self.concat(node, &attributes),
            "MaxPool" | "AveragePool" => self.pool(node, &attributes),
            "ReduceMean" | "ReduceMax" => self.reduce(node, &attributes),
            "Resize" => self.resize(node, &attributes),
            _ => Err(LoadError::new("is not supported")),
        }?;
        attributes.finish()?;
        Ok(binding)
    }

    /// The binding of an input; `None` if an optional input is absent.
    fn lookup(&self, node: &NodeProto, index: usize) -> Result<Option<&Binding<'a>>, LoadError> {
        match node.input.get(index).map(String::as_str) {
            None | Some("") => Ok(None),
            Some(name) => self
                .names
                .get(name)
                .map(Some)
                .ok_or_else(|| LoadError::new("reads an undefined tensor")),
        }
    }

    /// An input that is computed: its value, shape, and whether it is a vector.
    pub(super) fn value(
        &self,
        node: &NodeProto,
        index: usize,
    ) -> Result<(ValueId, Shape, bool), LoadError> {
        match self.lookup(node, index)? {
            Some(&Binding::Value(value, vector)) => Ok((value, self.shapes[value], vector)),
            _ => Err(LoadError::new("has a constant input where only a computed one is supported")),
        }
    }

    /// An input that is a computed image, not a vector.
    pub(super) fn image(
        &self,
        node: &NodeProto,
        index: usize,
    ) -> Result<(ValueId, Shape), LoadError> {
        match self.value(node, index)? {
            (value, shape, false) => Ok((value, shape)),
            _ => Err(LoadError::new("has a vector input where only an image is supported")),
        }
    }

    /// An optional input that is a constant.
    pub(super) fn constant(
        &self,
        node: &NodeProto,
        index: usize,
    ) -> Result<Option<Constant<'a>>, LoadError> {
        match self.lookup(node, index)? {
            None => Ok(None),
            Some(Binding::Constant(constant)) => Ok(Some(constant.clone())),
            Some(Binding::Value(..)) => {
                Err(LoadError::new("has a computed input where only a constant is supported"))
            }
        }
    }

    /// A required input that is a constant.
    pub(super) fn required_constant(
        &self,
        node: &NodeProto,
        index: usize,
    ) -> Result<Constant<'a>, LoadError> {
        self.constant(node, index)?.ok_or_else(|| LoadError::new("lacks a required input"))
    }

    /// An optional bias of `channels` elements; zeros if it is absent.
    pub(super) fn bias(
        &self,
        node: &NodeProto,
        index: usize,
        channels: usize,
    ) -> Result<Constant<'a>, LoadError> {
        let bias = self.constant(node, index)?.unwrap_or_else(|| Constant::zeros(channels));
        if bias.len() == channels && bias.dims().last() == Some(&channels) {
            Ok(bias.reshaped(&[channels]))
        } else {
            Err(LoadError::new("has a bias of the wrong size"))
        }
    }

    fn cast(&self, node: &NodeProto, attributes: &Attributes<'_>) -> BindingResult<'a> {
        attributes.ignore(&["saturate"]);
        // `Constant::floats` returns `f32` for all element types.
        if attributes.integer("to", 0) == DataType::Float as i64 {
            Ok(Binding::Constant(self.required_constant(node, 0)?))
        } else {
            Err(LoadError::new("has an unsupported target type"))
        }
    }

    fn activation(&mut self, node: &NodeProto, clamp: Clamp) -> BindingResult<'a> {
        let (input, shape, vector) = self.value(node, 0)?;
        if clamp.low > clamp.high {
            return Err(LoadError::new("has a minimum above its maximum"));
        }
        self.push_step(Op::Sum, vec![input], clamp, shape, vector)
    }

    /// A bound of `Clip`.
    fn limit(&self, node: &NodeProto, index: usize, default: f32) -> Result<f32, LoadError> {
        match self.constant(node, index)? {
            None => Ok(default),
            Some(limit) if limit.len() == 1 => Ok(limit.floats()?[0]),
            Some(_) => Err(LoadError::new("has a bound that is not a scalar")),
        }
    }

    fn add(&mut self, node: &NodeProto) -> BindingResult<'a> {
        let (first, shape, vector) = self.value(node, 0)?;
        let (second, same, same_vector) = self.value(node, 1)?;
        if (shape, vector) != (same, same_vector) {
            return Err(LoadError::new("has inputs of different shapes"));
        }
        self.push_step(Op::Sum, vec![first, second], Clamp::NONE, shape, vector)
    }

    fn concat(&mut self, node: &NodeProto, attributes: &Attributes<'_>) -> BindingResult<'a> {
        let mut inputs = Vec::new();
        let (_, mut joined, vector) = self.value(node, 0)?;
        joined.channels = 0;
        for index in 0..node.input.len() {
            let (input, shape, same_vector) = self.value(node, index)?;
            if (shape.height, shape.width, vector) != (joined.height, joined.width, same_vector) {
                return Err(LoadError::new("has inputs of different sizes"));
            }
            joined.channels += shape.channels;
            inputs.push(input);
        }
        let rank = if vector { 2 } else { 4 };
        match attributes.integer("axis", 0) {
            axis if axis == 1 || axis == 1 - rank => {
                self.push_step(Op::Concat, inputs, Clamp::NONE, joined, vector)
            }
            _ => Err(LoadError::new("has an axis other than the channels")),
        }
    }

    fn reduce(&mut self, node: &NodeProto, attributes: &Attributes<'_>) -> BindingResult<'a> {
        let (input, shape) = self.image(node, 0)?;
        let mut axes = match (attributes.integers("axes"), self.constant(node, 1)?) {
            (Some(axes), None) => axes.to_vec(),
            (None, Some(axes)) => axes.integers()?,
            _ => return Err(LoadError::new("has no axes")),
        };
        axes.iter_mut().for_each(|axis| *axis = axis.rem_euclid(4));
        axes.sort_unstable();
        if axes != [2, 3] || attributes.integer("noop_with_empty_axes", 0) != 0 {
            return Err(LoadError::new("is supported over rows and columns only"));
        }
        let vector = attributes.integer("keepdims", 1) == 0;
        let op = if node.op_type == "ReduceMax" { Op::Max } else { Op::Mean };
        let shape = Shape { height: 1, width: 1, ..shape };
        self.push_step(op, vec![input], Clamp::NONE, shape, vector)
    }
}

/// Converts a `Constant` node.
fn constant<'a>(node: &'a NodeProto, attributes: &Attributes<'a>) -> BindingResult<'a> {
    attributes.ignore(&["value"]);
    let value = node.attribute.iter().find(|a| a.name == "value").and_then(|a| a.t.as_ref());
    Ok(Binding::Constant(Constant::from_tensor(
        value.ok_or_else(|| LoadError::new("has no tensor"))?,
    )?))
}
