use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::num::NonZeroUsize;

use run::Variant;
use serde::Serialize;
use stats::{InvalidInput, Level};
use values::ContentHash;

use crate::criterion::{CriterionComparison, Prepared, Refusal, Role, Shared};
use crate::decision::Decision;
use crate::measures::{self, MeasureComparison};
use crate::pairing::{Pairing, pair};
use crate::planning::Question;
use crate::results::{Origin, VariantResults};
use crate::slices::Slices;
use crate::steps::holm_steps;
use crate::verdict::Verdict;
use crate::warning::Warning;

/// What a comparison is asked.
///
/// The default has no margin, 95 % intervals, no trusted judge, and no bootstrap.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareOptions {
    /// The loss that still counts as "no worse", a share in `0..1`; `None` if the set declares none.
    pub margin: Option<f64>,
    /// The smallest change that one wants to see, a share, by which sizes are planned; the margin if
    /// `None`.
    pub smallest_effect: Option<f64>,
    /// The level of intervals, two-sided.
    pub level: Level,
    /// The seed of resampling.
    pub seed: u64,
    /// The criteria whose judges are calibrated well enough to count.
    pub trusted: BTreeSet<String>,
    /// Resamples of the cluster bootstrap for differences of quantiles; `None` leaves it out. 2,000
    /// are enough for a 95 % interval.
    pub resamples: Option<NonZeroUsize>,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self {
            margin: None,
            smallest_effect: None,
            level: Level::P95,
            seed: 0,
            trusted: BTreeSet::new(),
            resamples: None,
        }
    }
}

impl CompareOptions {
    /// Returns what sizes are planned for.
    pub(crate) fn question(&self) -> Option<Question> {
        match (self.smallest_effect, self.margin) {
            (Some(change), _) if change.abs() > 0.0 => Some(Question::See { change: change.abs() }),
            (_, Some(margin)) if margin > 0.0 => Some(Question::NoWorse { margin }),
            _ => None,
        }
    }
}

/// What was looked at before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LookHistory {
    /// By criterion, the case ids of earlier looks at the same two versions on the same set, oldest
    /// first.
    pub earlier: BTreeMap<String, Vec<HashSet<String>>>,
    /// By criterion, how many other sets of answers of the same two versions to the same cases had
    /// their verdict shown before these answers were first shown.
    pub other_answers: BTreeMap<String, u32>,
    /// Whether the candidate's run was told to stop when it is decided.
    pub until_decided: bool,
    /// Whether a run that is not complete was stopped by a cap on money.
    pub at_cap: bool,
}

/// Two variants side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// What it is compared with.
    pub baseline: Side,
    /// What may ship.
    pub candidate: Side,
    /// The eval set's name.
    pub eval_set: String,
    /// The loss that still counts as "no worse", a share.
    pub margin: Option<f64>,
    /// The two-sided level of intervals, a share.
    pub confidence: f64,
    /// Which cases are shared.
    pub pairing: Pairing,
    /// The number of shared cases.
    pub shared: usize,
    /// What stands above the verdict.
    pub warnings: Vec<Warning>,
    /// The criteria, the primary one first, then in the order of the set.
    pub criteria: Vec<CriterionComparison>,
    /// What the answers took: cost, tokens and latency, as far as it is known.
    pub measures: Vec<MeasureComparison>,
    /// The cases by tag on the primary criterion; `None` without tags or without a comparison on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slices: Option<Slices>,
}

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// The variant.
    pub variant: Variant,
    /// Where its results were kept.
    pub origin: Origin,
    /// The eval set as it was run.
    pub eval_set_hash: ContentHash,
    /// How often each case was asked for.
    pub samples: u32,
    /// Whether recordings gave the answers.
    pub replayed: bool,
    /// The number of its cases.
    pub cases: usize,
}

impl Side {
    fn of(results: &VariantResults) -> Self {
        Self {
            variant: results.variant.clone(),
            origin: results.origin,
            eval_set_hash: results.eval_set_hash,
            samples: results.samples,
            replayed: results.replayed,
            cases: results.cases.len(),
        }
    }
}

impl Comparison {
    /// Returns the primary criterion.
    pub fn primary(&self) -> Option<&CriterionComparison> {
        self.criteria.iter().find(|criterion| criterion.role == Role::Primary)
    }

    /// Returns the verdict on the primary criterion.
    pub fn verdict(&self) -> Option<Verdict> {
        self.primary().and_then(CriterionComparison::verdict)
    }
}

/// Compares a candidate with a baseline on every criterion.
///
/// The primary criterion is decided at the level of the options; the others share it by Holm's steps
/// (STATS 1.9). n log n in the number of cases.
///
/// # Errors
/// [`InvalidInput`] if there are more cases than the statistics allow (a million).
pub fn compare(
    baseline: &VariantResults,
    candidate: &VariantResults,
    options: &CompareOptions,
    history: &LookHistory,
) -> Result<Comparison, InvalidInput> {
    let pairing = pair(baseline, candidate);
    let shared = Shared::of(baseline, candidate, &pairing, history);
    let sides = (baseline, candidate);
    let prepared = PreparedComparison::new(sides, &pairing, &shared, options)?;
    let decision = prepared.decide_primary(options, options.level)?;
    prepared.finish(decision, options)
}

/// A comparison whose primary criterion is not decided yet.
pub(crate) struct PreparedComparison<'a> {
    baseline: &'a VariantResults,
    candidate: &'a VariantResults,
    pairing: &'a Pairing,
    shared: &'a Shared<'a>,
    warnings: Vec<Warning>,
    primary: Option<Prepared<'a>>,
    others: Vec<Prepared<'a>>,
}

impl<'a> PreparedComparison<'a> {
    /// Counts the shared cases on every criterion.
    ///
    /// # Errors
    /// [`InvalidInput`] if there are more cases than the statistics allow.
    pub(crate) fn new(
        (baseline, candidate): (&'a VariantResults, &'a VariantResults),
        pairing: &'a Pairing,
        shared: &'a Shared<'a>,
        options: &CompareOptions,
    ) -> Result<Self, InvalidInput> {
        let mut warnings = set_warnings(baseline, candidate, pairing, options);
        let (mut primary, mut others) = (None, Vec::new());
        for (place, criterion) in candidate.criteria.iter().enumerate() {
            let Some(in_baseline) = baseline.criterion(&criterion.name) else { continue };
            let prepared =
                Prepared::new((baseline, in_baseline), (candidate, place), pairing, shared);
            warnings.extend(prepared.warnings(options.level)?);
            match prepared.role {
                Role::Primary => primary = Some(prepared),
                Role::Other => others.push(prepared),
            }
        }
        Ok(Self { baseline, candidate, pairing, shared, warnings, primary, others })
    }

    /// Decides the primary criterion; `None` if there is none or comparing would mislead.
    ///
    /// # Errors
    /// [`InvalidInput`] if there are more cases than the statistics allow.
    pub(crate) fn decide_primary(
        &self,
        options: &CompareOptions,
        level: Level,
    ) -> Result<Option<Decision>, InvalidInput> {
        let decide = |primary: &Prepared<'_>| primary.decide(options, level);
        Ok(self.primary.as_ref().map(decide).transpose()?.flatten())
    }

    /// Finishes the comparison with what was decided on the primary criterion.
    ///
    /// # Errors
    /// [`InvalidInput`] if there are more cases than the statistics allow.
    pub(crate) fn finish(
        self,
        decision: Option<Decision>,
        options: &CompareOptions,
    ) -> Result<Comparison, InvalidInput> {
        let Self { baseline, candidate, pairing, shared, warnings, primary, others } = self;
        let mut criteria = Vec::new();
        let mut slices = None;
        if let Some(primary) = primary {
            slices = primary.slices(options.level)?;
            criteria.push(primary.finish(decision, options)?);
        }
        let decisions = decide_others(&others, options)?;
        for (prepared, decision) in others.into_iter().zip(decisions) {
            criteria.push(prepared.finish(decision, options)?);
        }
        criteria.extend(one_sided(baseline, candidate));
        Ok(Comparison {
            baseline: Side::of(baseline),
            candidate: Side::of(candidate),
            eval_set: candidate.eval_set.clone(),
            margin: options.margin,
            confidence: options.level.confidence(),
            shared: pairing.pairs.len(),
            pairing: pairing.clone(),
            warnings,
            criteria,
            measures: measures::measures(
                baseline,
                candidate,
                pairing,
                &shared.cluster_of,
                options,
            )?,
            slices,
        })
    }
}

/// Decides the criteria that are not primary by Holm's steps.
fn decide_others(
    others: &[Prepared<'_>],
    options: &CompareOptions,
) -> Result<Vec<Option<Decision>>, InvalidInput> {
    let first = others
        .iter()
        .map(|prepared| prepared.decide(options, options.level))
        .collect::<Result<Vec<_>, _>>()?;
    holm_steps(&first, options.level, |place, level| others[place].decide(options, level))
}

/// Criteria that only one side knows.
fn one_sided(baseline: &VariantResults, candidate: &VariantResults) -> Vec<CriterionComparison> {
    let lacking = |of: &VariantResults, other: &VariantResults, candidate: bool| {
        of.criteria
            .iter()
            .enumerate()
            .filter(|(_, criterion)| other.criterion(&criterion.name).is_none())
            .map(|(place, _)| {
                CriterionComparison::refused(of, place, Refusal::OneSided { candidate })
            })
            .collect::<Vec<_>>()
    };
    [lacking(baseline, candidate, true), lacking(candidate, baseline, false)].concat()
}

fn set_warnings(
    baseline: &VariantResults,
    candidate: &VariantResults,
    pairing: &Pairing,
    options: &CompareOptions,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let (only_baseline, only_candidate, changed) =
        (pairing.only_baseline.len(), pairing.only_candidate.len(), pairing.changed.len());
    if pairing.pairs.is_empty() {
        warnings.push(Warning::NothingShared);
    } else if only_baseline + only_candidate + changed > 0 {
        let shared = pairing.pairs.len();
        warnings.push(Warning::SetsDiffer { shared, only_baseline, only_candidate, changed });
    }
    if baseline.samples != candidate.samples {
        let (baseline, candidate) = (baseline.samples, candidate.samples);
        warnings.push(Warning::SamplesDiffer { baseline, candidate });
    }
    if baseline.variant.hash == candidate.variant.hash {
        warnings.push(Warning::SameVariant);
    }
    if candidate.primary.is_none() {
        warnings.push(Warning::NoPrimary);
    }
    if options.margin.is_none() {
        warnings.push(Warning::NoMargin);
    }
    warnings
}
