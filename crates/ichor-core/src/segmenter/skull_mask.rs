//! Restricts logits to the inside of the skull.

use crate::engine::{IMPOSSIBLE_LOGIT, Logits};
use crate::mask::Mask;
use crate::model_spec::StrongestCell;

/// Sets logits outside `within` to impossible, and removes their part from the logit of the first slice class: a
/// swollen scalp must not raise the probability. `cell` is the cell of the model whose mean is that part.
pub(super) fn restrict_to_mask(logits: &mut Logits, within: &Mask, cell: Option<StrongestCell>) {
    let contribution = |mask: &[f32]| {
        cell.map_or(0.0, |cell| cell.weight * max_cell_mean(mask, within.width, cell.side_px))
    };
    let before = contribution(&logits.mask);
    for (logit, &within) in logits.mask.iter_mut().zip(&within.pixels) {
        *logit = if within { *logit } else { IMPOSSIBLE_LOGIT };
    }
    let after = contribution(&logits.mask);
    if let Some(any) = logits.slice.first_mut() {
        *any += after - before;
    }
}

/// The highest mean of the cells of `side` x `side` px that tile a map of `width` columns. Incomplete
/// cells at the right and bottom are left out.
pub(super) fn max_cell_mean(map: &[f32], width: usize, side: usize) -> f32 {
    let mut sums = vec![0.0; width];
    let mut highest = f32::NEG_INFINITY;
    for rows in map.chunks_exact(width * side) {
        sums.fill(0.0);
        for row in rows.chunks_exact(width) {
            sums.iter_mut().zip(row).for_each(|(sum, &logit)| *sum += logit);
        }
        let cells = sums.chunks_exact(side).map(|cell| cell.iter().sum::<f32>());
        highest = cells.fold(highest, f32::max);
    }
    highest / (side * side) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 6 x 4: a strong cell on the left, a weaker one on the right.
    fn answer() -> Logits {
        let mut mask = vec![-5.0; 24];
        for (place, logit) in [(0, 4.0), (1, 4.0), (6, 4.0), (7, 4.0), (16, 2.0), (17, 2.0)] {
            mask[place] = logit;
        }
        Logits { mask, slice: vec![1.0, 0.5] }
    }

    fn without_left_half() -> Mask {
        Mask { width: 6, height: 4, pixels: (0..24).map(|i| i % 6 >= 3).collect() }
    }

    #[test]
    fn the_strongest_cell_is_found_as_written_out() {
        assert_eq!(max_cell_mean(&answer().mask, 6, 2), 4.0);
        assert_eq!(max_cell_mean(&answer().mask, 6, 4), (4.0 * 4.0 - 5.0 * 12.0) / 16.0);
    }

    #[test]
    fn outside_counts_neither_in_the_mask_nor_in_the_slice() {
        let (mut logits, cell) = (answer(), StrongestCell { side_px: 2, weight: 0.5 });
        restrict_to_mask(&mut logits, &without_left_half(), Some(cell));
        assert!(
            logits.mask.iter().enumerate().all(|(i, &l)| (l == IMPOSSIBLE_LOGIT) == (i % 6 < 3))
        );
        // The largest cell mean was 4; inside the mask it is the mean of 2, 2, -5 and -5.
        assert_eq!(logits.slice, [1.0 + 0.5 * (-1.5 - 4.0), 0.5]);
    }

    #[test]
    fn where_everything_is_within_nothing_changes() {
        let (mut logits, all) = (answer(), Mask { width: 6, height: 4, pixels: vec![true; 24] });
        let cell = StrongestCell { side_px: 2, weight: 0.5 };
        restrict_to_mask(&mut logits, &all, Some(cell));
        assert_eq!((logits.mask, logits.slice), (answer().mask, answer().slice));
        let mut logits = answer();
        restrict_to_mask(&mut logits, &without_left_half(), None);
        assert_eq!(logits.slice, answer().slice);
    }
}
