//! The real clients against the real server: what PROVIDERS.md says must hold, row by row.

#![expect(clippy::unwrap_used, reason = "a test panics where its claim fails")]
#![expect(clippy::disallowed_methods, reason = "named pipes and this binary itself are started")]

mod programs;
mod support;
mod targets;
