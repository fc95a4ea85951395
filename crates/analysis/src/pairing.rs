use std::collections::HashMap;

use serde::Serialize;

use crate::results::VariantResults;

/// The cases that two variants share, and those that they do not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Pairing {
    /// The places of shared, unchanged cases in the baseline and in the candidate, in the plan order
    /// of the candidate.
    #[serde(skip)]
    pub pairs: Vec<(usize, usize)>,
    /// Ids of cases that only the baseline has.
    pub only_baseline: Vec<String>,
    /// Ids of cases that only the candidate has.
    pub only_candidate: Vec<String>,
    /// Ids of cases that both have with different content; they are compared nowhere.
    pub changed: Vec<String>,
}

/// Pairs the cases of two variants by id and content.
pub fn pair(baseline: &VariantResults, candidate: &VariantResults) -> Pairing {
    let places: HashMap<&str, usize> =
        baseline.cases.iter().enumerate().map(|(place, case)| (case.id.as_str(), place)).collect();
    let mut pairing = Pairing::default();
    let mut seen = vec![false; baseline.cases.len()];
    for (place, case) in candidate.cases.iter().enumerate() {
        let Some(&other) = places.get(case.id.as_str()) else {
            pairing.only_candidate.push(case.id.clone());
            continue;
        };
        seen[other] = true;
        if baseline.cases[other].hash == case.hash {
            pairing.pairs.push((other, place));
        } else {
            pairing.changed.push(case.id.clone());
        }
    }
    let unseen = baseline.cases.iter().zip(seen).filter(|(_, seen)| !seen);
    pairing.only_baseline = unseen.map(|(case, _)| case.id.clone()).collect();
    pairing
}
