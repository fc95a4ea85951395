//! The approved results of an eval set.

mod convert;

pub use convert::{Acceptance, NotAcceptable, from_results, rule_changes, to_results};
