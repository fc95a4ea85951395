//! S15: what sways a rater besides quality: the order of presentation, length, kinship.

use values::Interval;

use crate::correlation::{correlation_p, spearman};
use crate::error::{Defined, InvalidInput, Undefined, at_least, check_length, check_values};
use crate::level::Level;
use crate::proportion::wilson_interval;
use crate::special;
use crate::two_sample::{WelchTest, welch_t};

/// The position of the winner of a pair, as the rater saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Position {
    /// The one shown first.
    First,
    /// The one shown second.
    Second,
    /// Neither.
    Tie,
}

/// What a rater does when the order of two candidates is swapped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PositionSwap {
    /// The share of pairs with the same candidate (or a tie) in both orders.
    pub consistency: Defined<f64>,
    /// Its Wilson interval.
    pub interval: Interval,
    /// Pairs on which the first position won both times.
    pub first_first: u64,
    /// Pairs on which the second position won both times.
    pub second_second: u64,
    /// The exact two-sided p-value of first_first against second_second.
    pub position_p: f64,
    /// How often the first position won, of all wins.
    pub first_rate: Defined<f64>,
    /// A's wins over both orders, ties half.
    pub swap_averaged_win_rate_a: Defined<f64>,
}

/// Returns how consistent a rater is under swapping the order.
///
/// `ab[i]` is the winning position with A first, `ba[i]` with B first.
///
/// # Errors
/// [`InvalidInput::Length`] if the lengths differ.
///
/// # Source
/// Wang et al. (2023), "Large Language Models are not Fair Evaluators"; exact sign test. Checked
/// against scipy `binomtest`.
pub fn position_swap(
    ab: &[Position],
    ba: &[Position],
    level: Level,
) -> Result<PositionSwap, InvalidInput> {
    check_length("ba", ba.len(), ab.len())?;
    let count = |of: &dyn Fn(Position, Position) -> bool| {
        ab.iter().zip(ba).filter(|(x, y)| of(**x, **y)).count() as u64
    };
    let n = ab.len() as u64;
    let first_first = count(&|x, y| x == Position::First && y == Position::First);
    let second_second = count(&|x, y| x == Position::Second && y == Position::Second);
    let both_ties = count(&|x, y| x == Position::Tie && y == Position::Tie);
    let consistent = both_ties
        + count(&|x, y| x == Position::First && y == Position::Second)
        + count(&|x, y| x == Position::Second && y == Position::First);
    let both = ab.iter().chain(ba);
    let firsts = both.clone().filter(|x| **x == Position::First).count();
    let decided = both.filter(|x| **x != Position::Tie).count();
    let credit = |x: &Position, winner: Position| match *x {
        Position::Tie => 0.5,
        other => f64::from(u8::from(other == winner)),
    };
    let credits: f64 = ab.iter().map(|x| credit(x, Position::First)).sum::<f64>()
        + ba.iter().map(|x| credit(x, Position::Second)).sum::<f64>();
    let consistency = wilson_interval(consistent, n, level)?;
    Ok(PositionSwap {
        consistency: consistency.estimate,
        interval: consistency.interval,
        first_first,
        second_second,
        position_p: special::sign_test_p(first_first, first_first + second_second),
        first_rate: if decided == 0 {
            Err(Undefined::ZeroDenominator)
        } else {
            Ok(firsts as f64 / decided as f64)
        },
        swap_averaged_win_rate_a: at_least(1, ab.len()).map(|()| credits / (2.0 * n as f64)),
    })
}

/// How much a rater's scores follow length beyond what people's do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LengthBias {
    /// Spearman's ρ of the rater's scores and length.
    pub rater_length: Defined<f64>,
    /// Spearman's ρ of people's scores and length: longer may be better.
    pub human_length: Defined<f64>,
    /// Their partial correlation given people's scores; only this is a sign of bias.
    pub partial: Defined<f64>,
    /// Its two-sided p-value by t(n − 3).
    pub partial_p: Defined<f64>,
}

/// Returns the partial rank correlation of a rater's scores and length, given people's scores.
///
/// r = (r_jl − r_jh·r_lh)/√((1 − r_jh²)(1 − r_lh²)) on average ranks. n log n.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite or the lengths differ.
///
/// # Source
/// Kendall (1942), Biometrika 32, 277–283. Checked against pingouin `partial_corr`.
pub fn length_bias(
    rater: &[f64],
    human: &[f64],
    length: &[f64],
) -> Result<LengthBias, InvalidInput> {
    for (what, values) in [("rater", rater), ("human", human), ("length", length)] {
        check_values(what, values)?;
        check_length(what, values.len(), rater.len())?;
    }
    let rater_length = spearman(rater, length);
    let human_length = spearman(human, length);
    let rater_human = spearman(rater, human);
    let partial = rater_length.and_then(|jl| {
        let (jh, lh) = (rater_human?, human_length?);
        let rest = ((1.0 - jh * jh) * (1.0 - lh * lh)).sqrt();
        if rest > 0.0 {
            Ok(((jl - jh * lh) / rest).clamp(-1.0, 1.0))
        } else {
            Err(Undefined::NotIdentifiable)
        }
    });
    Ok(LengthBias {
        rater_length,
        human_length,
        partial,
        partial_p: partial.and_then(|r| correlation_p(r, rater.len(), 3)),
    })
}

/// Whether a rater favours its own kind, as a difference in differences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelfPreference {
    /// The mean of rater − human over its own kind.
    pub bias_own: Defined<f64>,
    /// The same over the others.
    pub bias_other: Defined<f64>,
    /// Welch's test of own − other.
    pub test: WelchTest,
}

/// Returns the difference of a rater's bias between its own kind and others.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite or the lengths differ.
///
/// # Source
/// Panickssery, Bowman and Feng (2024), NeurIPS; Welch (1947). Checked against scipy `ttest_ind`.
pub fn self_preference(
    rater_own: &[f64],
    human_own: &[f64],
    rater_other: &[f64],
    human_other: &[f64],
    level: Level,
) -> Result<SelfPreference, InvalidInput> {
    let own = crate::paired::differences(human_own, rater_own)?;
    let other = crate::paired::differences(human_other, rater_other)?;
    let mean = |values: &[f64]| at_least(1, values.len()).map(|()| crate::sums::mean(values));
    Ok(SelfPreference {
        bias_own: mean(&own),
        bias_other: mean(&other),
        test: welch_t(&other, &own, level)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rater_that_always_takes_the_first_is_never_consistent() {
        let first = [Position::First; 12];
        let result = position_swap(&first, &first, Level::P95).unwrap();
        assert_eq!(result.consistency, Ok(0.0));
        assert!(result.position_p < 0.001);
        assert_eq!(result.swap_averaged_win_rate_a, Ok(0.5));
    }
}
