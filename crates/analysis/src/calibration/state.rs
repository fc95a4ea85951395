use evalset::JudgeState;
use serde::Serialize;
use stats::{InvalidInput, Level};

use super::share::Share;

/// What the lower bounds of a judge's rates must reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Thresholds {
    /// Of the share of human passes that it passes.
    pub passes: f64,
    /// Of the share of human fails that it fails.
    pub fails: f64,
}

impl Default for Thresholds {
    /// 0.80 for both.
    fn default() -> Self {
        Self { passes: 0.8, fails: 0.8 }
    }
}

/// How far a judge can be trusted, and what could change that.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Standing {
    /// The state by these labels; whether it is stale only a certificate can say.
    pub state: JudgeState,
    /// What the bounds must reach.
    pub thresholds: Thresholds,
    /// How many more outputs that people pass could be enough, if the judge were right on all of
    /// them; 0 if the bound is reached.
    pub more_passes: u64,
    /// The same of outputs that people fail.
    pub more_fails: u64,
}

/// Counts above this are not searched for.
const MOST_LABELS: u64 = 1_000_000;

/// Reads a judge's state off its two rates.
///
/// Too few labels is said first, where not even a judge without an error would reach the threshold
/// with as many clusters as there are; then not yet, where a bound does not reach it.
///
/// # Errors
/// [`InvalidInput`] if there are more outputs than the statistics allow.
pub fn standing(
    passes: &Share,
    fails: &Share,
    thresholds: Thresholds,
) -> Result<Standing, InvalidInput> {
    let sides = [(passes, thresholds.passes), (fails, thresholds.fails)];
    let mut more = [0; 2];
    let (mut is_short, mut is_reached) = (false, true);
    for (place, (share, threshold)) in sides.into_iter().enumerate() {
        let reached = share.bound.value().is_some_and(|bound| bound >= threshold);
        is_reached &= reached;
        is_short |= (share.clusters as u64) < least_enough(0, 0, threshold)?;
        if !reached {
            let wrong = share.of - share.right;
            more[place] = least_enough(share.right, wrong, threshold)?.saturating_sub(share.of);
        }
    }
    let state = match (is_short, is_reached) {
        (true, _) => JudgeState::TooFew,
        (false, false) => JudgeState::NotYet,
        (false, true) => JudgeState::Trusted,
    };
    Ok(Standing { state, thresholds, more_passes: more[0], more_fails: more[1] })
}

/// Returns the least number of outputs of which all but `wrong` are right, and at least `right` are,
/// whose one-sided 95 % Wilson bound reaches the threshold.
///
/// # Errors
/// [`InvalidInput`] if there are more outputs than the statistics allow.
pub fn least_enough(right: u64, wrong: u64, threshold: f64) -> Result<u64, InvalidInput> {
    let reaches = |right: u64| {
        let found = stats::wilson_interval(right, right + wrong, Level::P90)?;
        Ok::<_, InvalidInput>(right + wrong > 0 && found.interval.low() >= threshold)
    };
    let (mut low, mut high) = (right, right.max(1));
    while !reaches(high)? {
        if high >= MOST_LABELS {
            return Ok(MOST_LABELS);
        }
        low = high + 1;
        high = (high * 2).min(MOST_LABELS);
    }
    // The bound grows with every output that is right.
    while low < high {
        let middle = low.midpoint(high);
        if reaches(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(high + wrong)
}
