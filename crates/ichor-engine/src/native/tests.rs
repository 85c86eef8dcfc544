//! The native engine compared with tract, at each level that this machine supports.

pub(crate) mod network;

use super::{Level, NativeEngine};
use crate::Engine;
use crate::IoSpec;
use network::{Network, Rng, Tensor3, int, ints, text};
use tract_onnx::pb::AttributeProto;

/// Relative rounding error of `f32` sums in different orders, over a few layers with values of about one.
const TOLERANCE: f32 = 2e-4;

/// Asserts that each level gives the logits of tract, in two runs, so that the second one reuses memory.
fn assert_matches_tract(onnx: &[u8], spec: &IoSpec, name: &str) {
    let [_, channels, height, width] = spec.input_shape;
    let reference = Engine::reference(spec, onnx, &|_| ()).unwrap();
    for level in Level::available() {
        let context = format!("{name} at {}", level.name());
        let engine = NativeEngine::load(spec, onnx, level, &|_| ())
            .unwrap_or_else(|error| panic!("{context}: {error}"));
        for seed in 0..2 {
            let tensor = Rng(seed).values(channels * height * width);
            let expected = reference.run(&tensor).unwrap();
            let actual = engine.run(&tensor).unwrap();
            assert_eq!(actual.mask.len(), expected.mask.len(), "{context}");
            assert_eq!(actual.slice.len(), expected.slice.len(), "{context}");
            let pairs = actual.mask.iter().zip(&expected.mask);
            for (a, b) in pairs.chain(actual.slice.iter().zip(&expected.slice)) {
                assert!((a - b).abs() <= TOLERANCE * b.abs().max(1.0), "{context}: {a} for {b}");
            }
        }
    }
}

/// Appends a random node to the network. Returns its output.
fn append_random_node(network: &mut Network, tensors: &[Tensor3]) -> Tensor3 {
    let from = tensors[tensors.len() - 1].clone();
    let [channels, height, width] = from.size;
    let any = [1_usize, 3, 8, 16, 17, 24, 32, 40, 48, 80];
    match network.rng.below(9) {
        0 | 1 => {
            let out = network.rng.one_of(&any[1..]);
            let kernel = [network.rng.one_of(&[1, 3, 5]), network.rng.one_of(&[1, 3, 5])];
            let dilation = network.rng.one_of(&[1, 1, 2, 7]);
            let stride = network.rng.one_of(&[1, 1, 2]);
            network.convolution(&from, out, kernel, stride, dilation, 1)
        }
        2 if channels > 1 => {
            let kernel = network.rng.one_of(&[3, 5]);
            let [stride, dilation] = [network.rng.one_of(&[1, 2]), network.rng.one_of(&[1, 2])];
            let stride = if height.min(width) > 4 { stride } else { 1 };
            network.convolution(&from, channels, [kernel; 2], stride, dilation, channels)
        }
        3 => {
            let name = match network.rng.below(2) {
                0 => network.node("Relu", &[&from.name], vec![]),
                _ => {
                    let low = network.constant(&[], 0.0);
                    network.node("Clip", &[&from.name, &low], vec![])
                }
            };
            Tensor3 { name, ..from }
        }
        4 => {
            let branch = network.convolution(&from, channels.max(2), [3, 3], 1, 1, 1);
            if channels == 1 {
                return branch;
            }
            Tensor3 { name: network.node("Add", &[&from.name, &branch.name], vec![]), ..from }
        }
        5 if height > 3 && width > 3 && height * width > 64 => {
            let kind = network.rng.one_of(&["MaxPool", "AveragePool"]);
            let attributes = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
            let name = network.node(kind, &[&from.name], attributes);
            Tensor3 { name, size: [channels, height / 2, width / 2] }
        }
        6 if height.max(width) < 40 => {
            let out = network.rng.one_of(&any[1..]);
            let weights = network.constant(&[channels, out, 2, 2], 0.3);
            let attributes = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
            let name = network.node("ConvTranspose", &[&from.name, &weights], attributes);
            Tensor3 { name, size: [out, 2 * height, 2 * width] }
        }
        7 if height.max(width) < 40 => {
            let linear = network.rng.below(2) == 0;
            let times = network.rng.one_of(&[2, 4]);
            network.resize(&from, [times * height, times * width], linear)
        }
        _ => {
            let same = |other: &&Tensor3| other.size[1..] == from.size[1..];
            let parts: Vec<&Tensor3> = tensors.iter().rev().filter(same).take(3).collect();
            let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
            let name = network.node("Concat", &names, vec![int("axis", 1)]);
            Tensor3 { name, size: [parts.iter().map(|p| p.size[0]).sum(), height, width] }
        }
    }
}

#[test]
fn random_networks_match_tract() {
    for seed in 0..80 {
        let mut rng = Rng(seed + 1);
        let size = [rng.one_of(&[1, 1, 2, 3, 16]), 16 + rng.below(24), 16 + rng.below(24)];
        let (mut network, input) = Network::new(seed, size);
        let out = rng.one_of(&[2, 16, 20, 33]);
        let mut tensors = vec![network.convolution(&input, out, [3, 3], 1, 1, 1)];
        for _ in 0..2 + rng.below(8) {
            let next = append_random_node(&mut network, &tensors);
            tensors.push(next);
        }
        let last = tensors.pop().unwrap();
        let kinds: Vec<_> = network.graph.node.iter().map(|n| n.op_type.clone()).collect();
        let last =
            if last.size[0] == 1 { network.convolution(&last, 5, [1, 1], 1, 1, 1) } else { last };
        let (onnx, spec) = network.finish(&last);
        assert_matches_tract(&onnx, &spec, &format!("network {seed} {size:?} {}", kinds.join(" ")));
    }
}

/// A network with one `operator`, modified by `change`.
fn single_operator(operator: &str, change: impl Fn(&mut Network, &Tensor3)) -> (Vec<u8>, IoSpec) {
    let (mut network, input) = Network::new(7, [1, 16, 16]);
    let first = network.convolution(&input, 4, [3, 3], 1, 1, 1);
    let name = network.node(operator, &[&first.name], vec![]);
    change(&mut network, &first);
    network.finish(&Tensor3 { name, ..first })
}

#[test]
fn a_network_with_an_unsupported_operator_runs_in_tract() {
    let (onnx, spec) = single_operator("Sigmoid", |_, _| {});
    let error = Engine::native(&spec, &onnx, Level::best(), &|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "operator Sigmoid: is not supported");
    let engine = Engine::load(&spec, &onnx, &|_| ()).unwrap();
    assert_eq!(engine.facts().name, "tract");
    assert_eq!(engine.run(&[0.5; 256]).unwrap().mask.len(), 256);
    let (onnx, spec) = single_operator("Relu", |_, _| {});
    assert_eq!(Engine::load(&spec, &onnx, &|_| ()).unwrap().facts().name, "blocked");
}

#[test]
fn unsupported_forms_of_operators_are_errors() {
    let loads = |operator: &str, attributes: &[AttributeProto]| {
        let (onnx, spec) = single_operator(operator, |network, from| {
            let sizes = network.integers(&[1, from.size[0], from.size[1], from.size[2]]);
            let node = network.graph.node.iter_mut().find(|n| n.op_type == operator).unwrap();
            node.attribute = attributes.to_vec();
            if operator == "Resize" {
                node.input.extend([String::new(), String::new(), sizes]);
            }
        });
        NativeEngine::load(&spec, &onnx, Level::PORTABLE, &|_| ()).is_ok()
    };
    let point = ints("kernel_shape", &[1, 1]);
    // A supported form, and one additional attribute that changes its meaning.
    let cases = [
        ("Relu", vec![], int("surprise", 1)),
        ("MaxPool", vec![point.clone()], ints("pads", &[1, 1, 1, 1])),
        ("MaxPool", vec![point.clone()], int("ceil_mode", 1)),
        ("AveragePool", vec![point], text("auto_pad", "SAME_UPPER")),
        ("Concat", vec![int("axis", 1)], int("new_axis", 1)),
        ("Concat", vec![int("axis", -3)], int("new_axis", 1)),
        ("Resize", vec![text("mode", "linear")], int("antialias", 1)),
        ("Resize", vec![text("mode", "linear")], ints("axes", &[2, 3])),
    ];
    for (operator, supported, extra) in cases {
        assert!(loads(operator, &supported), "{operator}");
        assert!(
            !loads(operator, &[supported, vec![extra.clone()]].concat()),
            "{operator} {}",
            extra.name
        );
    }
    assert!(!loads("Concat", &[int("axis", 2)]));
    assert!(!loads("Resize", &[text("mode", "cubic")]));
    assert!(
        !loads("Resize", &[text("mode", "nearest")]),
        "the default rounding of ties is not supported"
    );
}

#[test]
fn a_damaged_network_gives_the_error_of_tract() {
    let (onnx, spec) = single_operator("Relu", |_, _| {});
    let mut renamed = spec.clone();
    renamed.mask = "missing".into();
    let mut larger = spec.clone();
    larger.input_shape = [1, 1, 32, 32];
    let cases = [
        (&onnx[..onnx.len() / 2], &spec),
        (b"not ONNX".as_slice(), &spec),
        (b"".as_slice(), &spec),
        (&onnx, &renamed),
        (&onnx, &larger),
    ];
    for (index, (onnx, spec)) in cases.into_iter().enumerate() {
        let actual = Engine::load(spec, onnx, &|_| ()).unwrap_err().to_string();
        let expected = Engine::reference(spec, onnx, &|_| ()).unwrap_err().to_string();
        assert_eq!(actual, expected, "case {index}");
    }
}

#[test]
fn networks_with_changed_bytes_load_or_fail_without_a_panic() {
    let (onnx, spec) = single_operator("Relu", |_, _| {});
    let mut rng = Rng(3);
    for _ in 0..2000 {
        let mut damaged = onnx.clone();
        for _ in 0..1 + rng.below(4) {
            let context = rng.below(damaged.len());
            damaged[context] = rng.below(256) as u8;
        }
        if let Ok(engine) = NativeEngine::load(&spec, &damaged, Level::best(), &|_| ()) {
            assert!(engine.run(&[0.5; 256]).is_some());
        }
    }
}

#[test]
fn concurrent_runs_give_the_same_result_and_reuse_memory() {
    let (onnx, spec) = single_operator("Relu", |_, _| {});
    let engine = NativeEngine::load(&spec, &onnx, Level::best(), &|_| ()).unwrap();
    let tensors: Vec<Vec<f32>> = (0..8).map(|seed| Rng(seed).values(256)).collect();
    let expected: Vec<Vec<f32>> = tensors.iter().map(|t| engine.run(t).unwrap().mask).collect();
    assert_eq!(engine.idle.lock().unwrap().len(), 1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (tensor, expected) in tensors.iter().zip(&expected) {
                    assert_eq!(&engine.run(tensor).unwrap().mask, expected);
                }
            });
        }
    });
    assert!(engine.idle.lock().unwrap().len() <= 4);
    assert!(engine.run(&[0.0; 255]).is_none());
}
