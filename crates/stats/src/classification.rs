//! S12: a classifier against the truth: the confusion table and what is read off it.

use values::Interval;

use crate::agreement::check_categories;
use crate::error::{Defined, InvalidInput, Undefined, check_length};
use crate::level::Level;
use crate::proportion::wilson_interval;
use crate::sums;

/// Counts of a yes-or-no classifier; which outcome is "positive" must be named where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BinaryCounts {
    /// Positive and called so.
    pub true_positives: u64,
    /// Negative but called positive.
    pub false_positives: u64,
    /// Negative and called so.
    pub true_negatives: u64,
    /// Positive but called negative.
    pub false_negatives: u64,
}

impl BinaryCounts {
    /// Counts predictions against the truth.
    ///
    /// # Errors
    /// [`InvalidInput::Length`] if the lengths differ.
    pub fn of(truth: &[bool], predicted: &[bool]) -> Result<Self, InvalidInput> {
        check_length("predicted", predicted.len(), truth.len())?;
        let count = |kind: (bool, bool)| {
            truth.iter().zip(predicted).filter(|(t, p)| (**t, **p) == kind).count() as u64
        };
        Ok(Self {
            true_positives: count((true, true)),
            false_positives: count((false, true)),
            true_negatives: count((false, false)),
            false_negatives: count((true, false)),
        })
    }
}

/// What a binary confusion table says; every ratio is undefined where its denominator is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinaryConfusion {
    /// The share called right.
    pub accuracy: Defined<f64>,
    /// TP/(TP + FN), the share of positives that are found.
    pub sensitivity: Defined<f64>,
    /// Its Wilson interval.
    pub sensitivity_interval: Defined<Interval>,
    /// TN/(TN + FP), the share of negatives that are left alone.
    pub specificity: Defined<f64>,
    /// Its Wilson interval.
    pub specificity_interval: Defined<Interval>,
    /// TP/(TP + FP).
    pub precision: Defined<f64>,
    /// TN/(TN + FN), the negative predictive value.
    pub negative_predictive_value: Defined<f64>,
    /// 2TP/(2TP + FP + FN).
    pub f1: Defined<f64>,
    /// Matthews' correlation, in `[-1, 1]`; undefined if a margin is 0.
    pub mcc: Defined<f64>,
    /// The mean of sensitivity and specificity.
    pub balanced_accuracy: Defined<f64>,
}

/// Returns the measures of a binary confusion table.
///
/// Undefined ratios are reasons, where other tools print 0. Intervals of F1 and MCC come from
/// [`crate::bootstrap_statistic`].
///
/// # Errors
/// None of well-formed counts.
///
/// # Source
/// Matthews (1975), Biochim. Biophys. Acta 405, 442–451. Checked against scikit-learn.
pub fn binary_confusion(
    counts: BinaryCounts,
    level: Level,
) -> Result<BinaryConfusion, InvalidInput> {
    let BinaryCounts { true_positives, false_positives, true_negatives, false_negatives } = counts;
    let positives = true_positives + false_negatives;
    let negatives = true_negatives + false_positives;
    let sensitivity = ratio(true_positives as f64, positives as f64);
    let specificity = ratio(true_negatives as f64, negatives as f64);
    let [tp, fp, tn, fnn] =
        [true_positives, false_positives, true_negatives, false_negatives].map(|c| c as f64);
    let margins = ((tp + fp) * (tp + fnn)).sqrt() * ((tn + fp) * (tn + fnn)).sqrt();
    let sensitivity_interval = wilson_interval(true_positives, positives, level)?.interval;
    let specificity_interval = wilson_interval(true_negatives, negatives, level)?.interval;
    Ok(BinaryConfusion {
        accuracy: ratio(tp + tn, tp + tn + fp + fnn),
        sensitivity,
        sensitivity_interval: sensitivity.map(|_| sensitivity_interval),
        specificity,
        specificity_interval: specificity.map(|_| specificity_interval),
        precision: ratio(tp, tp + fp),
        negative_predictive_value: ratio(tn, tn + fnn),
        f1: ratio(2.0 * tp, 2.0 * tp + fp + fnn),
        mcc: ratio(tp * tn - fp * fnn, margins),
        balanced_accuracy: sensitivity.and_then(|s| Ok(f64::midpoint(s, specificity?))),
    })
}

fn ratio(part: f64, whole: f64) -> Defined<f64> {
    if whole > 0.0 { Ok(part / whole) } else { Err(Undefined::ZeroDenominator) }
}

/// What a confusion table of several classes says.
#[derive(Debug, Clone, PartialEq)]
pub struct MulticlassConfusion {
    /// `matrix[t][p]`: how often class t was called p.
    pub matrix: Vec<Vec<u64>>,
    /// The share called right.
    pub accuracy: Defined<f64>,
    /// The mean F1 of the classes that occur in the truth or among the predictions.
    pub macro_f1: Defined<f64>,
    /// The mean F1 of the classes, weighted by how often they are the truth.
    pub weighted_f1: Defined<f64>,
    /// Matthews' correlation for several classes; undefined if one side is constant.
    pub mcc: Defined<f64>,
}

/// Returns the measures of predictions of several classes, numbered below `classes`.
///
/// A class that occurs but is never called right has F1 = 0. n + q².
///
/// # Errors
/// [`InvalidInput`] if a class does not exist or the lengths differ.
///
/// # Source
/// Gorodkin (2004), Comput. Biol. Chem. 28, 367–374, for the MCC. Checked against scikit-learn.
pub fn multiclass_confusion(
    truth: &[usize],
    predicted: &[usize],
    classes: usize,
) -> Result<MulticlassConfusion, InvalidInput> {
    check_length("predicted", predicted.len(), truth.len())?;
    check_categories("truth", truth, classes)?;
    check_categories("predicted", predicted, classes)?;
    let mut matrix = vec![vec![0_u64; classes]; classes];
    for (&t, &p) in truth.iter().zip(predicted) {
        matrix[t][p] += 1;
    }
    let n = truth.len() as f64;
    let right: Vec<f64> = (0..classes).map(|k| matrix[k][k] as f64).collect();
    let truths: Vec<f64> = matrix.iter().map(|row| row.iter().sum::<u64>() as f64).collect();
    let calls: Vec<f64> =
        (0..classes).map(|k| matrix.iter().map(|row| row[k]).sum::<u64>() as f64).collect();
    let f1: Vec<Defined<f64>> =
        (0..classes).map(|k| ratio(2.0 * right[k], truths[k] + calls[k])).collect();
    let occurring: Vec<f64> = f1.iter().filter_map(|f1| f1.ok()).collect();
    let correct = sums::sum(right.iter().copied());
    let weighted = sums::sum(f1.iter().zip(&truths).map(|(f1, t)| f1.unwrap_or(0.0) * t));
    let products = sums::sum(truths.iter().zip(&calls).map(|(t, p)| t * p));
    let spread = |margin: &[f64]| n * n - sums::sum(margin.iter().map(|m| m * m));
    let scale = spread(&truths).max(0.0).sqrt() * spread(&calls).max(0.0).sqrt();
    Ok(MulticlassConfusion {
        accuracy: ratio(correct, n),
        macro_f1: ratio(sums::sum(occurring.iter().copied()), occurring.len() as f64),
        weighted_f1: ratio(weighted, n),
        mcc: ratio(correct * n - products, scale),
        matrix,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_positives_sensitivity_is_undefined() {
        let counts = BinaryCounts::of(&[false, false], &[false, true]).unwrap();
        let result = binary_confusion(counts, Level::P95).unwrap();
        assert_eq!(result.sensitivity, Err(Undefined::ZeroDenominator));
        assert_eq!(result.specificity, Ok(0.5));
    }

    #[test]
    fn two_classes_agree_with_the_binary_table() {
        let truth = [true, true, false, false, true, false];
        let called = [true, false, false, true, true, false];
        let binary =
            binary_confusion(BinaryCounts::of(&truth, &called).unwrap(), Level::P95).unwrap();
        let number = |flags: &[bool]| flags.iter().map(|f| usize::from(*f)).collect::<Vec<_>>();
        let multi = multiclass_confusion(&number(&truth), &number(&called), 2).unwrap();
        assert!((binary.mcc.unwrap() - multi.mcc.unwrap()).abs() < 1e-12);
    }
}
