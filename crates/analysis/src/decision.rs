use serde::Serialize;
use stats::{
    Alternative, Defined, InvalidInput, Level, PairedCounts, SignFlip, Undefined,
    clustered_noninferiority_mean, clustered_paired_difference, clustered_signflip, mcnemar,
    noninferiority_binary, tango_interval,
};
use values::Interval;

use crate::estimate::Estimate;
use crate::units::{SAME, Units};
use crate::verdict::Verdict;

/// Below so many clusters a t interval leans on the shape of the distribution, and the sign-flip
/// test is shown beside it.
const FEW_UNITS: usize = 30;
/// Resamples of the sign-flip test where it cannot be exact.
const RESAMPLES: usize = 9_999;

/// How sure the difference on a criterion is, and the verdict that follows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// By which method.
    pub method: Method,
    /// The two-sided level of the interval, a share; higher than the gate's where several claims
    /// share it.
    pub confidence: f64,
    /// The number of pairs.
    pub cases: usize,
    /// The number of clusters among them; as many as pairs where every case is its own.
    pub clusters: usize,
    /// Candidate minus baseline, in shares.
    pub difference: Estimate<f64>,
    /// Its two-sided interval.
    pub interval: Estimate<Interval>,
    /// Its one-sided lower bound, by which "no worse" is read.
    pub lower_bound: Estimate<f64>,
    /// Its p-value against 0: McNemar's mid-p, that of t, or of a sequence the one that holds at any
    /// stopping time. Shown, and decides nothing but the order of Holm's steps.
    pub p_value: Estimate<f64>,
    /// The sign-flip test's p-value, with fewer than 30 clusters and no other exact test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sign_flip_p: Option<Estimate<f64>>,
    /// By how much clusters widen the variance; 1 means not at all.
    pub design_effect: Estimate<f64>,
    /// What the correction for several claims took from the verdict; `None` if nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<HeldBack>,
}

/// A verdict that a claim would have by itself, and does not have among several (STATS 1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct HeldBack {
    /// The verdict of the uncorrected interval.
    pub alone: Verdict,
    /// The claims that share one level.
    pub claims: usize,
}

/// How an interval was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Method {
    /// Tango's score interval, for independent cases with one binary result each: one sample, or
    /// samples that all agree.
    Tango,
    /// The t interval of case means.
    PairedT,
    /// The t interval with the cluster-robust standard error CR1 and G − 1 degrees of freedom.
    ClusteredT,
    /// Tango's interval with the clusters as cases: every difference is the same, which is no
    /// evidence of certainty.
    AllTheSame,
    /// Every output is the same text, so that "no worse" holds by identity.
    Unchanged,
    /// There is no interval: too few cases or clusters, or graded scores that all differ equally.
    None,
    /// A confidence sequence, valid at any stopping time.
    Sequence {
        /// Why the number of cases does not count as declared.
        why: WhySequence,
        /// The clusters that were fed, in plan order.
        fed: usize,
        /// The clusters that there are.
        of: usize,
    },
}

/// Why a verdict rests on a confidence sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WhySequence {
    /// A run ended before its plan was done, so that its number of cases was not declared.
    EndedEarly {
        /// Whether a cap on money stopped it, not a person or a process that died.
        at_cap: bool,
    },
    /// A verdict on fewer cases was shown before.
    MoreCases {
        /// The cases of the earliest look.
        looked_at: usize,
    },
    /// The run was told to stop when it is decided.
    UntilDecided,
}

/// Decides on a declared number of cases.
///
/// # Errors
/// [`InvalidInput`] if there are more pairs than the statistics allow.
pub(crate) fn decide(
    units: &Units,
    margin: Option<f64>,
    level: Level,
    seed: u64,
    unchanged: bool,
) -> Result<Decision, InvalidInput> {
    let mut decision = estimate(units, margin, level)?;
    let is_mean = matches!(decision.method, Method::PairedT | Method::ClusteredT | Method::None);
    if is_mean && decision.clusters > 0 && decision.clusters < FEW_UNITS {
        decision.sign_flip_p = Some(sign_flip(units, seed)?.p_value.into());
    }
    if unchanged {
        decision.hold_by_identity(margin);
    }
    Ok(decision)
}

/// Decides by the interval alone.
///
/// # Errors
/// [`InvalidInput`] if there are more pairs than the statistics allow.
pub(crate) fn estimate(
    units: &Units,
    margin: Option<f64>,
    level: Level,
) -> Result<Decision, InvalidInput> {
    let clusters = units.cluster_count();
    if units.is_binary && units.is_constant() {
        all_the_same(units, clusters, margin, level)
    } else if units.is_binary && units.is_settled && clusters == units.len() {
        tango(units, margin, level)
    } else {
        means(units, clusters, margin, level)
    }
}

impl Decision {
    /// Makes "no worse" hold because every output is the same text. Judges may still have scored the
    /// same text differently; then the numbers decide.
    pub(crate) fn hold_by_identity(&mut self, margin: Option<f64>) {
        if self.difference.value().is_some_and(|difference| difference.abs() <= 0.0) {
            self.method = Method::Unchanged;
            if margin.is_some() {
                self.verdict = Verdict::NoWorse;
            }
        }
    }
}

fn tango(units: &Units, margin: Option<f64>, level: Level) -> Result<Decision, InvalidInput> {
    let passed = |means: &[f64]| means.iter().map(|mean| *mean > 0.5).collect::<Vec<_>>();
    let counts = PairedCounts::of(&passed(&units.baseline), &passed(&units.candidate))?;
    let bound = bound_of(counts, level)?;
    let interval = tango_interval(counts, level)?;
    let mid_p = mcnemar(counts)?.mid_p;
    Ok(Decision {
        verdict: verdict(interval.interval, bound, margin),
        method: Method::Tango,
        confidence: level.confidence(),
        cases: units.len(),
        clusters: units.len(),
        difference: interval.difference.into(),
        interval: interval.interval.into(),
        lower_bound: bound.into(),
        p_value: interval.difference.map(|_| mid_p).into(),
        sign_flip_p: None,
        design_effect: Estimate::Value { value: 1.0 },
        held_back: None,
    })
}

/// STATS S9: with no spread the clusters (cases where there are none) count as binary pairs.
fn all_the_same(
    units: &Units,
    clusters: usize,
    margin: Option<f64>,
    level: Level,
) -> Result<Decision, InvalidInput> {
    let difference = units.differences().first().copied().unwrap_or(0.0);
    let all = clusters as u64;
    let mut counts = PairedCounts { both: 0, a_only: 0, b_only: 0, neither: 0 };
    if difference >= 1.0 - SAME {
        counts.b_only = all;
    } else if difference <= SAME - 1.0 {
        counts.a_only = all;
    } else if difference.abs() > SAME {
        // Samples that all differ by the same fraction: no method of STATS decides that.
        return means(units, clusters, margin, level);
    } else {
        counts.both = all;
    }
    let bound = bound_of(counts, level)?;
    let interval = tango_interval(counts, level)?;
    Ok(Decision {
        verdict: verdict(interval.interval, bound, margin),
        method: Method::AllTheSame,
        confidence: level.confidence(),
        cases: units.len(),
        clusters,
        difference: interval.difference.into(),
        interval: interval.interval.into(),
        lower_bound: bound.into(),
        p_value: interval.difference.and(Ok(mcnemar(counts)?.mid_p)).into(),
        sign_flip_p: None,
        design_effect: Estimate::Value { value: 1.0 },
        held_back: None,
    })
}

/// Returns the lower end of Tango's interval at twice the error, which is the one-sided bound.
fn bound_of(counts: PairedCounts, level: Level) -> Result<Defined<f64>, InvalidInput> {
    Ok(noninferiority_binary(counts, 0.0, level)?.lower_bound)
}

/// The t interval on case means, clustered; with clusters of one it is the paired t interval.
fn means(
    units: &Units,
    clusters: usize,
    margin: Option<f64>,
    level: Level,
) -> Result<Decision, InvalidInput> {
    let (a, b) = (&units.baseline, &units.candidate);
    let paired = clustered_paired_difference(a, b, &units.clusters, level)?;
    let noninferiority = clustered_noninferiority_mean(a, b, &units.clusters, 0.0, level)?;
    let mean = paired.difference;
    // Without spread the interval is a point, which STATS S9 does not accept as evidence. Clusters may
    // lack it even where their cases differ.
    let spread = match mean.cr1_standard_error {
        Ok(error) if error <= SAME => Err(Undefined::ZeroVariance),
        _ => Ok(()),
    };
    let mut interval = spread.and(mean.interval);
    let mut bound = spread.and(noninferiority.lower_bound);
    if let (true, Ok(difference), Ok(found), Ok(lower)) =
        (units.is_binary, mean.mean, interval, bound)
        && found.contains(0.0)
    {
        let steadiest = steadiest(difference, clusters);
        interval = Ok(hull(found, tango_interval(steadiest, level)?.interval));
        bound = Ok(lower.min(bound_of(steadiest, level)?.unwrap_or(lower)));
    }
    let method = match interval {
        Err(_) => Method::None,
        Ok(_) if clusters == units.len() => Method::PairedT,
        Ok(_) => Method::ClusteredT,
    };
    Ok(Decision {
        verdict: verdict(interval, bound, margin),
        method,
        confidence: level.confidence(),
        cases: units.len(),
        clusters,
        difference: mean.mean.into(),
        interval: interval.into(),
        lower_bound: bound.into(),
        p_value: spread.and(paired.p_value).into(),
        sign_flip_p: None,
        design_effect: mean.design_effect.into(),
        held_back: None,
    })
}

/// Returns binary pairs, one a cluster, that differ as little as this difference allows: what passes
/// and fails of so many independent units cannot show better that little changed.
///
/// The t interval of almost equal means is too sure of itself. Without this, one sample that stumbles
/// would turn "all the same" (STATS 1.8) into evidence.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of the clusters is neither negative nor more than there are"
)]
fn steadiest(difference: f64, clusters: usize) -> PairedCounts {
    let all = clusters as u64;
    let changed = ((difference.abs() * clusters as f64 + SAME).floor() as u64).min(all);
    let (a_only, b_only) = if difference > 0.0 { (0, changed) } else { (changed, 0) };
    PairedCounts { both: all - changed, a_only, b_only, neither: 0 }
}

fn hull(a: Interval, b: Defined<Interval>) -> Interval {
    let Ok(b) = b else { return a };
    Interval::new(a.low().min(b.low()), a.high().max(b.high())).unwrap_or(a)
}

fn sign_flip(units: &Units, seed: u64) -> Result<SignFlip, InvalidInput> {
    let differences = units.differences();
    clustered_signflip(&differences, &units.clusters, Alternative::TwoSided, RESAMPLES, seed)
}

fn verdict(interval: Defined<Interval>, bound: Defined<f64>, margin: Option<f64>) -> Verdict {
    interval.map_or(Verdict::NotEnough, |interval| Verdict::read(interval, bound.ok(), margin))
}
