//! The real clients against the real server: what PROVIDERS.md says must hold, section by section.

#![expect(clippy::unwrap_used, reason = "a test panics where its claim fails")]
#![expect(clippy::disallowed_methods, reason = "named pipes and this binary itself are started")]

mod errors;
mod finish;
mod keys;
mod parameters;
mod programs;
mod support;
mod targets;
mod usage;
