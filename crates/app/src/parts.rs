//! Work on many items, on all cores at once.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

/// The fewest items for which a thread is worth its start.
const WORTH_A_THREAD: usize = 256;

/// Cuts the places of so many items into ranges, works on all of them at once, and returns what came
/// of each, in order. Blocking.
pub(crate) fn in_parts<R: Send>(count: usize, work: impl Fn(Range<usize>) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let parts = cores.min(count / WORTH_A_THREAD);
    if parts < 2 {
        return vec![work(0..count)];
    }
    let size = count.div_ceil(parts);
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .step_by(size)
            .map(|start| scope.spawn(move || work(start..count.min(start + size))))
            .collect();
        let results = threads.into_iter().map(ScopedJoinHandle::join);
        results.map(|result| result.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once_and_results_keep_their_order() {
        for count in [0, 1, WORTH_A_THREAD, 10 * WORTH_A_THREAD + 7] {
            let places: Vec<usize> =
                in_parts(count, Iterator::collect::<Vec<_>>).into_iter().flatten().collect();
            assert_eq!(places, (0..count).collect::<Vec<_>>());
        }
    }
}
