//! What a sum of values that are still to come will be.

use values::Interval;

use crate::error::{Defined, InvalidInput, at_least, check_values};
use crate::level::{Level, interval_around};
use crate::sums;

/// Returns an interval that holds the sum of so many further values with the level's confidence, if they
/// are drawn as the earlier ones were.
///
/// n·x̄ ± t₍ₘ₋₁₎ · s · √(n·(1 + n/m)) for n further values after m earlier ones: the spread of the new values,
/// and that of the mean that predicts them. It is exact for normal values; sums of many values are near
/// to normal. In the values' unit, and not cut at 0. Needs two earlier values.
///
/// # Errors
/// [`InvalidInput`] if a value is not finite or there are more than a million.
///
/// # Source
/// Hahn & Meeker (1991), Statistical Intervals, section 4.9 (prediction of the mean of a future sample).
///
/// # Example
/// ```
/// use stats::{Level, sum_prediction};
/// let interval = sum_prediction(&[2.0, 4.0], 1, Level::of_confidence(0.8)?)?.unwrap();
/// // x̄ = 3, s = √2, t(1) at 90 % = 3.0777: 3 ± 3.0777 · √2 · √1.5
/// assert!((interval.high() - 8.3307).abs() < 1e-4);
/// # Ok::<(), stats::InvalidInput>(())
/// ```
pub fn sum_prediction(
    values: &[f64],
    further: u64,
    level: Level,
) -> Result<Defined<Interval>, InvalidInput> {
    check_values("values", values)?;
    let (seen, further) = (values.len() as f64, further as f64);
    Ok(at_least(2, values.len()).map(|()| {
        let spread = (sums::variance(values) * further * (1.0 + further / seen)).sqrt();
        interval_around(further * sums::mean(values), level.t_two_sided(seen - 1.0) * spread)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_further_is_nothing_and_equal_values_are_certain() {
        let level = Level::of_confidence(0.8).unwrap();
        let none = sum_prediction(&[1.0, 5.0], 0, level).unwrap().unwrap();
        assert_eq!((none.low(), none.high()), (0.0, 0.0));
        let equal = sum_prediction(&[3.0; 4], 10, level).unwrap().unwrap();
        assert_eq!((equal.low(), equal.high()), (30.0, 30.0));
        assert!(sum_prediction(&[1.0], 3, level).unwrap().is_err());
        assert!(sum_prediction(&[f64::NAN, 1.0], 3, level).is_err());
    }

    /// 2,000 sums of 30 values that are as skewed as lengths of answers are, each predicted from 40.
    #[test]
    fn an_interval_of_80_percent_holds_about_80_percent() {
        let mut random = crate::random::Draws::new(6, 0);
        let mut share = || (f64::from(random.below(1_000_000)) + 0.5) / 1e6;
        let mut draw = |count: usize| -> Vec<f64> { (0..count).map(|_| -share().ln()).collect() };
        let level = Level::of_confidence(0.8).unwrap();
        let held = (0..2_000).filter(|_| {
            let (seen, sum) = (draw(40), draw(30).iter().sum::<f64>());
            let interval = sum_prediction(&seen, 30, level).unwrap().unwrap();
            (interval.low()..=interval.high()).contains(&sum)
        });
        let share = held.count() as f64 / 2_000.0;
        assert!((0.77..0.83).contains(&share), "{share}");
    }
}
