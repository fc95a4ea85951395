//! What speaks against accepting results: a part of the set is missing, cells without a usable
//! result, a gate that does not pass.

use std::collections::HashSet;

use analysis::{GateContext, Value, VariantResults, compare, gate};
use evalset::{Baseline, EvalSet};
use project::{EvalSetFolder, Project};
use report::words::{gate_remarks, rule_sentence};
use run::RunHeader;
use score::Status;
use store::{NewLook, Store};

use super::convert::{rule_changes, to_results};
use crate::AppError;
use crate::calibrate::judges_of;
use crate::compare::options;
use crate::looks::{history, new_looks};
use crate::people::People;

/// What speaks against accepting results.
#[derive(Default)]
pub(super) struct Findings {
    /// A sentence each; none if they can be accepted.
    pub(super) against: Vec<String>,
    /// The looks that reading these sentences is: the verdict of a gate that does not pass is in them.
    pub(super) looks: Vec<NewLook>,
}

/// Returns what speaks against results.
pub(super) fn findings(
    project: &Project,
    store: &Store,
    header: &RunHeader,
    folder: &EvalSetFolder,
    set: &EvalSet,
    baseline: Option<&Baseline>,
    results: &VariantResults,
) -> Result<Findings, AppError> {
    let mut found = match baseline {
        Some(baseline) => gate_findings(project, store, header, set, baseline, results)?,
        None => Findings::default(),
    };
    let first = coverage(folder, results).into_iter().chain(unusable(results));
    found.against.splice(0..0, first);
    Ok(found)
}

/// The cases of the set that the run lacks, or ran with other content.
fn coverage(folder: &EvalSetFolder, results: &VariantResults) -> Option<String> {
    let ran: HashSet<_> = results.cases.iter().map(|case| (case.id.as_str(), case.hash)).collect();
    let total = folder.cases.len();
    let covered =
        folder.cases.iter().filter(|case| ran.contains(&(&*case.id, case.content_hash()))).count();
    (covered < total).then(|| {
        format!("the run covers {covered} of the {total} cases that the eval set has today")
    })
}

/// Cells whose status is none that may be approved.
fn unusable(results: &VariantResults) -> Vec<String> {
    let samples = || results.cases.iter().flat_map(|case| &case.samples);
    let count = |status| samples().filter(|one| one.values.contains(&Value::Not(status))).count();
    let said = |count: usize, what: &str| {
        let cells = if count == 1 { "cell" } else { "cells" };
        (count > 0).then(|| format!("{count} {cells} {what}"))
    };
    let errors = said(count(Status::Error), "ended in an error");
    let unreadable = said(count(Status::Unreadable), "could not be read by a check or judge");
    errors.into_iter().chain(unreadable).collect()
}

/// The rules of the gate that do not let these results through, against the baseline that they
/// would replace.
fn gate_findings(
    project: &Project,
    store: &Store,
    header: &RunHeader,
    set: &EvalSet,
    baseline: &Baseline,
    results: &VariantResults,
) -> Result<Findings, AppError> {
    if set.margin.is_none() {
        let against = "evalset.yaml declares no margin, so that no gate can decide".to_owned();
        return Ok(Findings { against: vec![against], looks: Vec::new() });
    }
    let mut approved = to_results(&header.eval_set, baseline);
    if let Some(people) = People::of(project, store, &header.eval_set, set)? {
        people.decide(set, &mut approved);
    }
    let history = history(store, (&approved, results), header.until_decided.is_some())?;
    let comparison = compare(&approved, results, &options(project, set, &[results])?, &history)
        .map_err(|error| AppError::input(error.to_string()))?;
    let context = GateContext {
        trust: judges_of(project, set, &[results])?,
        changes: rule_changes(baseline, &set.gate_rule()),
        knows_history: true,
        ..GateContext::default()
    };
    let outcome = gate(&set.gate, &approved, results, &comparison, &context)
        .map_err(|error| AppError::input(error.to_string()))?;
    let failing = outcome.rules.iter().filter(|rule| !rule.held.lets_through());
    let mut found: Vec<String> = failing
        .map(|rule| format!("a rule of the gate does not hold: {}", rule_sentence(rule)))
        .collect();
    if found.is_empty() {
        return Ok(Findings::default());
    }
    found.extend(gate_remarks(&outcome).into_iter().filter(|_| !outcome.changes.is_empty()));
    let looks = new_looks(&comparison, [&approved, results], [None, Some(header.id)]);
    Ok(Findings { against: found, looks })
}
