//! What tokens cost that are not spent yet.

use std::sync::Arc;

use catalog::{ProviderSettings, Tariff};
use chat::{ModelRef, Protocol};
use serde::Serialize;
use values::NanoDollars;

use super::counting::Counted;
use super::{Basis, whole};

/// What calls will cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Money {
    /// Nothing, and why.
    Nothing {
        /// Why.
        because: Free,
    },
    /// A range.
    Range {
        /// Its low end.
        low: NanoDollars,
        /// What is most likely.
        likely: NanoDollars,
        /// Its high end.
        high: NanoDollars,
        /// Whether an end is a bound, because no earlier answer says how long answers are.
        is_bound: bool,
        /// Whether parts of it are unknown, and in no amount.
        is_partial: bool,
    },
    /// Nobody knows.
    Unknown,
}

/// Why calls cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Free {
    /// The model runs inside this program.
    RunsHere,
    /// Recordings answer.
    Replay,
    /// Nothing is left to send.
    NothingToSend,
    /// Several of these.
    Several,
}

/// What a model costs.
pub(super) enum Price {
    Free(Free),
    Tariff(Arc<Tariff>),
    Unknown,
}

/// A sum of tokens that is not known yet.
pub(super) struct Spread {
    pub(super) low: f64,
    pub(super) likely: f64,
    pub(super) high: f64,
    pub(super) basis: Basis,
}

impl Price {
    pub(super) fn of(settings: &ProviderSettings, model: &ModelRef, is_replay: bool) -> Self {
        if is_replay {
            return Self::Free(Free::Replay);
        }
        if settings.protocol == Protocol::Embedded {
            return Self::Free(Free::RunsHere);
        }
        settings.tariff(&model.model).map_or(Self::Unknown, Self::Tariff)
    }

    /// Returns the price of so many calls whose tokens nobody knows.
    pub(super) fn unknown(&self, calls: u64) -> Money {
        match self {
            Self::Free(because) => Money::Nothing { because: *because },
            _ if calls == 0 => Money::Nothing { because: Free::NothingToSend },
            Self::Tariff(_) | Self::Unknown => Money::Unknown,
        }
    }

    /// Returns the price of calls whose input is counted one by one: each in its own tier.
    pub(super) fn of_calls(&self, inputs: &[Counted], output: &Spread, retries: f64) -> Money {
        let Self::Tariff(tariff) = self else { return self.unknown(inputs.len() as u64) };
        if inputs.is_empty() {
            return Money::Nothing { because: Free::NothingToSend };
        }
        let each = 1.0 / inputs.len() as f64;
        let sum = |input: fn(&Counted) -> f64, output: f64| -> f64 {
            inputs.iter().map(|one| cost(tariff, input(one), output * each)).sum()
        };
        let likely = sum(|one| one.likely, output.likely);
        let input = (sum(|one| one.low, output.likely), sum(|one| one.high, output.likely));
        let output_ends = (sum(|one| one.likely, output.low), sum(|one| one.likely, output.high));
        range(likely, input, output_ends, output.basis, retries)
    }

    /// Returns the price of so many calls of which only the sums are known.
    pub(super) fn of_sums(
        &self,
        input: &Spread,
        output: &Spread,
        calls: u64,
        retries: f64,
    ) -> Money {
        let Self::Tariff(tariff) = self else { return self.unknown(calls) };
        if calls == 0 {
            return Money::Nothing { because: Free::NothingToSend };
        }
        let calls = calls as f64;
        let sum = |input: f64, output: f64| calls * cost(tariff, input / calls, output / calls);
        let likely = sum(input.likely, output.likely);
        let input_ends = (sum(input.low, output.likely), sum(input.high, output.likely));
        let output_ends = (sum(input.likely, output.low), sum(input.likely, output.high));
        range(likely, input_ends, output_ends, output.basis, retries)
    }
}

/// Returns nano-dollars of a call; input that a provider's own cache may serve counts in full.
fn cost(tariff: &Tariff, input: f64, output: f64) -> f64 {
    let prices = tariff.for_input(whole(input));
    (input * prices.input_uncached as f64 + output * prices.output_visible as f64) / 1e6
}

/// Returns an amount, at least nothing.
fn nano_dollars(amount: f64) -> NanoDollars {
    NanoDollars::new(i64::try_from(whole(amount)).unwrap_or(i64::MAX))
}

/// Makes a range of what is likely and of its ends by either cause, which are independent.
fn range(
    likely: f64,
    input: (f64, f64),
    output: (f64, f64),
    output_basis: Basis,
    retries: f64,
) -> Money {
    let dearer = 1.0 + retries;
    let nano = |amount: f64| nano_dollars((amount * dearer).ceil());
    Money::Range {
        low: nano(likely - (likely - input.0).hypot(likely - output.0)),
        likely: nano(likely),
        high: nano(likely + (input.1 - likely).hypot(output.1 - likely)),
        is_bound: output_basis == Basis::Bounds,
        is_partial: false,
    }
}

impl Money {
    /// Adds up what groups of calls cost. Ranges that rest on earlier answers are independent; bounds add.
    pub(super) fn total<'m>(all: impl Iterator<Item = &'m Self>) -> Self {
        let mut free: Option<Free> = None;
        let (mut is_unknown, mut is_any, mut bound) = (false, false, false);
        let (mut likely, mut below, mut above) = (0.0, 0.0f64, 0.0f64);
        let (mut bound_below, mut bound_above) = (0.0, 0.0);
        for money in all {
            match *money {
                Self::Unknown => is_unknown = true,
                Self::Nothing { because } => {
                    free = Some(match free {
                        Some(other) if other != because => Free::Several,
                        _ => because,
                    });
                }
                Self::Range { low, likely: middle, high, is_bound, .. } => {
                    is_any = true;
                    let (down, up) = ((middle - low).get() as f64, (high - middle).get() as f64);
                    likely += middle.get() as f64;
                    if is_bound {
                        bound = true;
                        bound_below += down;
                        bound_above += up;
                    } else {
                        below = below.hypot(down);
                        above = above.hypot(up);
                    }
                }
            }
        }
        let nano = nano_dollars;
        match (is_any, is_unknown, free) {
            (true, is_partial, _) => Self::Range {
                low: nano(likely - below - bound_below),
                likely: nano(likely),
                high: nano(likely + above + bound_above),
                is_bound: bound,
                is_partial,
            },
            (false, false, Some(because)) => Self::Nothing { because },
            (false, false, None) => Self::Nothing { because: Free::NothingToSend },
            (false, true, _) => Self::Unknown,
        }
    }
}
