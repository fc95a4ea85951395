//! Longest common subsequence and edit distance, exact, 64 cells of the table in one step.
//!
//! A library for showing differences takes shortcuts on long texts, which are fine for the eye and
//! wrong for a number that a threshold is held against.

use std::collections::HashMap;
use std::hash::Hash;

const BITS: usize = u64::BITS as usize;

/// Where each item of a sequence stands: for every item the words with a bit set, in order.
struct Places<'a, T> {
    words: usize,
    of: HashMap<&'a T, Vec<(usize, u64)>>,
}

impl<'a, T: Eq + Hash> Places<'a, T> {
    fn new(items: &'a [T]) -> Self {
        let mut of: HashMap<&T, Vec<(usize, u64)>> = HashMap::new();
        for (at, item) in items.iter().enumerate() {
            let (word, bit) = (at / BITS, 1u64 << (at % BITS));
            let places = of.entry(item).or_default();
            match places.last_mut() {
                Some((last, bits)) if *last == word => *bits |= bit,
                _ => places.push((word, bit)),
            }
        }
        Self { words: items.len().div_ceil(BITS), of }
    }

    /// Returns every word of the mask of an item.
    fn mask(&self, item: &T) -> impl Iterator<Item = u64> {
        let mut places = self.of.get(item).map(Vec::as_slice).unwrap_or_default();
        (0..self.words).map(move |word| match places {
            [(at, bits), rest @ ..] if *at == word => {
                places = rest;
                *bits
            }
            _ => 0,
        })
    }
}

/// Returns the length of the longest common subsequence, in time with the product of the lengths
/// divided by 64.
///
/// # Source
/// Hyyrö (2004), Bit-parallel LCS-length computation revisited, AWOCA, algorithm of figure 4.
pub(crate) fn longest_common_subsequence<T: Eq + Hash>(one: &[T], other: &[T]) -> usize {
    let places = Places::new(one);
    let mut row = vec![u64::MAX; places.words];
    for item in other {
        let mut carry = false;
        for (word, mask) in row.iter_mut().zip(places.mask(item)) {
            let common = *word & mask;
            let (sum, first) = word.overflowing_add(common);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first || second;
            *word = sum | (*word & !mask);
        }
    }
    // Bits beyond the last item match nothing, so they stay 1 and count for nothing.
    row.iter().map(|word| word.count_zeros() as usize).sum()
}

/// Returns the Levenshtein distance, in time with the product of the lengths divided by 64.
///
/// # Source
/// Myers (1999), J. ACM 46, 395–415, in the form of Hyyrö (2003), Nordic J. Computing 10, 29–39.
pub(crate) fn edit_distance<T: Eq + Hash>(one: &[T], other: &[T]) -> usize {
    if one.is_empty() {
        return other.len();
    }
    let places = Places::new(one);
    let last = 1u64 << ((one.len() - 1) % BITS);
    // Vertical differences of +1 and −1 between the cells of the column so far.
    let mut column = vec![(u64::MAX, 0u64); places.words];
    let mut distance = one.len();
    for item in other {
        let (mut plus_carry, mut minus_carry) = (1u64, 0u64);
        let (mut grew, mut shrank) = (false, false);
        for ((vertical_plus, vertical_minus), mask) in column.iter_mut().zip(places.mask(item)) {
            let matches = mask | minus_carry;
            let sum = (matches & *vertical_plus).wrapping_add(*vertical_plus);
            let diagonal = (sum ^ *vertical_plus) | matches | *vertical_minus;
            let plus = *vertical_minus | !(diagonal | *vertical_plus);
            let minus = diagonal & *vertical_plus;
            (grew, shrank) = (plus & last != 0, minus & last != 0);
            let plus_in = (plus << 1) | plus_carry;
            let minus_in = (minus << 1) | minus_carry;
            (plus_carry, minus_carry) = (plus >> (BITS - 1), minus >> (BITS - 1));
            *vertical_plus = minus_in | !(diagonal | plus_in);
            *vertical_minus = plus_in & diagonal;
        }
        // What the loop leaves is of the last word, which holds the last row.
        distance = distance + usize::from(grew) - usize::from(shrank);
    }
    distance
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The textbook table, as an oracle.
    fn table(one: &[char], other: &[char]) -> usize {
        let mut row = vec![0usize; other.len() + 1];
        for item in one {
            let mut diagonal = 0;
            for (at, candidate) in other.iter().enumerate() {
                let above = row[at + 1];
                row[at + 1] = if item == candidate { diagonal + 1 } else { above.max(row[at]) };
                diagonal = above;
            }
        }
        row[other.len()]
    }

    /// Texts around the width of a word and of several.
    fn text() -> impl Strategy<Value = Vec<char>> {
        prop_oneof!["[ab]{0,9}", "[abcd]{60,70}", "[a-h]{120,200}", "[aä☃]{0,140}"]
            .prop_map(|text| text.chars().collect())
    }

    proptest! {
        #[test]
        fn the_common_subsequence_is_that_of_the_table(one in text(), other in text()) {
            prop_assert_eq!(longest_common_subsequence(&one, &other), table(&one, &other));
        }

        #[test]
        fn the_distance_is_that_of_another_implementation(one in text(), other in text()) {
            let text = |chars: &[char]| chars.iter().collect::<String>();
            let expected = strsim::levenshtein(&text(&one), &text(&other));
            prop_assert_eq!(edit_distance(&one, &other), expected);
        }
    }
}
