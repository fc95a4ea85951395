//! Tests of the prompt crate through what it offers to other crates.

mod bounds;
mod conformance;
mod diff;
mod format_page;
mod front_matter;
mod fuzz_target;
mod laws;
mod support;
mod templates;
mod variables;
