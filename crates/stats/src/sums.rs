//! Sums, means and variances that keep their digits.
//!
//! Sums are compensated (Neumaier 1974) and variances take two passes about the mean, so that
//! values near 1e9 that differ by 1e-3 keep a variance, which the textbook `E[x²] − E[x]²` loses.

/// Returns the compensated sum.
pub(crate) fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut total = 0.0_f64;
    let mut lost = 0.0_f64;
    for value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() {
            (total - next) + value
        } else {
            (value - next) + total
        };
        total = next;
    }
    total + lost
}

/// Returns the mean of a slice that is not empty.
pub(crate) fn mean(values: &[f64]) -> f64 {
    debug_assert!(!values.is_empty(), "the caller has counted");
    sum(values.iter().copied()) / values.len() as f64
}

/// Returns Σ(x − mean)², with the correction for the rounding of the mean.
pub(crate) fn squares_about(values: &[f64], mean: f64) -> f64 {
    products_about(values, mean, values, mean)
}

/// Returns Σ(x − mean of x)(y − mean of y).
pub(crate) fn products_about(x: &[f64], mean_x: f64, y: &[f64], mean_y: f64) -> f64 {
    let products = sum(x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)));
    let rest_x = sum(x.iter().map(|x| x - mean_x));
    let rest_y = sum(y.iter().map(|y| y - mean_y));
    products - rest_x * rest_y / x.len() as f64
}

/// Returns the variance with divisor n − 1, of at least two values.
///
/// Exactly 0 if all values are equal: a mean that is not representable leaves no trace.
pub(crate) fn variance(values: &[f64]) -> f64 {
    if all_equal(values) {
        return 0.0;
    }
    (squares_about(values, mean(values)) / (values.len() as f64 - 1.0)).max(0.0)
}

/// Tells whether all values are equal; true for none and for one.
pub(crate) fn all_equal(values: &[f64]) -> bool {
    values.windows(2).all(|pair| (pair[0] + 0.0).total_cmp(&(pair[1] + 0.0)).is_eq())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_offset_does_not_eat_the_variance() {
        let values = [1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0];
        assert!((variance(&values) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn equal_values_have_no_variance_at_all() {
        assert!(variance(&[0.1; 7]) <= 0.0);
    }

    #[test]
    fn what_a_plain_sum_loses_is_kept() {
        assert!((sum([1e16, 1.0, -1e16]) - 1.0).abs() < 1e-15);
    }
}
