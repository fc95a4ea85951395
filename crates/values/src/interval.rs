use serde::{Deserialize, Serialize};

/// A closed interval of two finite numbers, the lower end first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Ends", into = "Ends")]
pub struct Interval {
    low: f64,
    high: f64,
}

/// The ends of an interval are not finite, or are in the wrong order.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{low} to {high} is not an interval")]
pub struct InvalidInterval {
    low: f64,
    high: f64,
}

impl Interval {
    /// Makes an interval.
    ///
    /// # Errors
    /// [`InvalidInterval`] if an end is not finite or `low > high`.
    pub fn new(low: f64, high: f64) -> Result<Self, InvalidInterval> {
        if low.is_finite() && high.is_finite() && low <= high {
            Ok(Self { low, high })
        } else {
            Err(InvalidInterval { low, high })
        }
    }

    /// Returns the lower end.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// Returns the upper end.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// Tells whether the value lies in the interval, its ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

#[derive(Serialize, Deserialize)]
struct Ends {
    low: f64,
    high: f64,
}

impl TryFrom<Ends> for Interval {
    type Error = InvalidInterval;

    fn try_from(ends: Ends) -> Result<Self, Self::Error> {
        Self::new(ends.low, ends.high)
    }
}

impl From<Interval> for Ends {
    fn from(interval: Interval) -> Self {
        Self { low: interval.low, high: interval.high }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_finite_and_in_order() {
        assert!(Interval::new(0.0, 1.0).unwrap().contains(1.0));
        assert!(Interval::new(1.0, 0.0).is_err());
        assert!(Interval::new(f64::NAN, 1.0).is_err());
    }
}
