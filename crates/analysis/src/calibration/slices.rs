use std::collections::BTreeMap;

use serde::Serialize;
use stats::{InvalidInput, Level};

use super::measured::Measured;
use super::share::{Counted, Share, share};
use super::shares_of;
use crate::estimate::Estimate;

/// The most slices that are tested: those with the most outputs.
const MOST_SLICES: usize = 50;

/// Smaller slices are not shown: their figures are noise.
const LEAST: usize = 5;

/// The judge by tag. They explore, so what differs is corrected for their number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgeSlices {
    /// Those with the most outputs first.
    pub slices: Vec<JudgeSlice>,
    /// How many slices are not shown because they have fewer than five outputs.
    pub small: usize,
    /// How many more there are than are tested.
    pub more: usize,
}

/// The measured outputs whose case has one tag.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgeSlice {
    /// The tag.
    pub tag: String,
    /// The outputs.
    pub items: usize,
    /// How often judge and people agree.
    pub agreement: Share,
    /// The share of human passes that the judge passes.
    pub true_passes: Share,
    /// The share of human fails that it fails.
    pub true_fails: Share,
    /// Fisher's exact two-sided p-value of agreeing as often as outside of the slice.
    pub p_value: Estimate<f64>,
    /// The p-value corrected for the number of slices (Benjamini–Hochberg).
    pub q_value: Estimate<f64>,
}

pub(super) fn slices(measured: &[Measured<'_>]) -> Result<Option<JudgeSlices>, InvalidInput> {
    let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, one) in measured.iter().enumerate() {
        for tag in &one.item.tags {
            let of_tag = members.entry(tag).or_default();
            // A tag that a case has twice counts once.
            if of_tag.last() != Some(&place) {
                of_tag.push(place);
            }
        }
    }
    if members.is_empty() {
        return Ok(None);
    }
    let all = members.len();
    let mut members: Vec<(&str, Vec<usize>)> =
        members.into_iter().filter(|(_, of_tag)| of_tag.len() >= LEAST).collect();
    let small = all - members.len();
    // Stable, so slices of one size stay in the order of their names.
    members.sort_by_key(|(_, of_tag)| std::cmp::Reverse(of_tag.len()));
    let more = members.len().saturating_sub(MOST_SLICES);
    members.truncate(MOST_SLICES);
    let agreeing = measured.iter().filter(|one| agrees(one)).count() as u64;
    let mut slices = Vec::with_capacity(members.len());
    for (tag, of_tag) in members {
        slices.push(slice(tag, &of_tag, measured, agreeing)?);
    }
    let p_values: Vec<Option<f64>> = slices.iter().map(|slice| slice.p_value.value()).collect();
    let corrected = stats::benjamini_hochberg(&p_values, Level::P95)?;
    for (slice, q_value) in slices.iter_mut().zip(corrected.adjusted) {
        slice.q_value = q_value.map_or(slice.p_value, |value| Estimate::Value { value });
    }
    Ok(Some(JudgeSlices { slices, small, more }))
}

fn slice(
    tag: &str,
    of_tag: &[usize],
    measured: &[Measured<'_>],
    agreeing: u64,
) -> Result<JudgeSlice, InvalidInput> {
    let inside: Vec<Measured<'_>> = of_tag.iter().map(|&place| measured[place]).collect();
    let right = inside.iter().filter(|one| agrees(one)).count() as u64;
    let rest = (measured.len() - inside.len()) as u64;
    let test =
        stats::two_proportions((agreeing - right, rest), (right, inside.len() as u64), Level::P95)?;
    let agreement: Vec<Counted> = inside
        .iter()
        .map(|one| Counted { right: agrees(one), weight: one.weight, cluster: one.cluster })
        .collect();
    let (true_passes, true_fails) = shares_of(&inside)?;
    Ok(JudgeSlice {
        tag: tag.to_owned(),
        items: inside.len(),
        agreement: share(&agreement)?,
        true_passes,
        true_fails,
        p_value: test.fisher_p.into(),
        q_value: test.fisher_p.into(),
    })
}

fn agrees(one: &Measured<'_>) -> bool {
    one.passes.map_or(one.human == one.judge, |(human, judge)| human == judge)
}
