//! Work on all cores; on WebAssembly, which has one thread, in turn and without the code of a thread pool.

#[cfg(not(target_family = "wasm"))]
use rayon::prelude::*;

/// The results of `work` on items and their indices, in their order.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    #[cfg(target_family = "wasm")]
    let items = items.iter();
    #[cfg(not(target_family = "wasm"))]
    let items = items.par_iter();
    items.enumerate().map(|(index, item)| work(index, item)).collect()
}

/// As [`map`], for items that take long: a core that is free takes one item at a time.
///
/// # Errors
/// One of the errors of `work`. Items that are not begun are then left out.
pub fn try_map<T: Sync, R: Send, E: Send>(
    items: &[T],
    work: impl Fn(usize, &T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    #[cfg(target_family = "wasm")]
    let items = items.iter().enumerate();
    // Or a thread that is done finds no item to take from the others.
    #[cfg(not(target_family = "wasm"))]
    let items = items.par_iter().enumerate().with_max_len(1);
    items.map(|(index, item)| work(index, item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_their_items() {
        let items: Vec<usize> = (0..1000).rev().collect();
        let sums = map(&items, |index, item| index + item);
        assert!(sums.iter().all(|&sum| sum == 999) && sums.len() == 1000);
        let labelled: Result<Vec<_>, ()> = try_map(&items, |index, &item| Ok((index, item)));
        assert_eq!(labelled.unwrap()[3], (3, 996));
    }

    #[test]
    fn an_error_is_returned() {
        let items = [1, 2, 3];
        assert_eq!(
            try_map(&items, |_, &item| if item == 2 { Err(item) } else { Ok(item) }),
            Err(2)
        );
    }
}
