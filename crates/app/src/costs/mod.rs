//! What calls cost, and what was spent.

mod estimate;
mod prices;
mod spent;

pub use estimate::{Basis, CallsEstimate, ESTIMATE_CONFIDENCE, Free, Money, RunEstimate, Tokens};
pub use prices::{PriceView, PricesImported, PricesRequest};
pub use spent::{BudgetView, CostLine, CostsBy, CostsView};
