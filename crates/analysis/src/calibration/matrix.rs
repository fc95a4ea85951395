use serde::Serialize;
use stats::{BinaryCounts, InvalidInput, Level};
use values::Interval;

use super::item::{Classes, JudgedItem};
use super::measured::Measured;
use crate::estimate::Estimate;

/// What people decided against what the judge says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matrix {
    /// The classes, in order: fail before pass, a rubric from low to high.
    pub classes: Vec<String>,
    /// The cells that occur: people's class by the judge's, in that order.
    pub cells: Vec<MatrixCell>,
    /// Matthews' correlation.
    pub mcc: Estimate<f64>,
}

/// The outputs of one class that the judge puts into one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatrixCell {
    /// People's class, as a place in [`Matrix::classes`].
    pub human: usize,
    /// The judge's.
    pub judge: usize,
    /// The cases, in the order of the input; a case with several outputs is there for each.
    pub cases: Vec<String>,
}

/// An output on which the judge and people differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Disagreement {
    /// The case.
    pub case: String,
    /// The variant.
    pub variant: String,
    /// The output, or both of a pair, by hash.
    pub output: Vec<values::ContentHash>,
    /// In which way.
    pub kind: DisagreementKind,
    /// What people decided.
    pub human: String,
    /// What the judge says.
    pub judge: String,
    /// The probability of a pass that it gave.
    pub probability: Option<f64>,
    /// Why, in the judge's words.
    pub reason: Option<String>,
}

/// How a judge differs from people; the dangerous way first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DisagreementKind {
    /// It passes what people fail.
    FalsePass,
    /// It fails what people pass.
    FalseFail,
    /// Another class, of which neither is a pass and the other a fail.
    Other,
}

/// How far a judge's numbers lie from people's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SignedError {
    /// The outputs with two numbers.
    pub items: usize,
    /// The mean of judge − human: above 0 it is too kind.
    pub mean: Estimate<f64>,
    /// Its two-sided 95 % interval.
    pub interval: Estimate<Interval>,
    /// Spearman's rank correlation: a judge may agree in rank and still be a point too kind.
    pub spearman: Estimate<f64>,
}

pub(super) fn matrix(classes: &Classes, measured: &[Measured<'_>]) -> Result<Matrix, InvalidInput> {
    let count = classes.names.len();
    let mut cases: Vec<Vec<String>> = vec![Vec::new(); count * count];
    for one in measured {
        cases[one.human * count + one.judge].push(one.item.case.clone());
    }
    let truth: Vec<usize> = measured.iter().map(|one| one.human).collect();
    let said: Vec<usize> = measured.iter().map(|one| one.judge).collect();
    let mcc = if count == 2 {
        let number = |human: usize, judge: usize| cases[human * count + judge].len() as u64;
        let counts = BinaryCounts {
            true_positives: number(1, 1),
            false_positives: number(0, 1),
            true_negatives: number(0, 0),
            false_negatives: number(1, 0),
        };
        stats::binary_confusion(counts, Level::P95)?.mcc
    } else {
        stats::multiclass_confusion(&truth, &said, count)?.mcc
    };
    let cells = cases
        .into_iter()
        .enumerate()
        .filter(|(_, cases)| !cases.is_empty())
        .map(|(at, cases)| MatrixCell { human: at / count, judge: at % count, cases })
        .collect();
    Ok(Matrix { classes: classes.names.clone(), cells, mcc: mcc.into() })
}

pub(super) fn disagreements(classes: &Classes, measured: &[Measured<'_>]) -> Vec<Disagreement> {
    let mut found: Vec<Disagreement> = measured
        .iter()
        .filter(|one| match one.passes {
            // Numbers on one side of the threshold agree; so do categories that both pass.
            Some((human, judge)) => human != judge,
            None => one.human != one.judge,
        })
        .map(|one| {
            let item: &JudgedItem = one.item;
            Disagreement {
                case: item.case.clone(),
                variant: item.variant.clone(),
                output: item.output.hashes().collect(),
                kind: match one.passes {
                    Some((false, true)) => DisagreementKind::FalsePass,
                    Some((true, false)) => DisagreementKind::FalseFail,
                    _ => DisagreementKind::Other,
                },
                human: classes.names[one.human].clone(),
                judge: classes.names[one.judge].clone(),
                probability: item.probability,
                reason: item.reason.clone(),
            }
        })
        .collect();
    // Stable, so that one kind stays in the order of the cases.
    found.sort_by_key(|one| one.kind);
    found
}

pub(super) fn signed_error(measured: &[Measured<'_>]) -> Result<Option<SignedError>, InvalidInput> {
    let numbered: Vec<(f64, f64, usize)> = measured
        .iter()
        .filter_map(|one| one.numbers.map(|(human, judge)| (human, judge, one.cluster)))
        .collect();
    if numbered.is_empty() {
        return Ok(None);
    }
    let human: Vec<f64> = numbered.iter().map(|one| one.0).collect();
    let judge: Vec<f64> = numbered.iter().map(|one| one.1).collect();
    let clusters: Vec<usize> = numbered.iter().map(|one| one.2).collect();
    let level = Level::P95;
    let found = stats::clustered_paired_difference(&human, &judge, &clusters, level)?.difference;
    let spearman = stats::rank_correlation(&human, &judge, level)?.spearman;
    Ok(Some(SignedError {
        items: numbered.len(),
        mean: found.mean.into(),
        interval: found.interval.into(),
        spearman: spearman.into(),
    }))
}
