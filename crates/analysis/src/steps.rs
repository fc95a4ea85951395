//! Holm's steps for claims that share one level (STATS 1.9): the word of each follows an interval at
//! the level of its step.

use stats::{InvalidInput, Level};

use crate::decision::{Decision, HeldBack};
use crate::verdict::Verdict;

/// Decides m claims again in the order of their p-values, step j at 1 − α/(m − j + 1).
///
/// `first` holds each claim as it is decided by itself; `None` is no claim and stays none. After the
/// first that is not decided the rest are "not enough", whatever their intervals say. Claims without
/// a p-value come last, in their order.
///
/// # Errors
/// What `decide` returns; [`InvalidInput`] if a level is too small to be one.
pub(crate) fn holm_steps(
    first: &[Option<Decision>],
    level: Level,
    mut decide: impl FnMut(usize, Level) -> Result<Option<Decision>, InvalidInput>,
) -> Result<Vec<Option<Decision>>, InvalidInput> {
    let claims = first.iter().enumerate().filter_map(|(place, one)| Some((place, (*one)?)));
    let mut order: Vec<(usize, f64)> = claims
        .map(|(place, decision)| (place, decision.p_value.value().unwrap_or(f64::INFINITY)))
        .collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut decisions = vec![None; first.len()];
    let mut is_over = false;
    for (step, &(place, _)) in order.iter().enumerate() {
        let level = Level::of_alpha(level.alpha() / (order.len() - step) as f64)?;
        let mut decision = decide(place, level)?;
        if let Some(decision) = &mut decision {
            if is_over {
                decision.verdict = Verdict::NotEnough;
            }
            is_over |= decision.verdict == Verdict::NotEnough;
            let alone = first[place].map_or(decision.verdict, |alone| alone.verdict);
            let claims = order.len();
            decision.held_back = (alone != decision.verdict).then_some(HeldBack { alone, claims });
        }
        decisions[place] = decision;
    }
    Ok(decisions)
}
