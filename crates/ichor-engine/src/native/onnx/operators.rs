//! The operators by name, and those that need no window; their meaning is in the ONNX operator reference.

use super::super::messages::DataType;
use super::super::messages::NodeProto;
use super::attributes::Attributes;
use super::{Known, Reader};
use crate::native::Refusal;
use crate::native::constant::Constant;
use crate::native::graph::{Clamp, Op, Shape, ValueId};

pub(super) type Read<'a> = Result<Known<'a>, Refusal>;

impl<'a> Reader<'a> {
    pub(super) fn operator(&mut self, node: &'a NodeProto) -> Read<'a> {
        let attributes = Attributes::of(node);
        let known = match node.op_type.as_str() {
            "Constant" => constant(node, &attributes),
            "Cast" => self.cast(node, &attributes),
            "Conv" => self.convolution(node, &attributes),
            "ConvTranspose" => self.enlarge(node, &attributes),
            "Gemm" => self.matrix(node, &attributes),
            "Relu" => self.activation(node, Clamp { low: 0.0, ..Clamp::NONE }),
            "Clip" => {
                let low = self.limit(node, 1, Clamp::NONE.low)?;
                let high = self.limit(node, 2, Clamp::NONE.high)?;
                self.activation(node, Clamp { low, high })
            }
            "Add" => self.add(node),
            "Mul" => self.scale(node),
            "Concat" => self.concat(node, &attributes),
            "MaxPool" | "AveragePool" => self.pool(node, &attributes),
            "ReduceMean" | "ReduceMax" => self.reduce(node, &attributes),
            "Resize" => self.resize(node, &attributes),
            _ => Err(Refusal::new("is not known")),
        }?;
        attributes.finish()?;
        Ok(known)
    }

    fn known(&self, node: &NodeProto, index: usize) -> Result<Option<&Known<'a>>, Refusal> {
        match node.input.get(index).map(String::as_str) {
            None | Some("") => Ok(None),
            Some(name) => self
                .names
                .get(name)
                .map(Some)
                .ok_or_else(|| Refusal::new("reads what nobody makes")),
        }
    }

    pub(super) fn value(
        &self,
        node: &NodeProto,
        index: usize,
    ) -> Result<(ValueId, Shape, bool), Refusal> {
        match self.known(node, index)? {
            Some(&Known::Value(value, vector)) => Ok((value, self.shapes[value], vector)),
            _ => Err(Refusal::new("reads a constant where a value is known to work")),
        }
    }

    /// An image, not a vector.
    pub(super) fn image(
        &self,
        node: &NodeProto,
        index: usize,
    ) -> Result<(ValueId, Shape), Refusal> {
        match self.value(node, index)? {
            (value, shape, false) => Ok((value, shape)),
            _ => Err(Refusal::new("reads a vector where an image is known to work")),
        }
    }

    pub(super) fn constant(
        &self,
        node: &NodeProto,
        index: usize,
    ) -> Result<Option<Constant<'a>>, Refusal> {
        match self.known(node, index)? {
            None => Ok(None),
            Some(Known::Constant(constant)) => Ok(Some(constant.clone())),
            Some(Known::Value(..)) => {
                Err(Refusal::new("reads a value where a constant is known to work"))
            }
        }
    }

    pub(super) fn needed(&self, node: &NodeProto, index: usize) -> Result<Constant<'a>, Refusal> {
        self.constant(node, index)?.ok_or_else(|| Refusal::new("lacks an input"))
    }

    /// A bias of `channels` numbers.
    pub(super) fn bias(
        &self,
        node: &NodeProto,
        index: usize,
        channels: usize,
    ) -> Result<Constant<'a>, Refusal> {
        let bias = self.constant(node, index)?.unwrap_or_else(|| Constant::zeros(channels));
        if bias.len() == channels && bias.dims().last() == Some(&channels) {
            Ok(bias.reshaped(&[channels]))
        } else {
            Err(Refusal::new("has a bias of another size"))
        }
    }

    fn cast(&self, node: &NodeProto, attributes: &Attributes<'_>) -> Read<'a> {
        attributes.ignore(&["saturate"]);
        // Constants are read as 32-bit numbers wherever they are used.
        if attributes.integer("to", 0) == DataType::Float as i64 {
            Ok(Known::Constant(self.needed(node, 0)?))
        } else {
            Err(Refusal::new("to a type that is not known"))
        }
    }

    fn activation(&mut self, node: &NodeProto, clamp: Clamp) -> Read<'a> {
        let (input, shape, vector) = self.value(node, 0)?;
        if clamp.low > clamp.high {
            return Err(Refusal::new("has limits that cross"));
        }
        self.step(Op::Sum, vec![input], clamp, shape, vector)
    }

    fn limit(&self, node: &NodeProto, index: usize, default: f32) -> Result<f32, Refusal> {
        match self.constant(node, index)? {
            None => Ok(default),
            Some(limit) if limit.len() == 1 => Ok(limit.floats()?[0]),
            Some(_) => Err(Refusal::new("has a limit that is not one number")),
        }
    }

    fn add(&mut self, node: &NodeProto) -> Read<'a> {
        let (first, shape, vector) = self.value(node, 0)?;
        let (second, same, same_vector) = self.value(node, 1)?;
        if (shape, vector) != (same, same_vector) {
            return Err(Refusal::new("adds values of two shapes"));
        }
        self.step(Op::Sum, vec![first, second], Clamp::NONE, shape, vector)
    }

    fn concat(&mut self, node: &NodeProto, attributes: &Attributes<'_>) -> Read<'a> {
        let mut inputs = Vec::new();
        let (_, mut whole, vector) = self.value(node, 0)?;
        whole.channels = 0;
        for index in 0..node.input.len() {
            let (input, shape, same_vector) = self.value(node, index)?;
            if (shape.height, shape.width, vector) != (whole.height, whole.width, same_vector) {
                return Err(Refusal::new("joins values of two sizes"));
            }
            whole.channels += shape.channels;
            inputs.push(input);
        }
        let rank = if vector { 2 } else { 4 };
        match attributes.integer("axis", 0) {
            axis if axis == 1 || axis == 1 - rank => {
                self.step(Op::Concat, inputs, Clamp::NONE, whole, vector)
            }
            _ => Err(Refusal::new("joins along an axis that is not known")),
        }
    }

    fn reduce(&mut self, node: &NodeProto, attributes: &Attributes<'_>) -> Read<'a> {
        let (input, shape) = self.image(node, 0)?;
        let mut axes = match (attributes.integers("axes"), self.constant(node, 1)?) {
            (Some(axes), None) => axes.to_vec(),
            (None, Some(axes)) => axes.integers()?,
            _ => return Err(Refusal::new("names no axes")),
        };
        axes.iter_mut().for_each(|axis| *axis = axis.rem_euclid(4));
        axes.sort_unstable();
        if axes != [2, 3] || attributes.integer("noop_with_empty_axes", 0) != 0 {
            return Err(Refusal::new("is known over rows and columns alone"));
        }
        let vector = attributes.integer("keepdims", 1) == 0;
        let op = if node.op_type == "ReduceMax" { Op::Max } else { Op::Mean };
        let shape = Shape { height: 1, width: 1, ..shape };
        self.step(op, vec![input], Clamp::NONE, shape, vector)
    }
}

/// A node that holds a constant.
fn constant<'a>(node: &'a NodeProto, attributes: &Attributes<'a>) -> Read<'a> {
    attributes.ignore(&["value"]);
    let value = node.attribute.iter().find(|a| a.name == "value").and_then(|a| a.t.as_ref());
    Ok(Known::Constant(Constant::of(value.ok_or_else(|| Refusal::new("holds no tensor"))?)?))
}
