use serde::{Deserialize, Serialize};
use values::Interval;

/// The answer to "is B better than A?", read off an interval of the difference and never off p.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The interval lies above 0.
    Better,
    /// No worse than the margin, and not shown to be better.
    NoWorse,
    /// Below 0, by less than the margin.
    WorseWithinMargin,
    /// Below 0.
    Worse,
    /// These cases do not decide it.
    NotEnough,
}

impl Verdict {
    /// Reads the verdict off the two-sided interval of a difference (candidate minus baseline) and
    /// the one-sided lower bound of STATS S9, both in shares.
    ///
    /// Without a margin there is no `NoWorse`. A confidence sequence is read with its lower end as
    /// the bound.
    pub fn read(interval: Interval, lower_bound: Option<f64>, margin: Option<f64>) -> Self {
        let within = margin.zip(lower_bound).is_some_and(|(margin, bound)| bound > -margin);
        if interval.low() > 0.0 {
            Self::Better
        } else if interval.high() < 0.0 {
            if within { Self::WorseWithinMargin } else { Self::Worse }
        } else if within {
            Self::NoWorse
        } else {
            Self::NotEnough
        }
    }

    /// Tells whether a gate that asks for "no worse" is passed.
    pub fn is_no_worse(self) -> bool {
        matches!(self, Self::Better | Self::NoWorse | Self::WorseWithinMargin)
    }

    /// Returns the words for the verdict.
    pub fn words(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::NoWorse => "no worse",
            Self::WorseWithinMargin => "worse, within the margin",
            Self::Worse => "worse",
            Self::NotEnough => "not enough evidence yet",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(low: f64, high: f64, bound: f64, margin: Option<f64>) -> Verdict {
        Verdict::read(Interval::new(low, high).unwrap(), Some(bound), margin)
    }

    #[test]
    fn words_follow_the_interval_and_the_bound() {
        assert_eq!(read(0.01, 0.2, 0.02, Some(0.05)), Verdict::Better);
        assert_eq!(read(-0.2, -0.01, -0.18, Some(0.05)), Verdict::Worse);
        assert_eq!(read(-0.045, -0.01, -0.04, Some(0.05)), Verdict::WorseWithinMargin);
        // 4 fixed and 4 broken of 120: the two-sided end is beyond the margin, the bound is not.
        assert_eq!(read(-0.0545, 0.0545, -0.0439, Some(0.05)), Verdict::NoWorse);
        assert_eq!(read(-0.0545, 0.0545, -0.0539, Some(0.05)), Verdict::NotEnough);
        assert_eq!(read(-0.0545, 0.0545, -0.0439, None), Verdict::NotEnough);
        // An end at 0 is not above it.
        assert_eq!(read(0.0, 0.2, 0.01, None), Verdict::NotEnough);
    }
}
