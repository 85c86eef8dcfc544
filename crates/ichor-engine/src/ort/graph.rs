//! Rewrites an ONNX model for batches, and in [`half`] for half precision.
//!
//! Networks are exported with a batch size of one, because a symbolic batch size makes other engines slow. It is made
//! symbolic here. Nodes of an unexpected form are not changed: the caller compares the rewritten network with the
//! original before it is used.

mod half;

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Size;
use tract_onnx::pb::type_proto::Value as Kind;
use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};

/// Name of the symbolic batch dimension.
const BATCH: &str = "batch";

/// An ONNX model that can be rewritten.
pub(super) struct Network(ModelProto);

impl Network {
    /// Parses a file; `None` if it is not an ONNX model.
    pub(super) fn from_bytes(onnx: &[u8]) -> Option<Self> {
        ModelProto::decode(onnx).ok().filter(|model| model.graph.is_some()).map(Self)
    }

    /// Serializes the model.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }

    /// Makes the first dimension of inputs and outputs symbolic, and rewrites constant shapes that contain it.
    pub(super) fn with_symbolic_batch(mut self) -> Self {
        let Some(graph) = &mut self.0.graph else { return self };
        graph.input.iter_mut().chain(&mut graph.output).for_each(set_symbolic_batch);
        // Recorded shapes of intermediate values contain the old batch size; onnxruntime infers them again.
        graph.value_info.clear();
        let mut nodes = Vec::with_capacity(graph.node.len() + 8);
        for mut node in std::mem::take(&mut graph.node) {
            match node.op_type.as_str() {
                "Resize" => nodes.extend(take_batch_from_input(&mut node, &mut graph.initializer)),
                "Reshape" => keep_batch(&mut node, &mut graph.initializer),
                _ => {}
            }
            nodes.push(node);
        }
        graph.node = nodes;
        self
    }
}

/// Makes the first dimension of an input or output symbolic.
fn set_symbolic_batch(value: &mut ValueInfoProto) {
    let kind = value.r#type.as_mut().and_then(|t| t.value.as_mut());
    let Some(Kind::TensorType(tensor)) = kind else { return };
    if let Some(first) = tensor.shape.as_mut().and_then(|shape| shape.dim.first_mut()) {
        first.value = Some(Size::DimParam(BATCH.into()));
    }
}

/// Rewrites a `Resize` with constant sizes `[1, ...]` to use the batch size of its input. Returns the nodes that
/// compute the new sizes.
fn take_batch_from_input(node: &mut NodeProto, tensors: &mut Vec<TensorProto>) -> Vec<NodeProto> {
    const SIZES: usize = 3;
    let Some(name) = node.input.get(SIZES).cloned() else { return Vec::new() };
    let Some(sizes) = tensors.iter().find(|t| t.name == name).and_then(integers) else {
        return Vec::new();
    };
    let (Some(1), Some(rest)) = (sizes.first().copied(), sizes.get(1..)) else { return Vec::new() };
    let [batch, others, all] =
        ["batch", "others", "sizes"].map(|suffix| format!("{name}/{suffix}"));
    tensors.push(TensorProto {
        name: others.clone(),
        dims: vec![rest.len() as i64],
        data_type: DataType::Int64 as i32,
        int64_data: rest.to_vec(),
        ..TensorProto::default()
    });
    let shape = NodeProto {
        op_type: "Shape".into(),
        input: node.input[..1].to_vec(),
        output: vec![batch.clone()],
        attribute: vec![integer("start", 0), integer("end", 1)],
        ..NodeProto::default()
    };
    let join = NodeProto {
        op_type: "Concat".into(),
        input: vec![batch, others],
        output: vec![all.clone()],
        attribute: vec![integer("axis", 0)],
        ..NodeProto::default()
    };
    node.input[SIZES] = all;
    vec![shape, join]
}

/// Rewrites a `Reshape` to a constant shape `[1, ...]` to keep the first dimension of its input, which ONNX writes as
/// 0.
fn keep_batch(node: &mut NodeProto, tensors: &mut Vec<TensorProto>) {
    let Some(name) = node.input.get(1).cloned() else { return };
    let Some(tensor) = tensors.iter().find(|t| t.name == name) else { return };
    let Some(mut shape) = integers(tensor).filter(|shape| shape.first() == Some(&1)) else {
        return;
    };
    shape[0] = 0;
    let new_name = format!("{name}/kept");
    node.input[1].clone_from(&new_name);
    if tensors.iter().all(|t| t.name != new_name) {
        tensors.push(TensorProto {
            name: new_name,
            dims: vec![shape.len() as i64],
            data_type: DataType::Int64 as i32,
            int64_data: shape,
            ..TensorProto::default()
        });
    }
}

/// An integer attribute.
fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Int as i32,
        i: value,
        ..AttributeProto::default()
    }
}

/// The elements of an `int64` tensor.
fn integers(tensor: &TensorProto) -> Option<Vec<i64>> {
    if tensor.data_type != DataType::Int64 as i32 {
        return None;
    }
    if !tensor.int64_data.is_empty() {
        return Some(tensor.int64_data.clone());
    }
    let (values, rest) = tensor.raw_data.as_chunks::<8>();
    rest.is_empty().then(|| values.iter().map(|&n| i64::from_le_bytes(n)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::GraphProto;

    fn sizes(values: &[i64], raw: bool) -> TensorProto {
        let mut tensor = TensorProto {
            name: "sizes".into(),
            dims: vec![values.len() as i64],
            data_type: DataType::Int64 as i32,
            ..TensorProto::default()
        };
        match raw {
            true => tensor.raw_data = values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            false => tensor.int64_data = values.to_vec(),
        }
        tensor
    }

    pub(super) fn node(kind: &str, inputs: &[&str], output: &str) -> NodeProto {
        NodeProto {
            op_type: kind.into(),
            input: inputs.iter().map(|&name| name.into()).collect(),
            output: vec![output.into()],
            ..NodeProto::default()
        }
    }

    pub(super) fn network(nodes: Vec<NodeProto>, initializer: Vec<TensorProto>) -> Network {
        let graph = GraphProto { node: nodes, initializer, ..GraphProto::default() };
        Network(ModelProto { graph: Some(graph), ..ModelProto::default() })
    }

    #[test]
    fn a_resize_to_constant_sizes_uses_the_batch_of_its_input() {
        for raw in [true, false] {
            let resize = node("Resize", &["x", "", "", "sizes"], "y");
            let rewritten =
                network(vec![resize], vec![sizes(&[1, 96, 16, 16], raw)]).with_symbolic_batch();
            let graph = rewritten.0.graph.unwrap();
            let kinds: Vec<&str> = graph.node.iter().map(|n| n.op_type.as_str()).collect();
            assert_eq!(kinds, ["Shape", "Concat", "Resize"]);
            assert_eq!(graph.node[0].input, ["x"]);
            assert_eq!(graph.node[2].input[3], graph.node[1].output[0]);
            assert_eq!(integers(&graph.initializer[1]).unwrap(), [96, 16, 16]);
        }
    }

    #[test]
    fn a_resize_by_factors_or_with_another_batch_size_is_unchanged() {
        let by_factor = node("Resize", &["x", "", "factors"], "y");
        let other = node("Resize", &["x", "", "", "sizes"], "z");
        let rewritten =
            network(vec![by_factor, other], vec![sizes(&[2, 8, 8, 8], true)]).with_symbolic_batch();
        assert_eq!(rewritten.0.graph.unwrap().node.len(), 2);
    }

    #[test]
    fn a_reshape_keeps_the_batch_of_its_input() {
        let rewritten =
            network(vec![node("Reshape", &["x", "sizes"], "y")], vec![sizes(&[1, -1], true)])
                .with_symbolic_batch();
        let graph = rewritten.0.graph.unwrap();
        let shape = graph.initializer.iter().find(|t| t.name == graph.node[0].input[1]).unwrap();
        assert_eq!(integers(shape).unwrap(), [0, -1]);
    }

    #[test]
    fn bytes_that_are_not_onnx_are_none() {
        assert!(Network::from_bytes(b"not ONNX").is_none());
    }
}
