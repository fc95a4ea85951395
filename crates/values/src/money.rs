use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// An amount of money in nano-dollars (1e-9 USD), never a float.
///
/// Holds up to about ±9.2 billion dollars; arithmetic saturates there instead of wrapping.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct NanoDollars(i64);

impl NanoDollars {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// Makes an amount from nano-dollars.
    pub const fn new(nano_dollars: i64) -> Self {
        Self(nano_dollars)
    }

    /// Returns the amount in nano-dollars.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Parses dollars written as a plain decimal (`0.25`, `12`), with at most nine decimals.
    ///
    /// Returns `None` for anything else: signs, exponents, more decimals, or too large an amount.
    pub fn parse_dollars(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
            return None;
        }
        let whole: i64 = whole.parse().ok()?;
        let fraction: i64 = format!("{fraction:0<9}").parse().ok()?;
        whole.checked_mul(1_000_000_000)?.checked_add(fraction).map(Self)
    }
}

impl Add for NanoDollars {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for NanoDollars {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for NanoDollars {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for NanoDollars {
    /// Writes dollars with at least two decimals and no trailing zeros beyond them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let fraction = format!("{:09}", magnitude % 1_000_000_000);
        let kept = fraction.trim_end_matches('0').len().max(2);
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}${}.{}", magnitude / 1_000_000_000, &fraction[..kept])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_written_without_loss() {
        assert_eq!(NanoDollars::ZERO.to_string(), "$0.00");
        assert_eq!(NanoDollars::new(1_500_000_000).to_string(), "$1.50");
        assert_eq!(NanoDollars::new(-420).to_string(), "-$0.00000042");
    }

    #[test]
    fn dollars_are_read_exactly() {
        assert_eq!(NanoDollars::parse_dollars("0.25"), Some(NanoDollars::new(250_000_000)));
        assert_eq!(NanoDollars::parse_dollars("12"), Some(NanoDollars::new(12_000_000_000)));
        for bad in ["", ".5", "-1", "1e3", "0.1234567891", "99999999999"] {
            assert_eq!(NanoDollars::parse_dollars(bad), None, "{bad}");
        }
    }

    #[test]
    fn sums_saturate() {
        let most = NanoDollars::new(i64::MAX);
        assert_eq!([most, most].into_iter().sum::<NanoDollars>(), most);
    }
}
