//! How far a judge can be trusted: what it says against what people decided.
//!
//! Only outputs that chance drew for labelling, whose label is not outdated, count in any figure;
//! what is left out is counted by reason. [`calibrate`] measures on one split, [`standing`] reads
//! the state off the two rates, [`corrected_rate`] and [`corrected_difference`] say what people would
//! find where only the judge has looked.

mod agreement;
mod bias;
mod confidence;
mod corrected;
mod item;
mod matrix;
mod measured;
mod share;
mod slices;
mod state;

use evalset::{LabelValue, Split};
use serde::Serialize;
use serde_json::json;
use stats::InvalidInput;
use values::ContentHash;

pub use agreement::{Agreement, Alternative, People, PeoplePair, StandIn};
pub use bias::{Biases, FamilyFinding, LengthFinding, OrderFinding, PositionFinding};
pub use confidence::{BinningKind, Confidence, ReliabilityBin};
pub use corrected::{
    CorrectedDifference, CorrectedRate, Correction, CorrectionMethod, NotCorrected,
    corrected_difference, corrected_rate,
};
pub use item::{Draw, JudgeAnswer, JudgedItem, Scale};
pub use matrix::{Disagreement, DisagreementKind, Matrix, MatrixCell, SignedError};
pub use measured::LeftOut;
pub(crate) use share::plain_share;
pub use share::{Share, ShareMethod};
pub use slices::{JudgeSlice, JudgeSlices};
pub use state::{Standing, Thresholds, least_enough, standing};

use measured::Measured;
use share::Counted;

/// What a calibration needs to know besides the outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationOptions {
    /// The values of the criterion.
    pub scale: Scale,
    /// The part of the set to measure on; certificates come from the test split only.
    pub split: Split,
    /// What the bounds must reach.
    pub thresholds: Thresholds,
    /// ε of the alternative annotator test: 0.2 for experts, 0.15 skilled, 0.1 crowd.
    pub epsilon: f64,
    /// The seed of every bootstrap.
    pub seed: u64,
}

/// What a judge is worth on a criterion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// The part of the set.
    pub split: &'static str,
    /// The outputs that people and the judge decided.
    pub items: usize,
    /// The outputs that are labelled and not among them.
    pub left_out: LeftOut,
    /// What these labels are about and what they say; the same for the same labels.
    pub labels_hash: ContentHash,
    /// The share of human passes that the judge passes.
    pub true_passes: Share,
    /// The share of human fails that the judge fails.
    pub true_fails: Share,
    /// The state by these labels.
    pub standing: Standing,
    /// People against the judge.
    pub matrix: Matrix,
    /// The share of outputs of which the judge says what people decided.
    pub right: Share,
    /// How far the judge agrees with people, also beyond chance.
    pub agreement: Agreement,
    /// How far people agree with each other; none if one person labelled.
    pub people: Option<People>,
    /// Whether its probabilities come true, where it gives some.
    pub confidence: Option<Confidence>,
    /// How far its numbers lie from people's, where both give numbers.
    pub error: Option<SignedError>,
    /// What sways it.
    pub biases: Biases,
    /// By tag, where there are tags.
    pub slices: Option<JudgeSlices>,
    /// Where it differs, false passes first.
    pub disagreements: Vec<Disagreement>,
}

/// Measures a judge against people's labels.
///
/// `items` holds every output that the judge saw or that people labelled, in any order; figures do
/// not depend on it, lists follow it. Undefined figures carry their reason. n log n in the outputs,
/// times labellers squared.
///
/// # Errors
/// [`InvalidInput`] if there are more outputs than the statistics allow, or a probability is none.
pub fn calibrate(
    items: &[JudgedItem],
    options: &CalibrationOptions,
) -> Result<Calibration, InvalidInput> {
    let scale = &options.scale;
    let gathered = measured::gather(scale, options.split, items);
    let (classes, measured) = (&gathered.classes, gathered.measured.as_slice());
    let (true_passes, true_fails) = shares_of(measured)?;
    let humans: Vec<usize> = measured.iter().map(|one| one.human).collect();
    let judges: Vec<usize> = measured.iter().map(|one| one.judge).collect();
    let people =
        agreement::people(scale, classes, &gathered.labelled, options.epsilon, options.seed)?;
    let is_graded = matches!(scale, Scale::Graded { .. });
    Ok(Calibration {
        split: options.split.name(),
        items: measured.len(),
        left_out: gathered.left_out,
        labels_hash: labels_hash(&gathered.labelled),
        true_passes,
        true_fails,
        standing: standing(&true_passes, &true_fails, options.thresholds)?,
        matrix: matrix::matrix(classes, measured)?,
        right: right_of(measured)?,
        agreement: agreement::agreement(classes, &humans, &judges, options.seed)?,
        people: (people.labellers.len() > 1).then_some(people),
        confidence: confidence::confidence(measured, options.seed)?,
        error: if is_graded { matrix::signed_error(measured)? } else { None },
        biases: bias::biases(classes, measured, &gathered.labelled, options.seed)?,
        slices: slices::slices(measured)?,
        disagreements: matrix::disagreements(classes, measured),
    })
}

/// How often the judge passes what people pass, and fails what they fail.
fn shares_of(measured: &[Measured<'_>]) -> Result<(Share, Share), InvalidInput> {
    let of = |side: bool| -> Vec<Counted> {
        let ours = measured.iter().filter_map(|one| {
            let (human, judge) = one.passes?;
            let (weight, cluster) = (one.weight, one.cluster);
            (human == side).then_some(Counted { right: judge == side, weight, cluster })
        });
        ours.collect()
    };
    Ok((share::share(&of(true))?, share::share(&of(false))?))
}

/// How often the judge says what people decided.
fn right_of(measured: &[Measured<'_>]) -> Result<Share, InvalidInput> {
    let counted = measured.iter().map(|one| {
        let (weight, cluster) = (one.weight, one.cluster);
        Counted { right: one.human == one.judge, weight, cluster }
    });
    share::share(&counted.collect::<Vec<_>>())
}

/// The identity of what people decided on the outputs that were drawn, whatever the judge says of
/// them.
fn labels_hash(labelled: &[&JudgedItem]) -> ContentHash {
    let mut rows: Vec<(&str, String, String)> = labelled
        .iter()
        .filter_map(|item| {
            let hashes: Vec<String> = item.output.hashes().map(|hash| hash.to_string()).collect();
            let value = match item.reference.value()? {
                // A category may be called as another kind of value is.
                value @ LabelValue::Category(_) => format!("category {}", value.word()),
                value @ LabelValue::Prefers(_) => format!("prefers {}", value.word()),
                value => value.word().into_owned(),
            };
            Some((item.case.as_str(), hashes.join(" "), value))
        })
        .collect();
    rows.sort_unstable();
    ContentHash::of_document("trysquare-test-labels-v1", &json!(rows))
}

#[cfg(test)]
mod tests;
