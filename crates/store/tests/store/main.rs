//! What the store promises to those who use it, through its public interface.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]

mod cache;
mod ledger;
mod record;
mod results;
mod support;
