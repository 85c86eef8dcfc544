//! Conversion of convolutions, pooling, and operators that are pointwise convolutions.

use super::super::messages::NodeProto;
use super::Reader;
use super::attributes::Attributes;
use super::operators::BindingResult;
use crate::native::LoadError;
use crate::native::constant::Constant;
use crate::native::graph::{Clamp, Op, Shape, ValueId, Window};

impl<'a> Reader<'a> {
    pub(super) fn convolution(
        &mut self,
        node: &'a NodeProto,
        attributes: &Attributes<'_>,
    ) -> BindingResult<'a> {
        let (input, shape) = self.image(node, 0)?;
        let weights = self.required_constant(node, 1)?;
        let &[out, each, rows, columns] = weights.dims() else {
            return Err(LoadError::new("is not two-dimensional"));
        };
        let (window, size) = window(attributes, shape, [rows, columns])?;
        let bias = self.bias(node, 2, out)?;
        let group = attributes.integer("group", 1);
        let shape_out = Shape { channels: out, height: size[0], width: size[1] };
        let op = if group == 1 && each == shape.channels {
            Op::Conv { weights, bias, window }
        } else if each == 1 && out == shape.channels && usize::try_from(group) == Ok(out) {
            Op::Depthwise { weights, bias, window }
        } else {
            return Err(LoadError::new("has an unsupported number of groups"));
        };
        self.push_step(op, vec![input], Clamp::NONE, shape_out, false)
    }

    pub(super) fn conv_transpose(
        &mut self,
        node: &'a NodeProto,
        attributes: &Attributes<'_>,
    ) -> BindingResult<'a> {
        let (input, shape) = self.image(node, 0)?;
        let weights = self.required_constant(node, 1)?;
        let two = [2, 2];
        let &[channels_in, channels, 2, 2] = weights.dims() else {
            return Err(LoadError::new("is supported with a kernel of 2x2 only"));
        };
        let is_supported = attributes.pair("kernel_shape", two)? == two
            && attributes.pair("strides", [1, 1])? == two
            && attributes.pair("dilations", [1, 1])? == [1, 1]
            && attributes.integer("group", 1) == 1
            && attributes.string("auto_pad", "NOTSET") == "NOTSET"
            && [attributes.integers("pads"), attributes.integers("output_padding")]
                .iter()
                .all(|pads| pads.is_none_or(|p| p.iter().all(|&n| n == 0)));
        if !is_supported || channels_in != shape.channels {
            return Err(LoadError::new("is not supported in this form"));
        }
        let bias = self.bias(node, 2, channels)?;
        let shape = Shape { channels, height: 2 * shape.height, width: 2 * shape.width };
        self.push_step(
            Op::ConvTranspose2x2 { weights, bias },
            vec![input],
            Clamp::NONE,
            shape,
            false,
        )
    }

    /// Converts `Gemm` on a vector to a pointwise convolution.
    pub(super) fn gemm(
        &mut self,
        node: &'a NodeProto,
        attributes: &Attributes<'_>,
    ) -> BindingResult<'a> {
        let (input, shape, vector) = self.value(node, 0)?;
        let weights = self.required_constant(node, 1)?;
        let is_supported = attributes.float("alpha", 1.0) == 1.0
            && attributes.float("beta", 1.0) == 1.0
            && attributes.integer("transA", 0) == 0
            && attributes.integer("transB", 0) == 1;
        let &[out, channels] = weights.dims() else {
            return Err(LoadError::new("has weights that are not a matrix"));
        };
        if !is_supported || !vector || channels != shape.channels {
            return Err(LoadError::new("is not supported in this form"));
        }
        let bias = self.bias(node, 2, out)?;
        self.push_pointwise(weights, bias, input, [out, channels], shape, true)
    }

    /// Adds a pointwise convolution.
    fn push_pointwise(
        &mut self,
        weights: Constant<'a>,
        bias: Constant<'a>,
        input: ValueId,
        [out, channels]: [usize; 2],
        shape: Shape,
        vector: bool,
    ) -> BindingResult<'a> {
        let weights = weights.reshaped(&[out, channels, 1, 1]);
        let op = Op::Conv { weights, bias, window: Window::POINT };
        self.push_step(op, vec![input], Clamp::NONE, Shape { channels: out, ..shape }, vector)
    }

    /// Converts `Mul` of a vector with one channel by a constant vector to a pointwise convolution.
    pub(super) fn mul(&mut self, node: &'a NodeProto) -> BindingResult<'a> {
        let (input, shape, vector) = self.value(node, 0)?;
        let factors = self.required_constant(node, 1)?;
        let &[1, out] = factors.dims() else {
            return Err(LoadError::new("is not supported in this form"));
        };
        if !vector || shape.channels != 1 {
            return Err(LoadError::new("is not supported in this form"));
        }
        self.push_pointwise(factors, Constant::zeros(out), input, [out, 1], shape, true)
    }

    pub(super) fn pool(
        &mut self,
        node: &NodeProto,
        attributes: &Attributes<'_>,
    ) -> BindingResult<'a> {
        let (input, shape) = self.image(node, 0)?;
        // Both have an effect with padding only, which is not supported.
        attributes.ignore(&["count_include_pad", "storage_order"]);
        let kernel = attributes.pair("kernel_shape", [0, 0])?;
        if kernel[0] == 0 {
            return Err(LoadError::new("has no kernel"));
        }
        let (window, size) = window(attributes, shape, kernel)?;
        let inside = |axis: usize, length: usize| {
            (size[axis] - 1) * window.stride[axis] + (kernel[axis] - 1) * window.dilation[axis]
                < length
        };
        let padded = window.pad != [0, 0] || !inside(0, shape.height) || !inside(1, shape.width);
        if padded || attributes.integer("ceil_mode", 0) != 0 {
            return Err(LoadError::new("is not supported with padding"));
        }
        let op =
            if node.op_type == "MaxPool" { Op::MaxPool(window) } else { Op::AveragePool(window) };
        let shape = Shape { height: size[0], width: size[1], ..shape };
        self.push_step(op, vec![input], Clamp::NONE, shape, false)
    }
}

/// The window that the attributes describe, and the number of output rows and columns.
fn window(
    attributes: &Attributes<'_>,
    shape: Shape,
    kernel: [usize; 2],
) -> Result<(Window, [usize; 2]), LoadError> {
    let stride = attributes.pair("strides", [1, 1])?;
    let dilation = attributes.pair("dilations", [1, 1])?;
    let pads = attributes.integers("pads").unwrap_or(&[0; 4]);
    if attributes.pair("kernel_shape", kernel)? != kernel || kernel.contains(&0) {
        return Err(LoadError::new("has a kernel of another size than its weights"));
    }
    if attributes.string("auto_pad", "NOTSET") != "NOTSET" {
        return Err(LoadError::new("is not supported with automatic padding"));
    }
    let small = |&n: &i64| usize::try_from(n).ok().filter(|&n| n <= 1024);
    let Some(&[top, left, bottom, right]) =
        pads.iter().map(small).collect::<Option<Vec<_>>>().as_deref()
    else {
        return Err(LoadError::new("has pads that are not four integers up to 1024"));
    };
    let size = |length: usize, pads: usize, axis: usize| {
        let reach = (kernel[axis] - 1).checked_mul(dilation[axis])? + 1;
        Some((length + pads).checked_sub(reach)? / stride[axis] + 1)
    };
    match (size(shape.height, top + bottom, 0), size(shape.width, left + right, 1)) {
        (Some(rows), Some(columns)) => {
            Ok((Window { kernel, stride, dilation, pad: [top, left] }, [rows, columns]))
        }
        _ => Err(LoadError::new("has a window larger than the image")),
    }
}
