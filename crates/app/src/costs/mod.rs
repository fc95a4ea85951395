//! What calls cost, and what was spent.

mod prices;
mod spent;

pub use prices::{PriceView, PricesImported, PricesRequest};
pub use spent::{BudgetView, CostLine, CostsBy, CostsView};
