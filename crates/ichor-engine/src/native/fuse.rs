//! Fewer steps that do the same: activations and residual sums become part of the step before them,
//! joined values are read one after the other instead of being copied together.

use super::graph::{Clamp, Graph, Op, Step, ValueId};
use super::kernels::MOST_PARTS;
use super::view::LANES;

/// Rewrites the graph.
pub(super) fn fuse(graph: &mut Graph<'_>) {
    absorb(graph);
    read_parts(graph);
    hoist(graph);
}

/// Lets convolutions add a residual and apply the activation.
fn absorb(graph: &mut Graph<'_>) {
    let uses = graph.uses();
    // The step that makes each value, by its place in `kept`; the input is made by none.
    let mut makers: Vec<Option<usize>> = vec![None; graph.shapes.len()];
    let mut kept: Vec<Step<'_>> = Vec::new();
    for step in std::mem::take(&mut graph.steps) {
        let maker = |value: ValueId| makers[value].filter(|_| uses[value] == 1);
        let host = match (&step.op, step.inputs.as_slice()) {
            (Op::Sum, &[only]) => maker(only).filter(|&m| can_clamp(&kept[m])),
            (Op::Sum, &[first, second]) => {
                // The later of the two finds the other one made.
                let both = [(maker(first), second), (maker(second), first)];
                let other = |value: ValueId| makers[value].map_or(0, |m| m + 1);
                let fits = |&(m, o): &(Option<usize>, ValueId)| {
                    m.is_some_and(|m| can_add(&kept[m]) && other(o) <= m)
                };
                both.into_iter().find(fits).and_then(|(m, o)| {
                    kept[m?].residual = Some(o);
                    m
                })
            }
            _ => None,
        };
        match host {
            Some(host) => {
                kept[host].clamp = step.clamp;
                kept[host].output = step.output;
                makers[step.output] = Some(host);
            }
            None => {
                makers[step.output] = Some(kept.len());
                kept.push(step);
            }
        }
    }
    graph.steps = kept;
}

fn can_clamp(step: &Step<'_>) -> bool {
    use Op::{Convolution, Depthwise, Enlarge, Sum};
    matches!(step.op, Convolution { .. } | Depthwise { .. } | Enlarge { .. } | Sum)
        && step.clamp == Clamp::NONE
}

fn can_add(step: &Step<'_>) -> bool {
    let convolution = match &step.op {
        // To one channel there is a kernel of its own, without residual.
        Op::Convolution { bias, .. } => bias.len() > 1,
        Op::Depthwise { .. } => true,
        _ => false,
    };
    convolution && step.clamp == Clamp::NONE && step.residual.is_none()
}

/// Lets dense convolutions read the parts of a joined value, where no other step reads it.
fn read_parts(graph: &mut Graph<'_>) {
    let uses = graph.uses();
    for joined in 0..graph.steps.len() {
        let Step { op: Op::Concat, inputs, output, .. } = &graph.steps[joined] else { continue };
        let (parts, output) = (inputs.clone(), *output);
        let blocks = |&part: &ValueId| graph.shapes[part].channels.is_multiple_of(LANES);
        let whole = parts.split_last().is_some_and(|(_, before)| before.iter().all(blocks));
        let lined = parts.iter().all(|&part| graph.shapes[part].channels > 1);
        let reads =
            |step: &Step<'_>| matches!(step.op, Op::Convolution { .. }) && step.inputs == [output];
        let readers: Vec<usize> =
            (0..graph.steps.len()).filter(|&s| reads(&graph.steps[s])).collect();
        if whole && lined && parts.len() <= MOST_PARTS && readers.len() == uses[output] {
            for reader in readers {
                graph.steps[reader].inputs.clone_from(&parts);
            }
        }
    }
    let uses = graph.uses();
    graph.steps.retain(|step| uses[step.output] > 0);
}

/// Moves reductions, which need all of their input, to just after it is made: what is left in between
/// can then work row after row.
fn hoist(graph: &mut Graph<'_>) {
    let mut left: Vec<Step<'_>> = std::mem::take(&mut graph.steps);
    let mut made = vec![false; graph.shapes.len()];
    made[0] = true;
    while !left.is_empty() {
        let ready = |step: &Step<'_>| {
            matches!(step.op, Op::Mean | Op::Max) && step.reads().all(|value| made[value])
        };
        let next = left.remove(left.iter().position(ready).unwrap_or(0));
        made[next.output] = true;
        graph.steps.push(next);
    }
}
