/// What the context's memory holds: for each sequence its tokens, and which cells they lie in.
///
/// Sequences share the cells of a common prefix, so the number of cells in use is not the sum of
/// their lengths. This is the book; the batcher does the same to the real memory.
#[derive(Debug)]
pub(super) struct Sequences {
    rows: Vec<Row>,
    /// For each cell, how many sequences use it.
    users: Vec<u32>,
    free: Vec<usize>,
    clock: u64,
}

#[derive(Debug, Default, Clone)]
struct Row {
    tokens: Vec<i32>,
    cells: Vec<usize>,
    busy: bool,
    used_at: u64,
}

/// The longest stored beginning of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) sequence: usize,
    pub(super) length: usize,
}

impl Sequences {
    pub(super) fn new(count: usize) -> Self {
        Self { rows: vec![Row::default(); count], users: Vec::new(), free: Vec::new(), clock: 0 }
    }

    /// Returns the number of tokens of a sequence.
    pub(super) fn len(&self, sequence: usize) -> usize {
        self.rows[sequence].tokens.len()
    }

    /// Returns the number of cells in use.
    pub(super) fn cells_in_use(&self) -> usize {
        self.users.len() - self.free.len()
    }

    /// Returns the sequence that shares the longest beginning with a prompt, the latest used
    /// among equals; `None` if none shares a token.
    pub(super) fn longest_prefix(&self, prompt: &[i32]) -> Option<Prefix> {
        let prefixes = self.rows.iter().enumerate().map(|(sequence, row)| {
            let length = common_length(&row.tokens, prompt);
            (length, row.used_at, Prefix { sequence, length })
        });
        prefixes
            .max_by_key(|(length, used_at, _)| (*length, *used_at))
            .map(|(_, _, prefix)| prefix)
            .filter(|prefix| prefix.length > 0)
    }

    /// Returns the sequence that nobody works on and that was used longest ago, other than `keep`.
    pub(super) fn oldest_idle(&self, keep: Option<usize>) -> Option<usize> {
        let idle = self.rows.iter().enumerate();
        idle.filter(|(sequence, row)| !row.busy && Some(*sequence) != keep)
            .min_by_key(|(_, row)| (!row.tokens.is_empty(), row.used_at))
            .map(|(sequence, _)| sequence)
    }

    /// Returns an idle sequence that holds something, used longest ago, other than `keep`.
    pub(super) fn oldest_idle_with_tokens(&self, keep: Option<usize>) -> Option<usize> {
        let idle = self.rows.iter().enumerate();
        idle.filter(|(n, row)| !row.busy && !row.tokens.is_empty() && Some(*n) != keep)
            .min_by_key(|(_, row)| row.used_at)
            .map(|(sequence, _)| sequence)
    }

    pub(super) fn mark_busy(&mut self, sequence: usize) {
        self.touch(sequence);
        self.rows[sequence].busy = true;
    }

    pub(super) fn mark_idle(&mut self, sequence: usize) {
        self.touch(sequence);
        self.rows[sequence].busy = false;
    }

    /// Adds a token in a cell of its own.
    pub(super) fn push(&mut self, sequence: usize, token: i32) {
        let cell = self.free.pop().unwrap_or_else(|| {
            self.users.push(0);
            self.users.len() - 1
        });
        self.users[cell] = 1;
        self.rows[sequence].tokens.push(token);
        self.rows[sequence].cells.push(cell);
    }

    /// Forgets what lies after the first `length` tokens.
    pub(super) fn truncate(&mut self, sequence: usize, length: usize) {
        let row = &mut self.rows[sequence];
        row.tokens.truncate(length);
        let length = length.min(row.cells.len());
        for cell in row.cells.split_off(length) {
            self.users[cell] -= 1;
            if self.users[cell] == 0 {
                self.free.push(cell);
            }
        }
    }

    /// Makes `to` the first `length` tokens of `from`, in the same cells.
    pub(super) fn share(&mut self, from: usize, to: usize, length: usize) {
        self.truncate(to, 0);
        let tokens = self.rows[from].tokens[..length].to_vec();
        let cells = self.rows[from].cells[..length].to_vec();
        for cell in &cells {
            self.users[*cell] += 1;
        }
        self.touch(from);
        self.rows[to].tokens = tokens;
        self.rows[to].cells = cells;
    }

    fn touch(&mut self, sequence: usize) {
        self.clock += 1;
        self.rows[sequence].used_at = self.clock;
    }
}

/// Returns how many tokens two texts have in common at their beginning.
pub(super) fn common_length(left: &[i32], right: &[i32]) -> usize {
    left.iter().zip(right).take_while(|(l, r)| l == r).count()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn filled(count: usize, sequence: usize, tokens: &[i32]) -> Sequences {
        let mut sequences = Sequences::new(count);
        for token in tokens {
            sequences.push(sequence, *token);
        }
        sequences
    }

    #[test]
    fn a_shared_prefix_costs_its_cells_once_and_outlives_its_source() {
        let mut sequences = filled(2, 0, &[1, 2, 3, 4]);
        sequences.share(0, 1, 3);
        sequences.push(1, 9);
        assert_eq!(sequences.cells_in_use(), 5);
        sequences.truncate(0, 0);
        assert_eq!(sequences.cells_in_use(), 4);
        assert_eq!(
            sequences.longest_prefix(&[1, 2, 3, 9, 9]),
            Some(Prefix { sequence: 1, length: 4 })
        );
        assert_eq!(sequences.longest_prefix(&[7]), None);
    }

    #[test]
    fn an_empty_idle_sequence_is_taken_before_one_that_holds_something() {
        let mut sequences = filled(3, 0, &[1]);
        sequences.mark_busy(1);
        assert_eq!(sequences.oldest_idle(None), Some(2));
        sequences.mark_busy(2);
        assert_eq!(sequences.oldest_idle(None), Some(0));
        assert_eq!(sequences.oldest_idle(Some(0)), None);
    }

    proptest! {
        #[test]
        fn cells_in_use_are_the_distinct_cells_of_all_sequences(
            steps in proptest::collection::vec((0usize..3, 0usize..4, 0usize..4, 0usize..6), 0..60),
        ) {
            let mut sequences = Sequences::new(4);
            for (kind, a, b, length) in steps {
                match kind {
                    0 => sequences.push(a, 1),
                    1 => sequences.truncate(a, length),
                    _ if a == b => {}
                    _ => { let length = length.min(sequences.len(a)); sequences.share(a, b, length) }
                }
                let distinct: HashSet<usize> =
                    sequences.rows.iter().flat_map(|row| row.cells.iter().copied()).collect();
                prop_assert_eq!(sequences.cells_in_use(), distinct.len());
                for row in &sequences.rows {
                    prop_assert_eq!(row.tokens.len(), row.cells.len());
                }
            }
        }
    }
}
