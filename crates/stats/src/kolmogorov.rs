//! S17: the two-sample Kolmogorov–Smirnov test.

use std::f64::consts::PI;

use crate::error::{Defined, InvalidInput, Undefined, at_least, check_values};
use crate::quantile::ascending_values;
use crate::special;

/// The largest product of both sizes for which paths are counted.
const MOST_CELLS: usize = 100_000_000;

/// The two-sample Kolmogorov–Smirnov test, two-sided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KolmogorovSmirnov {
    /// The largest distance of the distribution functions, in `[0, 1]`.
    pub statistic: Defined<f64>,
    /// The exact p-value by counting paths, for n·m up to 10⁸; conservative with ties.
    pub exact_p: Defined<f64>,
    /// The p-value of the one-sample distribution at the effective size nm/(n + m), rounded.
    pub asymptotic_p: Defined<f64>,
}

/// Tests whether two independent samples have one distribution.
///
/// n log n for the statistic, n·m for the exact p-value.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite.
///
/// # Source
/// Hodges (1958), Ark. Mat. 3, 469–486; Marsaglia, Tsang and Wang (2003), J. Stat. Softw. 8(18);
/// Simard and L'Ecuyer (2011), J. Stat. Softw. 39(11). Checked against scipy `ks_2samp`.
pub fn kolmogorov_smirnov(a: &[f64], b: &[f64]) -> Result<KolmogorovSmirnov, InvalidInput> {
    check_values("a", a)?;
    check_values("b", b)?;
    if let Err(reason) = at_least(1, a.len().min(b.len())) {
        return Ok(KolmogorovSmirnov {
            statistic: Err(reason),
            exact_p: Err(reason),
            asymptotic_p: Err(reason),
        });
    }
    let gap = largest_gap(&ascending_values(a), &ascending_values(b));
    let (n, m) = (a.len() as f64, b.len() as f64);
    let statistic = gap as f64 / (n * m);
    let cells = a.len().saturating_mul(b.len());
    let exact_p = if cells > MOST_CELLS {
        Err(Undefined::TooManyForExact { limit: MOST_CELLS, found: cells })
    } else {
        Ok(paths_outside(a.len() as u64, b.len() as u64, gap))
    };
    // Half to even, as the reference rounds.
    let effective = (n * m / (n + m)).round_ties_even().max(1.0);
    Ok(KolmogorovSmirnov {
        statistic: Ok(statistic),
        exact_p,
        asymptotic_p: Ok(one_sample_upper(effective, statistic)),
    })
}

/// Returns the largest |i·m − j·n| over all values, an exact integer.
#[expect(clippy::many_single_char_names, reason = "samples, their sizes and positions")]
fn largest_gap(a: &[f64], b: &[f64]) -> u64 {
    let (n, m) = (a.len() as u64, b.len() as u64);
    let (mut i, mut j, mut largest) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        let value = if a[i] <= b[j] { a[i] } else { b[j] };
        while i < a.len() && a[i] <= value {
            i += 1;
        }
        while j < b.len() && b[j] <= value {
            j += 1;
        }
        largest = largest.max((i as u64 * m).abs_diff(j as u64 * n));
    }
    largest
}

/// Returns the share of lattice paths to (n, m) that touch |i·m − j·n| ≥ gap.
fn paths_outside(n: u64, m: u64, gap: u64) -> f64 {
    let outside = |i: u64, j: u64| (i * m).abs_diff(j * n) >= gap;
    let mut row: Vec<f64> = Vec::new();
    for i in 0..=n {
        let mut left = 0.0;
        for j in 0..=m {
            let above = row.get(usize::try_from(j).unwrap_or(usize::MAX)).copied().unwrap_or(0.0);
            let share = if outside(i, j) {
                1.0
            } else if i + j == 0 {
                0.0
            } else {
                (i as f64 * above + j as f64 * left) / (i + j) as f64
            };
            let place = usize::try_from(j).unwrap_or(usize::MAX);
            if place < row.len() {
                row[place] = share;
            } else {
                row.push(share);
            }
            left = share;
        }
    }
    row.last().copied().unwrap_or(1.0)
}

/// Returns P(D ≥ d) of the one-sample statistic of n values.
///
/// Which method is precise where follows Simard and L'Ecuyer.
fn one_sample_upper(n: f64, d: f64) -> f64 {
    let t = n * d;
    if d >= 1.0 {
        return 0.0;
    }
    if t <= 0.5 {
        return 1.0;
    }
    let square = t * d;
    if d >= 0.5 || t >= n - 1.0 || square > if n <= 140.0 { 4.0 } else { 2.2 } {
        return (2.0 * smirnov_upper(n, d)).min(1.0);
    }
    let lower =
        if n <= 140.0 || n * d.powf(1.5) <= 1.4 { marsaglia(n, d) } else { pelz_good(n, d) };
    (1.0 - lower).clamp(0.0, 1.0)
}

/// Returns P(D⁺ ≥ d) = d Σ_j C(n, j) (1 − d − j/n)^{n−j} (d + j/n)^{j−1}.
#[expect(clippy::many_single_char_names, reason = "the letters of the formula")]
fn smirnov_upper(n: f64, d: f64) -> f64 {
    let mut terms = Vec::new();
    let mut j = 0.0;
    while j <= (n * (1.0 - d)).floor() {
        let p = d + j / n;
        // C(n, j) p^j q^(n−j) is a binomial term; p^(j−1) is one power less.
        let q = 1.0 - p;
        if q >= 0.0 {
            terms.push(special::binomial_term(j, n, p, q) * d / p);
        }
        j += 1.0;
    }
    crate::sums::sum(terms)
}

/// Returns P(D < d) as an entry of a matrix power.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "n·d is small where this method is used; the letters are those of the paper"
)]
fn marsaglia(n: f64, d: f64) -> f64 {
    let k = (n * d) as usize + 1;
    let m = 2 * k - 1;
    let h = k as f64 - n * d;
    let mut matrix = vec![vec![0.0_f64; m]; m];
    for (i, row) in matrix.iter_mut().enumerate() {
        for (j, entry) in row.iter_mut().enumerate() {
            *entry = if i + 1 < j { 0.0 } else { 1.0 };
        }
    }
    let power_of =
        |base: f64, exponent: usize| base.powi(i32::try_from(exponent).unwrap_or(i32::MAX));
    for (i, row) in matrix.iter_mut().enumerate() {
        row[0] -= power_of(h, i + 1);
    }
    for (i, entry) in matrix[m - 1].iter_mut().enumerate() {
        *entry -= power_of(h, m - i);
    }
    if 2.0 * h > 1.0 {
        matrix[m - 1][0] += power_of(2.0 * h - 1.0, m);
    }
    for (i, row) in matrix.iter_mut().enumerate() {
        for (j, entry) in row.iter_mut().enumerate() {
            for g in 2..=(i + 1).saturating_sub(j) {
                *entry /= g as f64;
            }
        }
    }
    let (power, mut exponent) = matrix_power(&matrix, n as usize);
    let mut share = power[k - 1][k - 1];
    let mut i = 1.0;
    while i <= n {
        share *= i / n;
        if share < 1e-140 {
            share *= 1e140;
            exponent -= 140;
        }
        i += 1.0;
    }
    share * 10_f64.powi(exponent)
}

/// Returns a matrix power and the decimal exponent that was taken out of it.
fn matrix_power(matrix: &[Vec<f64>], exponent: usize) -> (Vec<Vec<f64>>, i32) {
    if exponent <= 1 {
        return (matrix.to_vec(), 0);
    }
    let (half, taken) = matrix_power(matrix, exponent / 2);
    let mut result = product(&half, &half);
    let mut taken = 2 * taken;
    if exponent % 2 == 1 {
        result = product(&result, matrix);
    }
    if result[matrix.len() / 2][matrix.len() / 2] > 1e140 {
        for entry in result.iter_mut().flatten() {
            *entry *= 1e-140;
        }
        taken += 140;
    }
    (result, taken)
}

fn product(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    a.iter()
        .map(|row| {
            (0..b.len()).map(|j| row.iter().zip(b).map(|(x, other)| x * other[j]).sum()).collect()
        })
        .collect()
}

/// Returns P(D < d) by the asymptotic series of Pelz and Good (1976), for large n.
#[expect(clippy::many_single_char_names, reason = "the letters are those of the paper")]
fn pelz_good(n: f64, d: f64) -> f64 {
    let z = n.sqrt() * d;
    let (z2, z4, z6) = (z * z, z.powi(4), z.powi(6));
    let pi2 = PI * PI;
    let root = (2.0 * PI).sqrt();
    let mut k = [0.0_f64; 4];
    // Terms beyond 16z/π are below the last digit.
    let mut terms = (16.0 * z / PI).ceil();
    while terms >= 1.0 {
        let m2 = (2.0 * terms - 1.0) * (2.0 * terms - 1.0);
        let (m4, m6) = (m2 * m2, m2 * m2 * m2);
        let weight = (-pi2 * m2 / (8.0 * z2)).exp();
        k[0] += weight;
        k[1] += weight * (pi2 / 4.0 * m2 - z2);
        k[2] += weight
            * (6.0 * z6
                + 2.0 * z4
                + pi2 / 4.0 * (2.0 * z4 - 5.0 * z2) * m2
                + pi2 * pi2 / 16.0 * (1.0 - 2.0 * z2) * m4);
        k[3] += weight
            * (-30.0 * z6 - 90.0 * z.powi(8)
                + pi2 / 4.0 * (135.0 * z4 - 96.0 * z6) * m2
                + pi2 * pi2 / 16.0 * (212.0 * z4 - 60.0 * z2) * m4
                + pi2 * pi2 * pi2 / 64.0 * (5.0 - 30.0 * z2) * m6);
        terms -= 1.0;
    }
    let scales = [z, 6.0 * z4, 72.0 * z.powi(7), 6_480.0 * z.powi(10)];
    for (sum, scale) in k.iter_mut().zip(scales) {
        *sum *= root / scale;
    }
    let mut j = (16.0 * z / PI).ceil();
    while j >= 1.0 {
        let j2 = j * j;
        let weight = (-pi2 * j2 / (2.0 * z2)).exp();
        k[2] -= root * pi2 * j2 * weight / (36.0 * z.powi(3));
        k[3] += root * pi2 * j2 * (3.0 * z2 - pi2 * j2) * weight / (216.0 * z6);
        j -= 1.0;
    }
    k[0] + k[1] / n.sqrt() + k[2] / n + k[3] / (n * n.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_meets_the_matrix() {
        for d in [0.05, 0.07, 0.09] {
            let (series, matrix) = (pelz_good(200.0, d), marsaglia(200.0, d));
            assert!((series - matrix).abs() < 2e-6, "{d}: {series} {matrix}");
        }
    }

    #[test]
    fn the_one_sided_sum_meets_the_matrix_in_the_tail() {
        let (sum, matrix) = (2.0 * smirnov_upper(100.0, 0.19), 1.0 - marsaglia(100.0, 0.19));
        assert!((sum - matrix).abs() < 1e-8, "{sum} {matrix}");
    }

    #[test]
    fn samples_that_do_not_overlap_have_the_smallest_p() {
        let result = kolmogorov_smirnov(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]).unwrap();
        assert_eq!(result.statistic, Ok(1.0));
        assert!((result.exact_p.unwrap() - 0.1).abs() < 1e-12);
    }
}
