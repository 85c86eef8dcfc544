//! The network file made ready for batches, and by [`half`] for half precision.
//!
//! Files are exported for one slice, since a symbolic batch makes other engines slow; the batch is
//! freed here, when they are loaded. What is not understood is left as it is: the caller holds the
//! changed network against the file before it is used.

mod half;

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Size;
use tract_onnx::pb::type_proto::Value as Kind;
use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};

/// Name of the freed dimension.
const BATCH: &str = "batch";

/// An ONNX model that can be changed.
pub(super) struct Network(ModelProto);

impl Network {
    /// Reads the bytes of a file; `None` where they are no ONNX model.
    pub(super) fn read(onnx: &[u8]) -> Option<Self> {
        ModelProto::decode(onnx).ok().filter(|model| model.graph.is_some()).map(Self)
    }

    /// The bytes of the changed file.
    pub(super) fn write(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }

    /// Frees the first dimension of inputs and outputs, and of the sizes within that repeat it.
    pub(super) fn free_batch(mut self) -> Self {
        let Some(graph) = &mut self.0.graph else { return self };
        graph.input.iter_mut().chain(&mut graph.output).for_each(free_first);
        // Shapes noted on the way would contradict it; they are worked out again.
        graph.value_info.clear();
        let mut nodes = Vec::with_capacity(graph.node.len() + 8);
        for mut node in std::mem::take(&mut graph.node) {
            match node.op_type.as_str() {
                "Resize" => nodes.extend(follow_batch(&mut node, &mut graph.initializer)),
                "Reshape" => keep_first(&mut node, &mut graph.initializer),
                _ => {}
            }
            nodes.push(node);
        }
        graph.node = nodes;
        self
    }
}

fn free_first(value: &mut ValueInfoProto) {
    let kind = value.r#type.as_mut().and_then(|t| t.value.as_mut());
    let Some(Kind::TensorType(tensor)) = kind else { return };
    if let Some(first) = tensor.shape.as_mut().and_then(|shape| shape.dim.first_mut()) {
        first.value = Some(Size::DimParam(BATCH.into()));
    }
}

/// A Resize to sizes that begin with 1 takes the first from its input instead: the nodes that read it.
fn follow_batch(node: &mut NodeProto, tensors: &mut Vec<TensorProto>) -> Vec<NodeProto> {
    const SIZES: usize = 3;
    let Some(name) = node.input.get(SIZES).cloned() else { return Vec::new() };
    let Some(sizes) = tensors.iter().find(|t| t.name == name).and_then(integers) else {
        return Vec::new();
    };
    let (Some(1), Some(rest)) = (sizes.first().copied(), sizes.get(1..)) else { return Vec::new() };
    let [batch, others, all] = ["batch", "others", "sizes"].map(|what| format!("{name}/{what}"));
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

/// A Reshape to a shape that begins with 1 keeps the first dimension of its input, which 0 means.
fn keep_first(node: &mut NodeProto, tensors: &mut Vec<TensorProto>) {
    let Some(name) = node.input.get(1).cloned() else { return };
    let Some(tensor) = tensors.iter().find(|t| t.name == name) else { return };
    let Some(mut shape) = integers(tensor).filter(|shape| shape.first() == Some(&1)) else {
        return;
    };
    shape[0] = 0;
    let kept = format!("{name}/kept");
    node.input[1].clone_from(&kept);
    if tensors.iter().all(|t| t.name != kept) {
        tensors.push(TensorProto {
            name: kept,
            dims: vec![shape.len() as i64],
            data_type: DataType::Int64 as i32,
            int64_data: shape,
            ..TensorProto::default()
        });
    }
}

fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: AttributeType::Int as i32,
        i: value,
        ..AttributeProto::default()
    }
}

fn integers(tensor: &TensorProto) -> Option<Vec<i64>> {
    if tensor.data_type != DataType::Int64 as i32 {
        return None;
    }
    if !tensor.int64_data.is_empty() {
        return Some(tensor.int64_data.clone());
    }
    let (numbers, rest) = tensor.raw_data.as_chunks::<8>();
    rest.is_empty().then(|| numbers.iter().map(|&n| i64::from_le_bytes(n)).collect())
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
    fn a_resize_to_sizes_takes_the_batch_from_its_input() {
        for raw in [true, false] {
            let resize = node("Resize", &["x", "", "", "sizes"], "y");
            let freed = network(vec![resize], vec![sizes(&[1, 96, 16, 16], raw)]).free_batch();
            let graph = freed.0.graph.unwrap();
            let kinds: Vec<&str> = graph.node.iter().map(|n| n.op_type.as_str()).collect();
            assert_eq!(kinds, ["Shape", "Concat", "Resize"]);
            assert_eq!(graph.node[0].input, ["x"]);
            assert_eq!(graph.node[2].input[3], graph.node[1].output[0]);
            assert_eq!(integers(&graph.initializer[1]).unwrap(), [96, 16, 16]);
        }
    }

    #[test]
    fn a_resize_by_factors_and_sizes_of_other_batches_stay() {
        let by_factor = node("Resize", &["x", "", "factors"], "y");
        let other = node("Resize", &["x", "", "", "sizes"], "z");
        let freed = network(vec![by_factor, other], vec![sizes(&[2, 8, 8, 8], true)]).free_batch();
        assert_eq!(freed.0.graph.unwrap().node.len(), 2);
    }

    #[test]
    fn a_reshape_keeps_its_first_dimension() {
        let freed =
            network(vec![node("Reshape", &["x", "sizes"], "y")], vec![sizes(&[1, -1], true)])
                .free_batch();
        let graph = freed.0.graph.unwrap();
        let shape = graph.initializer.iter().find(|t| t.name == graph.node[0].input[1]).unwrap();
        assert_eq!(integers(shape).unwrap(), [0, -1]);
    }

    #[test]
    fn what_is_no_model_is_none() {
        assert!(Network::read(b"no network").is_none());
    }
}
