//! What runs cost: prices, estimates before a run, the bill after it, and where money can be saved.

mod prices;

pub use prices::{PriceView, PricesImported, PricesRequest};
