//! Whether a change may ship: the rules that `evalset.yaml` declares, one by one.

use std::collections::{BTreeMap, BTreeSet};

use evalset::{GateSpec, JudgeState, NotEnoughRule, RegressionRule, Requirement};
use score::Status;
use serde::Serialize;
use stats::{InvalidInput, Level};
use values::NanoDollars;

use crate::compare::Comparison;
use crate::measures::QuantileEstimate;
use crate::pairing::pair;
use crate::results::{CaseResults, Value, VariantResults, cluster_numbers};
use crate::verdict::Verdict;

/// A mean this close below 1 is all passes: sums of doubles differ in their last digits.
const ALL_PASS: f64 = 1.0 - 1e-12;

/// What a gate says of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateOutcome {
    /// The answer.
    pub status: GateStatus,
    /// Each rule that is declared, in the order of the documentation.
    pub rules: Vec<RuleOutcome>,
    /// Cells of the candidate that have no usable result, in plan order.
    pub incomplete: Vec<IncompleteCell>,
    /// What of the rule is not as it was when the baseline was accepted.
    pub changes: Vec<RuleChange>,
    /// Whether earlier looks at this candidate are known here. On a machine without the record of
    /// earlier comparisons, such as that of a hosted check, they are not.
    pub knows_history: bool,
    /// What became of recorded requests that were sent again; `None` if none was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
}

/// Recorded requests that were sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verified {
    /// They were sent.
    Sent {
        /// How many were answered.
        answered: usize,
        /// How many were not.
        failed: usize,
        /// The cases whose answer is another text today.
        differ: Vec<String>,
    },
    /// They could not be sent.
    NotSent {
        /// Why not.
        reason: String,
    },
}

/// A key of the gate's rule that changed since the baseline was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleChange {
    /// The key, as `evalset.yaml` names it.
    pub key: String,
    /// What it was, as JSON; `None` if it was not there.
    pub was: Option<String>,
    /// What it is, as JSON; `None` if it is gone.
    pub is: Option<String>,
}

/// What a gate has to know besides the results.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GateContext {
    /// How far the judges of a criterion can be trusted, by criterion.
    pub trust: BTreeMap<String, Vec<JudgeTrust>>,
    /// What of the rule changed since the baseline was accepted.
    pub changes: Vec<RuleChange>,
    /// Whether earlier looks are known here.
    pub knows_history: bool,
    /// What became of recorded requests that were sent again.
    pub verified: Option<Verified>,
}

/// The answer of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GateStatus {
    /// Every rule holds.
    Passed,
    /// A rule does not hold, or evidence is short and that blocks.
    Failed,
    /// A cell is missing, errored, unreadable, or was not recorded.
    Incomplete,
}

/// One rule and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuleOutcome {
    /// The rule, with the numbers that decided it.
    pub rule: Rule,
    /// Whether it holds.
    pub held: Held,
    /// The judges without trust whose opinion it rests on; none if it is a finding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub opinion_of: Vec<String>,
}

impl RuleOutcome {
    fn new(rule: Rule, held: Held) -> Self {
        Self { rule, held, opinion_of: Vec::new() }
    }

    /// Tells whether it counts what was decided on the primary criterion.
    fn is_of_primary(&self) -> bool {
        matches!(
            self.rule,
            Rule::Verdict { .. } | Rule::RequiredCases { .. } | Rule::Regressions { .. }
        )
    }
}

/// Whether a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// The evidence is short, and the set says that this blocks.
    NotEnoughBlocks,
    /// The evidence is short, and the set says that this does not block.
    NotEnoughAllowed,
}

impl Held {
    /// Tells whether the change may ship as far as this rule goes.
    pub fn lets_through(self) -> bool {
        matches!(self, Self::Yes | Self::NotEnoughAllowed)
    }
}

/// A rule of a gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Rule {
    /// The verdict on the primary criterion.
    Verdict {
        /// Whether "better" is asked, not only "no worse".
        better: bool,
        /// The verdict; `None` where comparing would mislead.
        verdict: Option<Verdict>,
    },
    /// Required cases pass, every sample of them.
    RequiredCases {
        /// How many are required.
        required: usize,
        /// Those that do not pass.
        failing: Vec<String>,
        /// Ids that the gate names and the set does not have.
        unknown: Vec<String>,
    },
    /// No case that the baseline passes is broken.
    Regressions {
        /// Samples that must pass.
        passes: u32,
        /// Out of so many.
        samples: u32,
        /// How many shared cases the baseline passes.
        approved: usize,
        /// Those that the candidate breaks.
        broken: Vec<String>,
        /// Those of which nothing is decided for the candidate.
        undecided: Vec<String>,
    },
    /// There are enough complete cases.
    MinCases {
        /// How many are asked.
        least: u64,
        /// How many are compared on the primary criterion.
        found: u64,
    },
    /// The mean cost of an output.
    CostPerCase {
        /// The most that is allowed.
        most: NanoDollars,
        /// The mean over the outputs whose cost is known, rounded up; `None` if none is.
        mean: Option<NanoDollars>,
        /// Outputs whose cost nobody knows.
        unknown: usize,
    },
    /// The 95th percentile of latency.
    LatencyP95 {
        /// The most that is allowed, in milliseconds.
        most_ms: u64,
        /// The percentile with its interval, in milliseconds, as a comparison shows it.
        p95_ms: QuantileEstimate,
        /// How many outputs were measured; fewer than 20 are short evidence.
        measured: usize,
        /// Whether latencies of recorded or cached calls are among them.
        recorded: bool,
    },
    /// The judges of a criterion are trusted.
    MinTrust {
        /// The criterion.
        criterion: String,
        /// Its judges; none if the set has none for it.
        judges: Vec<JudgeTrust>,
    },
}

/// How far a judge can be trusted on a criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JudgeTrust {
    /// The judge.
    pub judge: String,
    /// Its state today; `None` if it was never calibrated on this set and criterion.
    pub state: Option<JudgeState>,
}

impl JudgeTrust {
    /// Tells whether the judge counts as an instrument.
    pub fn is_trusted(&self) -> bool {
        self.state == Some(JudgeState::Trusted)
    }
}

/// A cell that has no usable result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IncompleteCell {
    /// The case.
    pub case: String,
    /// The repetition, from 0.
    pub sample: u32,
    /// The status; `None` for a cell without an outcome.
    pub status: Option<Status>,
}

/// Applies the rules of a gate to a candidate.
///
/// Incomplete cells come before failed rules.
///
/// # Errors
/// [`InvalidInput`] if there are more answers than the statistics allow (a million).
pub fn gate(
    spec: &GateSpec,
    baseline: &VariantResults,
    candidate: &VariantResults,
    comparison: &Comparison,
    context: &GateContext,
) -> Result<GateOutcome, InvalidInput> {
    let short = match spec.not_enough.unwrap_or(NotEnoughRule::Block) {
        NotEnoughRule::Block => Held::NotEnoughBlocks,
        NotEnoughRule::Allow => Held::NotEnoughAllowed,
    };
    let mut rules = vec![verdict_rule(spec, comparison, short)];
    rules.extend(required_cases(spec, candidate));
    rules.extend(spec.regressions.map(|rule| regressions(rule, baseline, candidate, short)));
    rules.extend(min_cases(spec, comparison, short));
    rules.extend(spec.max_cost_per_case.map(|most| cost_per_case(most, candidate, short)));
    if let Some(most_ms) = spec.max_p95_latency_ms {
        let level = Level::of_confidence(comparison.confidence)?;
        rules.push(latency_p95(most_ms, candidate, level, short)?);
    }
    rules.extend(spec.min_trust.iter().map(|criterion| {
        let criterion = criterion.name.clone();
        let judges = context.trust.get(&criterion).cloned().unwrap_or_default();
        let is_trusted = !judges.is_empty() && judges.iter().all(JudgeTrust::is_trusted);
        let held = if is_trusted { Held::Yes } else { Held::No };
        RuleOutcome::new(Rule::MinTrust { criterion, judges }, held)
    }));
    if let Some(judges) = comparison.primary().and_then(|primary| primary.basis.opinion_of()) {
        for rule in rules.iter_mut().filter(|rule| rule.is_of_primary()) {
            rule.opinion_of = judges.to_vec();
        }
    }
    let incomplete = incomplete_cells(candidate);
    let status = if !incomplete.is_empty() {
        GateStatus::Incomplete
    } else if rules.iter().all(|rule| rule.held.lets_through()) {
        GateStatus::Passed
    } else {
        GateStatus::Failed
    };
    Ok(GateOutcome {
        status,
        rules,
        incomplete,
        changes: context.changes.clone(),
        knows_history: context.knows_history,
        verified: context.verified.clone(),
    })
}

fn verdict_rule(spec: &GateSpec, comparison: &Comparison, short: Held) -> RuleOutcome {
    let better = spec.require == Some(Requirement::Better);
    let verdict = comparison.verdict();
    let held = match verdict {
        Some(Verdict::Better) => Held::Yes,
        Some(verdict) if !better && verdict.is_no_worse() => Held::Yes,
        Some(Verdict::NotEnough) => short,
        // Where "better" is asked, "no worse" is an answer, and not that one.
        None | Some(Verdict::NoWorse | Verdict::Worse | Verdict::WorseWithinMargin) => Held::No,
    };
    RuleOutcome::new(Rule::Verdict { better, verdict }, held)
}

fn required_cases(spec: &GateSpec, candidate: &VariantResults) -> Option<RuleOutcome> {
    let required = spec.required_cases.as_ref()?;
    let primary = candidate.primary?;
    let ids: BTreeSet<&str> = required.ids.iter().map(String::as_str).collect();
    let is_required = |case: &CaseResults| {
        ids.contains(case.id.as_str()) || case.tags.iter().any(|tag| required.tags.contains(tag))
    };
    let cases: Vec<_> = candidate.cases.iter().filter(|case| is_required(case)).collect();
    let failing: Vec<String> = cases
        .iter()
        .filter(|case| !passes_always(case, primary))
        .map(|case| case.id.clone())
        .collect();
    let known: BTreeSet<&str> = candidate.cases.iter().map(|case| case.id.as_str()).collect();
    let unknown: Vec<String> =
        ids.iter().filter(|id| !known.contains(*id)).map(|id| (*id).to_owned()).collect();
    let held = if failing.is_empty() && unknown.is_empty() { Held::Yes } else { Held::No };
    Some(RuleOutcome::new(Rule::RequiredCases { required: cases.len(), failing, unknown }, held))
}

/// Tells whether every sample of a case passes. A case without samples does not.
fn passes_always(case: &CaseResults, criterion: usize) -> bool {
    !case.samples.is_empty()
        && case.values(criterion).all(|value| value.number().is_some_and(|share| share >= ALL_PASS))
}

fn regressions(
    rule: RegressionRule,
    baseline: &VariantResults,
    candidate: &VariantResults,
    short: Held,
) -> RuleOutcome {
    let (passes, samples) = (rule.passes.get(), rule.samples.get());
    let least = f64::from(passes) / f64::from(samples);
    let (mut approved, mut broken, mut undecided) = (0, Vec::new(), Vec::new());
    if let Some(primary) = candidate.primary
        && let Some(of_baseline) =
            candidate.criteria.get(primary).and_then(|one| baseline.criterion(&one.name))
    {
        let mean = |case: &CaseResults, place| case.mean(place).map(|mean| mean + 1e-12);
        for (a, b) in pair(baseline, candidate).pairs {
            if mean(&baseline.cases[a], of_baseline).is_none_or(|mean| mean < least) {
                continue;
            }
            approved += 1;
            let id = &candidate.cases[b].id;
            match mean(&candidate.cases[b], primary) {
                None => undecided.push(id.clone()),
                Some(mean) if mean < least => broken.push(id.clone()),
                Some(_) => {}
            }
        }
    }
    let held = match (broken.is_empty(), undecided.is_empty()) {
        (false, _) => Held::No,
        (true, false) => short,
        (true, true) => Held::Yes,
    };
    RuleOutcome::new(Rule::Regressions { passes, samples, approved, broken, undecided }, held)
}

fn min_cases(spec: &GateSpec, comparison: &Comparison, short: Held) -> Option<RuleOutcome> {
    let least = spec.min_cases?.get();
    let found = comparison.primary().map_or(0, |primary| primary.square.total() as u64);
    let held = if found >= least { Held::Yes } else { short };
    Some(RuleOutcome::new(Rule::MinCases { least, found }, held))
}

fn cost_per_case(most: NanoDollars, candidate: &VariantResults, short: Held) -> RuleOutcome {
    let costs: Vec<Option<NanoDollars>> = measured(candidate).map(|one| one.cost).collect();
    let known: Vec<NanoDollars> = costs.iter().copied().flatten().collect();
    let unknown = costs.len() - known.len();
    let sum: i128 = known.iter().map(|cost| i128::from(cost.get())).sum();
    let mean = i64::try_from(
        (sum + known.len() as i128 - 1).checked_div(known.len() as i128).unwrap_or(0),
    )
    .ok()
    .filter(|_| !known.is_empty())
    .map(NanoDollars::new);
    let held = match mean {
        Some(mean) if mean > most => Held::No,
        Some(_) if unknown == 0 => Held::Yes,
        _ => short,
    };
    RuleOutcome::new(Rule::CostPerCase { most, mean, unknown }, held)
}

/// Fewer measurements have no 95th percentile but their largest.
const LEAST_LATENCIES: usize = 20;

/// Latencies of this run count if most are; else also those that the recording or the cache kept.
///
/// # Errors
/// [`InvalidInput`] if there are more answers than the statistics allow.
fn latency_p95(
    most_ms: u64,
    candidate: &VariantResults,
    level: Level,
    short: Held,
) -> Result<RuleOutcome, InvalidInput> {
    let known = || measured(candidate).filter_map(|one| Some((one.live, one.latency_ms?)));
    let live = known().filter(|(live, _)| *live).count();
    let recorded = live * 2 < known().count();
    let (mut latencies, mut clusters) = (Vec::new(), Vec::new());
    for (case, cluster) in candidate.cases.iter().zip(cluster_numbers(&candidate.cases)) {
        for one in case.samples.iter().filter_map(|sample| sample.measured) {
            if let Some(latency) = one.latency_ms.filter(|_| recorded || one.live) {
                latencies.push(latency as f64);
                clusters.push(cluster);
            }
        }
    }
    let measured = latencies.len();
    let p95_ms = QuantileEstimate::of(&latencies, &clusters, 0.95, level)?;
    let held = match p95_ms.value.value() {
        Some(p95) if p95 > most_ms as f64 => Held::No,
        Some(_) if measured >= LEAST_LATENCIES => Held::Yes,
        _ => short,
    };
    Ok(RuleOutcome::new(Rule::LatencyP95 { most_ms, p95_ms, measured, recorded }, held))
}

fn measured(candidate: &VariantResults) -> impl Iterator<Item = crate::Measured> {
    candidate.cases.iter().flat_map(|case| &case.samples).filter_map(|sample| sample.measured)
}

fn incomplete_cells(candidate: &VariantResults) -> Vec<IncompleteCell> {
    let mut found = Vec::new();
    for case in &candidate.cases {
        let missing =
            candidate.samples.saturating_sub(u32::try_from(case.samples.len()).unwrap_or(u32::MAX));
        let results = (0u32..).zip(&case.samples).filter_map(|(sample, result)| {
            let worst = result.values.iter().find_map(|value| match value {
                Value::Pending => Some(None),
                Value::Not(status @ (Status::Error | Status::Unreadable)) => Some(Some(*status)),
                Value::Not(_) | Value::Open(_) | Value::Number(_) => None,
            })?;
            Some((sample, worst))
        });
        let absent = (candidate.samples - missing..candidate.samples).map(|sample| (sample, None));
        found.extend(results.chain(absent).map(|(sample, status)| IncompleteCell {
            case: case.id.clone(),
            sample,
            status,
        }));
    }
    found
}

#[cfg(test)]
mod tests;
