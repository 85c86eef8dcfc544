//! Builds small random networks as ONNX files.

use crate::{IoSpec, SliceOutput};
use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TypeProto,
    ValueInfoProto, attribute_proto::AttributeType, tensor_shape_proto, type_proto,
};

/// A deterministic random number generator (the linear congruential generator of Knuth's MMIX).
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    pub(crate) fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub(crate) fn values(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.below(2001) as f32 / 1000.0 - 1.0).collect()
    }
}

/// Name of a tensor, and its channels, rows and columns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor3 {
    pub(super) name: String,
    pub(super) size: [usize; 3],
}

/// A network under construction.
pub(super) struct Network {
    pub(super) graph: GraphProto,
    pub(super) rng: Rng,
    input: [usize; 3],
}

pub(super) fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Ints as i32,
        ints: values.iter().map(|&v| v as i64).collect(),
        ..Default::default()
    }
}

pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Int as i32,
        i: value,
        ..Default::default()
    }
}

pub(super) fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::String as i32,
        s: value.into(),
        ..Default::default()
    }
}

fn tensor_type(size: &[usize]) -> TypeProto {
    let dim = |&d: &usize| tensor_shape_proto::Dimension {
        value: Some(tensor_shape_proto::dimension::Value::DimValue(d as i64)),
        ..Default::default()
    };
    let shape = tract_onnx::pb::TensorShapeProto { dim: size.iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
    TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() }
}

impl Network {
    pub(super) fn new(seed: u64, input: [usize; 3]) -> (Self, Tensor3) {
        let [channels, height, width] = input;
        let info = ValueInfoProto {
            name: "image".into(),
            r#type: Some(tensor_type(&[1, channels, height, width])),
            ..Default::default()
        };
        let graph = GraphProto { name: "random".into(), input: vec![info], ..Default::default() };
        let network = Self { graph, rng: Rng(seed), input };
        (network, Tensor3 { name: "image".into(), size: input })
    }

    /// Adds a constant of random values; about one in three is stored as `f16` and followed by a `Cast`. Returns its
    /// name.
    pub(super) fn constant(&mut self, dims: &[usize], scale: f32) -> String {
        let name = format!("c{}", self.graph.initializer.len());
        let values = self.rng.values(dims.iter().product());
        let half = self.rng.below(3) == 0;
        let bytes = |v: f32| -> Vec<u8> {
            if half {
                tract_onnx::prelude::f16::from_f32(v).to_le_bytes().to_vec()
            } else {
                v.to_le_bytes().to_vec()
            }
        };
        self.graph.initializer.push(TensorProto {
            name: name.clone(),
            dims: dims.iter().map(|&d| d as i64).collect(),
            data_type: if half { DataType::Float16 } else { DataType::Float } as i32,
            raw_data: values.iter().flat_map(|&v| bytes(v * scale)).collect(),
            ..Default::default()
        });
        if half {
            return self.node("Cast", &[&name], vec![int("to", DataType::Float as i64)]);
        }
        name
    }

    /// Adds a vector of integers. Returns its name.
    pub(super) fn integers(&mut self, values: &[usize]) -> String {
        let name = format!("c{}", self.graph.initializer.len());
        self.graph.initializer.push(TensorProto {
            name: name.clone(),
            dims: vec![values.len() as i64],
            data_type: DataType::Int64 as i32,
            raw_data: values.iter().flat_map(|&v| (v as i64).to_le_bytes()).collect(),
            ..Default::default()
        });
        name
    }

    pub(super) fn node(
        &mut self,
        op_type: &str,
        inputs: &[&str],
        attribute: Vec<AttributeProto>,
    ) -> String {
        let output = format!("v{}", self.graph.node.len());
        self.graph.node.push(NodeProto {
            op_type: op_type.into(),
            name: output.clone(),
            input: inputs.iter().map(|&s| s.into()).collect(),
            output: vec![output.clone()],
            attribute,
            ..Default::default()
        });
        output
    }

    /// Adds a convolution that keeps the size at stride 1; `groups` is 1 or the number of channels.
    pub(super) fn convolution(
        &mut self,
        from: &Tensor3,
        out: usize,
        kernel: [usize; 2],
        stride: usize,
        dilation: usize,
        groups: usize,
    ) -> Tensor3 {
        let [channels, height, width] = from.size;
        let each = channels / groups;
        let scale = (3.0 / (each * kernel[0] * kernel[1]) as f32).sqrt();
        let weights = self.constant(&[out, each, kernel[0], kernel[1]], scale);
        let pad = kernel.map(|k| (k - 1) * dilation / 2);
        let attributes = vec![
            ints("kernel_shape", &kernel),
            ints("strides", &[stride, stride]),
            ints("dilations", &[dilation, dilation]),
            ints("pads", &[pad[0], pad[1], pad[0], pad[1]]),
            int("group", groups as i64),
        ];
        let name = if self.rng.below(4) == 0 {
            self.node("Conv", &[&from.name, &weights], attributes)
        } else {
            let bias = self.constant(&[out], 0.5);
            self.node("Conv", &[&from.name, &weights, &bias], attributes)
        };
        let size = |length: usize, axis: usize| {
            (length + 2 * pad[axis] - (kernel[axis] - 1) * dilation - 1) / stride + 1
        };
        Tensor3 { name, size: [out, size(height, 0), size(width, 1)] }
    }

    pub(super) fn resize(&mut self, from: &Tensor3, size: [usize; 2], linear: bool) -> Tensor3 {
        let sizes = [1, from.size[0], size[0], size[1]];
        let sizes = self.integers(&sizes);
        let attributes = if linear {
            vec![text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel")]
        } else {
            vec![
                text("mode", "nearest"),
                text("coordinate_transformation_mode", "asymmetric"),
                text("nearest_mode", "floor"),
            ]
        };
        let name = self.node("Resize", &[&from.name, "", "", &sizes], attributes);
        Tensor3 { name, size: [from.size[0], size[0], size[1]] }
    }

    /// Adds a mask output of the input's size and a slice output of six logits. Returns the file and its specification.
    pub(super) fn finish(mut self, last: &Tensor3) -> (Vec<u8>, IoSpec) {
        let [channels, height, width] = self.input;
        let single = self.convolution(last, 1, [1, 1], 1, 1, 1);
        let mask = self.resize(&single, [height, width], true);
        let keep = vec![ints("axes", &[2, 3]), int("keepdims", 0)];
        let mean = self.node("ReduceMean", &[&last.name], keep.clone());
        let max = self.node("ReduceMax", &[&last.name], keep);
        let both = self.node("Concat", &[&mean, &max], vec![int("axis", 1)]);
        let weights = self.constant(&[6, 2 * last.size[0]], 0.1);
        let bias = self.constant(&[6], 0.1);
        let slice = self.node("Gemm", &[&both, &weights, &bias], vec![int("transB", 1)]);
        let output = |name: &str, size: &[usize]| ValueInfoProto {
            name: name.into(),
            r#type: Some(tensor_type(size)),
            ..Default::default()
        };
        self.graph.output =
            vec![output(&mask.name, &[1, 1, height, width]), output(&slice, &[1, 6])];
        let spec = IoSpec {
            input: "image".into(),
            input_shape: [1, channels, height, width],
            mask: mask.name,
            slice: Some(SliceOutput { name: slice, len: 6 }),
        };
        let set = OperatorSetIdProto { version: 17, ..Default::default() };
        let model = ModelProto {
            ir_version: 8,
            opset_import: vec![set],
            graph: Some(self.graph),
            ..Default::default()
        };
        (model.encode_to_vec(), spec)
    }
}
