//! S9: is b no worse than a by more than a margin that was set beforehand?
//!
//! The one-sided bound decides: b is no worse if the bound lies above −margin, which is the same
//! as p < α.

use crate::clusters::Clusters;
use crate::error::{Defined, InvalidInput, Undefined, at_least, check_parameter};
use crate::level::Level;
use crate::mean::clustered_mean;
use crate::paired::differences;
use crate::paired_binary::{PairedCounts, score_test, tango_interval};
use crate::{special, sums};

/// A test of "b is worse than a by the margin or more" on a mean difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanNoninferiority {
    /// The mean of b − a.
    pub difference: Defined<f64>,
    /// (difference + margin) ÷ standard error.
    pub t: Defined<f64>,
    /// The one-sided p-value of "worse by the margin or more".
    pub p_value: Defined<f64>,
    /// difference − t(1 − α) · standard error: with the confidence, b is at least this.
    pub lower_bound: Defined<f64>,
    /// The lower bound lies above −margin.
    pub noninferior: Defined<bool>,
    /// The one-sided p-value of "not better", the difference against 0.
    pub superior_p: Defined<f64>,
    /// The larger of the p-values of "worse by the margin or more" and "better by the margin or
    /// more": small means equivalent within ±margin (two one-sided tests).
    pub equivalence_p: Defined<f64>,
}

/// Tests a mean difference of pairs against a margin.
///
/// t = (d̄ + δ)/SE with n − 1 degrees of freedom, bound d̄ − t₁₋α·SE. `level` is one-sided: 95 %
/// confidence is α = 0.05 in one direction. Where all differences are equal nothing is defined but
/// the difference: a sample without spread is not evidence.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, the lengths differ, or the margin is negative.
///
/// # Source
/// Schuirmann (1987), J. Pharmacokinet. Biopharm. 15, 657–680. Checked against scipy
/// `ttest_1samp(b - a, -margin, alternative="greater")`.
pub fn noninferiority_mean(
    a: &[f64],
    b: &[f64],
    margin: f64,
    level: Level,
) -> Result<MeanNoninferiority, InvalidInput> {
    check_parameter("margin", margin, margin >= 0.0, "at least 0")?;
    let differences = differences(a, b)?;
    let count = differences.len();
    let error = at_least(2, count).map(|()| (sums::variance(&differences) / count as f64).sqrt());
    let difference = at_least(1, count).map(|()| sums::mean(&differences));
    Ok(decide(difference, error, count.saturating_sub(1), margin, level))
}

/// Tests a mean difference of clustered pairs against a margin, with CR1 and G − 1 degrees of
/// freedom.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, the lengths differ, or the margin is negative.
///
/// # Source
/// [`noninferiority_mean`] with the standard error of [`crate::clustered_mean_interval`].
pub fn clustered_noninferiority_mean(
    a: &[f64],
    b: &[f64],
    clusters: &[usize],
    margin: f64,
    level: Level,
) -> Result<MeanNoninferiority, InvalidInput> {
    check_parameter("margin", margin, margin >= 0.0, "at least 0")?;
    let differences = differences(a, b)?;
    let clusters = Clusters::new(clusters, differences.len())?;
    let mean = clustered_mean(&differences, &clusters, level);
    let error = mean.cr1_standard_error;
    Ok(decide(mean.mean, error, mean.clusters.saturating_sub(1), margin, level))
}

fn decide(
    difference: Defined<f64>,
    error: Defined<f64>,
    freedom: usize,
    margin: f64,
    level: Level,
) -> MeanNoninferiority {
    let error = error.and_then(|e| if e > 0.0 { Ok(e) } else { Err(Undefined::ZeroVariance) });
    let degrees = freedom as f64;
    let t_against = |null: f64| -> Defined<f64> { Ok((difference? - null) / error?) };
    let upper = |null: f64| t_against(null).map(|t| special::t_upper(t, degrees));
    let lower_bound = error.and_then(|error| Ok(difference? - level.t_one_sided(degrees) * error));
    let too_good = t_against(margin).map(|t| special::t_upper(-t, degrees));
    MeanNoninferiority {
        difference,
        t: t_against(-margin),
        p_value: upper(-margin),
        lower_bound,
        noninferior: lower_bound.map(|bound| bound > -margin),
        superior_p: upper(0.0),
        equivalence_p: upper(-margin).and_then(|p| Ok(p.max(too_good?))),
    }
}

/// A test of "b is worse than a by the margin or more" on paired proportions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinaryNoninferiority {
    /// (b_only − a_only)/n.
    pub difference: Defined<f64>,
    /// Tango's score statistic at −margin.
    pub z: Defined<f64>,
    /// The one-sided p-value, the upper tail of z.
    pub p_value: Defined<f64>,
    /// The lower end of Tango's two-sided interval at 1 − 2α: with the confidence, the difference is
    /// at least this.
    pub lower_bound: Defined<f64>,
    /// The lower bound lies above −margin.
    pub noninferior: Defined<bool>,
}

/// Tests a difference of paired proportions against a margin in `0..1`.
///
/// Tango's score test of δ ≤ −margin. It is defined without discordant pairs too: 0 of 15 leave a
/// bound of −0.153 at 95 %, and a margin of 5 points needs 52. `level` is one-sided.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if the margin is not in `0..1`, the level's confidence is not above
/// one half, or the counts are too large.
///
/// # Source
/// Tango (1998), Stat. Med. 17, 891–908.
///
/// # Example
/// ```
/// use stats::{Level, PairedCounts, noninferiority_binary};
/// let counts = PairedCounts { both: 52, a_only: 0, b_only: 0, neither: 0 };
/// assert_eq!(noninferiority_binary(counts, 0.05, Level::P95)?.noninferior, Ok(true));
/// # Ok::<(), stats::InvalidInput>(())
/// ```
pub fn noninferiority_binary(
    counts: PairedCounts,
    margin: f64,
    level: Level,
) -> Result<BinaryNoninferiority, InvalidInput> {
    let test = score_test(counts, margin)?;
    let two_sided = level.two_sided_of_bound().ok_or(InvalidInput::OutOfRange {
        what: "confidence",
        value: level.confidence(),
        expected: "above 0.5",
    })?;
    let tango = tango_interval(counts, two_sided)?;
    let enough = tango.difference.map(|_| ());
    let lower_bound = tango.interval.map(|interval| interval.low());
    Ok(BinaryNoninferiority {
        difference: tango.difference,
        z: enough.map(|()| test.z),
        p_value: enough.map(|()| test.p_value),
        lower_bound,
        noninferior: lower_bound.map(|bound| bound > -margin),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_points_need_88_unchanged_pairs() {
        let unchanged = |both| PairedCounts { both, a_only: 0, b_only: 0, neither: 0 };
        let passes = |n, margin| {
            noninferiority_binary(unchanged(n), margin, Level::P95).unwrap().noninferior.unwrap()
        };
        assert!(passes(88, 0.03) && !passes(87, 0.03));
        assert!(passes(52, 0.05) && !passes(51, 0.05));
    }

    #[test]
    fn a_sample_without_spread_is_not_evidence() {
        let result = noninferiority_mean(&[0.5; 8], &[0.5; 8], 0.1, Level::P95).unwrap();
        assert_eq!(result.noninferior, Err(Undefined::ZeroVariance));
    }

    #[test]
    fn the_bound_and_the_p_value_agree() {
        let counts = PairedCounts { both: 100, a_only: 4, b_only: 4, neither: 12 };
        let result = noninferiority_binary(counts, 0.05, Level::P95).unwrap();
        assert!((result.lower_bound.unwrap() + 0.0439).abs() < 5e-5);
        assert!(result.noninferior.unwrap() && result.p_value.unwrap() < 0.05);
    }
}
