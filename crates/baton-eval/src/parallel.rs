//! Cases do not depend on each other: they are decided on all processors.

use std::num::NonZero;
use std::thread::{available_parallelism, scope};

/// The results in the order of the items, whatever the number of processors. All threads have ended when this returns.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = available_parallelism().map_or(1, NonZero::get);
    let share = items.len().div_ceil(workers).max(1);
    let part = |items: &[T]| items.iter().map(&work).collect::<Vec<R>>();
    scope(|scope| {
        let running: Vec<_> = items.chunks(share).map(|items| scope.spawn(move || part(items))).collect();
        let ended = running.into_iter().map(|part| part.join());
        ended.flat_map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for count in [0, 1, 2, 3, 1_000] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(map(&items, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
