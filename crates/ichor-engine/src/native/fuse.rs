//! Graph rewrites that reduce the number of steps: activations and residual sums become part of the convolution before
//! them, and convolutions read the inputs of a concatenation directly instead of a copy.

use super::graph::{Clamp, Graph, Op, Step, ValueId};
use super::kernels::MAX_SOURCES;
use super::view::LANES;

/// Applies all rewrites.
pub(super) fn fuse(graph: &mut Graph<'_>) {
    fuse_sums_and_activations(graph);
    inline_concats(graph);
    hoist_reductions(graph);
}

/// Merges activations and sums into the step that computes their input, if nothing else reads that input.
fn fuse_sums_and_activations(graph: &mut Graph<'_>) {
    let uses = graph.uses();
    // For each value, the index in `fused` of the step that writes it; no step writes the network's input.
    let mut writers: Vec<Option<usize>> = vec![None; graph.shapes.len()];
    let mut fused: Vec<Step<'_>> = Vec::new();
    for step in std::mem::take(&mut graph.steps) {
        let sole_writer = |value: ValueId| writers[value].filter(|_| uses[value] == 1);
        let host = match (&step.op, step.inputs.as_slice()) {
            (Op::Sum, &[input]) => sole_writer(input).filter(|&w| can_clamp(&fused[w])),
            (Op::Sum, &[first, second]) => {
                // Only the later of the two writers can add the other value, which exists by then.
                let orders = [(sole_writer(first), second), (sole_writer(second), first)];
                let available_after = |value: ValueId| writers[value].map_or(0, |w| w + 1);
                let fits = |&(writer, other): &(Option<usize>, ValueId)| {
                    writer.is_some_and(|w| can_add(&fused[w]) && available_after(other) <= w)
                };
                orders.into_iter().find(fits).and_then(|(writer, other)| {
                    fused[writer?].residual = Some(other);
                    writer
                })
            }
            _ => None,
        };
        match host {
            Some(host) => {
                fused[host].clamp = step.clamp;
                fused[host].output = step.output;
                writers[step.output] = Some(host);
            }
            None => {
                writers[step.output] = Some(fused.len());
                fused.push(step);
            }
        }
    }
    graph.steps = fused;
}

fn can_clamp(step: &Step<'_>) -> bool {
    use Op::{Conv, ConvTranspose2x2, Depthwise, Sum};
    matches!(step.op, Conv { .. } | Depthwise { .. } | ConvTranspose2x2 { .. } | Sum)
        && step.clamp == Clamp::NONE
}

fn can_add(step: &Step<'_>) -> bool {
    let is_convolution = match &step.op {
        // The kernel for one output channel does not add a residual.
        Op::Conv { bias, .. } => bias.len() > 1,
        Op::Depthwise { .. } => true,
        _ => false,
    };
    is_convolution && step.clamp == Clamp::NONE && step.residual.is_none()
}

/// Lets dense convolutions read the inputs of a concatenation, if all readers of its output are dense convolutions.
fn inline_concats(graph: &mut Graph<'_>) {
    let uses = graph.uses();
    for index in 0..graph.steps.len() {
        let Step { op: Op::Concat, inputs, output, .. } = &graph.steps[index] else { continue };
        let (inputs, output) = (inputs.clone(), *output);
        let fills_blocks = |&input: &ValueId| graph.shapes[input].channels.is_multiple_of(LANES);
        let aligned = inputs.split_last().is_some_and(|(_, rest)| rest.iter().all(fills_blocks));
        let in_blocks = inputs.iter().all(|&input| graph.shapes[input].channels > 1);
        let is_reader =
            |step: &Step<'_>| matches!(step.op, Op::Conv { .. }) && step.inputs == [output];
        let readers: Vec<usize> =
            (0..graph.steps.len()).filter(|&s| is_reader(&graph.steps[s])).collect();
        if aligned && in_blocks && inputs.len() <= MAX_SOURCES && readers.len() == uses[output] {
            for reader in readers {
                graph.steps[reader].inputs.clone_from(&inputs);
            }
        }
    }
    let uses = graph.uses();
    graph.steps.retain(|step| uses[step.output] > 0);
}

/// Moves each reduction to directly after the step that writes its input. A reduction needs all rows of its input;
/// without it, the steps that remain in between can run a few rows at a time.
fn hoist_reductions(graph: &mut Graph<'_>) {
    let mut remaining: Vec<Step<'_>> = std::mem::take(&mut graph.steps);
    let mut available = vec![false; graph.shapes.len()];
    available[0] = true;
    while !remaining.is_empty() {
        let is_ready = |step: &Step<'_>| {
            matches!(step.op, Op::Mean | Op::Max) && step.reads().all(|value| available[value])
        };
        let next = remaining.remove(remaining.iter().position(is_ready).unwrap_or(0));
        available[next.output] = true;
        graph.steps.push(next);
    }
}
