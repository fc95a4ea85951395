use chat::{Prices, Usage};
use serde::{Deserialize, Serialize};
use values::NanoDollars;

/// What a model costs, since when that is known, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tariff {
    /// The prices of a call whose input is in no tier.
    pub prices: Prices,
    /// Other prices for long inputs, by ascending threshold.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tiers: Vec<Tier>,
    /// The prices of calls that are handed in as a batch; `None` is unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub batch: Option<Prices>,
    /// The day on which the source said so, as `2026-11-20`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub date: Option<String>,
    /// Where the prices come from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
}

/// The prices of a call whose input is longer than a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// All tokens of a call with more input tokens than this are billed by these prices.
    pub above_input_tokens: u64,
    /// The prices.
    pub prices: Prices,
}

impl Tariff {
    /// Makes a tariff without tiers, date or source.
    pub fn of(prices: Prices) -> Self {
        Self { prices, ..Self::default() }
    }

    /// Returns the prices that hold for a call with so many input tokens, cached ones included.
    pub fn for_input(&self, input_tokens: u64) -> &Prices {
        let reached = self.tiers.iter().rev().find(|tier| input_tokens > tier.above_input_tokens);
        reached.map_or(&self.prices, |tier| &tier.prices)
    }

    /// Returns the price of a call, summed in 128 bits and rounded up once.
    pub fn cost(&self, usage: &Usage) -> NanoDollars {
        usage.cost(self.for_input(usage.input_total()))
    }

    /// Returns the most that a call of at most so many tokens can cost, in whatever tier it falls:
    /// all input at the dearest input price, all output at the dearest output price.
    pub fn worst_case(&self, input_tokens: u64, output_tokens: u64) -> NanoDollars {
        let reached = self.tiers.iter().filter(|tier| input_tokens > tier.above_input_tokens);
        std::iter::once(&self.prices)
            .chain(reached.map(|tier| &tier.prices))
            .map(|prices| dearest(input_tokens, output_tokens, prices))
            .max()
            .unwrap_or_default()
    }

    /// Tells whether nothing of it costs anything.
    pub fn is_free(&self) -> bool {
        let free = Prices::default();
        self.prices == free && self.tiers.iter().all(|tier| tier.prices == free)
    }
}

fn dearest(input_tokens: u64, output_tokens: u64, prices: &Prices) -> NanoDollars {
    let input = prices
        .input_uncached
        .max(prices.cache_read)
        .max(prices.cache_write_5m)
        .max(prices.cache_write_1h);
    let output = prices.output_visible.max(prices.output_reasoning);
    let usage =
        Usage { input_uncached: input_tokens, output_visible: output_tokens, ..Usage::default() };
    usage.cost(&Prices { input_uncached: input, output_visible: output, ..Prices::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(price: u64) -> Prices {
        Prices { input_uncached: price, ..Prices::default() }
    }

    fn tiered() -> Tariff {
        let tier = |above_input_tokens, price| Tier { above_input_tokens, prices: input(price) };
        Tariff {
            tiers: vec![tier(100, 2_000_000), tier(200, 500_000)],
            ..Tariff::of(input(1_000_000))
        }
    }

    fn cost(uncached: u64, cached: u64) -> i64 {
        let usage = Usage { input_uncached: uncached, cache_read: cached, ..Usage::default() };
        tiered().cost(&usage).get()
    }

    #[test]
    fn a_tier_begins_above_its_threshold_and_holds_for_the_whole_call() {
        assert_eq!((cost(100, 0), cost(101, 0), cost(200, 0), cost(202, 0)), (100, 202, 400, 101));
    }

    #[test]
    fn cached_input_counts_towards_the_tier() {
        assert_eq!(cost(60, 41), 120);
    }

    #[test]
    fn the_worst_case_takes_the_dearest_bucket() {
        let prices = Prices {
            input_uncached: 3_000_000_000,
            cache_write_1h: 6_000_000_000,
            output_visible: 15_000_000_000,
            ..Prices::default()
        };
        assert_eq!(Tariff::of(prices).worst_case(1_000_000, 1_000_000).to_string(), "$21.00");
    }

    #[test]
    fn the_worst_case_takes_the_dearest_tier_in_reach() {
        assert_eq!(tiered().worst_case(100, 0).get(), 100);
        assert_eq!(tiered().worst_case(1_000, 0).get(), 2_000);
    }
}
