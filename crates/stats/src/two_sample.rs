//! S17: two independent samples: Welch, Mann–Whitney, two proportions. Always b − a.

use values::Interval;

use crate::error::{Defined, InvalidInput, Undefined, at_least, check_values};
use crate::level::{Level, interval, interval_around};
use crate::proportion::{share, wilson_ends};
use crate::ranks::{average_ranks, tie_sizes};
use crate::{special, sums};

/// Welch's t test of two means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WelchTest {
    /// mean b − mean a.
    pub difference: Defined<f64>,
    /// The difference ÷ its standard error.
    pub t: Defined<f64>,
    /// The Welch–Satterthwaite degrees of freedom.
    pub degrees_of_freedom: Defined<f64>,
    /// The two-sided p-value.
    pub p_value: Defined<f64>,
    /// The interval of the difference.
    pub interval: Defined<Interval>,
}

/// Returns Welch's test of the means of two independent samples.
///
/// Needs two values each, and some spread.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite.
///
/// # Source
/// Welch (1947), Biometrika 34, 28–35. Checked against scipy `ttest_ind(equal_var=False)`.
pub fn welch_t(a: &[f64], b: &[f64], level: Level) -> Result<WelchTest, InvalidInput> {
    check_values("a", a)?;
    check_values("b", b)?;
    let difference = at_least(1, a.len().min(b.len())).map(|()| sums::mean(b) - sums::mean(a));
    let scale = at_least(2, a.len().min(b.len())).and_then(|()| {
        let (n_a, n_b) = (a.len() as f64, b.len() as f64);
        let (of_a, of_b) = (sums::variance(a) / n_a, sums::variance(b) / n_b);
        let total = of_a + of_b;
        if total <= 0.0 {
            return Err(Undefined::ZeroVariance);
        }
        let (part_a, part_b) = (of_a / total, of_b / total);
        let freedom = 1.0 / (part_a * part_a / (n_a - 1.0) + part_b * part_b / (n_b - 1.0));
        Ok((total.sqrt(), freedom))
    });
    let t = scale.and_then(|(error, _)| Ok(difference? / error));
    Ok(WelchTest {
        difference,
        t,
        degrees_of_freedom: scale.map(|(_, freedom)| freedom),
        p_value: scale.and_then(|(_, freedom)| Ok(special::t_both(t?, freedom))),
        interval: scale.and_then(|(error, freedom)| {
            Ok(interval_around(difference?, level.t_two_sided(freedom) * error))
        }),
    })
}

/// The Mann–Whitney (Wilcoxon rank-sum) test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// U of a: the pairs in which a is larger, ties half.
    pub u_a: Defined<f64>,
    /// The two-sided p-value, normal with ties and continuity.
    pub p_value: Defined<f64>,
    /// The probability that a random b is larger than a random a, ties half.
    pub probability_b_larger: Defined<f64>,
}

/// Tests whether values of one sample tend to be larger than those of the other.
///
/// n log n. Undefined if a sample is empty; no p-value where all values are equal.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite.
///
/// # Source
/// Mann and Whitney (1947), Ann. Math. Stat. 18, 50–60. Checked against scipy
/// `mannwhitneyu(method="asymptotic")`.
pub fn mann_whitney(a: &[f64], b: &[f64]) -> Result<MannWhitney, InvalidInput> {
    check_values("a", a)?;
    check_values("b", b)?;
    let pooled = [a, b].concat();
    let (n_a, n_b, n) = (a.len() as f64, b.len() as f64, pooled.len() as f64);
    let u_a = at_least(1, a.len().min(b.len())).map(|()| {
        let ranks = average_ranks(&pooled);
        sums::sum(ranks[..a.len()].iter().copied()) - n_a * (n_a + 1.0) / 2.0
    });
    let p_value = u_a.and_then(|u| {
        let tied = sums::sum(tie_sizes(&pooled).iter().map(|t| t * (t * t - 1.0)));
        let variance = n_a * n_b / 12.0 * (n + 1.0 - tied / (n * (n - 1.0)));
        if variance <= 0.0 || sums::all_equal(&pooled) {
            return Err(Undefined::ZeroVariance);
        }
        let gap = u.max(n_a * n_b - u) - n_a * n_b / 2.0 - 0.5;
        Ok((2.0 * special::normal_upper(gap / variance.sqrt())).min(1.0))
    });
    Ok(MannWhitney { u_a, p_value, probability_b_larger: u_a.map(|u| 1.0 - u / (n_a * n_b)) })
}

/// Two independent proportions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoProportions {
    /// share b − share a.
    pub difference: Defined<f64>,
    /// The pooled z statistic; undefined if all or none succeed.
    pub z: Defined<f64>,
    /// Its two-sided p-value.
    pub z_p: Defined<f64>,
    /// Fisher's exact two-sided p-value.
    pub fisher_p: Defined<f64>,
    /// Newcombe's hybrid score interval of the difference.
    pub interval: Defined<Interval>,
}

/// Compares the proportions of two independent samples.
///
/// Newcombe's interval joins the Wilson limits by squares. Fisher's p is the sum of the tables that
/// are not more likely than the observed one; linear in the smaller margin.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if successes exceed trials.
///
/// # Source
/// Newcombe (1998), Stat. Med. 17, 873–890, method 10; Fisher (1935). Checked against statsmodels
/// and scipy `fisher_exact`.
pub fn two_proportions(
    (successes_a, trials_a): (u64, u64),
    (successes_b, trials_b): (u64, u64),
    level: Level,
) -> Result<TwoProportions, InvalidInput> {
    let p_a = share(successes_a, trials_a)?;
    let p_b = share(successes_b, trials_b)?;
    let difference = p_a.and_then(|p_a| Ok(p_b? - p_a));
    let (count_in_a, in_b) = (trials_a as f64, trials_b as f64);
    let z = difference.and_then(|difference| {
        let pooled = (successes_a + successes_b) as f64 / (count_in_a + in_b);
        let variance = pooled * (1.0 - pooled) * (1.0 / count_in_a + 1.0 / in_b);
        if variance > 0.0 { Ok(difference / variance.sqrt()) } else { Err(Undefined::ZeroVariance) }
    });
    let quantile = level.z_two_sided();
    Ok(TwoProportions {
        difference,
        z,
        z_p: z.map(special::normal_both),
        fisher_p: difference
            .map(|_| fisher(successes_a, trials_a, successes_a + successes_b, trials_a + trials_b)),
        interval: difference.and_then(|difference| {
            let (p_a, p_b) = (p_a?, p_b?);
            let (low_a, high_a) = wilson_ends(p_a, count_in_a, quantile);
            let (low_b, high_b) = wilson_ends(p_b, in_b, quantile);
            Ok(interval(
                difference - (p_b - low_b).hypot(high_a - p_a),
                difference + (high_b - p_b).hypot(p_a - low_a),
            ))
        }),
    })
}

/// Returns Fisher's two-sided p of `hits` successes among `draws` out of `total` with `successes`.
fn fisher(hits: u64, draws: u64, successes: u64, total: u64) -> f64 {
    let least = (draws + successes).saturating_sub(total);
    let most = draws.min(successes);
    // Each table relative to the observed one, outward by the ratio of neighbours.
    let up = |k: u64| {
        (successes - k) as f64 * (draws - k) as f64
            / ((k + 1) as f64 * (total + k + 1 - successes - draws) as f64)
    };
    let (mut all, mut as_extreme) = (vec![1.0], vec![1.0]);
    // Tables that are as likely in exact arithmetic differ by rounding here.
    let slack = 1.0 + 1e-9;
    let mut relative = 1.0;
    for k in hits..most {
        relative *= up(k);
        all.push(relative);
        if relative <= slack {
            as_extreme.push(relative);
        }
    }
    relative = 1.0;
    for k in (least..hits).rev() {
        relative /= up(k);
        all.push(relative);
        if relative <= slack {
            as_extreme.push(relative);
        }
    }
    (sums::sum(as_extreme) / sums::sum(all)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapping_the_samples_turns_the_sign() {
        let there = two_proportions((3, 20), (11, 25), Level::P95).unwrap();
        let back = two_proportions((11, 25), (3, 20), Level::P95).unwrap();
        assert!((there.difference.unwrap() + back.difference.unwrap()).abs() < 1e-15);
        assert!((there.fisher_p.unwrap() - back.fisher_p.unwrap()).abs() < 1e-12);
    }

    #[test]
    fn the_tea_lady_has_p_of_forty_eight_percent() {
        let result = two_proportions((3, 4), (1, 4), Level::P95).unwrap();
        assert!((result.fisher_p.unwrap() - 34.0 / 70.0).abs() < 1e-12);
    }
}
