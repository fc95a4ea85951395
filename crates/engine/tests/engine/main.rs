//! The engine against scripted providers and a record in memory, in virtual time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod caching;
mod caps;
mod events;
mod law;
mod memory;
mod pacing;
mod recording;
mod resuming;
mod retrying;
mod script;
mod stopping;
mod world;
