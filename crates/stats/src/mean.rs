//! S2: a mean with its standard error, for independent units and for clusters of them.

use values::Interval;

use crate::clusters::Clusters;
use crate::error::{Defined, InvalidInput, Undefined, at_least, check_values};
use crate::level::{Level, interval_around};
use crate::{special, sums};

/// A mean of independent values, in their unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanInterval {
    /// The number of values.
    pub count: usize,
    /// The mean; needs one value.
    pub mean: Defined<f64>,
    /// s/√n with divisor n − 1 in s; needs two values.
    pub standard_error: Defined<f64>,
    /// n − 1; needs one value.
    pub degrees_of_freedom: Defined<usize>,
    /// mean ± t(n − 1) · standard error: the interval to show.
    pub interval: Defined<Interval>,
    /// mean ± z · standard error, for comparison with tools that do so.
    pub normal_interval: Defined<Interval>,
    /// All values are equal: the interval is a point, which is not evidence of certainty.
    pub zero_variance: bool,
}

/// Returns the mean of independent values and its t interval.
///
/// x̄ ± t₍ₙ₋₁₎ · s/√n. Two passes and compensated sums, linear in the number of values.
/// For rates near 0 or 1 this interval is too narrow: use [`crate::wilson_interval`].
///
/// # Errors
/// [`InvalidInput`] if a value is not finite or there are more than a million.
///
/// # Source
/// Student (1908); Miller (2024), arXiv 2411.00640, for evaluations. Checked against scipy
/// `t.interval`.
///
/// # Example
/// ```
/// use stats::{Level, Undefined, mean_interval};
/// let one = mean_interval(&[0.7], Level::P95)?;
/// assert_eq!(one.mean, Ok(0.7));
/// assert_eq!(one.interval, Err(Undefined::TooFew { needed: 2, found: 1 }));
/// # Ok::<(), stats::InvalidInput>(())
/// ```
pub fn mean_interval(values: &[f64], level: Level) -> Result<MeanInterval, InvalidInput> {
    check_values("values", values)?;
    let count = values.len();
    let mean = at_least(1, count).map(|()| sums::mean(values));
    let standard_error =
        at_least(2, count).map(|()| (sums::variance(values) / count as f64).sqrt());
    let around = |quantile: f64| -> Defined<Interval> {
        Ok(interval_around(mean?, quantile * standard_error?))
    };
    Ok(MeanInterval {
        count,
        mean,
        standard_error,
        degrees_of_freedom: at_least(1, count).map(|()| count - 1),
        interval: at_least(2, count).and_then(|()| around(level.t_two_sided(count as f64 - 1.0))),
        normal_interval: around(level.z_two_sided()),
        zero_variance: count > 0 && sums::all_equal(values),
    })
}

/// A mean of clustered values, in their unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusteredMean {
    /// The number of values.
    pub count: usize,
    /// The number of clusters G.
    pub clusters: usize,
    /// The mean over all values.
    pub mean: Defined<f64>,
    /// s/√n as if the values were independent, to show what clusters cost.
    pub naive_standard_error: Defined<f64>,
    /// √(ΣS_g²)/n, without the correction for few clusters.
    pub cr0_standard_error: Defined<f64>,
    /// CR0 · √(G/(G − 1)): the standard error of the interval.
    pub cr1_standard_error: Defined<f64>,
    /// Miller's clustered standard error, without G/(G − 1), 0 where its square is negative; for
    /// comparison only.
    pub miller_standard_error: Defined<f64>,
    /// G − 1; needs one value.
    pub degrees_of_freedom: Defined<usize>,
    /// mean ± t(G − 1) · CR1. With fewer than 10 clusters it leans on an assumption: say so.
    pub interval: Defined<Interval>,
    /// CR1² ÷ naive²: n divided by it is how many independent values these are worth.
    pub design_effect: Defined<f64>,
    /// All values are equal: the interval is a point, which is not evidence of certainty.
    pub zero_variance: bool,
}

impl ClusteredMean {
    /// Returns t and the two-sided p-value of the mean against `null`, by t(G − 1).
    pub(crate) fn test(&self, null: f64) -> Defined<(f64, f64)> {
        let error = self.cr1_standard_error?;
        let difference = self.mean? - null;
        t_test(difference, error, self.degrees_of_freedom?)
    }
}

/// Returns t = estimate ÷ standard error and its two-sided p-value.
///
/// Without variance p is 1 if the estimate is 0, else undefined: no spread means no scale.
pub(crate) fn t_test(
    estimate: f64,
    standard_error: f64,
    degrees_of_freedom: usize,
) -> Defined<(f64, f64)> {
    if standard_error > 0.0 {
        let t = estimate / standard_error;
        Ok((t, special::t_both(t, degrees_of_freedom as f64)))
    } else if estimate.abs() > 0.0 {
        Err(Undefined::ZeroVariance)
    } else {
        Ok((0.0, 1.0))
    }
}

/// Returns the mean of clustered values and its cluster-robust t interval.
///
/// With e = x − x̄ and S_g the sum of e in cluster g: CR0 = √(ΣS_g²)/n, CR1 = CR0·√(G/(G − 1)),
/// interval x̄ ± t₍G₋₁₎·CR1. `clusters[i]` names the cluster of `values[i]`; the names only need to
/// differ. With one value per cluster the result equals [`mean_interval`].
/// n log n in the number of values.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, the lengths differ, or there are too many.
///
/// # Source
/// Liang and Zeger (1986), Biometrika 73, 13–22; Miller (2024), arXiv 2411.00640. Checked against
/// statsmodels `OLS(...).fit(cov_type="cluster")`.
pub fn clustered_mean_interval(
    values: &[f64],
    clusters: &[usize],
    level: Level,
) -> Result<ClusteredMean, InvalidInput> {
    check_values("values", values)?;
    let clusters = Clusters::new(clusters, values.len())?;
    Ok(clustered_mean(values, &clusters, level))
}

pub(crate) fn clustered_mean(values: &[f64], clusters: &Clusters, level: Level) -> ClusteredMean {
    let count = values.len();
    let groups = clusters.len();
    let n = count as f64;
    let zero_variance = count > 0 && sums::all_equal(values);
    let mean = at_least(1, count).map(|()| sums::mean(values));
    // A mean that is not representable must not turn equal values into a spread.
    let residuals: Vec<f64> = match mean {
        Ok(mean) if !zero_variance => values.iter().map(|value| value - mean).collect(),
        _ => vec![0.0; count],
    };
    let enough =
        at_least(1, count).and(if groups < 2 { Err(Undefined::OneCluster) } else { Ok(()) });
    let naive = at_least(2, count).map(|()| (sums::variance(values) / n).sqrt());
    let totals = clusters.sums(&residuals);
    let cr0_square = sums::sum(totals.iter().map(|total| total * total)) / (n * n);
    let cr0 = enough.map(|()| cr0_square.sqrt());
    let cr1 = cr0.map(|cr0| cr0 * (groups as f64 / (groups as f64 - 1.0)).sqrt());
    let squares = sums::sum(residuals.iter().map(|e| e * e));
    let miller = enough
        .and(naive)
        .map(|naive| (naive * naive + cr0_square - squares / (n * n)).max(0.0).sqrt());
    ClusteredMean {
        count,
        clusters: groups,
        mean,
        naive_standard_error: naive,
        cr0_standard_error: cr0,
        cr1_standard_error: cr1,
        miller_standard_error: miller,
        degrees_of_freedom: at_least(1, groups).map(|()| groups - 1),
        interval: cr1.and_then(|cr1| {
            Ok(interval_around(mean?, level.t_two_sided(groups as f64 - 1.0) * cr1))
        }),
        design_effect: cr1.and_then(|cr1| {
            let naive = naive?;
            if naive > 0.0 {
                let ratio = cr1 / naive;
                Ok(ratio * ratio)
            } else {
                Err(Undefined::ZeroVariance)
            }
        }),
        zero_variance,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cluster_has_a_mean_but_no_interval() {
        let result = clustered_mean_interval(&[1.0, 0.0, 1.0], &[4, 4, 4], Level::P95).unwrap();
        assert!(result.mean.is_ok());
        assert_eq!(result.interval, Err(Undefined::OneCluster));
    }

    #[test]
    fn a_value_that_is_not_finite_is_named() {
        assert_eq!(
            mean_interval(&[1.0, f64::NAN], Level::P95),
            Err(InvalidInput::NotFinite { what: "values", position: 1 })
        );
    }

    #[test]
    fn equal_values_give_a_point_with_a_flag() {
        let result = mean_interval(&[0.1; 9], Level::P95).unwrap();
        assert!(result.zero_variance);
        assert!(result.interval.unwrap().low() >= 0.1 - 1e-16);
    }
}
