use values::Interval;

use crate::error::InvalidInput;
use crate::special;

/// How sure an interval or a test is: the confidence, or 1 minus it, the error level α.
///
/// Both lie strictly between 0 and 1, at least 1e-12 away from the ends, so that every quantile
/// that is made from a level is a finite number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    alpha: f64,
}

impl Level {
    /// 95 % confidence, α = 0.05.
    pub const P95: Self = Self { alpha: 0.05 };

    /// 90 % confidence, α = 0.10.
    pub const P90: Self = Self { alpha: 0.10 };

    /// Makes a level from a confidence, such as 0.95.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`] if it is not in `1e-12..=1-1e-12`.
    pub fn of_confidence(confidence: f64) -> Result<Self, InvalidInput> {
        let alpha = 1.0 - confidence;
        Self::of_alpha(alpha).map_err(|_| InvalidInput::OutOfRange {
            what: "confidence",
            value: confidence,
            expected: "between 0 and 1",
        })
    }

    /// Makes a level from the error that is accepted, such as 0.05.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`] if it is not in `1e-12..=1-1e-12`.
    pub fn of_alpha(alpha: f64) -> Result<Self, InvalidInput> {
        if (1e-12..=1.0 - 1e-12).contains(&alpha) {
            Ok(Self { alpha })
        } else {
            Err(InvalidInput::OutOfRange {
                what: "alpha",
                value: alpha,
                expected: "between 0 and 1",
            })
        }
    }

    /// Returns the confidence, 1 − α.
    pub fn confidence(self) -> f64 {
        1.0 - self.alpha
    }

    /// Returns α.
    pub fn alpha(self) -> f64 {
        self.alpha
    }

    /// Returns the level whose two-sided interval has this level's one-sided bounds as its ends:
    /// 2α, so 90 % for 95 %. `None` if 2α is not below 1.
    pub fn two_sided_of_bound(self) -> Option<Self> {
        Self::of_alpha(2.0 * self.alpha).ok()
    }

    /// Returns the normal quantile of a two-sided interval, 1.96 at 95 %.
    pub(crate) fn z_two_sided(self) -> f64 {
        -special::normal_quantile(self.alpha / 2.0)
    }

    /// Returns the t quantile of a two-sided interval.
    pub(crate) fn t_two_sided(self, degrees_of_freedom: f64) -> f64 {
        special::t_upper_quantile(self.alpha / 2.0, degrees_of_freedom)
    }

    /// Returns the t quantile of a one-sided bound.
    pub(crate) fn t_one_sided(self, degrees_of_freedom: f64) -> f64 {
        special::t_upper_quantile(self.alpha, degrees_of_freedom)
    }
}

/// Makes an interval of ends that are finite by construction.
///
/// Rounding may bring two equal ends into the wrong order by one unit in the last place, so they
/// are put in order.
pub(crate) fn interval(low: f64, high: f64) -> Interval {
    Interval::new(low.min(high), low.max(high))
        .expect("data are at most 1e100 and quantiles are finite, so the ends are finite")
}

/// Makes the interval `center ± half`.
pub(crate) fn interval_around(center: f64, half: f64) -> Interval {
    interval(center - half, center + half)
}

/// Returns the part of the interval that lies in `low..=high`.
pub(crate) fn cut(interval: Interval, low: f64, high: f64) -> Interval {
    self::interval(interval.low().clamp(low, high), interval.high().clamp(low, high))
}
