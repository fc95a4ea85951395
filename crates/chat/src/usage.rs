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
            .fold(0, u128::saturating_add);
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

    /// The exact cost in nano-dollars times a million, by schoolbook decimal arithmetic on text: no
    /// integer of the code under test takes part.
    fn exact_decimal(products: &[(u64, u64)]) -> String {
        let mut total = vec![0_u32; 64];
        for (tokens, price) in products {
            let digits = |number: &u64| -> Vec<u32> {
                let text = number.to_string();
                text.bytes().rev().map(|digit| u32::from(digit - b'0')).collect()
            };
            let (a, b) = (digits(tokens), digits(price));
            for (i, x) in a.iter().enumerate() {
                for (j, y) in b.iter().enumerate() {
                    total[i + j] += x * y;
                }
            }
            for place in 0..total.len() - 1 {
                total[place + 1] += total[place] / 10;
                total[place] %= 10;
            }
        }
        total.iter().rev().map(u32::to_string).collect()
    }

    /// Cuts six decimals off and rounds what is left of them up.
    fn rounded_up(exact: &str) -> i64 {
        let (whole, rest) = exact.split_at(exact.len() - 6);
        let up = i64::from(rest.bytes().any(|digit| digit != b'0'));
        whole.trim_start_matches('0').parse::<i64>().unwrap_or(0) + up
    }

    proptest::proptest! {
        #[test]
        fn a_bill_is_the_exact_decimal_rounded_up_once(
            tokens in proptest::array::uniform6(0_u64..10_000_000),
            prices in proptest::array::uniform6(0_u64..1_000_000_000_000),
        ) {
            let usage = Usage {
                input_uncached: tokens[0], cache_read: tokens[1], cache_write_5m: tokens[2],
                cache_write_1h: tokens[3], output_visible: tokens[4], output_reasoning: tokens[5],
            };
            let list = Prices {
                input_uncached: prices[0], cache_read: prices[1], cache_write_5m: prices[2],
                cache_write_1h: prices[3], output_visible: prices[4], output_reasoning: prices[5],
            };
            let products: Vec<_> = tokens.into_iter().zip(prices).collect();
            let expected = rounded_up(&exact_decimal(&products));
            proptest::prop_assert_eq!(usage.cost(&list).get(), expected);
        }

        #[test]
        fn the_largest_numbers_saturate_and_never_wrap(
            tokens in u64::MAX - 10..=u64::MAX,
            price in u64::MAX - 10..=u64::MAX,
        ) {
            let usage = Usage { input_uncached: tokens, output_visible: tokens, ..Usage::default() };
            let list = Prices { input_uncached: price, output_visible: price, ..Prices::default() };
            proptest::prop_assert_eq!(usage.cost(&list).get(), i64::MAX);
        }
    }
}
