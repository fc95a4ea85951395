//! STATS S10: one hedged confidence sequence decides all, in a run that stops early and in a
//! comparison after a look. Clusters are fed in the order of the plan, which the run's seed fixed.

use stats::{Bounds, Direction, HedgedExclusion, HedgedSequence, InvalidInput, Level, Undefined};
use values::Interval;

use crate::decision::{Decision, Method, WhySequence};
use crate::estimate::Estimate;
use crate::units::{Plan, Units};
use crate::verdict::Verdict;

/// Decides by the confidence sequence.
///
/// `ranks[i]` orders the shared cases: those of the earliest look come first, else the plan's order. A
/// cluster stands where its first case stands, decided or not, and the feed ends at the first cluster
/// that is not finished.
///
/// # Errors
/// [`InvalidInput`] if a difference is not a difference of shares.
pub(crate) fn decide(
    (units, plan): (&Units, &Plan),
    ranks: &[usize],
    why: WhySequence,
    margin: Option<f64>,
    level: Level,
) -> Result<Decision, InvalidInput> {
    let clusters = cluster_means(units, plan, ranks);
    let of = clusters.iter().filter(|one| one.cases > 0).count();
    let mut sequence = HedgedSequence::new(Bounds::DIFFERENCE, level);
    let mut zero = HedgedExclusion::new(Bounds::DIFFERENCE, 0.0, level)?;
    let (mut sum, mut cases) = (0.0, 0usize);
    let finished = clusters.iter().take_while(|one| one.is_finished);
    for cluster in finished.filter(|one| one.cases > 0) {
        let mean = cluster.sum / cluster.cases as f64;
        sequence.push(mean)?;
        zero.push(mean)?;
        sum += mean;
        cases += cluster.cases;
    }
    let fed = sequence.len();
    let interval = sequence.interval();
    let difference = if fed == 0 {
        Err(Undefined::TooFew { needed: 1, found: 0 })
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
        p_value: Estimate::Value { value: zero.anytime_p() },
        sign_flip_p: None,
        design_effect: Undefined::NothingToCompare.into(),
        held_back: None,
    })
}

struct Cluster {
    rank: usize,
    is_finished: bool,
    sum: f64,
    cases: usize,
}

/// Returns the clusters of the plan in the order of the feed.
fn cluster_means(units: &Units, plan: &Plan, ranks: &[usize]) -> Vec<Cluster> {
    let mut clusters: Vec<Cluster> = plan
        .finished
        .iter()
        .map(|&is_finished| Cluster { rank: usize::MAX, is_finished, sum: 0.0, cases: 0 })
        .collect();
    for (&cluster, &rank) in plan.cluster_of.iter().zip(ranks) {
        let one = &mut clusters[cluster];
        one.rank = one.rank.min(rank);
    }
    for (difference, &cluster) in units.differences().into_iter().zip(&units.clusters) {
        clusters[cluster].sum += difference;
        clusters[cluster].cases += 1;
    }
    clusters.sort_by_key(|one| one.rank);
    clusters
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
///
/// Each cluster takes constant time, so that a long run can be asked after every one.
#[derive(Debug, Clone)]
pub struct UntilDecided {
    sequence: HedgedSequence,
    zero: HedgedExclusion,
    /// −margin and margin.
    margin: Option<[HedgedExclusion; 2]>,
    goal: Goal,
}

impl UntilDecided {
    /// Begins without a single cluster. The margin is a share.
    ///
    /// # Errors
    /// [`InvalidInput`] if the margin is not in `0..1`.
    pub fn new(margin: Option<f64>, level: Level, goal: Goal) -> Result<Self, InvalidInput> {
        let at = |value: f64| HedgedExclusion::new(Bounds::DIFFERENCE, value, level);
        Ok(Self {
            sequence: HedgedSequence::new(Bounds::DIFFERENCE, level),
            zero: at(0.0)?,
            margin: margin.map(|margin| Ok([at(-margin)?, at(margin)?])).transpose()?,
            goal,
        })
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
        self.sequence.push(difference)?;
        self.zero.push(difference)?;
        for end in self.margin.iter_mut().flatten() {
            end.push(difference)?;
        }
        let verdict = self.verdict();
        let decided = match verdict {
            Verdict::Better | Verdict::Worse | Verdict::WorseWithinMargin => true,
            Verdict::NoWorse => {
                let is_futile =
                    |[_, gain]: &[HedgedExclusion; 2]| gain.excluded() == Some(Direction::Less);
                self.goal == Goal::NoWorse || self.margin.as_ref().is_some_and(is_futile)
            }
            Verdict::NotEnough => false,
        };
        Ok(decided.then_some(verdict))
    }

    /// Returns the verdict so far, valid whenever the run stops: what [`Verdict::read`] reads off the
    /// sequence.
    pub fn verdict(&self) -> Verdict {
        let is_within = self
            .margin
            .as_ref()
            .is_some_and(|[loss, _]| loss.excluded() == Some(Direction::Greater));
        match (self.zero.excluded(), is_within) {
            (Some(Direction::Greater), _) => Verdict::Better,
            (Some(Direction::Less), true) => Verdict::WorseWithinMargin,
            (Some(Direction::Less), false) => Verdict::Worse,
            (None, true) => Verdict::NoWorse,
            (None, false) => Verdict::NotEnough,
        }
    }

    /// Returns the confidence sequence so far; linear in the clusters if an end has moved.
    pub fn interval(&mut self) -> Interval {
        self.sequence.interval()
    }

    /// Returns a p-value against no difference that holds at any stopping time.
    pub fn anytime_p(&self) -> f64 {
        self.zero.anytime_p()
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
        let mut run = UntilDecided::new(Some(0.05), Level::P95, goal).unwrap();
        for difference in differences {
            if let Some(verdict) = run.push(difference).unwrap() {
                return Some((run.fed(), verdict));
            }
        }
        None
    }

    #[test]
    fn the_verdict_at_each_step_is_read_off_the_sequence() {
        for (gain, loss) in [(3, 0), (0, 3), (1, 1), (0, 0), (1, 2)] {
            let mut run = UntilDecided::new(Some(0.05), Level::P95, Goal::Better).unwrap();
            for n in 0..400 {
                let kind = n * 7 % 10;
                let difference =
                    f64::from(u8::from(kind < gain)) - f64::from(u8::from(kind >= 10 - loss));
                run.push(difference).unwrap();
                let interval = run.interval();
                let read = Verdict::read(interval, Some(interval.low()), Some(0.05));
                assert_eq!(run.verdict(), read, "{gain} {loss} step {n}");
            }
        }
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
