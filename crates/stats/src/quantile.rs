//! S17: quantiles, and the interval of one.

use values::Interval;

use crate::error::{Defined, InvalidInput, Undefined, at_least, check_parameter, check_values};
use crate::level::{Level, interval};
use crate::special;

/// Quantiles of a set of values, in their unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantiles {
    /// The smallest value.
    pub minimum: f64,
    /// The largest value.
    pub maximum: f64,
    /// By linear interpolation between order statistics (type 7), one for each probability.
    pub linear: Vec<f64>,
    /// The smallest value that at least the share of the values does not exceed (type 1).
    pub nearest_rank: Vec<f64>,
}

/// Returns exact quantiles, undefined without values.
///
/// Linear: between the order statistics around position p(n − 1), counted from 0. n log n.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite or a probability not in `[0, 1]`.
///
/// # Source
/// Hyndman and Fan (1996), Am. Stat. 50, 361–365, types 7 and 1. Checked against numpy `quantile`.
pub fn quantiles(
    values: &[f64],
    probabilities: &[f64],
) -> Result<Defined<Quantiles>, InvalidInput> {
    check_values("values", values)?;
    for &p in probabilities {
        check_parameter("probability", p, (0.0..=1.0).contains(&p), "in 0..=1")?;
    }
    let sorted = ascending_values(values);
    let (Some(&minimum), Some(&maximum)) = (sorted.first(), sorted.last()) else {
        return Ok(Err(Undefined::TooFew { needed: 1, found: 0 }));
    };
    Ok(Ok(Quantiles {
        minimum,
        maximum,
        linear: probabilities.iter().map(|&p| linear(&sorted, p)).collect(),
        nearest_rank: probabilities.iter().map(|&p| sorted[rank(p, sorted.len()) - 1]).collect(),
    }))
}

pub(crate) fn ascending_values(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// Returns the type-7 quantile of ascending values, of which there is at least one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position lies in 0..n, which is at most a million"
)]
pub(crate) fn linear(sorted: &[f64], p: f64) -> f64 {
    let last = sorted.len() - 1;
    let position = p * last as f64;
    let below = (position.floor() as usize).min(last);
    let above = (below + 1).min(last);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

/// Returns the type-1 rank of p among n values, from 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank lies in 1..=n, which is at most a million"
)]
fn rank(p: f64, n: usize) -> usize {
    ((p * n as f64).ceil() as usize).clamp(1, n)
}

/// The distribution-free interval of a quantile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileInterval {
    /// The type-7 quantile.
    pub estimate: Defined<f64>,
    /// The largest order statistic that lies below the quantile with probability 1 − α/2;
    /// undefined where even the smallest value does not.
    pub low: Defined<f64>,
    /// The smallest order statistic that lies above it with probability 1 − α/2; undefined where
    /// even the largest value does not (95 % for p95 needs 72 values).
    pub high: Defined<f64>,
}

impl QuantileInterval {
    /// Returns both ends, where both are defined.
    ///
    /// # Errors
    /// The reason of the first end that is not.
    pub fn interval(&self) -> Defined<Interval> {
        Ok(interval(self.low?, self.high?))
    }
}

/// Returns the interval of a quantile between two order statistics.
///
/// The number of values below the quantile is Binomial(n, p): the lower end is x₍ₗ₎ with the largest
/// l of P(X ≤ l − 1) ≤ α/2, the upper x₍ᵤ₎ with the smallest u of P(X ≥ u) ≤ α/2. No assumption on
/// the distribution of the values. n log n.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite or the probability not strictly between 0 and 1.
///
/// # Source
/// Hahn, Meeker and Escobar (2017), Statistical Intervals, §5.2.
///
/// # Example
/// ```
/// use stats::{Level, quantile_interval};
/// let values: Vec<f64> = (0..71).map(f64::from).collect();
/// assert!(quantile_interval(&values, 0.95, Level::P95)?.high.is_err());
/// # Ok::<(), stats::InvalidInput>(())
/// ```
pub fn quantile_interval(
    values: &[f64],
    probability: f64,
    level: Level,
) -> Result<QuantileInterval, InvalidInput> {
    check_values("values", values)?;
    let p = probability;
    check_parameter("probability", p, p > 0.0 && p < 1.0, "between 0 and 1")?;
    let sorted = ascending_values(values);
    let n = sorted.len();
    let tail = level.alpha() / 2.0;
    let at_most = |k: usize| special::binomial_cdf(k as u64, n as u64, p);
    // Both conditions are monotone in the rank.
    let low_rank = partition(n, |l| at_most(l - 1) <= tail);
    let high_rank = partition(n, |u| special::binomial_at_least(u as u64, n as u64, p) > tail) + 1;
    let too_few = Err(Undefined::TooFew { needed: n + 1, found: n });
    Ok(QuantileInterval {
        estimate: at_least(1, n).map(|()| linear(&sorted, p)),
        low: if low_rank >= 1 { Ok(sorted[low_rank - 1]) } else { too_few },
        high: if high_rank <= n { Ok(sorted[high_rank - 1]) } else { too_few },
    })
}

/// Returns the largest rank in `1..=n` for which a falling condition holds, 0 if none.
fn partition(n: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = usize::midpoint(low, high + 1);
        if holds(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_end_of_p95_needs_72_values() {
        let values: Vec<f64> = (0..72).map(f64::from).collect();
        let result = quantile_interval(&values, 0.95, Level::P95).unwrap();
        assert_eq!(result.high, Ok(71.0));
        assert!(quantile_interval(&values[1..], 0.95, Level::P95).unwrap().high.is_err());
    }

    #[test]
    fn quantiles_of_nothing_are_undefined() {
        assert!(quantiles(&[], &[0.5]).unwrap().is_err());
    }
}
