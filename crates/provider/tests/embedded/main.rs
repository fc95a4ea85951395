//! The embedded model, with the real SmolLM2-135M.
//!
//! The file is found through `TRYSQUARE_SMOLLM2`. Without it the tests say that they did nothing,
//! unless `TRYSQUARE_REQUIRE_MODEL=1`, which makes them fail.
#![expect(clippy::disallowed_methods, reason = "tests read the environment and write broken files")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "a test that does nothing says so")]

mod answers;
mod faults;
mod support;
