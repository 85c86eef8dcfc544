//! The whole engine against tract, at every level that this machine has.

pub(crate) mod network;

use super::{Level, NativeEngine};
use crate::Engine;
use crate::IoSpec;
use network::{Dice, Made, Network, int, ints, text};
use tract_onnx::pb::AttributeProto;

/// Sums of 32-bit numbers in another order, over a few layers of numbers of about one.
const TOLERANCE: f32 = 2e-4;

/// Asserts that every level answers as tract does, twice, so that used memory is met as well.
fn agree(onnx: &[u8], spec: &IoSpec, what: &str) {
    let [_, channels, height, width] = spec.input_shape;
    let reference = Engine::reference(spec, onnx, &|_| ()).unwrap();
    for level in Level::available() {
        let place = format!("{what} at {}", level.name());
        let engine = NativeEngine::load(spec, onnx, level, &|_| ())
            .unwrap_or_else(|refusal| panic!("{place}: {refusal}"));
        for seed in 0..2 {
            let tensor = Dice(seed).numbers(channels * height * width);
            let expected = reference.run(&tensor).unwrap();
            let answer = engine.run(&tensor).unwrap();
            assert_eq!(answer.mask.len(), expected.mask.len(), "{place}");
            assert_eq!(answer.slice.len(), expected.slice.len(), "{place}");
            let pairs = answer.mask.iter().zip(&expected.mask);
            for (a, b) in pairs.chain(answer.slice.iter().zip(&expected.slice)) {
                assert!((a - b).abs() <= TOLERANCE * b.abs().max(1.0), "{place}: {a} for {b}");
            }
        }
    }
}

/// One node of a kind that is chosen at random, and what it makes.
fn grow(network: &mut Network, made: &[Made]) -> Made {
    let from = made[made.len() - 1].clone();
    let [channels, height, width] = from.size;
    let any = [1_usize, 3, 8, 16, 17, 24, 32, 40, 48, 80];
    match network.dice.below(9) {
        0 | 1 => {
            let out = network.dice.one_of(&any[1..]);
            let kernel = [network.dice.one_of(&[1, 3, 5]), network.dice.one_of(&[1, 3, 5])];
            let dilation = network.dice.one_of(&[1, 1, 2, 7]);
            let stride = network.dice.one_of(&[1, 1, 2]);
            network.convolution(&from, out, kernel, stride, dilation, 1)
        }
        2 if channels > 1 => {
            let kernel = network.dice.one_of(&[3, 5]);
            let [stride, dilation] = [network.dice.one_of(&[1, 2]), network.dice.one_of(&[1, 2])];
            let stride = if height.min(width) > 4 { stride } else { 1 };
            network.convolution(&from, channels, [kernel; 2], stride, dilation, channels)
        }
        3 => {
            let name = match network.dice.below(2) {
                0 => network.node("Relu", &[&from.name], vec![]),
                _ => {
                    let low = network.constant(&[], 0.0);
                    network.node("Clip", &[&from.name, &low], vec![])
                }
            };
            Made { name, ..from }
        }
        4 => {
            let branch = network.convolution(&from, channels.max(2), [3, 3], 1, 1, 1);
            if channels == 1 {
                return branch;
            }
            Made { name: network.node("Add", &[&from.name, &branch.name], vec![]), ..from }
        }
        5 if height > 3 && width > 3 && height * width > 64 => {
            let kind = network.dice.one_of(&["MaxPool", "AveragePool"]);
            let attributes = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
            let name = network.node(kind, &[&from.name], attributes);
            Made { name, size: [channels, height / 2, width / 2] }
        }
        6 if height.max(width) < 40 => {
            let out = network.dice.one_of(&any[1..]);
            let weights = network.constant(&[channels, out, 2, 2], 0.3);
            let attributes = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
            let name = network.node("ConvTranspose", &[&from.name, &weights], attributes);
            Made { name, size: [out, 2 * height, 2 * width] }
        }
        7 if height.max(width) < 40 => {
            let linear = network.dice.below(2) == 0;
            let times = network.dice.one_of(&[2, 4]);
            network.resize(&from, [times * height, times * width], linear)
        }
        _ => {
            let same = |other: &&Made| other.size[1..] == from.size[1..];
            let parts: Vec<&Made> = made.iter().rev().filter(same).take(3).collect();
            let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
            let name = network.node("Concat", &names, vec![int("axis", 1)]);
            Made { name, size: [parts.iter().map(|p| p.size[0]).sum(), height, width] }
        }
    }
}

#[test]
fn random_networks_answer_as_in_tract() {
    for seed in 0..80 {
        let mut dice = Dice(seed + 1);
        let size = [dice.one_of(&[1, 1, 2, 3, 16]), 16 + dice.below(24), 16 + dice.below(24)];
        let (mut network, input) = Network::new(seed, size);
        let out = dice.one_of(&[2, 16, 20, 33]);
        let mut made = vec![network.convolution(&input, out, [3, 3], 1, 1, 1)];
        for _ in 0..2 + dice.below(8) {
            let next = grow(&mut network, &made);
            made.push(next);
        }
        let last = made.pop().unwrap();
        let kinds: Vec<_> = network.graph.node.iter().map(|n| n.op_type.clone()).collect();
        let last =
            if last.size[0] == 1 { network.convolution(&last, 5, [1, 1], 1, 1, 1) } else { last };
        let (onnx, spec) = network.finish(&last);
        agree(&onnx, &spec, &format!("network {seed} {size:?} {}", kinds.join(" ")));
    }
}

/// A network of one operator, which `change` may make another.
fn one(operator: &str, change: impl Fn(&mut Network, &Made)) -> (Vec<u8>, IoSpec) {
    let (mut network, input) = Network::new(7, [1, 16, 16]);
    let first = network.convolution(&input, 4, [3, 3], 1, 1, 1);
    let name = network.node(operator, &[&first.name], vec![]);
    change(&mut network, &first);
    network.finish(&Made { name, ..first })
}

#[test]
fn a_network_with_an_unknown_operator_is_left_to_tract() {
    let (onnx, spec) = one("Sigmoid", |_, _| {});
    let refusal = Engine::native(&spec, &onnx, Level::best(), &|_| ()).unwrap_err();
    assert_eq!(refusal.to_string(), "operator Sigmoid: is not known");
    let engine = Engine::load(&spec, &onnx, &|_| ()).unwrap();
    assert_eq!(engine.facts().name, "tract");
    assert_eq!(engine.run(&[0.5; 256]).unwrap().mask.len(), 256);
    let (onnx, spec) = one("Relu", |_, _| {});
    assert_eq!(Engine::load(&spec, &onnx, &|_| ()).unwrap().facts().name, "blocked");
}

#[test]
fn forms_of_operators_that_are_not_known_are_refused_not_guessed() {
    let taken = |operator: &str, attributes: &[AttributeProto]| {
        let (onnx, spec) = one(operator, |network, from| {
            let sizes = network.whole_numbers(&[1, from.size[0], from.size[1], from.size[2]]);
            let node = network.graph.node.iter_mut().find(|n| n.op_type == operator).unwrap();
            node.attribute = attributes.to_vec();
            if operator == "Resize" {
                node.input.extend([String::new(), String::new(), sizes]);
            }
        });
        NativeEngine::load(&spec, &onnx, Level::PORTABLE, &|_| ()).is_ok()
    };
    let point = ints("kernel_shape", &[1, 1]);
    // What is known, and one attribute more that makes it something else.
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
    for (operator, known, more) in cases {
        assert!(taken(operator, &known), "{operator}");
        assert!(
            !taken(operator, &[known, vec![more.clone()]].concat()),
            "{operator} {}",
            more.name
        );
    }
    assert!(!taken("Concat", &[int("axis", 2)]));
    assert!(!taken("Resize", &[text("mode", "cubic")]));
    assert!(!taken("Resize", &[text("mode", "nearest")]), "rounds halves in a way of its own");
}

#[test]
fn a_broken_network_gives_the_error_that_tract_gives() {
    let (onnx, spec) = one("Relu", |_, _| {});
    let mut renamed = spec.clone();
    renamed.mask = "nobody".into();
    let mut larger = spec.clone();
    larger.input_shape = [1, 1, 32, 32];
    let cases = [
        (&onnx[..onnx.len() / 2], &spec),
        (b"no network".as_slice(), &spec),
        (b"".as_slice(), &spec),
        (&onnx, &renamed),
        (&onnx, &larger),
    ];
    for (index, (onnx, spec)) in cases.into_iter().enumerate() {
        let is = Engine::load(spec, onnx, &|_| ()).unwrap_err().to_string();
        let must = Engine::reference(spec, onnx, &|_| ()).unwrap_err().to_string();
        assert_eq!(is, must, "case {index}");
    }
}

#[test]
fn damaged_networks_are_read_or_refused_without_a_panic() {
    let (onnx, spec) = one("Relu", |_, _| {});
    let mut dice = Dice(3);
    for _ in 0..2000 {
        let mut damaged = onnx.clone();
        for _ in 0..1 + dice.below(4) {
            let place = dice.below(damaged.len());
            damaged[place] = dice.below(256) as u8;
        }
        if let Ok(engine) = NativeEngine::load(&spec, &damaged, Level::best(), &|_| ()) {
            assert!(engine.run(&[0.5; 256]).is_some());
        }
    }
}

#[test]
fn runs_at_the_same_time_answer_as_one_alone_and_leave_their_memory_to_the_next() {
    let (onnx, spec) = one("Relu", |_, _| {});
    let engine = NativeEngine::load(&spec, &onnx, Level::best(), &|_| ()).unwrap();
    let tensors: Vec<Vec<f32>> = (0..8).map(|seed| Dice(seed).numbers(256)).collect();
    let alone: Vec<Vec<f32>> = tensors.iter().map(|t| engine.run(t).unwrap().mask).collect();
    assert_eq!(engine.idle.lock().unwrap().len(), 1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (tensor, alone) in tensors.iter().zip(&alone) {
                    assert_eq!(&engine.run(tensor).unwrap().mask, alone);
                }
            });
        }
    });
    assert!(engine.idle.lock().unwrap().len() <= 4);
    assert!(engine.run(&[0.0; 255]).is_none());
}
