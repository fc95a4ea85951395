//! Whether the candidate of an eval set may ship, by the rule that the set declares.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use analysis::{
    CaseResults, GateContext, GateStatus, RuleChange, VariantResults, Verified, Warning,
};
use document::Severity;
use engine::CacheUse;
use evalset::{Baseline, EvalSet, Outputs};
use project::Project;
use report::{Report, Unusable};
use run::FailureKind;
use store::Store;
use values::{ContentHash, Id};

use crate::baseline::{rule_changes, to_results};
use crate::calibrate::judges_of;
use crate::compare::{Compared, Kept, Loaded};
use crate::plan::{Plan, RunRequest, Sending};
use crate::sides::RunSide;
use crate::{App, AppError};

/// What a person wants to gate.
#[derive(Debug, Clone, Default)]
pub struct GateRequest {
    /// The eval set.
    pub set: String,
    /// Whether recordings answer, so that nothing is sent.
    pub replay: bool,
    /// What may be sent.
    pub sending: Sending,
}

/// A gate that is ready: the run of its candidate, and what that is held against.
pub struct PlannedGate {
    /// The candidate on every case of the set.
    pub plan: Plan,
    /// What was approved.
    pub approved: Approved,
}

/// The approved results that a candidate is held against.
#[derive(Debug, Clone)]
pub struct Approved {
    set: String,
    baseline: Baseline,
    outputs: Outputs,
}

/// What a gate says, ready to be shown.
#[derive(Debug, Clone)]
pub struct Gated {
    /// The run of the candidate.
    pub run: Id,
    /// The comparison with the baseline, whose report holds the rules.
    pub compared: Compared,
    /// The answer.
    pub status: GateStatus,
    /// Cells whose request was not recorded.
    pub not_recorded: u32,
    /// The variant that was run.
    pub candidate: String,
}

impl App {
    /// Reads what a gate needs and plans the run of the candidate. Nothing is sent. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if the set declares no candidate, primary criterion or margin, if
    /// nothing was approved yet, or if a file has errors.
    pub fn plan_gate(
        &self,
        folder: Option<&Path>,
        request: GateRequest,
    ) -> Result<PlannedGate, AppError> {
        let (project, _) = self.open(folder)?;
        let name = &request.set;
        let (set, mut found) = project.eval_set(name).map_err(|error| crate::open_error(&error))?;
        found.retain(|one| one.severity == Severity::Error);
        let declared = set.set.as_ref().filter(|_| found.is_empty()).ok_or_else(|| {
            AppError::input(format!("the files of the eval set `{name}` have errors"))
                .with_diagnostics(found)
        })?;
        let lacks = |what: &str, line: &str| {
            AppError::input(format!(
                "the eval set `{name}` declares no {what}, and a gate needs one"
            ))
            .with_hint(format!("add `{line}` to evalsets/{name}/evalset.yaml"))
        };
        if declared.primary.is_none() {
            return Err(lacks("primary criterion", "primary: CRITERION"));
        }
        if declared.margin.is_none() {
            return Err(lacks("margin", "margin: 0.05"));
        }
        let candidate = declared.candidate.as_ref().map(|candidate| candidate.name.clone());
        let candidate = candidate.ok_or_else(|| lacks("candidate", "candidate: VARIANT"))?;
        let approved = Approved::read(&project, name)?.ok_or_else(|| {
            AppError::input(format!("the eval set `{name}` has no baseline to compare with"))
                .with_hint(format!(
                    "run what ships today with `trysquare run {name} --variant VARIANT`, then \
                     `trysquare baseline accept latest --variant VARIANT`"
                ))
        })?;
        let run = RunRequest {
            set: request.set,
            variants: vec![candidate],
            replay: request.replay,
            sending: request.sending,
            ..RunRequest::default()
        };
        Ok(PlannedGate { plan: self.plan(folder, run)?, approved })
    }

    /// Plans to ask the candidate again for the first sample of some cases, chosen by chance, whatever
    /// the cache and the recordings hold. Nothing is sent. Blocking.
    ///
    /// # Errors
    /// What [`App::plan`] says.
    pub fn plan_verification(
        &self,
        folder: Option<&Path>,
        run: Id,
        requests: u32,
        sending: &Sending,
    ) -> Result<Plan, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let header = store.run_header(run)?;
        let chance = self.host.new_id();
        let mut cases: Vec<(ContentHash, String)> = store
            .run_cases(run)?
            .into_iter()
            .map(|(case, _)| (ContentHash::of_bytes(format!("{chance} {case}").as_bytes()), case))
            .collect();
        cases.sort_unstable();
        cases.truncate(usize::try_from(requests).unwrap_or(usize::MAX));
        let request = RunRequest {
            set: header.eval_set,
            variants: header.variants.into_iter().map(|variant| variant.name).collect(),
            cases: cases.into_iter().map(|(_, case)| case).collect(),
            samples: Some(1),
            no_judges: true,
            sending: Sending { cache: CacheUse::Off, ..sending.clone() },
            ..RunRequest::default()
        };
        self.plan(folder, request)
    }

    /// Tells which answers of a verification are not those that were recorded. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`] if a run cannot be read.
    pub fn verified(
        &self,
        folder: Option<&Path>,
        recorded: Id,
        today: Id,
    ) -> Result<Verified, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let mut outputs = HashMap::new();
        for case in self.run_results(&project, &store, recorded, &[0])?.variants.remove(0).cases {
            outputs.insert(case.id, case.samples.first().and_then(|sample| sample.output));
        }
        let (mut answered, mut failed, mut differ) = (0, 0, Vec::new());
        for case in self.run_results(&project, &store, today, &[0])?.variants.remove(0).cases {
            match case.samples.first().and_then(|sample| sample.output) {
                None => failed += 1,
                Some(output) => {
                    answered += 1;
                    if outputs.get(&case.id).copied().flatten() != Some(output) {
                        differ.push(case.id);
                    }
                }
            }
        }
        Ok(Verified::Sent { answered, failed, differ })
    }

    /// Holds a run of the candidate against what was approved. Nothing is sent, and no look is
    /// recorded before [`App::note_looks`]. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`] if the run cannot be read.
    pub fn gate(
        &self,
        folder: Option<&Path>,
        approved: &Approved,
        run: Id,
        verified: Option<Verified>,
    ) -> Result<Gated, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let header = store.run_header(run)?;
        let side = RunSide { header, variant: 0 };
        let mut candidates = self.load(&project, &store, std::slice::from_ref(&side))?;
        let candidate = candidates.remove(0);
        let mut baseline = approved.loaded(&candidate.set);
        let mut candidates = [candidate];
        let mut compared = self.compare_loaded(&project, &store, &mut baseline, &mut candidates)?;
        let [candidate] = candidates;
        let Some(section) = compared.report.sections.first_mut() else {
            return Err(AppError::input("nothing was compared"));
        };
        // A candidate that is what was approved is the usual case here, and no mistake.
        section.comparison.warnings.retain(|warning| *warning != Warning::SameVariant);
        let context = GateContext {
            trust: judges_of(&project, &candidate.set, &[&candidate.results])?,
            changes: changes(&approved.baseline, &baseline.results, &candidate),
            knows_history: knows_history(&store, run, &approved.set)?,
            verified,
        };
        let rule = &candidate.set.gate;
        let (a, b) = (&baseline.results, &candidate.results);
        let outcome = analysis::gate(rule, a, b, &section.comparison, &context)
            .map_err(|error| AppError::input(error.to_string()))?;
        let status = outcome.status;
        compared.report.title = format!("{}: may {} ship?", approved.set, b.variant.name);
        compared.report.gate = Some(outcome);
        let not_recorded = store.count_failures(run, FailureKind::NotRecorded)?;
        let candidate = candidate.results.variant.name;
        Ok(Gated { run, compared, status, not_recorded, candidate })
    }
}

impl App {
    /// Returns what a report says of a gate whose input cannot be used.
    #[must_use]
    pub fn unusable(&self, set: &str, error: &AppError) -> Report {
        let mut report = Report::new(format!("{set}: no answer"), (self.host.now)());
        let finding = |found: &document::Diagnostic| match found.position {
            Some(at) => format!("{}:{}:{}: {}", found.file, at.line, at.column, found.message),
            None => format!("{}: {}", found.file, found.message),
        };
        report.unusable = Some(Unusable {
            message: error.message.clone(),
            hint: error.hint.clone(),
            findings: error.diagnostics.iter().map(finding).collect(),
        });
        report
    }
}

impl Approved {
    /// Reads what was approved of an eval set; `None` if nothing was.
    pub(crate) fn read(project: &Project, set: &str) -> Result<Option<Self>, AppError> {
        let (baseline, mut found) = project.baseline(set)?;
        let (outputs, more) = project.outputs(set)?;
        found.extend(more);
        found.retain(|one| one.severity == Severity::Error);
        if !found.is_empty() {
            let message = format!("what was approved of the eval set `{set}` cannot be read");
            return Err(AppError::input(message).with_diagnostics(found));
        }
        let outputs = outputs.content.unwrap_or_default();
        let set = set.to_owned();
        Ok(baseline.content.map(|baseline| Self { set, baseline, outputs }))
    }

    /// Returns it as a side of a comparison, with the settings of the candidate.
    pub(crate) fn loaded(&self, set: &EvalSet) -> Loaded {
        Loaded {
            until_decided: false,
            set: set.clone(),
            results: to_results(&self.set, &self.baseline),
            kept: Kept::Outputs(self.outputs.clone()),
        }
    }
}

/// What of the rule, of what is measured, and of what the statistics take for independent, is not as
/// it was approved.
fn changes(baseline: &Baseline, approved: &VariantResults, candidate: &Loaded) -> Vec<RuleChange> {
    let mut changes = rule_changes(baseline, &candidate.set.gate_rule());
    let without_values = |key| RuleChange { key, was: None, is: None };
    let candidate_set = &candidate.set;
    let candidate = &candidate.results;
    let primary = candidate_set.primary.as_ref().map(|primary| primary.name.clone());
    if primary != baseline.primary {
        let key = "primary".to_owned();
        changes.push(RuleChange { key, was: baseline.primary.clone(), is: primary });
    }
    let is_moved = |case: &&CaseResults| {
        baseline.cases.get(&case.id).is_some_and(|before| before.cluster != case.cluster)
    };
    let moved = candidate.cases.iter().filter(is_moved).count();
    if moved > 0 {
        let cases = if moved == 1 { "case" } else { "cases" };
        changes.push(without_values(format!("cluster of {moved} {cases}")));
    }
    changes.extend(changed_cases(baseline, candidate).map(without_values));
    for criterion in &candidate.criteria {
        let Some(before) = approved.criterion(&criterion.name) else { continue };
        let before = &approved.criteria[before];
        if before.hash != criterion.hash || before.scorers != criterion.scorers {
            changes.push(without_values(format!("what decides {}", criterion.name)));
        }
    }
    changes
}

/// Says how many cases are not those of the baseline; `None` if all are.
fn changed_cases(baseline: &Baseline, candidate: &VariantResults) -> Option<String> {
    let now: BTreeMap<&str, ContentHash> =
        candidate.cases.iter().map(|case| (case.id.as_str(), case.hash)).collect();
    let gone = baseline.cases.keys().filter(|id| !now.contains_key(id.as_str())).count();
    let new = now.keys().filter(|id| !baseline.cases.contains_key(**id)).count();
    let is_changed = |(id, before): &(&String, &evalset::BaselineCase)| {
        now.get(id.as_str()).is_some_and(|hash| *hash != before.hash)
    };
    let changed = baseline.cases.iter().filter(is_changed).count();
    let counts = [(gone, "gone"), (new, "new"), (changed, "with another content")];
    let said: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    (!said.is_empty()).then(|| format!("the cases, {}", said.join(", ")))
}

/// Tells whether this set was run here before: then earlier looks would stand in the record.
fn knows_history(store: &Store, run: Id, set: &str) -> Result<bool, AppError> {
    Ok(!store.run_headers(Some(set), Some(run), 1)?.is_empty())
}
