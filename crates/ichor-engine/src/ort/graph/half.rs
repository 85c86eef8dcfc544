//! Rewrites a network to half precision.

use super::{Network, integer};
use std::collections::HashSet;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};
use tract_onnx::prelude::f16;

const FLOAT: i32 = DataType::Float as i32;
const HALF: i32 = DataType::Float16 as i32;

impl Network {
    /// Converts the network to half precision. Inputs, outputs and the scales of `Resize` stay in single precision;
    /// ONNX requires the latter (operator reference, Resize-13).
    pub(in crate::ort) fn into_half_precision(mut self) -> Self {
        let Some(graph) = &mut self.0.graph else { return self };
        let scales = resize_scales(graph);
        remove_widening_casts(graph);
        for tensor in &mut graph.initializer {
            if tensor.data_type == FLOAT && !scales.contains(&tensor.name) {
                convert_tensor(tensor);
            }
        }
        for node in &mut graph.node {
            if node.op_type == "Cast" {
                node.attribute.iter_mut().filter(|a| a.i == i64::from(FLOAT)).for_each(|a| {
                    a.i = HALF.into();
                });
            }
        }
        graph.value_info.clear();
        cast_inputs_and_outputs(graph);
        self
    }
}

/// Names of the inputs of `Resize` nodes that stay in single precision.
fn resize_scales(graph: &GraphProto) -> HashSet<String> {
    let resizes = graph.node.iter().filter(|node| node.op_type == "Resize");
    resizes.flat_map(|node| node.input.iter().skip(1).take(2).cloned()).collect()
}

/// Removes each `Cast` from a half-precision constant to single precision, so that the constant is used directly.
fn remove_widening_casts(graph: &mut GraphProto) {
    let stored: HashSet<&str> = graph
        .initializer
        .iter()
        .filter(|tensor| tensor.data_type == HALF)
        .map(|tensor| tensor.name.as_str())
        .collect();
    let widens = |node: &NodeProto| {
        node.op_type == "Cast"
            && node.input.first().is_some_and(|name| stored.contains(name.as_str()))
    };
    let (casts, nodes): (Vec<_>, Vec<_>) =
        graph.node.iter().cloned().partition(|node| widens(node));
    for cast in casts {
        let tensor = graph.initializer.iter_mut().find(|t| Some(&t.name) == cast.input.first());
        if let (Some(tensor), Some(name)) = (tensor, cast.output.first()) {
            tensor.name.clone_from(name);
        }
    }
    graph.node = nodes;
}

/// Converts a single-precision constant.
fn convert_tensor(tensor: &mut TensorProto) {
    let halves = |values: &mut dyn Iterator<Item = f32>| -> Vec<u8> {
        values.flat_map(|value| f16::from_f32(value).to_le_bytes()).collect()
    };
    tensor.raw_data = if tensor.float_data.is_empty() {
        let (values, _) = tensor.raw_data.as_chunks::<4>();
        halves(&mut values.iter().map(|&n| f32::from_le_bytes(n)))
    } else {
        halves(&mut std::mem::take(&mut tensor.float_data).into_iter())
    };
    tensor.data_type = HALF;
}

/// Inserts casts after the single-precision inputs and before the single-precision outputs.
fn cast_inputs_and_outputs(graph: &mut GraphProto) {
    let half = |name: &str| format!("{name}/half");
    let inputs: Vec<String> = graph.input.iter().map(|value| value.name.clone()).collect();
    let outputs: Vec<String> = graph.output.iter().map(|value| value.name.clone()).collect();
    for node in &mut graph.node {
        for name in node.input.iter_mut().filter(|n| inputs.contains(n) || outputs.contains(n)) {
            *name = half(name);
        }
        for name in node.output.iter_mut().filter(|name| outputs.contains(name)) {
            *name = half(name);
        }
    }
    let cast = |from: String, to: String, kind: i32| NodeProto {
        op_type: "Cast".into(),
        input: vec![from],
        output: vec![to],
        attribute: vec![integer("to", kind.into())],
        ..NodeProto::default()
    };
    let first = inputs.into_iter().map(|name| cast(name.clone(), half(&name), HALF));
    graph.node.splice(0..0, first.collect::<Vec<_>>());
    graph.node.extend(outputs.into_iter().map(|name| cast(half(&name), name, FLOAT)));
}

#[cfg(test)]
mod tests {
    use super::super::tests::{network, node};
    use super::*;
    use tract_onnx::pb::ValueInfoProto;

    #[test]
    fn half_precision_weights_are_used_directly_and_scales_stay_single() {
        let float = |name: &str| TensorProto {
            name: name.into(),
            dims: vec![1],
            data_type: FLOAT,
            float_data: vec![1.5],
            ..TensorProto::default()
        };
        let stored = TensorProto {
            name: "w_f16".into(),
            data_type: HALF,
            raw_data: f16::from_f32(2.0).to_le_bytes().to_vec(),
            ..TensorProto::default()
        };
        let mut cast = node("Cast", &["w_f16"], "w");
        cast.attribute.push(integer("to", FLOAT.into()));
        let nodes = vec![
            cast,
            node("Conv", &["image", "w", "b"], "c"),
            node("Resize", &["c", "", "factors"], "mask"),
        ];
        let mut single = network(nodes, vec![stored, float("b"), float("factors")]);
        let graph = single.0.graph.as_mut().unwrap();
        graph.input.push(ValueInfoProto { name: "image".into(), ..ValueInfoProto::default() });
        graph.output.push(ValueInfoProto { name: "mask".into(), ..ValueInfoProto::default() });
        let graph = single.into_half_precision().0.graph.unwrap();
        let kinds: Vec<&str> = graph.node.iter().map(|n| n.op_type.as_str()).collect();
        assert_eq!(kinds, ["Cast", "Conv", "Resize", "Cast"]);
        assert_eq!(graph.node[1].input, ["image/half", "w", "b"]);
        assert_eq!(
            (&graph.node[3].input[0], &graph.node[3].output[0]),
            (&"mask/half".into(), &"mask".into())
        );
        let kind =
            |name: &str| graph.initializer.iter().find(|t| t.name == name).unwrap().data_type;
        assert_eq!((kind("w"), kind("b"), kind("factors")), (HALF, HALF, FLOAT));
    }
}
