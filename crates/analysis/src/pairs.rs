//! Pairs of outputs that a judge saw in both orders (STATS S15, S16).

use evalset::Preference;
use serde::Serialize;
use stats::{InvalidInput, Level, Position};
use values::Interval;

use crate::estimate::Estimate;
use crate::order::{JudgedPair, PairwiseOrder, Preferred, pairwise_order};

/// What a judge prefers of a pair, by the pair's own order, in each order of showing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BothOrders {
    /// With `a` shown first; none if that answer failed or could not be read.
    pub a_first: Option<Preference>,
    /// With `b` shown first.
    pub b_first: Option<Preference>,
}

impl BothOrders {
    /// Returns what is preferred: a win counts only if it is the same in both orders, and is otherwise a
    /// tie. None if an order is missing.
    pub fn preferred(self) -> Option<Preferred> {
        match (self.a_first?, self.b_first?) {
            (Preference::A, Preference::A) => Some(Preferred::First),
            (Preference::B, Preference::B) => Some(Preferred::Second),
            _ => Some(Preferred::Neither),
        }
    }

    /// Returns the places that won, with `a` shown first and with `b` shown first.
    fn places(self) -> Option<(Position, Position)> {
        let a_first = match self.a_first? {
            Preference::A => Position::First,
            Preference::B => Position::Second,
            Preference::Tie => Position::Tie,
        };
        let b_first = match self.b_first? {
            Preference::A => Position::Second,
            Preference::B => Position::First,
            Preference::Tie => Position::Tie,
        };
        Some((a_first, b_first))
    }
}

/// What a judge says of pairs that it saw in both orders.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SwapFinding {
    /// The pairs that were judged in both orders.
    pub pairs: usize,
    /// The share with the same winner in both.
    pub consistency: Estimate<f64>,
    /// Its two-sided 95 % interval.
    pub interval: Interval,
    /// The pairs in which the first won both times.
    pub first_twice: u64,
    /// The pairs in which the second did.
    pub second_twice: u64,
    /// The exact two-sided p-value of the two being equally likely.
    pub p_value: f64,
}

/// Returns whether the order decides; `None` without a pair in both orders.
///
/// # Errors
/// [`InvalidInput`] if there are more pairs than the statistics allow.
pub fn position(pairs: &[BothOrders]) -> Result<Option<SwapFinding>, InvalidInput> {
    let places = pairs.iter().filter_map(|pair| pair.places());
    let (first, second): (Vec<Position>, Vec<Position>) = places.unzip();
    if first.is_empty() {
        return Ok(None);
    }
    let found = stats::position_swap(&first, &second, Level::P95)?;
    Ok(Some(SwapFinding {
        pairs: first.len(),
        consistency: found.consistency.into(),
        interval: found.interval,
        first_twice: found.first_first,
        second_twice: found.second_second,
        p_value: found.position_p,
    }))
}

/// A pair of outputs of one case, by two variants, that a judge saw in both orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComparedPair {
    /// The variants of `a` and `b`, as places in the list of names.
    pub variants: [usize; 2],
    /// What the judge said; none if both made the same output: nobody is asked, and it is a tie.
    pub said: Option<BothOrders>,
    /// The cluster of the case.
    pub cluster: usize,
}

/// The order of variants by what one judge said of pairs of their outputs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgedOrder {
    /// The judge.
    pub judge: String,
    /// Whether it is trusted on its criterion.
    pub is_trusted: bool,
    /// The order.
    pub order: PairwiseOrder,
    /// Whether the order of showing decided.
    pub position: Option<SwapFinding>,
    /// The pairs of equal outputs, which are ties without being asked about.
    pub same: usize,
    /// The pairs that are left out, because an answer in one of the orders is missing or could not be
    /// read.
    pub left_out: usize,
}

/// Returns the order of variants by pairs; `None` if no pair has an answer in both orders.
///
/// # Errors
/// As [`pairwise_order`].
pub fn judged_order(
    (judge, is_trusted): (&str, bool),
    names: &[String],
    pairs: &[ComparedPair],
    level: Level,
    seed: u64,
) -> Result<Option<JudgedOrder>, InvalidInput> {
    let decided: Vec<JudgedPair> = pairs
        .iter()
        .filter_map(|pair| {
            let (variants, cluster) = (pair.variants, pair.cluster);
            let preferred = pair.said.map_or(Some(Preferred::Neither), BothOrders::preferred)?;
            Some(JudgedPair { variants, preferred, cluster })
        })
        .collect();
    let Some(order) = pairwise_order(names, &decided, level, seed)? else { return Ok(None) };
    let said: Vec<BothOrders> = pairs.iter().filter_map(|pair| pair.said).collect();
    Ok(Some(JudgedOrder {
        judge: judge.to_owned(),
        is_trusted,
        order,
        position: position(&said)?,
        same: pairs.len() - said.len(),
        left_out: pairs.len() - decided.len(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(a_first: Preference, b_first: Preference) -> BothOrders {
        BothOrders { a_first: Some(a_first), b_first: Some(b_first) }
    }

    #[test]
    fn a_win_that_depends_on_the_order_is_a_tie_and_position_bias() {
        use Preference::{A, B, Tie};
        assert_eq!(both(A, A).preferred(), Some(Preferred::First));
        assert_eq!(both(B, B).preferred(), Some(Preferred::Second));
        for (a_first, b_first) in [(A, B), (B, A), (A, Tie), (Tie, B), (Tie, Tie)] {
            assert_eq!(both(a_first, b_first).preferred(), Some(Preferred::Neither));
        }
        assert_eq!(BothOrders { a_first: Some(A), b_first: None }.preferred(), None);
        let all = [both(A, B), both(A, B), both(B, A), both(A, A), both(Tie, Tie), both(A, Tie)];
        let found = position(&all).unwrap().unwrap();
        assert_eq!((found.pairs, found.first_twice, found.second_twice), (6, 2, 1));
        assert_eq!(found.consistency.value(), Some(2.0 / 6.0));
        assert_eq!(position(&[]), Ok(None));
    }

    #[test]
    fn the_order_rests_on_pairs_with_both_answers_and_counts_the_others() {
        use Preference::{A, B};
        let pair = |said, cluster| ComparedPair { variants: [0, 1], said: Some(said), cluster };
        let half = BothOrders { a_first: None, b_first: Some(A) };
        let mut pairs: Vec<ComparedPair> =
            (0..6).map(|cluster| pair(both(A, A), cluster)).collect();
        pairs.extend([
            pair(both(B, B), 6),
            pair(both(B, B), 7),
            pair(both(A, B), 8),
            pair(half, 9),
        ]);
        let names = ["old".to_owned(), "new".to_owned()];
        let found = judged_order(("j", false), &names, &pairs, Level::P95, 1).unwrap().unwrap();
        assert_eq!((found.order.pairs, found.left_out), (9, 1));
        assert_eq!(found.order.rows[0].name, "old");
        assert_eq!((found.order.rows[0].wins, found.order.rows[0].ties), (6, 1));
        assert_eq!(found.position.unwrap().first_twice, 1);
        pairs.push(ComparedPair { variants: [0, 1], said: None, cluster: 10 });
        let with = judged_order(("j", false), &names, &pairs, Level::P95, 1).unwrap().unwrap();
        assert_eq!((with.order.pairs, with.same, with.order.rows[0].ties), (10, 1, 2));
        assert_eq!(with.position, found.position, "nobody was asked about equal outputs");
        let none = judged_order(("j", true), &names, &[pair(half, 0)], Level::P95, 1);
        assert_eq!(none, Ok(None));
    }
}
