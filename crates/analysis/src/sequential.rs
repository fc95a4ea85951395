//! STATS S10: one hedged confidence sequence decides all, in a run that stops early and in a
//! comparison after a look. Clusters are fed in the order of the plan, which the run's seed fixed.

use std::collections::HashMap;

use stats::{Bounds, HedgedSequence, InvalidInput, Level};
use values::Interval;

use crate::decision::{Decision, Method, WhySequence};
use crate::estimate::Estimate;
use crate::units::Units;
use crate::verdict::Verdict;

/// Decides by the confidence sequence.
///
/// `ranks[i]` orders the pairs: those of the earliest look come first, else the plan's order. A
/// cluster stands where its first pair stands, and the feed ends at the first cluster that is not
/// finished.
///
/// # Errors
/// [`InvalidInput`] if a difference is not a difference of shares.
pub(crate) fn decide(
    units: &Units,
    ranks: &[usize],
    why: WhySequence,
    margin: Option<f64>,
    level: Level,
) -> Result<Decision, InvalidInput> {
    let clusters = cluster_means(units, ranks);
    let of = clusters.len();
    let mut sequence = HedgedSequence::new(Bounds::DIFFERENCE, level);
    let (mut sum, mut cases) = (0.0, 0usize);
    let last = units.unfinished_from;
    for cluster in clusters.iter().take_while(|one| last.is_none_or(|last| one.first < last)) {
        sequence.push(cluster.mean)?;
        sum += cluster.mean;
        cases += cluster.cases;
    }
    let fed = sequence.len();
    let interval = sequence.interval();
    let difference = if fed == 0 {
        Err(stats::Undefined::TooFew { needed: 1, found: 0 })
    } else {
        Ok(sum / fed as f64)
    };
    Ok(Decision {
        verdict: Verdict::read(interval, Some(interval.low()), margin),
        method: Method::Sequence { why, fed, of },
        confidence: level.confidence(),
        cases,
        clusters: fed,
        difference: difference.into(),
        interval: Estimate::Value { value: interval },
        lower_bound: Estimate::Value { value: interval.low() },
        p_value: stats::Undefined::NothingToCompare.into(),
        sign_flip_p: None,
        design_effect: stats::Undefined::NothingToCompare.into(),
    })
}

struct ClusterMean {
    /// The place of its first pair in the plan.
    first: usize,
    rank: usize,
    mean: f64,
    cases: usize,
}

fn cluster_means(units: &Units, ranks: &[usize]) -> Vec<ClusterMean> {
    let mut found: Vec<ClusterMean> = Vec::new();
    let mut places: HashMap<usize, usize> = HashMap::new();
    for ((difference, cluster), place) in
        units.differences().into_iter().zip(&units.clusters).zip(&units.places)
    {
        let rank = ranks.get(*place).copied().unwrap_or(*place);
        let at = *places.entry(*cluster).or_insert_with(|| {
            found.push(ClusterMean { first: *place, rank, mean: 0.0, cases: 0 });
            found.len() - 1
        });
        let one = &mut found[at];
        one.first = one.first.min(*place);
        one.rank = one.rank.min(rank);
        one.mean += difference;
        one.cases += 1;
    }
    for one in &mut found {
        one.mean /= one.cases as f64;
    }
    found.sort_by_key(|one| one.rank);
    found
}

/// What a run that stops early is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Whether the candidate is better, or at least no worse; goes on until that is clear.
    Better,
    /// Whether it is no worse; stops as soon as it is.
    NoWorse,
}

/// A run that stops as soon as its verdict is decided.
#[derive(Debug, Clone)]
pub struct UntilDecided {
    sequence: HedgedSequence,
    margin: Option<f64>,
    goal: Goal,
}

impl UntilDecided {
    /// Begins without a single cluster.
    pub fn new(margin: Option<f64>, level: Level, goal: Goal) -> Self {
        Self { sequence: HedgedSequence::new(Bounds::DIFFERENCE, level), margin, goal }
    }

    /// Feeds the mean difference of the next complete cluster in plan order; returns the verdict
    /// once the run may stop.
    ///
    /// It may stop at better and at either worse; at no worse once a gain of the margin is out of
    /// reach as well, or at once if only "no worse" is asked.
    ///
    /// # Errors
    /// [`InvalidInput`] if it is not a difference of shares.
    pub fn push(&mut self, difference: f64) -> Result<Option<Verdict>, InvalidInput> {
        let interval = self.sequence.push(difference)?;
        let verdict = Verdict::read(interval, Some(interval.low()), self.margin);
        let decided = match verdict {
            Verdict::Better | Verdict::Worse | Verdict::WorseWithinMargin => true,
            Verdict::NoWorse => {
                self.goal == Goal::NoWorse
                    || self.margin.is_some_and(|margin| interval.high() < margin)
            }
            Verdict::NotEnough => false,
        };
        Ok(decided.then_some(verdict))
    }

    /// Returns the confidence sequence so far.
    pub fn interval(&self) -> Interval {
        self.sequence.interval()
    }

    /// Returns the number of clusters that were fed.
    pub fn fed(&self) -> usize {
        self.sequence.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(differences: impl Iterator<Item = f64>, goal: Goal) -> Option<(usize, Verdict)> {
        let mut run = UntilDecided::new(Some(0.05), Level::P95, goal);
        for difference in differences {
            if let Some(verdict) = run.push(difference).unwrap() {
                return Some((run.fed(), verdict));
            }
        }
        None
    }

    #[test]
    fn a_large_gain_stops_early_and_no_change_at_no_worse() {
        let gain = feed((0..600).map(|n| if n % 3 == 0 { 1.0 } else { 0.0 }), Goal::Better);
        assert!(matches!(gain, Some((20..80, Verdict::Better))), "{gain:?}");
        let loss = feed((0..600).map(|n| if n % 3 == 0 { -1.0 } else { 0.0 }), Goal::Better);
        assert!(matches!(loss, Some((20..80, Verdict::Worse))), "{loss:?}");
        let same = feed(std::iter::repeat_n(0.0, 2_000), Goal::NoWorse).unwrap();
        let both = feed(std::iter::repeat_n(0.0, 2_000), Goal::Better).unwrap();
        assert_eq!((same.1, both.1), (Verdict::NoWorse, Verdict::NoWorse));
        assert!(same.0 <= both.0);
    }
}
