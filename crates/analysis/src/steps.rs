//! Holm's steps for claims that share one level (STATS 1.9): the word of each follows an interval at
//! the level of its step.

use stats::{InvalidInput, Level};

use crate::decision::Decision;
use crate::verdict::Verdict;

/// Decides m claims in the order of their p-values, step j at 1 − α/(m − j + 1).
///
/// After the first that is not decided the rest are "not enough", whatever their intervals say.
/// Claims without a p-value (a confidence sequence has none) come last, in their order. Returns the
/// decisions in the order of the claims.
///
/// # Errors
/// What `decide` returns; [`InvalidInput`] if a level is too small to be one.
pub(crate) fn holm_steps(
    p_values: &[Option<f64>],
    level: Level,
    mut decide: impl FnMut(usize, Level) -> Result<Decision, InvalidInput>,
) -> Result<Vec<Decision>, InvalidInput> {
    let claims = p_values.len();
    let mut order: Vec<usize> = (0..claims).collect();
    let key = |claim: &usize| p_values[*claim].unwrap_or(f64::INFINITY);
    order.sort_by(|a, b| key(a).total_cmp(&key(b)));
    let mut decided = Vec::with_capacity(claims);
    let mut is_over = false;
    for (step, claim) in order.into_iter().enumerate() {
        let level = Level::of_alpha(level.alpha() / (claims - step) as f64)?;
        let mut decision = decide(claim, level)?;
        if is_over {
            decision.verdict = Verdict::NotEnough;
        }
        is_over |= decision.verdict == Verdict::NotEnough;
        decided.push((claim, decision));
    }
    decided.sort_by_key(|(claim, _)| *claim);
    Ok(decided.into_iter().map(|(_, decision)| decision).collect())
}
