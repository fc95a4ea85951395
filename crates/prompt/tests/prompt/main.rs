//! Tests of the prompt crate through what it offers to other crates.

mod conformance;
mod diff;
mod support;
mod templates;
mod variables;
