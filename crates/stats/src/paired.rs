//! S3: the difference of two measurements of the same units, always b − a.

use values::Interval;

use crate::clusters::Clusters;
use crate::correlation::pearson;
use crate::error::{Defined, InvalidInput, Undefined, at_least, check_length, check_values};
use crate::level::{Level, interval_around};
use crate::mean::{ClusteredMean, clustered_mean, t_test};
use crate::{special, sums};

/// The mean difference b − a over pairs, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedDifference {
    /// The number of pairs.
    pub count: usize,
    /// The mean of a.
    pub mean_a: Defined<f64>,
    /// The mean of b.
    pub mean_b: Defined<f64>,
    /// The mean of b − a; needs one pair.
    pub difference: Defined<f64>,
    /// The standard error of the difference; needs two pairs.
    pub standard_error: Defined<f64>,
    /// n − 1.
    pub degrees_of_freedom: Defined<usize>,
    /// difference ± t(n − 1) · standard error.
    pub interval: Defined<Interval>,
    /// difference ÷ standard error; 0 if all differences are 0.
    pub t: Defined<f64>,
    /// The two-sided p-value of t(n − 1); 1 if all differences are 0, undefined if they are equal
    /// otherwise (a sign-flip test gives 2^(1−n) there).
    pub p_value: Defined<f64>,
    /// The two-sided p-value of the normal distribution, for comparison.
    pub normal_p_value: Defined<f64>,
    /// Pearson's correlation of a and b: the higher, the more pairing helped.
    pub correlation: Defined<f64>,
    /// What the standard error would be if the values were not paired: √(s_a²/n + s_b²/n).
    pub unpaired_standard_error: Defined<f64>,
    /// The mean difference ÷ the standard deviation of the differences (Cohen's d_z).
    pub cohen_dz: Defined<f64>,
    /// All differences are equal: the interval is a point, which is not evidence of certainty.
    pub zero_variance: bool,
}

/// Returns the mean of b − a over pairs, its t interval and test.
///
/// `a[i]` and `b[i]` belong to the same unit; where a unit was measured several times, hand in its
/// mean. d̄ ± t₍ₙ₋₁₎·s_d/√n. Linear in the number of pairs.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, the lengths differ, or there are too many.
///
/// # Source
/// Student (1908). Checked against scipy `ttest_rel`.
///
/// # Example
/// ```
/// let d = stats::paired_difference(&[0.2, 0.4, 0.9], &[0.5, 0.6, 0.9], stats::Level::P95)?;
/// assert!((d.difference.unwrap() - 1.0 / 6.0).abs() < 1e-12);
/// # Ok::<(), stats::InvalidInput>(())
/// ```
pub fn paired_difference(
    a: &[f64],
    b: &[f64],
    level: Level,
) -> Result<PairedDifference, InvalidInput> {
    let differences = differences(a, b)?;
    let count = differences.len();
    let n = count as f64;
    let one = at_least(1, count);
    let two = at_least(2, count);
    let difference = one.map(|()| sums::mean(&differences));
    let variance = two.map(|()| sums::variance(&differences));
    let standard_error = variance.map(|variance| (variance / n).sqrt());
    let test = standard_error.and_then(|error| t_test(difference?, error, count - 1));
    Ok(PairedDifference {
        count,
        mean_a: one.map(|()| sums::mean(a)),
        mean_b: one.map(|()| sums::mean(b)),
        difference,
        standard_error,
        degrees_of_freedom: one.map(|()| count - 1),
        interval: standard_error
            .and_then(|error| Ok(interval_around(difference?, level.t_two_sided(n - 1.0) * error))),
        t: test.map(|(t, _)| t),
        p_value: test.map(|(_, p)| p),
        normal_p_value: test.map(|(t, _)| special::normal_both(t)),
        correlation: pearson(a, b),
        unpaired_standard_error: two.map(|()| ((sums::variance(a) + sums::variance(b)) / n).sqrt()),
        cohen_dz: variance.and_then(|variance| {
            if variance > 0.0 {
                Ok(difference? / variance.sqrt())
            } else {
                Err(Undefined::ZeroVariance)
            }
        }),
        zero_variance: count > 0 && sums::all_equal(&differences),
    })
}

/// The mean difference b − a over clustered pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusteredPairedDifference {
    /// The mean of b − a with its cluster-robust standard errors and interval.
    pub difference: ClusteredMean,
    /// difference ÷ CR1.
    pub t: Defined<f64>,
    /// The two-sided p-value by t(G − 1); 1 if all differences are 0, undefined if they are equal
    /// otherwise.
    pub p_value: Defined<f64>,
}

/// Returns the mean of b − a over clustered pairs, its cluster-robust interval and test.
///
/// [`crate::clustered_mean_interval`] of the differences. n log n in the number of pairs.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, the lengths differ, or there are too many.
///
/// # Source
/// Liang and Zeger (1986); Miller (2024), arXiv 2411.00640. Checked against statsmodels.
pub fn clustered_paired_difference(
    a: &[f64],
    b: &[f64],
    clusters: &[usize],
    level: Level,
) -> Result<ClusteredPairedDifference, InvalidInput> {
    let differences = differences(a, b)?;
    let clusters = Clusters::new(clusters, differences.len())?;
    let difference = clustered_mean(&differences, &clusters, level);
    let test = difference.test(0.0);
    Ok(ClusteredPairedDifference {
        difference,
        t: test.map(|(t, _)| t),
        p_value: test.map(|(_, p)| p),
    })
}

/// Returns b − a, both checked.
pub(crate) fn differences(a: &[f64], b: &[f64]) -> Result<Vec<f64>, InvalidInput> {
    check_values("a", a)?;
    check_values("b", b)?;
    check_length("b", b.len(), a.len())?;
    Ok(a.iter().zip(b).map(|(a, b)| b - a).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_differences_other_than_zero_have_no_p_value() {
        let d = paired_difference(&[0.0, 0.0], &[1.0, 1.0], Level::P95).unwrap();
        assert!(d.zero_variance);
        assert_eq!(d.p_value, Err(Undefined::ZeroVariance));
    }

    #[test]
    fn no_difference_at_all_has_p_one() {
        let d = paired_difference(&[0.3, 0.5], &[0.3, 0.5], Level::P95).unwrap();
        assert_eq!(d.p_value, Ok(1.0));
    }
}
