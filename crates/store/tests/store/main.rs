//! What the store promises to those who use it, through its public interface.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]
#![expect(
    clippy::disallowed_methods,
    reason = "these tests start processes, and look at and cut the files that the store makes"
)]

mod cache;
mod child;
mod crash;
mod disk;
mod evidence;
mod judgements;
mod judging;
mod labels;
mod ledger;
mod looks;
#[cfg(unix)]
mod opening;
mod processes;
mod record;
mod results;
mod support;
