//! The normal, t, beta and binomial distributions, to at least 1e-9 relative in both tails.
//!
//! `libm` gives `erfc` and log-gamma; the regularised incomplete beta function and the inverses
//! are here. Its leading factor comes from Loader's saddle-point form, because the difference of
//! three log-gammas loses seven digits at a million trials.
//!
//! Sources: Loader (2000), "Fast and accurate computation of binomial probabilities"; Wichura
//! (1988), Algorithm AS 241; Lentz's continued fraction as in Press et al., Numerical Recipes §6.4.

use std::f64::consts::{PI, SQRT_2};

use crate::root::decreasing_root;

/// ln √(2π)
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;

/// Returns Φ(z), the normal distribution function.
pub(crate) fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// Returns 1 − Φ(z), exact in the upper tail.
pub(crate) fn normal_upper(z: f64) -> f64 {
    0.5 * libm::erfc(z / SQRT_2)
}

/// Returns the probability that a normal variable lies at least as far from 0 as `z`.
pub(crate) fn normal_both(z: f64) -> f64 {
    libm::erfc(z.abs() / SQRT_2)
}

/// Returns Φ⁻¹(p) for `0 < p < 1` (AS 241, about 1e-16 relative).
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&CENTRE_TOP, r) / polynomial(&CENTRE_BOTTOM, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-tail.ln()).sqrt();
    let size = if r <= 5.0 {
        polynomial(&MIDDLE_TOP, r - 1.6) / polynomial(&MIDDLE_BOTTOM, r - 1.6)
    } else {
        polynomial(&FAR_TOP, r - 5.0) / polynomial(&FAR_BOTTOM, r - 5.0)
    };
    if q < 0.0 { -size } else { size }
}

/// Evaluates a polynomial whose coefficients stand in ascending order.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const CENTRE_TOP: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_4,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_BOTTOM: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const MIDDLE_TOP: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    7.745_450_142_783_414e-4,
];
const MIDDLE_BOTTOM: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_TOP: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_BOTTOM: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

/// Returns ln(n!) − ln(√(2πn)(n/e)ⁿ), what Stirling's formula leaves out.
fn stirling_error(n: f64) -> f64 {
    if n <= 15.0 {
        return libm::lgamma(n + 1.0) - (n + 0.5) * n.ln() + n - HALF_LN_TAU;
    }
    let square = n * n;
    let series = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0];
    polynomial(&series, 1.0 / square) / n
}

/// Returns x ln(x/m) + m − x without cancellation for x near m.
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    let v = (x - m) / (x + m);
    let mut sum = (x - m) * v;
    let mut power = 2.0 * x * v;
    let mut odd = 3.0;
    loop {
        power *= v * v;
        let next = sum + power / odd;
        // The terms fall by at least a factor of 100, so the sum comes to rest.
        if (next - sum).abs() <= f64::EPSILON * sum.abs() {
            return next;
        }
        sum = next;
        odd += 2.0;
    }
}

/// Returns Γ(n+1)/(Γ(k+1)Γ(n−k+1)) pᵏ qⁿ⁻ᵏ with q = 1 − p, for real `0 <= k <= n`.
pub(crate) fn binomial_term(k: f64, n: f64, p: f64, q: f64) -> f64 {
    if k <= 0.0 {
        return power(q, n);
    }
    let rest = n - k;
    if rest <= 0.0 {
        return power(p, n);
    }
    if p <= 0.0 || q <= 0.0 {
        return 0.0;
    }
    let log = stirling_error(n)
        - stirling_error(k)
        - stirling_error(rest)
        - deviance(k, n * p)
        - deviance(rest, n * q);
    (log - HALF_LN_TAU).exp() * (n / k / rest).sqrt()
}

fn power(base: f64, exponent: f64) -> f64 {
    if exponent <= 0.0 { 1.0 } else { base.powf(exponent) }
}

/// Returns both tails of the regularised incomplete beta function, (I_x(a,b), 1 − I_x(a,b)).
///
/// `y` is 1 − x, given apart so that neither end loses digits. `a, b > 0`.
/// Takes about √max(a,b) steps.
pub(crate) fn incomplete_beta(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if y <= 0.0 {
        return (1.0, 0.0);
    }
    let term = binomial_term(a, a + b, x, y);
    if x < (a + 1.0) / (a + b + 2.0) {
        let lower = (term * b / (a + b) * beta_fraction(a, b, x)).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (term * a / (a + b) * beta_fraction(b, a, y)).min(1.0);
        (1.0 - upper, upper)
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
#[expect(clippy::many_single_char_names, reason = "the letters of Lentz's method")]
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const MOST_STEPS: u32 = 100_000;
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..=MOST_STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() <= 2.0 * f64::EPSILON {
            break;
        }
    }
    fraction
}

/// Returns x with I_x(a,b) = p, for `0 < p < 1`.
///
/// Newton's method on ln I against ln x, which is concave and increasing: each step lands at or
/// left of the root and then climbs to it.
pub(crate) fn beta_lower_quantile(p: f64, a: f64, b: f64) -> f64 {
    let target = p.ln();
    let mut x = a / (a + b);
    for _ in 0..200 {
        let (lower, _) = incomplete_beta(a, b, x, 1.0 - x);
        if lower <= 0.0 {
            x = (2.0 * x).min(0.5 * (1.0 + x));
            continue;
        }
        // x·density/I, where the density is binomial_term · ab/((a+b) x (1−x)).
        let slope = binomial_term(a, a + b, x, 1.0 - x) * a * b / ((a + b) * (1.0 - x)) / lower;
        let step = (target - lower.ln()) / slope;
        let next = (x * step.clamp(-30.0, 1.0).exp()).min(0.5 * (1.0 + x));
        let settled = (next - x).abs() <= 4.0 * f64::EPSILON * x;
        x = next;
        if settled {
            break;
        }
    }
    x
}

/// Returns P(T ≥ t) for Student's t, exact in the upper tail.
pub(crate) fn t_upper(t: f64, degrees_of_freedom: f64) -> f64 {
    let half = 0.5 * t_both(t, degrees_of_freedom);
    if t >= 0.0 { half } else { 1.0 - half }
}

/// Returns P(|T| ≥ |t|) for Student's t.
pub(crate) fn t_both(t: f64, degrees_of_freedom: f64) -> f64 {
    let square = t * t;
    if square.is_infinite() {
        return 0.0;
    }
    let total = degrees_of_freedom + square;
    incomplete_beta(0.5 * degrees_of_freedom, 0.5, degrees_of_freedom / total, square / total).0
}

/// Returns t with P(T ≥ t) = p, for `0 < p < 1`.
pub(crate) fn t_upper_quantile(p: f64, degrees_of_freedom: f64) -> f64 {
    if p > 0.5 {
        return -t_upper_quantile(1.0 - p, degrees_of_freedom);
    }
    if p >= 0.5 {
        return 0.0;
    }
    if (degrees_of_freedom - 1.0).abs() < 1e-12 {
        return 1.0 / (PI * p).tan();
    }
    if (degrees_of_freedom - 2.0).abs() < 1e-12 {
        return (1.0 - 2.0 * p) / (2.0 * p * (1.0 - p)).sqrt();
    }
    // Student's quantile lies above the normal one.
    let low = -normal_quantile(p);
    let mut high = 2.0 * low + 0.1;
    while t_upper(high, degrees_of_freedom) > p {
        high *= 2.0;
    }
    let target = p.ln();
    decreasing_root(|t| t_upper(t, degrees_of_freedom).ln() - target, low, high, 1e-14)
}

/// Returns P(X ≤ k) for a binomial variable.
pub(crate) fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    incomplete_beta((n - k) as f64, k as f64 + 1.0, 1.0 - p, p).0
}

/// Returns P(X ≥ k) for a binomial variable.
pub(crate) fn binomial_at_least(k: u64, n: u64, p: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if k > n {
        return 0.0;
    }
    incomplete_beta(k as f64, (n - k) as f64 + 1.0, p, 1.0 - p).0
}

/// Returns the two-sided exact p-value of `k` of `n` against one half, twice the smaller tail.
pub(crate) fn sign_test_p(k: u64, n: u64) -> f64 {
    let smaller = k.min(n - k);
    (2.0 * binomial_cdf(smaller, n, 0.5)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, expected: f64) {
        assert!((got - expected).abs() <= 1e-11 * expected.abs(), "{got} is not {expected}");
    }

    #[test]
    fn normal_values_agree_with_tables() {
        close(normal_quantile(0.975), 1.959_963_984_540_054);
        close(normal_quantile(1e-12), -7.034_483_825_301_131);
        close(normal_upper(6.0), 9.865_876_450_376_98e-10);
    }

    #[test]
    fn quantiles_invert_the_distribution() {
        for p in [1e-10, 1e-4, 0.025, 0.05, 0.3, 0.499] {
            close(normal_cdf(normal_quantile(p)), p);
            for df in [1.0, 2.0, 3.0, 4.5, 9.0, 99.0, 5_000.0, 999_999.0] {
                let back = t_upper(t_upper_quantile(p, df), df);
                assert!((back - p).abs() <= 1e-9 * p, "{df}: {back} is not {p}");
            }
            for (a, b) in [(1.0, 1e6), (0.5, 0.5), (3.0, 8.0), (1e5, 3e5), (1e6, 1.0)] {
                let x = beta_lower_quantile(p, a, b);
                assert!((incomplete_beta(a, b, x, 1.0 - x).0 - p).abs() <= 1e-9 * p, "{a} {b} {p}");
            }
        }
    }

    #[test]
    fn t_quantiles_agree_with_tables() {
        close(t_upper_quantile(0.025, 1.0), 12.706_204_736_174_7);
        close(t_upper_quantile(0.025, 4.0), 2.776_445_105_197_793_4);
        close(t_upper_quantile(0.025, 59.0), 2.000_995_378_088_257_6);
    }

    #[test]
    fn the_binomial_distribution_sums_its_terms() {
        let terms: f64 = (0_u32..=7).map(|k| binomial_term(f64::from(k), 20.0, 0.3, 0.7)).sum();
        close(binomial_cdf(7, 20, 0.3), terms);
    }
}
