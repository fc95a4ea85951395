//! Parts of the cases, by tag, on the primary criterion. They explore: with enough slices some
//! differ by chance, so no slice has a verdict, and what is flagged is corrected for their number.

use std::collections::BTreeMap;

use serde::Serialize;
use stats::{InvalidInput, Level, Undefined, benjamini_hochberg, false_coverage_level};
use values::Interval;

use crate::decision::{self, Decision};
use crate::estimate::Estimate;
use crate::units::Units;

/// The most slices that are tested: those with the most cases.
const MOST_SLICES: usize = 50;

/// The slices of the primary criterion, those with the most cases first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slices {
    /// The criterion.
    pub criterion: String,
    /// The slices.
    pub slices: Vec<Slice>,
    /// How many smaller slices there are besides.
    pub more: usize,
    /// How many slices have a p-value, for which the q-values are corrected.
    pub tested: usize,
}

/// The compared cases with one tag. A case counts in each of its tags.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slice {
    /// The tag.
    pub tag: String,
    /// The compared cases.
    pub cases: usize,
    /// The clusters among them.
    pub clusters: usize,
    /// The mean of the baseline's case means, a share.
    pub baseline_rate: f64,
    /// The candidate's.
    pub candidate_rate: f64,
    /// Candidate minus baseline.
    pub difference: Estimate<f64>,
    /// Its two-sided interval.
    pub interval: Estimate<Interval>,
    /// The level of the interval; higher for slices that differ, so that on average no more of the
    /// reported intervals miss than the level of the comparison allows.
    pub confidence: f64,
    /// The p-value by itself.
    pub p_value: Estimate<f64>,
    /// The p-value corrected for the number of slices (Benjamini–Hochberg).
    pub q_value: Estimate<f64>,
    /// Whether it differs after correction.
    pub differs: bool,
}

/// Compares each slice of the compared cases; `tags_of` gives the tags of a unit. `None` without
/// tags.
///
/// # Errors
/// [`InvalidInput`] if there are more cases than the statistics allow.
pub(crate) fn slices<'a>(
    criterion: &str,
    units: &Units,
    tags_of: impl Fn(usize) -> &'a [String],
    level: Level,
) -> Result<Option<Slices>, InvalidInput> {
    let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for unit in 0..units.len() {
        for tag in tags_of(unit) {
            let of_tag = members.entry(tag).or_default();
            // A tag that a case has twice counts once.
            if of_tag.last() != Some(&unit) {
                of_tag.push(unit);
            }
        }
    }
    if members.is_empty() {
        return Ok(None);
    }
    let mut members: Vec<(&str, Vec<usize>)> = members.into_iter().collect();
    // Stable, so slices of one size stay in the order of their names.
    members.sort_by_key(|(_, of_tag)| std::cmp::Reverse(of_tag.len()));
    let more = members.len().saturating_sub(MOST_SLICES);
    members.truncate(MOST_SLICES);
    let parts: Vec<(&str, Units)> =
        members.into_iter().map(|(tag, of_tag)| (tag, units.select(&of_tag))).collect();
    let first: Vec<Decision> =
        parts.iter().map(|(_, part)| estimate(part, level)).collect::<Result<_, _>>()?;
    let p_values: Vec<Option<f64>> = first.iter().map(|one| one.p_value.value()).collect();
    let corrected = benjamini_hochberg(&p_values, level)?;
    let differing = corrected.rejected.iter().filter(|rejected| **rejected).count();
    let wide = false_coverage_level(differing, corrected.tested, level)?;
    let mut slices = Vec::with_capacity(parts.len());
    for (place, (tag, part)) in parts.iter().enumerate() {
        let differs = corrected.rejected[place];
        let decision = match wide {
            Some(wide) if differs => estimate(part, wide)?,
            _ => first[place],
        };
        let q_value = corrected.adjusted[place].map(|value| Estimate::Value { value });
        slices.push(Slice {
            tag: (*tag).to_owned(),
            cases: decision.cases,
            clusters: decision.clusters,
            baseline_rate: part.baseline_mean(),
            candidate_rate: part.candidate_mean(),
            difference: decision.difference,
            interval: decision.interval,
            confidence: decision.confidence,
            p_value: decision.p_value,
            q_value: q_value.unwrap_or(decision.p_value),
            differs,
        });
    }
    let criterion = criterion.to_owned();
    Ok(Some(Slices { criterion, slices, more, tested: corrected.tested }))
}

/// Decides a slice by itself. Several cases of one cluster are one observation, which has no interval.
fn estimate(part: &Units, level: Level) -> Result<Decision, InvalidInput> {
    let mut decision = decision::estimate(part, None, level)?;
    if decision.clusters < 2 && decision.cases > 1 {
        decision.interval = Undefined::OneCluster.into();
        decision.p_value = Undefined::OneCluster.into();
    }
    Ok(decision)
}
