//! DICES-350: a crowd and an expert on the safety of dialogues (0 no, 1 yes, 2 unsure).

use serde_json::{Value, json};
use stats::Measurement;

use super::kappa;
use crate::vectors::input::n;

pub(crate) fn results(items: &[Value]) -> Value {
    let crowds: Vec<Vec<usize>> = items
        .iter()
        .map(|item| {
            item["crowd"].as_str().unwrap().bytes().map(|b| usize::from(b - b'0')).collect()
        })
        .collect();
    let counts: Vec<Vec<u64>> = crowds
        .iter()
        .map(|crowd| {
            (0..3).map(|label| crowd.iter().filter(|l| **l == label).count() as u64).collect()
        })
        .collect();
    let raters = crowds.iter().map(Vec::len).max().unwrap();
    let rows: Vec<Vec<Option<f64>>> = (0..raters)
        .map(|rater| crowds.iter().map(|crowd| crowd.get(rater).map(|l| *l as f64)).collect())
        .collect();
    let (expert, crowd): (Vec<usize>, Vec<usize>) = items
        .iter()
        .zip(&counts)
        .filter_map(|(item, counts)| {
            let expert = usize::try_from(item["expert"].as_u64()?).unwrap();
            Some((expert, majority(counts)?))
        })
        .unzip();
    let mut against = kappa(&expert, &crowd, 3);
    against["matrix_rows_expert"] =
        json!(stats::multiclass_confusion(&expert, &crowd, 3).unwrap().matrix);
    json!({
        "n": items.len(),
        "raters": [crowds.iter().map(Vec::len).min(), raters],
        "alpha_nominal": n(stats::krippendorff_alpha(&rows, Measurement::Nominal).unwrap()),
        "fleiss_kappa": n(stats::fleiss_kappa(&counts).unwrap()),
        "crowd_majority_vs_expert": against,
    })
}

/// The label with the most votes, if it is alone.
fn majority(counts: &[u64]) -> Option<usize> {
    let most = counts.iter().max()?;
    let mut at_most = counts.iter().enumerate().filter(|(_, count)| *count == most);
    let (label, _) = at_most.next()?;
    at_most.next().is_none().then_some(label)
}
