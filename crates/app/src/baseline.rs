//! The approved results of an eval set.

mod accept;
mod convert;
mod findings;
mod show;

pub use accept::{AcceptRequest, Accepted};
pub use convert::{Acceptance, NotAcceptable, from_results, rule_changes, to_results};
pub use show::{BaselineView, CriterionCounts};
