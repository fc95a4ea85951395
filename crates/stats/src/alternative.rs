//! S14: may a model replace human annotators? The alternative annotator test.

use crate::error::{InvalidInput, check_length, check_parameter, check_values};
use crate::level::Level;
use crate::multiplicity::benjamini_yekutieli;
use crate::{special, sums};

/// How an annotation is scored against those of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnnotationScore {
    /// The share of the others that say the same.
    Accuracy,
    /// Minus the root of the mean squared difference to the others.
    NegativeRmse,
}

/// What the test needs besides the annotations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AltTestRules {
    /// How annotations are scored.
    pub score: AnnotationScore,
    /// ε, what a human's higher price is worth: 0.2 for experts, 0.15 skilled, 0.1 crowd.
    pub epsilon: f64,
    /// The false-discovery rate over annotators, 0.05.
    pub false_discovery: Level,
    /// The annotations that an item needs, 2.
    pub annotators_per_item: usize,
    /// The items that an annotator needs, 30.
    pub items_per_annotator: usize,
}

/// One annotator against the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnnotatorResult {
    /// The row of the annotator.
    pub annotator: usize,
    /// The items compared.
    pub items: usize,
    /// The share of items on which the model is at least as close to the others.
    pub model_wins: f64,
    /// The share on which the annotator is; ties count for both.
    pub annotator_wins: f64,
    /// The one-sided p-value of "the annotator wins by ε or more".
    pub p_value: f64,
    /// Whether that is rejected, after correction.
    pub rejected: bool,
}

/// The result of the alternative annotator test.
#[derive(Debug, Clone, PartialEq)]
pub struct AltTest {
    /// The annotators with enough items; the others "need more".
    pub annotators: Vec<AnnotatorResult>,
    /// ω, the share of annotators that the model beats; `None` if none has enough items.
    pub winning_rate: Option<f64>,
    /// ρ, the mean of [`AnnotatorResult::model_wins`].
    pub advantage_probability: Option<f64>,
    /// ω ≥ ½.
    pub passes: bool,
}

/// Tests whether a model's annotations can stand in for people's.
///
/// `model[i]` and `annotators[h][i]` annotate item i, `None` where missing. For each annotator h,
/// over items that h, the model and enough others annotated: W = 1 if the score against the others
/// is at least that of the rival; d = W_h − W_model; a one-sided t test of mean d ≥ ε, corrected by
/// Benjamini–Yekutieli. With d all equal p is 0, ½ or 1 as d is below, at or above ε.
/// Items × annotators².
///
/// # Errors
/// [`InvalidInput`] if rows differ in length, a value is not finite, or ε is not in `[0, 1)`.
///
/// # Source
/// Calderon, Reichart and Dror (2025), "The Alternative Annotator Test", ACL. Checked against the
/// authors' code (nitaytech/AltTest).
pub fn alt_test(
    model: &[Option<f64>],
    annotators: &[Vec<Option<f64>>],
    rules: AltTestRules,
) -> Result<AltTest, InvalidInput> {
    let epsilon = rules.epsilon;
    check_parameter("epsilon", epsilon, (0.0..1.0).contains(&epsilon), "in 0..1")?;
    for row in annotators.iter().map(Vec::as_slice).chain([model]) {
        check_length("annotations", row.len(), model.len())?;
        check_values("annotations", &row.iter().flatten().copied().collect::<Vec<f64>>())?;
    }
    let mut results: Vec<AnnotatorResult> = (0..annotators.len())
        .map(|annotator| against(model, annotators, annotator, rules))
        .filter(|result| result.items >= rules.items_per_annotator.max(2))
        .collect();
    let p_values: Vec<Option<f64>> = results.iter().map(|result| Some(result.p_value)).collect();
    let tests = benjamini_yekutieli(&p_values, rules.false_discovery)?;
    for (result, rejected) in results.iter_mut().zip(tests.rejected) {
        result.rejected = rejected;
    }
    let mean = |values: Vec<f64>| if values.is_empty() { None } else { Some(sums::mean(&values)) };
    let winning_rate =
        mean(results.iter().map(|result| f64::from(u8::from(result.rejected))).collect());
    Ok(AltTest {
        winning_rate,
        advantage_probability: mean(results.iter().map(|result| result.model_wins).collect()),
        passes: winning_rate.is_some_and(|rate| rate >= 0.5),
        annotators: results,
    })
}

fn against(
    model: &[Option<f64>],
    annotators: &[Vec<Option<f64>>],
    annotator: usize,
    rules: AltTestRules,
) -> AnnotatorResult {
    let (mut model_wins, mut annotator_wins, mut differences) = (0_u32, 0_u32, Vec::new());
    for (item, said) in model.iter().enumerate() {
        let (Some(by_model), Some(by_annotator)) = (*said, annotators[annotator][item]) else {
            continue;
        };
        let others: Vec<f64> = annotators
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != annotator)
            .filter_map(|(_, row)| row[item])
            .collect();
        if others.is_empty() || others.len() + 1 < rules.annotators_per_item {
            continue;
        }
        let model_loss = loss(by_model, &others, rules.score);
        let annotator_loss = loss(by_annotator, &others, rules.score);
        let model_won = model_loss <= annotator_loss;
        let annotator_won = annotator_loss <= model_loss;
        model_wins += u32::from(model_won);
        annotator_wins += u32::from(annotator_won);
        differences.push(f64::from(u8::from(annotator_won)) - f64::from(u8::from(model_won)));
    }
    let n = differences.len().max(1) as f64;
    AnnotatorResult {
        annotator,
        items: differences.len(),
        model_wins: f64::from(model_wins) / n,
        annotator_wins: f64::from(annotator_wins) / n,
        p_value: lower_p(&differences, rules.epsilon),
        rejected: false,
    }
}

/// Returns what is smaller for the better score: the others that differ, or the squared differences,
/// both without a division that could round a tie away.
fn loss(value: f64, others: &[f64], score: AnnotationScore) -> f64 {
    match score {
        AnnotationScore::Accuracy => {
            others.iter().filter(|other| (*other - value).abs() > 0.0).count() as f64
        }
        AnnotationScore::NegativeRmse => {
            sums::sum(others.iter().map(|other| (other - value) * (other - value)))
        }
    }
}

fn lower_p(differences: &[f64], epsilon: f64) -> f64 {
    if differences.len() < 2 {
        return 1.0;
    }
    let n = differences.len() as f64;
    let gap = sums::mean(differences) - epsilon;
    let error = (sums::variance(differences) / n).sqrt();
    if error > 0.0 {
        special::t_upper(-gap / error, n - 1.0)
    } else if gap > 0.0 {
        1.0
    } else if gap < 0.0 {
        0.0
    } else {
        0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotator_with_few_items_is_left_out() {
        let row = vec![Some(1.0); 10];
        let rules = AltTestRules {
            score: AnnotationScore::Accuracy,
            epsilon: 0.2,
            false_discovery: Level::P95,
            annotators_per_item: 2,
            items_per_annotator: 30,
        };
        let result = alt_test(&row, &[row.clone(), row.clone()], rules).unwrap();
        assert!(result.annotators.is_empty() && result.winning_rate.is_none() && !result.passes);
        let enough = AltTestRules { items_per_annotator: 10, ..rules };
        assert!(alt_test(&row, &[row.clone(), row.clone()], enough).unwrap().passes);
    }
}
