//! Renders arbitrary templates.
#![no_main]

#[path = "../../crates/prompt/tests/prompt/fuzz_target.rs"]
mod fuzz_target;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz_target::render_anything(bytes));
