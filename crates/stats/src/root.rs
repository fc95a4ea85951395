//! Where a monotone function crosses zero.

/// Returns the root of a decreasing function in `low..=high`, to a relative `tolerance`.
///
/// The caller knows that the function is not negative at `low` and not positive at `high`; where
/// that fails by rounding, the nearer end is returned. Illinois steps inside a bracket, with
/// bisection wherever they do not halve it, so at most about 120 evaluations.
pub(crate) fn decreasing_root(
    mut function: impl FnMut(f64) -> f64,
    low: f64,
    high: f64,
    tolerance: f64,
) -> f64 {
    let (mut a, mut b) = (low, high);
    let (mut at_a, mut at_b) = (function(a), function(b));
    if at_a <= 0.0 {
        return a;
    }
    if at_b >= 0.0 {
        return b;
    }
    for round in 0..200 {
        let width = b - a;
        if width <= tolerance * a.abs().max(b.abs()) {
            break;
        }
        let secant = a + width * at_a / (at_a - at_b);
        let usable = secant > a && secant < b && round % 3 != 2;
        let middle = if usable { secant } else { 0.5 * (a + b) };
        let value = function(middle);
        if value > 0.0 {
            a = middle;
            at_a = value;
            at_b *= 0.5;
        } else if value < 0.0 {
            b = middle;
            at_b = value;
            at_a *= 0.5;
        } else {
            return middle;
        }
    }
    0.5 * (a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_crossing_of_steep_and_flat_functions() {
        for power in [1, 3, 9] {
            let root = decreasing_root(|x: f64| 0.3 - x.powi(power), 0.0, 2.0, 1e-13);
            assert!((root.powi(power) - 0.3).abs() < 1e-11, "power {power}: {root}");
        }
    }

    #[test]
    fn an_end_that_already_crosses_is_returned() {
        assert!(decreasing_root(|x| -x, 1.0, 2.0, 1e-12) <= 1.0);
        assert!(decreasing_root(|x| 9.0 - x, 1.0, 2.0, 1e-12) >= 2.0);
    }
}
