//! S6: Wilcoxon's signed-rank test, a second opinion for graded scores.
//!
//! It tests whether differences lie symmetrically about 0, not whether their mean is 0.

use crate::error::{Defined, InvalidInput, Undefined, at_least, check_values};
use crate::ranks::{average_ranks, tie_sizes};
use crate::{special, sums};

/// The direction that a test looks into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alternative {
    /// The differences are not centred at 0.
    TwoSided,
    /// They lie above 0.
    Greater,
    /// They lie below 0.
    Less,
}

/// What happens to differences of 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zeros {
    /// They are ranked, then dropped (Pratt 1959): the default, as many ties at 0 weaken the claim.
    Pratt,
    /// They are dropped before ranking (Wilcoxon 1945).
    Drop,
}

/// How the p-value is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WilcoxonMethod {
    /// By the normal approximation with the tie correction.
    Normal,
    /// The same with a continuity correction of ½.
    NormalWithContinuity,
    /// By the exact distribution; only without ties and zeros, up to 50 differences.
    Exact,
}

/// The signed-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// The number of differences that are not 0.
    pub nonzero: usize,
    /// The smaller rank sum if two-sided, otherwise that of the positive differences.
    pub statistic: Defined<f64>,
    /// The normal statistic, that of the smaller sum if two-sided; undefined for the exact method and without spread.
    pub z: Defined<f64>,
    /// The p-value.
    pub p_value: Defined<f64>,
}

/// The largest number of differences for the exact distribution.
const MOST_EXACT: usize = 50;

/// Tests differences for symmetry about 0 by the ranks of their sizes.
///
/// n log n, the exact method n³. Undefined where all differences are 0.
///
/// # Errors
/// [`InvalidInput`] if a difference is not finite or there are more than a million.
///
/// # Source
/// Wilcoxon (1945), Biometrics 1, 80–83; Pratt (1959), JASA 54, 655–667. Checked against scipy
/// `wilcoxon`.
pub fn wilcoxon_signed_rank(
    differences: &[f64],
    zeros: Zeros,
    method: WilcoxonMethod,
    alternative: Alternative,
) -> Result<SignedRank, InvalidInput> {
    check_values("differences", differences)?;
    let nonzero = differences.iter().filter(|d| d.abs() > 0.0).count();
    let ranked: Vec<f64> = match zeros {
        Zeros::Pratt => differences.to_vec(),
        Zeros::Drop => differences.iter().copied().filter(|d| d.abs() > 0.0).collect(),
    };
    let sizes: Vec<f64> = ranked.iter().map(|d| d.abs()).collect();
    let ranks = average_ranks(&sizes);
    let sum_where = |sign: f64| {
        sums::sum(ranked.iter().zip(&ranks).filter(|(d, _)| **d * sign > 0.0).map(|(_, r)| *r))
    };
    let (positive, negative) = (sum_where(1.0), sum_where(-1.0));
    let two_sided = alternative == Alternative::TwoSided;
    let enough = at_least(1, nonzero);
    let statistic = enough.map(|()| if two_sided { positive.min(negative) } else { positive });
    let ties = tie_sizes(&sizes);
    let (z, p_value) = if method == WilcoxonMethod::Exact {
        let repeated = ties.len() < sizes.len() || nonzero < differences.len();
        let p = enough.and_then(|()| exact_p(positive, nonzero, repeated, alternative));
        (Err(Undefined::NotIdentifiable), p)
    } else {
        let z = enough.and_then(|()| normal_z(positive, differences.len(), nonzero, zeros, &ties));
        let z = z.map(|(shift, error)| {
            // Two-sided, z belongs to the smaller sum, as the statistic does.
            let shift = if two_sided { -shift.abs() } else { shift };
            corrected(shift, method, alternative) / error
        });
        (z, z.map(|z| tail(z, alternative)))
    };
    Ok(SignedRank { nonzero, statistic, z, p_value })
}

/// Returns W⁺ − its mean, and the standard error under the null.
fn normal_z(
    positive: f64,
    count: usize,
    nonzero: usize,
    zeros: Zeros,
    ties: &[f64],
) -> Defined<(f64, f64)> {
    let total = match zeros {
        Zeros::Pratt => count as f64,
        Zeros::Drop => nonzero as f64,
    };
    // With Pratt the zeros hold the lowest ranks, which neither sum contains, and no tie of theirs
    // counts.
    let lost = total - nonzero as f64;
    let ties = if lost > 0.0 { &ties[1..] } else { ties };
    let mean = (total * (total + 1.0) - lost * (lost + 1.0)) / 4.0;
    let cubes =
        total * (total + 1.0) * (2.0 * total + 1.0) - lost * (lost + 1.0) * (2.0 * lost + 1.0);
    let cubes_of_ties = sums::sum(ties.iter().map(|t| t * (t * t - 1.0)));
    let variance = (cubes - cubes_of_ties / 2.0) / 24.0;
    if variance > 0.0 {
        Ok((positive - mean, variance.sqrt()))
    } else {
        Err(Undefined::ZeroVariance)
    }
}

fn corrected(shift: f64, method: WilcoxonMethod, alternative: Alternative) -> f64 {
    if method != WilcoxonMethod::NormalWithContinuity {
        return shift;
    }
    match alternative {
        Alternative::TwoSided if shift < 0.0 => shift + 0.5,
        Alternative::TwoSided => shift,
        Alternative::Greater => shift - 0.5,
        Alternative::Less => shift + 0.5,
    }
}

fn tail(z: f64, alternative: Alternative) -> f64 {
    match alternative {
        Alternative::TwoSided => special::normal_both(z),
        Alternative::Greater => special::normal_upper(z),
        Alternative::Less => special::normal_cdf(z),
    }
}

/// Returns the exact p-value of the rank sum W⁺ of `n` differences.
fn exact_p(positive: f64, n: usize, tied: bool, alternative: Alternative) -> Defined<f64> {
    if tied {
        return Err(Undefined::Ties);
    }
    if n > MOST_EXACT {
        return Err(Undefined::TooManyForExact { limit: MOST_EXACT, found: n });
    }
    // ways[s]: the share of the 2ⁿ choices of signs whose positive ranks sum to s.
    let most = n * (n + 1) / 2;
    let mut ways = vec![0.0_f64; most + 1];
    ways[0] = 1.0;
    for rank in 1..=n {
        for s in (0..=most).rev() {
            let with = if s >= rank { ways[s - rank] } else { 0.0 };
            ways[s] = 0.5 * (ways[s] + with);
        }
    }
    // Without ties the sum is an integer.
    let at_most: f64 = sums::sum(
        ways.iter().enumerate().filter(|(s, _)| *s as f64 <= positive + 0.25).map(|(_, w)| *w),
    );
    let at_least: f64 = sums::sum(
        ways.iter().enumerate().filter(|(s, _)| *s as f64 >= positive - 0.25).map(|(_, w)| *w),
    );
    Ok(match alternative {
        Alternative::TwoSided => (2.0 * at_most.min(at_least)).min(1.0),
        Alternative::Greater => at_least.min(1.0),
        Alternative::Less => at_most.min(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_zero_differences_say_nothing() {
        let result = wilcoxon_signed_rank(
            &[0.0; 4],
            Zeros::Pratt,
            WilcoxonMethod::Normal,
            Alternative::TwoSided,
        )
        .unwrap();
        assert_eq!(result.p_value, Err(Undefined::TooFew { needed: 1, found: 0 }));
    }

    #[test]
    fn the_exact_distribution_refuses_ties() {
        let result = wilcoxon_signed_rank(
            &[1.0, -1.0, 2.0],
            Zeros::Drop,
            WilcoxonMethod::Exact,
            Alternative::Greater,
        )
        .unwrap();
        assert_eq!(result.p_value, Err(Undefined::Ties));
    }
}
