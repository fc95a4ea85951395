use serde::Serialize;
use stats::{InvalidInput, Level, welch_t};
use values::Interval;

use super::Said;
use crate::estimate::Estimate;

/// What a judge said of an output whose model is known.
#[derive(Debug, Clone, PartialEq)]
pub struct KinshipAnswer {
    /// Whether the judge's own model made the output.
    pub own: bool,
    /// What it said.
    pub said: Said,
    /// How good people found it, in 0..=1, if they labelled it.
    pub human: Option<f64>,
}

/// Whether a judge favours outputs of its own model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Kinship {
    /// The outputs of its own model that it decided.
    pub own: usize,
    /// Those of others.
    pub others: usize,
    /// How much better it finds its own on average, a share.
    pub difference: Estimate<f64>,
    /// Its two-sided 95 % interval.
    pub interval: Estimate<Interval>,
    /// Whether what people find was taken off first. Without that a difference may be deserved.
    pub against_people: bool,
}

/// Returns the difference of means between its own outputs and others, by Welch.
///
/// With labels on both sides it is that of judge − people (a difference in differences), on the labelled
/// outputs alone.
pub(super) fn kinship(all: &[KinshipAnswer]) -> Result<Option<Kinship>, InvalidInput> {
    let both = |own: bool| all.iter().any(|one| one.own == own && one.human.is_some());
    let against_people = both(true) && both(false);
    let of = |own: bool| -> Vec<f64> {
        let ours = all.iter().filter(|one| one.own == own);
        let value = |one: &KinshipAnswer| {
            let worth = one.said.worth()?;
            if against_people { Some(worth - one.human?) } else { Some(worth) }
        };
        ours.filter_map(value).collect()
    };
    let (own, others) = (of(true), of(false));
    if own.is_empty() || others.is_empty() {
        return Ok(None);
    }
    let test = welch_t(&others, &own, Level::P95)?;
    let most = if against_people { 2.0 } else { 1.0 };
    Ok(Some(Kinship {
        own: own.len(),
        others: others.len(),
        difference: test.difference.into(),
        interval: test.interval.map(|interval| within(interval, most)).into(),
        against_people,
    }))
}

/// Cuts an interval of a difference to what the difference can be.
fn within(interval: Interval, most: f64) -> Interval {
    let ends = (interval.low().max(-most), interval.high().min(most));
    Interval::new(ends.0, ends.1).unwrap_or(interval)
}
