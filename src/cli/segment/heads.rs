//! Pictures whose file names are numbered as the slices of one head.

use super::inputs::Input;
use crate::error::Result;
use crate::segmenter::{Analysis, Segmenter};
use crate::slice::Warning;
use std::collections::HashMap;

/// Pictures segmented at the same time, of one head or several.
const BATCH: usize = 16;
/// Largest number of pictures of one head that are held until all are segmented; more count as another head.
const MAX_SLICES: usize = 64;

/// The inputs and their places on the command line, with the pictures of one head behind its first: a shell or a
/// program may name files in any order.
pub(super) fn order_by_head(inputs: Vec<Input>) -> (Vec<usize>, Vec<Input>) {
    let mut first_of = HashMap::new();
    let mut placed: Vec<(usize, usize, Input)> = Vec::with_capacity(inputs.len());
    for (at, input) in inputs.into_iter().enumerate() {
        let head = input.place.as_ref().map(|place| place.head.clone());
        let first = head.map_or(at, |head| *first_of.entry(head).or_insert(at));
        placed.push((first, at, input));
    }
    placed.sort_by_key(|&(first, at, _)| (first, at));
    placed.into_iter().map(|(_, at, input)| (at, input)).unzip()
}

/// Splits the inputs, in their order, into batches. With `as_series`, the pictures of one head are in one batch. An input
/// that may hold a series is a batch by itself, as it may need all memory and uses all cores.
pub(super) fn split_into_batches(inputs: &[Input], as_series: bool) -> Vec<&[Input]> {
    let same_head = |a: &Input, b: &Input| as_series && a.is_of_same_head(b);
    let pictures = |a: &Input, b: &Input| a.is_picture() && b.is_picture();
    let mut batches = Vec::new();
    for run in inputs.chunk_by(pictures) {
        let (mut start, mut end) = (0, 0);
        for head in run.chunk_by(same_head).flat_map(|head| head.chunks(MAX_SLICES)) {
            if end > start && end - start + head.len() > BATCH {
                batches.push(&run[start..end]);
                start = end;
            }
            end += head.len();
        }
        batches.push(&run[start..end]);
    }
    batches
}

/// Smooths the pictures of each head in a batch; `analyses` has one per input.
pub(super) fn smooth<T>(
    model: &Segmenter,
    batch: &[Input],
    analyses: &mut [Result<T>],
    analysis_of: impl Fn(&mut T) -> &mut Analysis,
) -> Result<()> {
    let mut rest = analyses;
    for head in batch.chunk_by(Input::is_of_same_head) {
        let (pictures, others) = rest.split_at_mut(head.len());
        rest = others;
        let numbers = head.iter().map(|input| input.place.as_ref().map_or(0, |place| place.number));
        let mut readable: Vec<(u64, &mut Analysis)> = numbers
            .zip(pictures)
            .filter_map(|(number, picture)| Some((number, analysis_of(picture.as_mut().ok()?))))
            // A TIFF of several pages is a series by itself.
            .filter(|(_, analysis)| analysis.is_single_slice)
            .collect();
        let count = readable.len();
        let pictures = readable.iter_mut().map(|(number, analysis)| (*number, &mut **analysis));
        model.smooth_pictures(pictures.collect())?;
        for (_, analysis) in readable {
            let has_evidence = analysis.slices.iter().any(|slice| slice.evidence.is_some());
            analysis.add_warnings(
                (count > 1 && has_evidence).then(|| warn_of_numbered_pictures(count)),
            );
        }
    }
    Ok(())
}

fn warn_of_numbered_pictures(count: usize) -> Warning {
    let message = format!(
        "By their numbers taken for {count} slices of one head: the probability counts what the \
         neighbours show. If they are not, segment them without --as-series."
    );
    Warning::new("numbered_pictures", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(heads: &[(Option<&'static str>, u64)], as_series: bool) -> Vec<usize> {
        let picture = |&(name, count): &(Option<&'static str>, u64)| {
            (0..count).map(move |number| Input::picture(name, number))
        };
        let inputs: Vec<Input> = heads.iter().flat_map(picture).collect();
        split_into_batches(&inputs, as_series).into_iter().map(<[Input]>::len).collect()
    }

    #[test]
    fn pictures_of_a_head_are_put_together_from_any_order() {
        let names = [("b", 2), ("a", 1), ("b", 1), ("a", 9)];
        let mut inputs: Vec<Input> =
            names.map(|(head, number)| Input::picture(Some(head), number)).into();
        inputs.insert(2, Input::picture(None, 0));
        let (order, inputs) = order_by_head(inputs);
        assert_eq!(order, [0, 3, 1, 4, 2]);
        assert_eq!(split_into_batches(&inputs, true).len(), 1);
        assert!(inputs[0].is_of_same_head(&inputs[1]) && inputs[2].is_of_same_head(&inputs[3]));
    }

    #[test]
    fn heads_stay_whole_and_batches_short() {
        assert_eq!(lengths(&[], true), Vec::<usize>::new());
        assert_eq!(lengths(&[(None, 40)], true), [16, 16, 8]);
        assert_eq!(lengths(&[(None, 3), (Some("a"), 20), (None, 2)], true), [3, 20, 2]);
        assert_eq!(lengths(&[(Some("a"), 10), (Some("b"), 10), (Some("c"), 6)], true), [10, 16]);
        assert_eq!(lengths(&[(Some("a"), 70)], true), [64, 6]);
        assert_eq!(lengths(&[(Some("a"), 20)], false), [16, 4]);
    }
}
