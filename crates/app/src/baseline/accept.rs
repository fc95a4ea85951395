//! Accepting the results of a run as what a gate compares with.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use analysis::VariantResults;
use document::Severity;
use evalset::{Baseline, BaselineLooks, EvalSet, Outputs, Override};
use project::{EvalSetFolder, Project, SetFile};
use run::RunHeader;
use serde::Serialize;
use serde_json::Map;
use store::Store;
use values::Id;

use super::convert::{Acceptance, NotAcceptable, from_results, to_results};
use super::findings::findings;
use crate::looks::looks_at;
use crate::people::People;
use crate::recordings::{each_answer, used_recordings};
use crate::{App, AppError};

/// Which results a person accepts.
#[derive(Debug, Clone)]
pub struct AcceptRequest {
    /// The run.
    pub run: Id,
    /// The variant; the one that `evalset.yaml` calls `candidate` if `None`.
    pub variant: Option<String>,
    /// Why it is accepted although something speaks against it.
    pub override_reason: Option<String>,
}

/// A baseline that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// The eval set.
    pub eval_set: String,
    /// The variant.
    pub variant: String,
    /// The file, as a path inside the project.
    pub file: PathBuf,
    /// Its cases.
    pub cases: usize,
    /// Outputs that were added to `outputs.jsonl`.
    pub outputs_added: usize,
    /// Whether there was no baseline before.
    pub is_first: bool,
    /// What spoke against it and was overridden.
    pub overrode: Vec<String>,
}

impl App {
    /// Writes the results of a run's variant as the eval set's `baseline.json`, and the outputs that
    /// it refers to into `outputs.jsonl`. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if the run is not finished; if it covers the set only in part, has
    /// errors or unreadable scores, or its gate does not pass, unless the request says why it is
    /// accepted all the same; if a file cannot be read or has changed meanwhile.
    pub fn accept_baseline(
        &self,
        folder: Option<&Path>,
        request: &AcceptRequest,
    ) -> Result<Accepted, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let header = store.run_header(request.run)?;
        let mut files = Files::read(&project, &header.eval_set)?;
        let variant = chosen_variant(&header, &files.set, request.variant.as_deref())?;
        let mut read = self.run_results(&project, &store, request.run, &[variant])?;
        let mut results = read.variants.remove(0);
        if let Some(people) = People::of(&project, &store, &header.eval_set, &files.set)? {
            people.decide(&files.set, &mut results);
        }
        refuse_unfinished(&results, header.until_decided.is_some())?;
        let found = findings(
            &project,
            &store,
            &header,
            &files.folder,
            &files.set,
            files.baseline.content.as_ref(),
            &results,
        )?;
        if !found.looks.is_empty() {
            self.record_looks(&store, found.looks)?;
        }
        let overridden = self.overridden(found.against, request.override_reason.as_deref())?;
        let mut outputs = files.outputs.content.take().unwrap_or_default();
        let before = outputs.len();
        add_outputs(&store, &header, variant, &mut outputs)?;
        let outputs_added = outputs.len() - before;
        let acceptance = Acceptance {
            accepted: (self.host.now)(),
            recorded_at: used_recordings(&project, &store, &header, variant)?.map(|range| range.to),
            gate: files.set.gate_rule(),
            looks: looks(&store, files.baseline.content.as_ref(), &results)?,
            overridden,
        };
        let overrode = acceptance.overridden.clone().map(|one| one.overrode).unwrap_or_default();
        let baseline = from_results(&results, acceptance).map_err(|error| refused(&error))?;
        if outputs_added > 0 {
            // First, so that a baseline never names an output that is not there.
            files.outputs.write(&outputs.to_text())?;
        }
        files.baseline.write(&baseline.to_text())?;
        Ok(Accepted {
            eval_set: header.eval_set,
            variant: results.variant.name,
            cases: baseline.cases.len(),
            outputs_added,
            is_first: files.baseline.text.is_none(),
            file: files.baseline.path,
            overrode,
        })
    }

    fn overridden(
        &self,
        against: Vec<String>,
        reason: Option<&str>,
    ) -> Result<Option<Override>, AppError> {
        match (against.is_empty(), reason.map(str::trim)) {
            (true, _) => Ok(None),
            (false, Some(reason)) if !reason.is_empty() => Ok(Some(Override {
                at: (self.host.now)(),
                reason: reason.to_owned(),
                overrode: against,
                other: Map::new(),
            })),
            (false, _) => Err(AppError::input(format!(
                "these results cannot be accepted: {}",
                against.join("; ")
            ))
            .with_hint(
                "--override REASON accepts them all the same; the reason is kept in baseline.json",
            )),
        }
    }
}

/// The files that accepting reads and writes.
struct Files {
    folder: EvalSetFolder,
    set: EvalSet,
    baseline: SetFile<Baseline>,
    outputs: SetFile<Outputs>,
}

impl Files {
    fn read(project: &Project, name: &str) -> Result<Self, AppError> {
        let (mut folder, mut found) =
            project.eval_set(name).map_err(|error| crate::open_error(&error))?;
        let (baseline, more) = project.baseline(name)?;
        found.extend(more);
        let (outputs, more) = project.outputs(name)?;
        found.extend(more);
        found.retain(|one| one.severity == Severity::Error);
        match folder.set.take() {
            Some(set) if found.is_empty() => Ok(Self { folder, set, baseline, outputs }),
            _ => Err(AppError::input(format!("the files of the eval set `{name}` have errors"))
                .with_diagnostics(found)),
        }
    }
}

fn chosen_variant(header: &RunHeader, set: &EvalSet, asked: Option<&str>) -> Result<u32, AppError> {
    let candidate = set.candidate.as_ref().map(|candidate| candidate.name.as_str());
    let known = || {
        let names: Vec<_> = header.variants.iter().map(|one| one.name.as_str()).collect();
        format!("the run has {}; name one with --variant", names.join(", "))
    };
    let name = match (asked.or(candidate), header.variants.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => &only.name,
        (None, _) => {
            return Err(AppError::input("evalset.yaml names no candidate").with_hint(known()));
        }
    };
    let place = (0u32..).zip(&header.variants).find(|(_, variant)| variant.name == name);
    place.map(|(place, _)| place).ok_or_else(|| {
        AppError::input(format!("this run has no variant `{name}`")).with_hint(known())
    })
}

fn refuse_unfinished(results: &VariantResults, until_decided: bool) -> Result<(), AppError> {
    let pending = |case: &&analysis::CaseResults| {
        case.samples.iter().any(|one| one.values.contains(&analysis::Value::Pending))
    };
    let unfinished = results.cases.iter().filter(pending).count();
    if unfinished == 0 && !results.cases.is_empty() {
        return Ok(());
    }
    if until_decided {
        let message =
            format!("the run ended when it was decided: {unfinished} cases have no result");
        return Err(AppError::input(message)
            .with_hint("what is approved covers every case: make a run without --until-decided"));
    }
    let message = format!("the run is not finished: {unfinished} cases have no result yet");
    Err(AppError::input(message).with_hint(
        "`trysquare resume RUN` goes on with it, `trysquare score RUN --judge NAME` has it judged",
    ))
}

fn refused(error: &NotAcceptable) -> AppError {
    AppError::input(match error {
        NotAcceptable::NoRun => "these are no results of a run".to_owned(),
        NotAcceptable::Pending { case, sample } => {
            format!("sample {sample} of the case `{case}` has no result yet")
        }
    })
}

/// Adds the text of every answer of a variant.
fn add_outputs(
    store: &Store,
    header: &RunHeader,
    variant: u32,
    outputs: &mut Outputs,
) -> Result<(), AppError> {
    each_answer(store, header.id, |cell, answer| {
        if cell.variant == variant {
            outputs.insert(&answer.reply.text);
        }
    })
}

/// Returns what was looked at before, by criterion, against the baseline that is replaced.
fn looks(
    store: &Store,
    baseline: Option<&Baseline>,
    results: &VariantResults,
) -> Result<BTreeMap<String, BaselineLooks>, AppError> {
    let Some(baseline) = baseline else { return Ok(BTreeMap::new()) };
    let tried = store.candidates_tried(baseline.variant.hash, &results.eval_set)?;
    let candidates = u64::try_from(tried.len()).unwrap_or(u64::MAX);
    let mut looks: BTreeMap<String, BaselineLooks> = BTreeMap::new();
    let approved = to_results(&results.eval_set, baseline);
    let mut known = HashSet::new();
    for look in looks_at(store, (&approved, results))? {
        if !known.insert((look.criterion.clone(), look.cases, look.answers)) {
            // The same was looked at from the other side.
            continue;
        }
        let none = BaselineLooks { count: 0, candidates, other: Map::new() };
        looks.entry(look.criterion).or_insert(none).count += 1;
    }
    Ok(looks)
}
