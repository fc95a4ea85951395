use std::ops::Add;

use serde::{Deserialize, Serialize};
use values::NanoDollars;

/// Tokens that a provider billed, in six disjoint buckets.
///
/// Providers disagree on what their totals include; `provider` maps each onto these so that their
/// sum is the provider's own total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Input that no cache served or took.
    pub input_uncached: u64,
    /// Input read from the provider's prompt cache.
    pub cache_read: u64,
    /// Input written to a cache of five minutes, or of the provider's default time.
    pub cache_write_5m: u64,
    /// Input written to a cache of an hour.
    pub cache_write_1h: u64,
    /// Output that the reader sees.
    pub output_visible: u64,
    /// Output spent on reasoning.
    pub output_reasoning: u64,
}

impl Usage {
    /// Returns all input tokens.
    pub fn input_total(&self) -> u64 {
        self.input_uncached
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
    }

    /// Returns all output tokens.
    pub fn output_total(&self) -> u64 {
        self.output_visible.saturating_add(self.output_reasoning)
    }

    /// Returns the price of these tokens, summed in 128 bits and rounded up once.
    pub fn cost(&self, prices: &Prices) -> NanoDollars {
        let products = [
            (self.input_uncached, prices.input_uncached),
            (self.cache_read, prices.cache_read),
            (self.cache_write_5m, prices.cache_write_5m),
            (self.cache_write_1h, prices.cache_write_1h),
            (self.output_visible, prices.output_visible),
            (self.output_reasoning, prices.output_reasoning),
        ];
        let total: u128 = products
            .into_iter()
            .map(|(tokens, price)| u128::from(tokens) * u128::from(price))
            .sum();
        NanoDollars::new(i64::try_from(total.div_ceil(1_000_000)).unwrap_or(i64::MAX))
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            input_uncached: self.input_uncached.saturating_add(other.input_uncached),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write_5m: self.cache_write_5m.saturating_add(other.cache_write_5m),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            output_visible: self.output_visible.saturating_add(other.output_visible),
            output_reasoning: self.output_reasoning.saturating_add(other.output_reasoning),
        }
    }
}

/// The price of each bucket in nano-dollars per million tokens ($3 a million is 3,000,000,000).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Prices {
    /// Of [`Usage::input_uncached`].
    pub input_uncached: u64,
    /// Of [`Usage::cache_read`].
    pub cache_read: u64,
    /// Of [`Usage::cache_write_5m`].
    pub cache_write_5m: u64,
    /// Of [`Usage::cache_write_1h`].
    pub cache_write_1h: u64,
    /// Of [`Usage::output_visible`].
    pub output_visible: u64,
    /// Of [`Usage::output_reasoning`].
    pub output_reasoning: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_rounded_up_once() {
        let prices = Prices { input_uncached: 1, output_visible: 1, ..Default::default() };
        let usage = Usage { input_uncached: 1, output_visible: 1, ..Default::default() };
        assert_eq!(usage.cost(&prices), NanoDollars::new(1));
        assert_eq!(Usage::default().cost(&prices), NanoDollars::ZERO);
    }

    #[test]
    fn three_dollars_a_million_tokens() {
        let prices = Prices { input_uncached: 3_000_000_000, ..Default::default() };
        let usage = Usage { input_uncached: 1_000_000, ..Default::default() };
        assert_eq!(usage.cost(&prices).to_string(), "$3.00");
    }
}
