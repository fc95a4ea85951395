//! The crate as its callers use it: results in, verdicts out.

mod candidates;
mod data;
mod laws;
mod looks;
mod measures;
mod refusals;
mod sizes;
mod slices;
mod worked;

use analysis::{CompareOptions, Comparison, Decision, LookHistory, VariantResults};

/// Options with a margin of five points.
fn options() -> CompareOptions {
    CompareOptions { margin: Some(0.05), seed: 1, ..CompareOptions::default() }
}

fn compared(baseline: &VariantResults, candidate: &VariantResults) -> Comparison {
    compared_by(baseline, candidate, &options())
}

fn compared_by(
    baseline: &VariantResults,
    candidate: &VariantResults,
    options: &CompareOptions,
) -> Comparison {
    analysis::compare(baseline, candidate, options, &LookHistory::default())
        .expect("a few cases can be compared")
}

fn decided(baseline: &VariantResults, candidate: &VariantResults) -> Decision {
    primary(&compared(baseline, candidate))
}

fn primary(comparison: &Comparison) -> Decision {
    comparison.primary().and_then(|primary| primary.decision).expect("it is decided")
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance
}
