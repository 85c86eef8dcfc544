//! The operators, one function each; their meaning is in the ONNX operator reference.

use super::attributes::Attributes;
use super::{Known, Reader};
use crate::engine::blocked::Refusal;
use crate::engine::blocked::constant::Constant;
use crate::engine::blocked::graph::{Between, Clamp, Op, Shape, ValueId, Window};
use tract_onnx::pb::NodeProto;
use tract_onnx::pb::tensor_proto::DataType;

/// Rows or columns that an image may be resized to.
const LONGEST_SIDE: usize = 1 << 14;

type Read<'a> = Result<Known<'a>, Refusal>;

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

    fn value(&self, node: &NodeProto, index: usize) -> Result<(ValueId, Shape, bool), Refusal> {
        match self.known(node, index)? {
            Some(&Known::Value(value, vector)) => Ok((value, self.shapes[value], vector)),
            _ => Err(Refusal::new("reads a constant where a value is known to work")),
        }
    }

    /// An image, not a vector.
    fn image(&self, node: &NodeProto, index: usize) -> Result<(ValueId, Shape), Refusal> {
        match self.value(node, index)? {
            (value, shape, false) => Ok((value, shape)),
            _ => Err(Refusal::new("reads a vector where an image is known to work")),
        }
    }

    fn constant(&self, node: &NodeProto, index: usize) -> Result<Option<Constant<'a>>, Refusal> {
        match self.known(node, index)? {
            None => Ok(None),
            Some(Known::Constant(constant)) => Ok(Some(constant.clone())),
            Some(Known::Value(..)) => {
                Err(Refusal::new("reads a value where a constant is known to work"))
            }
        }
    }

    fn needed(&self, node: &NodeProto, index: usize) -> Result<Constant<'a>, Refusal> {
        self.constant(node, index)?.ok_or_else(|| Refusal::new("lacks an input"))
    }

    /// A bias of `channels` numbers.
    fn bias(
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

    fn convolution(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Read<'a> {
        let (input, shape) = self.image(node, 0)?;
        let weights = self.needed(node, 1)?;
        let &[out, each, rows, columns] = weights.dims() else {
            return Err(Refusal::new("is not two-dimensional"));
        };
        let (window, size) = window(attributes, shape, [rows, columns])?;
        let bias = self.bias(node, 2, out)?;
        let group = attributes.integer("group", 1);
        let shape_out = Shape { channels: out, height: size[0], width: size[1] };
        let op = if group == 1 && each == shape.channels {
            Op::Convolution { weights, bias, window }
        } else if each == 1 && out == shape.channels && usize::try_from(group) == Ok(out) {
            Op::Depthwise { weights, bias, window }
        } else {
            return Err(Refusal::new("has groups that are not known"));
        };
        self.step(op, vec![input], Clamp::NONE, shape_out, false)
    }

    fn enlarge(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Read<'a> {
        let (input, shape) = self.image(node, 0)?;
        let weights = self.needed(node, 1)?;
        let two = [2, 2];
        let &[channels_in, channels, 2, 2] = weights.dims() else {
            return Err(Refusal::new("is known with kernels of 2x2 alone"));
        };
        let plain = attributes.pair("kernel_shape", two)? == two
            && attributes.pair("strides", [1, 1])? == two
            && attributes.pair("dilations", [1, 1])? == [1, 1]
            && attributes.integer("group", 1) == 1
            && attributes.text("auto_pad", "NOTSET") == "NOTSET"
            && [attributes.integers("pads"), attributes.integers("output_padding")]
                .iter()
                .all(|pads| pads.is_none_or(|p| p.iter().all(|&n| n == 0)));
        if !plain || channels_in != shape.channels {
            return Err(Refusal::new("is not known in this form"));
        }
        let bias = self.bias(node, 2, channels)?;
        let shape = Shape { channels, height: 2 * shape.height, width: 2 * shape.width };
        self.step(Op::Enlarge { weights, bias }, vec![input], Clamp::NONE, shape, false)
    }

    /// `Gemm` on a vector: a convolution of one pixel.
    fn matrix(&mut self, node: &'a NodeProto, attributes: &Attributes<'_>) -> Read<'a> {
        let (input, shape, vector) = self.value(node, 0)?;
        let weights = self.needed(node, 1)?;
        let plain = attributes.float("alpha", 1.0) == 1.0
            && attributes.float("beta", 1.0) == 1.0
            && attributes.integer("transA", 0) == 0
            && attributes.integer("transB", 0) == 1;
        let &[out, channels] = weights.dims() else {
            return Err(Refusal::new("has no matrix"));
        };
        if !plain || !vector || channels != shape.channels {
            return Err(Refusal::new("is not known in this form"));
        }
        let bias = self.bias(node, 2, out)?;
        self.point(weights, bias, input, [out, channels], shape, true)
    }

    /// A convolution of single pixels.
    fn point(
        &mut self,
        weights: Constant<'a>,
        bias: Constant<'a>,
        input: ValueId,
        [out, channels]: [usize; 2],
        shape: Shape,
        vector: bool,
    ) -> Read<'a> {
        let weights = weights.reshaped(&[out, channels, 1, 1]);
        let op = Op::Convolution { weights, bias, window: Window::POINT };
        self.step(op, vec![input], Clamp::NONE, Shape { channels: out, ..shape }, vector)
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

    /// `Mul` of a single number by a constant vector: a convolution of one pixel.
    fn scale(&mut self, node: &'a NodeProto) -> Read<'a> {
        let (input, shape, vector) = self.value(node, 0)?;
        let factors = self.needed(node, 1)?;
        let &[1, out] = factors.dims() else {
            return Err(Refusal::new("is not known in this form"));
        };
        if !vector || shape.channels != 1 {
            return Err(Refusal::new("is not known in this form"));
        }
        self.point(factors, Constant::zeros(out), input, [out, 1], shape, true)
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

    fn pool(&mut self, node: &NodeProto, attributes: &Attributes<'_>) -> Read<'a> {
        let (input, shape) = self.image(node, 0)?;
        // Both matter at borders alone, and those are refused.
        attributes.ignore(&["count_include_pad", "storage_order"]);
        let kernel = attributes.pair("kernel_shape", [0, 0])?;
        if kernel[0] == 0 {
            return Err(Refusal::new("has no kernel"));
        }
        let (window, size) = window(attributes, shape, kernel)?;
        let inside = |axis: usize, length: usize| {
            (size[axis] - 1) * window.stride[axis] + (kernel[axis] - 1) * window.dilation[axis]
                < length
        };
        let padded = window.pad != [0, 0] || !inside(0, shape.height) || !inside(1, shape.width);
        if padded || attributes.integer("ceil_mode", 0) != 0 {
            return Err(Refusal::new("reaches over the border"));
        }
        let op =
            if node.op_type == "MaxPool" { Op::MaxPool(window) } else { Op::AveragePool(window) };
        let shape = Shape { height: size[0], width: size[1], ..shape };
        self.step(op, vec![input], Clamp::NONE, shape, false)
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

    fn resize(&mut self, node: &NodeProto, attributes: &Attributes<'_>) -> Read<'a> {
        let (input, shape) = self.image(node, 0)?;
        // Of cubic interpolation and of cropping, neither of which is known here.
        attributes.ignore(&["cubic_coeff_a", "extrapolation_value"]);
        let mode = attributes.text("mode", "nearest");
        let place = attributes.text("coordinate_transformation_mode", "half_pixel");
        let nearest = attributes.text("nearest_mode", "round_prefer_floor");
        let linear = match (mode, place, nearest) {
            ("linear", "half_pixel", _) => true,
            ("nearest", "asymmetric", "floor") => false,
            _ => return Err(Refusal::new("is not known in this mode")),
        };
        if attributes.integer("antialias", 0) != 0 || attributes.integer("exclude_outside", 0) != 0
        {
            return Err(Refusal::new("is not known in this mode"));
        }
        let sizes = [shape.height, shape.width];
        let (wanted, scales) = match (self.constant(node, 2)?, self.constant(node, 3)?) {
            (Some(scales), None) => by_scale(&scales.floats()?, sizes)?,
            (None, Some(wanted)) => by_size(&wanted.integers()?, shape)?,
            _ => return Err(Refusal::new("names no size")),
        };
        if wanted.iter().any(|&n| n == 0 || n > LONGEST_SIDE) {
            return Err(Refusal::new("makes an image that is empty or too large"));
        }
        let line = |axis: usize| between(linear, sizes[axis], wanted[axis], scales[axis]);
        let op = Op::Resize { rows: line(0), columns: line(1) };
        let shape = Shape { height: wanted[0], width: wanted[1], ..shape };
        self.step(op, vec![input], Clamp::NONE, shape, false)
    }
}

/// A node that holds a constant.
fn constant<'a>(node: &'a NodeProto, attributes: &Attributes<'a>) -> Read<'a> {
    attributes.ignore(&["value"]);
    let value = node.attribute.iter().find(|a| a.name == "value").and_then(|a| a.t.as_ref());
    Ok(Known::Constant(Constant::of(value.ok_or_else(|| Refusal::new("holds no tensor"))?)?))
}

/// The window that the attributes describe and the rows and columns that come out of it.
fn window(
    attributes: &Attributes<'_>,
    shape: Shape,
    kernel: [usize; 2],
) -> Result<(Window, [usize; 2]), Refusal> {
    let stride = attributes.pair("strides", [1, 1])?;
    let dilation = attributes.pair("dilations", [1, 1])?;
    let pads = attributes.integers("pads").unwrap_or(&[0; 4]);
    if attributes.pair("kernel_shape", kernel)? != kernel || kernel.contains(&0) {
        return Err(Refusal::new("has a kernel of another size than its weights"));
    }
    if attributes.text("auto_pad", "NOTSET") != "NOTSET" {
        return Err(Refusal::new("pads by itself"));
    }
    let small = |&n: &i64| usize::try_from(n).ok().filter(|&n| n <= 1024);
    let Some(&[top, left, bottom, right]) =
        pads.iter().map(small).collect::<Option<Vec<_>>>().as_deref()
    else {
        return Err(Refusal::new("has pads that are not four small numbers"));
    };
    let size = |length: usize, pads: usize, axis: usize| {
        let reach = (kernel[axis] - 1).checked_mul(dilation[axis])? + 1;
        Some((length + pads).checked_sub(reach)? / stride[axis] + 1)
    };
    match (size(shape.height, top + bottom, 0), size(shape.width, left + right, 1)) {
        (Some(rows), Some(columns)) => {
            Ok((Window { kernel, stride, dilation, pad: [top, left] }, [rows, columns]))
        }
        _ => Err(Refusal::new("has a window larger than the image")),
    }
}

type SizeAndScale = ([usize; 2], [f64; 2]);

fn by_scale(scales: &[f32], sizes: [usize; 2]) -> Result<SizeAndScale, Refusal> {
    let &[1.0, 1.0, rows, columns] = scales else {
        return Err(Refusal::new("scales other axes than rows and columns"));
    };
    if ![rows, columns].iter().all(|s| (1.0 / 64.0..=64.0).contains(s)) {
        return Err(Refusal::new("scales by more than 64"));
    }
    let scales = [f64::from(rows), f64::from(columns)];
    Ok(([0, 1].map(|axis| (sizes[axis] as f64 * scales[axis]).floor() as usize), scales))
}

fn by_size(wanted: &[i64], shape: Shape) -> Result<SizeAndScale, Refusal> {
    let small = |&n: &i64| usize::try_from(n).ok().filter(|n| (1..=LONGEST_SIDE).contains(n));
    match wanted.iter().map(small).collect::<Option<Vec<_>>>().as_deref() {
        Some(&[1, channels, rows, columns]) if channels == shape.channels => {
            let scales = [rows as f64 / shape.height as f64, columns as f64 / shape.width as f64];
            Ok(([rows, columns], scales))
        }
        _ => Err(Refusal::new("names a size that is not known to work")),
    }
}

/// Where each of `wanted` pixels lies on a line of `length`.
fn between(linear: bool, length: usize, wanted: usize, scale: f64) -> Vec<Between> {
    let last = length.saturating_sub(1);
    let place = |pixel: usize| {
        if !linear {
            let first = ((pixel as f64 / scale).floor() as usize).min(last);
            return Between { first, second: first, share: 0.0 };
        }
        let place = ((pixel as f64 + 0.5) / scale - 0.5).clamp(0.0, last as f64);
        let first = place.floor() as usize;
        Between { first, second: (first + 1).min(last), share: (place - place.floor()) as f32 }
    };
    (0..wanted).map(place).collect()
}
