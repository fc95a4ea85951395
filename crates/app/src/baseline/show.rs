//! Looking at what is approved.

use std::path::Path;

use analysis::RuleChange;
use document::Severity;
use evalset::{Baseline, BaselineSource, BaselineValue};
use serde::Serialize;
use serde_json::Value;
use values::{ContentHash, Id, Timestamp};

use super::convert::rule_changes;
use crate::{App, AppError};

/// What is approved for an eval set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BaselineView {
    /// The eval set.
    pub eval_set: String,
    /// The variant's name.
    pub variant: String,
    /// What answered: `provider/model`, the target's name, or the file of outputs.
    pub answers: String,
    /// The prompt's name, of a prompt.
    pub prompt: Option<String>,
    /// The prompt's version, of a prompt.
    pub version: Option<ContentHash>,
    /// The run that was accepted.
    pub run: Id,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Whether recordings gave the answers.
    pub replayed: bool,
    /// The date of the newest recording, where recordings gave the answers.
    pub recorded_at: Option<Timestamp>,
    /// The number of cases.
    pub cases: usize,
    /// How often each was asked for.
    pub samples: u32,
    /// The criteria, by name.
    pub criteria: Vec<CriterionCounts>,
    /// The gate's rule as it stood.
    pub gate: Value,
    /// What of the rule has changed since.
    pub changes: Vec<RuleChange>,
    /// Why it was accepted against the rules, if it was.
    pub override_reason: Option<String>,
    /// What was overridden.
    pub overrode: Vec<String>,
}

/// The samples of a baseline on one criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CriterionCounts {
    /// Its name.
    pub name: String,
    /// Whether it decides the gate.
    pub is_primary: bool,
    /// Samples that pass.
    pub passed: usize,
    /// Samples that fail.
    pub failed: usize,
    /// Samples with a number between.
    pub between: usize,
    /// Samples that are not decided.
    pub undecided: usize,
    /// Verdicts that had been shown before it was accepted.
    pub looks: u64,
    /// Candidates that had been tried against the baseline before it; 0 if that is not known.
    pub candidates: u64,
}

impl App {
    /// Returns what is approved for one eval set, or for all that have a baseline. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such eval set, it has no baseline, or a baseline
    /// cannot be used.
    pub fn baselines(
        &self,
        folder: Option<&Path>,
        set: Option<&str>,
    ) -> Result<Vec<BaselineView>, AppError> {
        let (project, _) = self.open(folder)?;
        let mut views = Vec::new();
        let names = project.eval_sets.iter().filter(|name| set.is_none_or(|set| set == *name));
        for name in names {
            let (file, mut found) = project.baseline(name)?;
            found.retain(|one| one.severity == Severity::Error);
            if !found.is_empty() {
                return Err(AppError::input(format!("the baseline of `{name}` cannot be used"))
                    .with_diagnostics(found));
            }
            let Some(baseline) = file.content else { continue };
            let (folder, _) = project.eval_set(name).map_err(|error| crate::open_error(&error))?;
            let rule = folder.set.map(|set| set.gate_rule());
            let changes = rule.map(|rule| rule_changes(&baseline, &rule)).unwrap_or_default();
            views.push(view(name, &baseline, changes));
        }
        match set {
            Some(set) if views.is_empty() => {
                project.eval_set(set).map_err(|error| crate::open_error(&error))?;
                Err(AppError::input(format!("the eval set `{set}` has no baseline yet"))
                    .with_hint("`trysquare baseline accept RUN` makes one of a run"))
            }
            _ => Ok(views),
        }
    }
}

fn view(name: &str, baseline: &Baseline, changes: Vec<RuleChange>) -> BaselineView {
    let (answers, prompt, version) = match &baseline.variant.source {
        BaselineSource::Prompt { prompt, version, model, .. } => {
            (model.to_string(), Some(prompt.clone()), Some(*version))
        }
        BaselineSource::Target { target } => (target.clone(), None, None),
        BaselineSource::Outputs { outputs } => (outputs.clone(), None, None),
    };
    BaselineView {
        eval_set: name.to_owned(),
        variant: baseline.variant.name.clone(),
        answers,
        prompt,
        version,
        run: baseline.run,
        accepted: baseline.accepted,
        replayed: baseline.replayed,
        recorded_at: baseline.recorded_at,
        cases: baseline.cases.len(),
        samples: baseline.samples,
        criteria: (0..)
            .zip(baseline.criteria.keys())
            .map(|(at, name)| counts(baseline, at, name))
            .collect(),
        gate: Value::Object(baseline.gate.clone()),
        changes,
        override_reason: baseline.overridden.as_ref().map(|one| one.reason.clone()),
        overrode: baseline.overridden.as_ref().map(|one| one.overrode.clone()).unwrap_or_default(),
    }
}

fn counts(baseline: &Baseline, place: usize, name: &str) -> CriterionCounts {
    let looks = baseline.looks.get(name);
    let mut counts = CriterionCounts {
        name: name.to_owned(),
        is_primary: baseline.primary.as_deref() == Some(name),
        passed: 0,
        failed: 0,
        between: 0,
        undecided: 0,
        looks: looks.map_or(0, |looks| looks.count),
        candidates: looks.map_or(0, |looks| looks.candidates),
    };
    for sample in baseline.cases.values().flat_map(|case| &case.samples) {
        match sample.values.get(place) {
            Some(BaselineValue::Number(value)) if *value >= 1.0 => counts.passed += 1,
            Some(BaselineValue::Number(value)) if *value <= 0.0 => counts.failed += 1,
            Some(BaselineValue::Number(_)) => counts.between += 1,
            Some(BaselineValue::Not(_)) | None => counts.undecided += 1,
        }
    }
    counts
}
