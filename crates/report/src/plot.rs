//! Plots as SVG: text that is text, colours that survive colour blindness and follow light and dark,
//! a title and a description for those who cannot see them.
//!
//! Blue and orange mean improved and regressed, as everywhere; sides are told apart by grey and black.

use analysis::Square;

mod canvas;
mod forest;
mod latency;
mod outcomes;
mod reliability;
mod scores;
mod tradeoff;

pub(crate) use canvas::STYLE;
pub use forest::ForestRow;
pub use latency::LatencyShape;
pub use scores::ScoreHistogram;
pub use tradeoff::VariantPoint;

/// Draws the difference of each criterion and slice with its interval, the line of zero, and that of
/// the margin, a share.
pub fn forest(rows: &[ForestRow], margin: Option<f64>) -> String {
    canvas::standalone(&inner::forest(rows, margin))
}

/// Draws what became of the cases as one bar.
pub fn outcomes(square: &Square) -> String {
    canvas::standalone(&inner::outcomes(square))
}

/// Draws the case scores of both sides on a criterion, each side with its name.
pub fn scores(
    criterion: &str,
    baseline: (&str, &ScoreHistogram),
    candidate: (&str, &ScoreHistogram),
) -> String {
    canvas::standalone(&inner::scores(criterion, baseline, candidate))
}

/// Draws the share of outputs that were there within a time, for both sides.
pub fn latency(baseline: (&str, &LatencyShape), candidate: (&str, &LatencyShape)) -> String {
    canvas::standalone(&inner::latency(baseline, candidate))
}

/// Draws variants between cost and quality, with both intervals.
pub fn tradeoff(points: &[VariantPoint]) -> String {
    canvas::standalone(&inner::tradeoff(points))
}

/// The plots without their style sheet, for a page that has it.
pub(crate) mod inner {
    pub(crate) use super::forest::forest;
    pub(crate) use super::latency::latency;
    pub(crate) use super::outcomes::outcomes;
    pub(crate) use super::reliability::reliability;
    pub(crate) use super::scores::scores;
    pub(crate) use super::tradeoff::tradeoff;
}
