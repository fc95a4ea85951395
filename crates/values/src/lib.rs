//! The few value types that all crates share, each with one canonical text form.
//!
//! Pure: no clock, no randomness, no file. An id is made from a time and random bytes that the
//! program hands in. What belongs to one domain (a case, a message, a cell) is not here.

mod hash;
mod id;
mod interval;
mod json;
mod money;
mod origin;
mod secret;
mod time;

pub use hash::{ContentHash, ParseHashError};
pub use id::{Id, ParseIdError};
pub use interval::{Interval, InvalidInterval};
pub use json::{canonical_json, row_json};
pub use money::NanoDollars;
pub use origin::{Origin, ParseOriginError};
pub use secret::Secret;
pub use time::{ParseTimestampError, Timestamp};
