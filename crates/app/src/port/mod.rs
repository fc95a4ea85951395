//! The engine's ports, implemented over the store, the clients and the checks.

mod calls;
mod clock;
mod lookups;
mod record;
mod scorer;

pub(crate) use calls::RunCalls;
pub(crate) use clock::SystemClock;
pub(crate) use record::StoreRecord;
pub(crate) use scorer::{CheckScorer, status_of};
