use serde::Serialize;
use stats::{Binning, InvalidInput};

use super::measured::Measured;
use crate::estimate::Estimate;

/// The bins of the reliability diagram.
const BINS: usize = 10;

/// Below this number of outputs the calibration error is compared with that of chance.
const SHORT: usize = 200;

/// How often chance is drawn.
const DRAWS: usize = 200;

/// Whether a judge's probabilities of a pass come true.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confidence {
    /// The outputs with a probability that people pass or fail.
    pub items: usize,
    /// The expected calibration error: the mean gap between probability and share of passes.
    pub expected_error: Estimate<f64>,
    /// What a perfect judge would show with so few outputs, which are fewer than 200.
    pub error_by_chance: Option<Estimate<f64>>,
    /// The Brier score, a mean squared error.
    pub brier: Estimate<f64>,
    /// How the bins were made.
    pub binning: BinningKind,
    /// The bins with outputs, from low to high.
    pub bins: Vec<ReliabilityBin>,
}

/// How bins are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BinningKind {
    /// Of equal width.
    EqualWidth,
    /// Of equal size, because half of the probabilities or more lie in one bin, and most differ.
    EqualMass,
}

/// A bin of the reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// The outputs in it.
    pub items: usize,
    /// Their mean probability of a pass.
    pub probability: f64,
    /// The share that people pass.
    pub passes: f64,
}

pub(super) fn confidence(
    measured: &[Measured<'_>],
    seed: u64,
) -> Result<Option<Confidence>, InvalidInput> {
    let mut answers: Vec<(f64, bool)> =
        measured.iter().filter_map(|one| Some((one.item.probability?, one.passes?.0))).collect();
    // Bins of equal size cut through the order, which must not be that of the input.
    answers.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (probabilities, passes): (Vec<f64>, Vec<bool>) = answers.into_iter().unzip();
    if probabilities.is_empty() {
        return Ok(None);
    }
    let wide = stats::calibration(&probabilities, &passes, BINS, Binning::EqualWidth)?;
    let largest = wide.bins.iter().map(|bin| bin.count).max().unwrap_or(0);
    // Equal probabilities belong into one bin, so bins of equal size are for those that differ.
    let different = probabilities.windows(2).filter(|pair| pair[0] < pair[1]).count() + 1;
    let piles_up = largest * 2 >= probabilities.len() && different * 2 >= probabilities.len();
    let (binning, kind, found) = if piles_up {
        let binning = Binning::EqualMass;
        let found = stats::calibration(&probabilities, &passes, BINS, binning)?;
        (binning, BinningKind::EqualMass, found)
    } else {
        (Binning::EqualWidth, BinningKind::EqualWidth, wide)
    };
    let error_by_chance = if probabilities.len() < SHORT {
        let chance =
            stats::calibration_error_by_chance(&probabilities, BINS, binning, DRAWS, seed)?;
        Some(chance.into())
    } else {
        None
    };
    Ok(Some(Confidence {
        items: probabilities.len(),
        expected_error: found.expected_error.into(),
        error_by_chance,
        brier: found.brier.into(),
        binning: kind,
        bins: found
            .bins
            .iter()
            .map(|bin| ReliabilityBin {
                items: bin.count,
                probability: bin.mean_confidence,
                passes: bin.correct_share,
            })
            .collect(),
    }))
}
