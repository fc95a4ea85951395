//! S1: one proportion of independent trials.

use values::Interval;

use crate::error::{Defined, InvalidInput, Undefined};
use crate::level::{Level, interval};
use crate::special;

/// A proportion and its interval, all shares in `[0, 1]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    /// successes ÷ trials; undefined without trials.
    pub estimate: Defined<f64>,
    /// The two-sided interval; `[0, 1]` without trials.
    pub interval: Interval,
}

/// Returns the Wilson score interval of a proportion.
///
/// With p̂ = k/n and z = Φ⁻¹(1 − α/2), the centre is (p̂ + z²/2n)/(1 + z²/n) and the half width
/// z/(1 + z²/n) · √(p̂(1 − p̂)/n + z²/4n²).
/// `successes` counts independent units (not repetitions of one unit), `0..=trials`. The bounds are
/// shares in `[0, 1]` for every input; the interval contains the estimate and is never a point.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if `successes > trials`.
///
/// # Source
/// Wilson (1927), JASA 22, 209–212. Checked against scipy `binomtest().proportion_ci("wilson")`.
///
/// # Example
/// ```
/// let rate = stats::wilson_interval(81, 263, stats::Level::P95)?;
/// assert!((rate.interval.low() - 0.2553).abs() < 1e-4);
/// assert!((rate.interval.high() - 0.3662).abs() < 1e-4);
/// # Ok::<(), stats::InvalidInput>(())
/// ```
pub fn wilson_interval(
    successes: u64,
    trials: u64,
    level: Level,
) -> Result<Proportion, InvalidInput> {
    let estimate = share(successes, trials)?;
    let Ok(p) = estimate else {
        return Ok(Proportion { estimate, interval: interval(0.0, 1.0) });
    };
    let (low, high) = wilson_ends(p, trials as f64, level.z_two_sided());
    // Rounding must not leave [0, 1] or lose the ends that are exact.
    let low = if successes == 0 { 0.0 } else { low.clamp(0.0, p) };
    let high = if successes == trials { 1.0 } else { high.clamp(p, 1.0) };
    Ok(Proportion { estimate, interval: interval(low, high) })
}

/// Returns the ends of the Wilson interval of the share `p` of `n`.
pub(crate) fn wilson_ends(p: f64, n: f64, z: f64) -> (f64, f64) {
    let square = z * z;
    let scale = 1.0 + square / n;
    let centre = (p + square / (2.0 * n)) / scale;
    let half = z / scale * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt();
    (centre - half, centre + half)
}

/// Returns the Clopper–Pearson ("exact") interval of a proportion.
///
/// The lower end is the α/2 quantile of Beta(k, n − k + 1), 0 at k = 0; the upper end the 1 − α/2
/// quantile of Beta(k + 1, n − k), 1 at k = n. It covers at least the confidence at every true
/// proportion, so it is wider than Wilson's: use it where a claim of safety rests on it.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if `successes > trials`.
///
/// # Source
/// Clopper and Pearson (1934), Biometrika 26, 404–413. Checked against scipy
/// `binomtest().proportion_ci("exact")`.
pub fn clopper_pearson_interval(
    successes: u64,
    trials: u64,
    level: Level,
) -> Result<Proportion, InvalidInput> {
    let estimate = share(successes, trials)?;
    let tail = level.alpha() / 2.0;
    let low = exact_lower(successes, trials, tail);
    let high = exact_upper(successes, trials, tail);
    Ok(Proportion { estimate, interval: interval(low, high) })
}

/// Returns the one-sided Clopper–Pearson upper bound of a proportion.
///
/// "At most this share, with the confidence of the level." With no success in n trials it is
/// 1 − α^(1/n), about 3/n at 95 % ("rule of three"); without trials it is 1.
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if `successes > trials`.
///
/// # Source
/// Clopper and Pearson (1934), one-sided; Hanley and Lippman-Hand (1983), JAMA 249, 1743–1745.
pub fn clopper_pearson_upper(
    successes: u64,
    trials: u64,
    level: Level,
) -> Result<f64, InvalidInput> {
    // Only its check is needed here: without trials the bound is 1.
    share(successes, trials).map(|_| exact_upper(successes, trials, level.alpha()))
}

/// Returns the one-sided Clopper–Pearson lower bound of a proportion: "at least this share".
///
/// # Errors
/// [`InvalidInput::OutOfRange`] if `successes > trials`.
///
/// # Source
/// Clopper and Pearson (1934), one-sided.
pub fn clopper_pearson_lower(
    successes: u64,
    trials: u64,
    level: Level,
) -> Result<f64, InvalidInput> {
    share(successes, trials).map(|_| exact_lower(successes, trials, level.alpha()))
}

fn exact_lower(successes: u64, trials: u64, tail: f64) -> f64 {
    if successes == 0 {
        return 0.0;
    }
    special::beta_lower_quantile(tail, successes as f64, (trials - successes) as f64 + 1.0)
}

fn exact_upper(successes: u64, trials: u64, tail: f64) -> f64 {
    if successes == trials {
        return 1.0;
    }
    // The upper quantile of Beta(a, b) is 1 minus the lower quantile of Beta(b, a). Where that
    // would be taken from 1 with few digits left, they are far beyond what counts.
    let a = successes as f64 + 1.0;
    let b = (trials - successes) as f64;
    1.0 - special::beta_lower_quantile(tail, b, a)
}

/// Returns successes ÷ trials, the check of both included.
pub(crate) fn share(successes: u64, trials: u64) -> Result<Defined<f64>, InvalidInput> {
    if successes > trials {
        return Err(InvalidInput::OutOfRange {
            what: "successes",
            value: successes as f64,
            expected: "at most the number of trials",
        });
    }
    if trials == 0 {
        return Ok(Err(Undefined::TooFew { needed: 1, found: 0 }));
    }
    Ok(Ok(successes as f64 / trials as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_successes_still_leave_room_for_a_failure() {
        let rate = wilson_interval(20, 20, Level::P95).unwrap();
        assert!(rate.interval.low() < 0.9 && rate.interval.high() >= 1.0);
    }

    #[test]
    fn no_success_in_100_trials_follows_the_rule_of_three() {
        let bound = clopper_pearson_upper(0, 100, Level::P95).unwrap();
        assert!((bound - 0.0295).abs() < 1e-4);
    }

    #[test]
    fn more_successes_than_trials_are_refused() {
        assert!(wilson_interval(3, 2, Level::P95).is_err());
        assert!(clopper_pearson_lower(3, 2, Level::P95).is_err());
    }
}
