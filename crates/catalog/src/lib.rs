//! What is known of a provider and a model before calling it: where it is, its limits, its prices,
//! and the most that a request can cost.
//!
//! Pure. Providers come from `trysquare.yaml` and from a short list of well-known ones; prices from
//! there, from the project's `prices.jsonl`, and from the list that comes with the program, each with
//! its source. A price that nobody stated is unknown, never zero; only a model that runs on this
//! machine is known to be free.

mod bound;
mod builtin;
mod header;
mod openai;
mod price;
mod price_list;
mod provider;
mod read;
mod read_prices;
mod tariff;

pub use bound::{TokenCounter, Unbounded, input_token_bound};
pub use builtin::{
    EMBEDDED, KeyDefault, SMOLLM2, SMOLLM2_SHA256, built_in_providers, well_known_key,
};
pub use header::{HeaderRefusal, header_refusal};
pub use openai::OpenaiCounter;
pub use price::{PriceError, parse_price, parse_price_per_token, price_text};
pub use price_list::{PriceList, PriceRow};
pub use provider::{
    MaxTokensParameter, ModelFacts, ProviderSettings, Timeouts, default_concurrency,
};
pub use read::{read_providers, refuse_header};
pub use tariff::{Tariff, Tier};
