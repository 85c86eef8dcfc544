//! The whole engine against tract, at every level that this machine has.

pub(crate) mod network;

use super::{BlockedEngine, Level};
use crate::engine::Engine;
use crate::model_spec::ModelSpec;
use network::{Dice, Made, Network, int, ints};

/// Sums of 32-bit numbers in another order, over a few layers of numbers of about one.
const TOLERANCE: f32 = 2e-4;

/// Asserts that every level answers as tract does, twice, so that used memory is met as well.
fn agree(onnx: &[u8], spec: &ModelSpec, what: &str) {
    let [_, channels, height, width] = spec.input.shape;
    let clock = || 0.0;
    let reference = Engine::reference(spec, onnx, &clock).unwrap().0;
    for level in Level::available() {
        let place = format!("{what} at {}", level.name());
        let engine = BlockedEngine::load(spec, onnx, level, &clock)
            .unwrap_or_else(|refusal| panic!("{place}: {refusal}"))
            .0;
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
