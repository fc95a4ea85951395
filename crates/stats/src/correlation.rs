//! S12: correlation of two measurements of the same units, by value and by rank.

use values::Interval;

use crate::error::{Defined, InvalidInput, Undefined, at_least, check_length, check_values};
use crate::level::{Level, interval};
use crate::ranks::{average_ranks, tie_sizes};
use crate::{special, sums};

/// Three correlations, all in `[-1, 1]`, undefined if one side is constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// Pearson's r; needs two pairs.
    pub pearson: Defined<f64>,
    /// Its two-sided p-value by t(n − 2); needs three pairs.
    pub pearson_p: Defined<f64>,
    /// tanh(artanh r ± z/√(n − 3)), Fisher's interval; needs four pairs and |r| < 1.
    pub pearson_interval: Defined<Interval>,
    /// Spearman's ρ, Pearson's r of average ranks.
    pub spearman: Defined<f64>,
    /// Its two-sided p-value by t(n − 2); needs three pairs.
    pub spearman_p: Defined<f64>,
    /// Kendall's τ-b, corrected for ties.
    pub kendall_tau_b: Defined<f64>,
    /// Its two-sided p-value by the normal approximation with ties; needs three pairs.
    pub kendall_p: Defined<f64>,
}

/// Returns Pearson's, Spearman's and Kendall's correlations of pairs.
///
/// A correlation says nothing of a constant error: a rater may agree in rank and still be one
/// point too kind. n log n in the number of pairs.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite, the lengths differ, or there are too many.
///
/// # Source
/// Pearson (1895); Spearman (1904); Kendall (1945), Biometrika 33, 239–251; Knight (1966), JASA 61,
/// 436–439 for the n log n count. Checked against scipy `pearsonr`, `spearmanr`, `kendalltau`.
pub fn rank_correlation(x: &[f64], y: &[f64], level: Level) -> Result<Correlation, InvalidInput> {
    check_values("x", x)?;
    check_values("y", y)?;
    check_length("y", y.len(), x.len())?;
    let n = x.len();
    let pearson = pearson(x, y);
    let spearman = spearman(x, y);
    let (kendall_tau_b, kendall_p) = kendall(x, y);
    Ok(Correlation {
        pearson,
        pearson_p: pearson.and_then(|r| correlation_p(r, n, 2)),
        pearson_interval: pearson.and_then(|r| fisher_interval(r, n, level)),
        spearman,
        spearman_p: spearman.and_then(|rho| correlation_p(rho, n, 2)),
        kendall_tau_b,
        kendall_p,
    })
}

/// Returns Pearson's r of two checked slices of one length.
pub(crate) fn pearson(x: &[f64], y: &[f64]) -> Defined<f64> {
    at_least(2, x.len())?;
    if sums::all_equal(x) || sums::all_equal(y) {
        return Err(Undefined::ZeroVariance);
    }
    let (mean_x, mean_y) = (sums::mean(x), sums::mean(y));
    let scale = sums::squares_about(x, mean_x).sqrt() * sums::squares_about(y, mean_y).sqrt();
    if scale > 0.0 {
        Ok((sums::products_about(x, mean_x, y, mean_y) / scale).clamp(-1.0, 1.0))
    } else {
        Err(Undefined::ZeroVariance)
    }
}

/// Returns Spearman's ρ of two checked slices of one length.
pub(crate) fn spearman(x: &[f64], y: &[f64]) -> Defined<f64> {
    pearson(&average_ranks(x), &average_ranks(y))
}

/// Returns the two-sided p-value of a correlation by t(n − `lost`).
pub(crate) fn correlation_p(r: f64, n: usize, lost: usize) -> Defined<f64> {
    at_least(lost + 1, n)?;
    let rest = (1.0 - r) * (1.0 + r);
    // Within rounding of a perfect correlation.
    if rest <= 4.0 * f64::EPSILON {
        return Ok(0.0);
    }
    let degrees = (n - lost) as f64;
    Ok(special::t_both(r * (degrees / rest).sqrt(), degrees))
}

fn fisher_interval(r: f64, n: usize, level: Level) -> Defined<Interval> {
    at_least(4, n)?;
    if r.abs() >= 1.0 {
        return Err(Undefined::ZeroVariance);
    }
    let half = level.z_two_sided() / (n as f64 - 3.0).sqrt();
    Ok(interval((r.atanh() - half).tanh(), (r.atanh() + half).tanh()))
}

/// Returns τ-b and its asymptotic two-sided p-value.
fn kendall(x: &[f64], y: &[f64]) -> (Defined<f64>, Defined<f64>) {
    let n = x.len();
    if let Err(reason) = at_least(2, n) {
        return (Err(reason), Err(reason));
    }
    let size = n as f64;
    let pairs = size * (size - 1.0) / 2.0;
    let (runs_of_x, groups_in_y) = (tie_sizes(x), tie_sizes(y));
    let x_ties = tied_pairs(&runs_of_x);
    let y_ties = tied_pairs(&groups_in_y);
    let scale = (pairs - x_ties).sqrt() * (pairs - y_ties).sqrt();
    if scale <= 0.0 {
        return (Err(Undefined::ZeroVariance), Err(Undefined::ZeroVariance));
    }
    let (discordant, tied_both) = discordant_pairs(x, y);
    let surplus = pairs - x_ties - y_ties + tied_both - 2.0 * discordant;
    let tau = (surplus / scale).clamp(-1.0, 1.0);
    let p = at_least(3, n).map(|()| {
        let m = size * (size - 1.0);
        let cubic = |ties: &[f64]| sums::sum(ties.iter().map(|t| t * (t - 1.0) * (2.0 * t + 5.0)));
        let triple = |ties: &[f64]| sums::sum(ties.iter().map(|t| t * (t - 1.0) * (t - 2.0)));
        let variance = (m * (2.0 * size + 5.0) - cubic(&runs_of_x) - cubic(&groups_in_y)) / 18.0
            + 2.0 * x_ties * y_ties / m
            + triple(&runs_of_x) * triple(&groups_in_y) / (9.0 * m * (size - 2.0));
        special::normal_both(surplus / variance.sqrt())
    });
    (Ok(tau), p)
}

fn tied_pairs(ties: &[f64]) -> f64 {
    sums::sum(ties.iter().map(|t| t * (t - 1.0) / 2.0))
}

/// Returns the number of discordant pairs and of pairs that are tied on both sides.
fn discordant_pairs(x: &[f64], y: &[f64]) -> (f64, f64) {
    let mut order: Vec<(f64, f64)> = x.iter().zip(y).map(|(x, y)| (x + 0.0, y + 0.0)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut tied_both = 0_u64;
    let mut run = 1_u64;
    for pair in order.windows(2) {
        let same =
            pair[0].0.total_cmp(&pair[1].0).is_eq() && pair[0].1.total_cmp(&pair[1].1).is_eq();
        // The k-th member of a run is tied with the k − 1 before it.
        if same {
            tied_both += run;
            run += 1;
        } else {
            run = 1;
        }
    }
    let mut values: Vec<f64> = order.into_iter().map(|(_, y)| y).collect();
    let mut buffer = values.clone();
    (inversions(&mut values, &mut buffer) as f64, tied_both as f64)
}

/// Sorts by merging and counts the pairs that were strictly out of order.
fn inversions(values: &mut [f64], buffer: &mut [f64]) -> u64 {
    let n = values.len();
    if n < 2 {
        return 0;
    }
    let middle = n / 2;
    let mut count = inversions(&mut values[..middle], &mut buffer[..middle])
        + inversions(&mut values[middle..], &mut buffer[middle..]);
    buffer.copy_from_slice(values);
    let (left, right) = buffer.split_at(middle);
    let (mut i, mut j) = (0, 0);
    for slot in values.iter_mut() {
        let take_right = i == left.len() || (j < right.len() && right[j] < left[i]);
        if take_right {
            count += (left.len() - i) as u64;
            *slot = right[j];
            j += 1;
        } else {
            *slot = left[i];
            i += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_side_has_no_correlation() {
        let result = rank_correlation(&[1.0; 4], &[1.0, 2.0, 3.0, 4.0], Level::P95).unwrap();
        assert_eq!(result.spearman, Err(Undefined::ZeroVariance));
        assert_eq!(result.kendall_tau_b, Err(Undefined::ZeroVariance));
    }

    #[test]
    fn kendall_counts_as_the_definition_does() {
        let x = [3.0, 1.0, 2.0, 2.0, 5.0, 1.0];
        let y = [1.0, 1.0, 4.0, 4.0, 2.0, 3.0];
        let mut surplus = 0.0;
        for i in 0..x.len() {
            for j in 0..i {
                let product: f64 = (x[i] - x[j]) * (y[i] - y[j]);
                surplus += if product > 0.0 {
                    1.0
                } else if product < 0.0 {
                    -1.0
                } else {
                    0.0
                };
            }
        }
        let scale = ((15.0_f64 - 2.0) * (15.0 - 2.0)).sqrt();
        let tau = rank_correlation(&x, &y, Level::P95).unwrap().kendall_tau_b.unwrap();
        assert!((tau - surplus / scale).abs() < 1e-12);
    }
}
