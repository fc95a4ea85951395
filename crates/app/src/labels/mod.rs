//! What people decide about outputs: asking them, keeping what they said, and reading it off.

mod conflicts;
mod desk;
mod export;
mod import;
mod purge;
mod queue;
mod recorder;
mod splits;
mod stats;
pub(crate) mod sync;
mod writer;

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

use document::Severity;
use evalset::{
    Case, Categories, Criterion, EvalSet, LabelSubject, LabelValue, Labels, Outputs, Reference,
    Split, SplitPolicy, SubjectLabels,
};
use project::{EvalSetFolder, Project};
use serde_json::Value;
use store::Store;
use values::ContentHash;

use crate::parts::in_parts;
use crate::{App, AppError};

pub use conflicts::{Conflict, ConflictDesk, Opinion};
pub use desk::LabelDesk;
pub use export::{LabelsPurged, LabelsWritten};
pub use import::{
    Brought, ImportFile, ImportedCriterion, ImportedExample, ImportedJudge, LabelImport,
    LabelsImported,
};
pub use purge::LabelPurge;
pub use queue::{LabelItem, LabelRequest, QueueKind, ShownOutput};
pub(crate) use splits::Dealings;
pub use splits::Resplit;
pub use stats::{CriterionLabels, LabelStats, LabellerCounts, Overlap};

/// The labels of one eval set, with what they are about.
pub(crate) struct LabelWorld {
    pub(crate) store: Store,
    pub(crate) folder: EvalSetFolder,
    pub(crate) set: EvalSet,
    pub(crate) labels: Labels,
    pub(crate) categories: Categories,
    pub(crate) outputs: Outputs,
    pub(crate) dealings: Dealings,
    /// The cases by their ids. Labels of another content are outdated.
    pub(crate) cases: HashMap<String, KnownCase>,
    /// The rubric of each criterion. Labels by another are outdated.
    rubrics: HashMap<String, ContentHash>,
}

/// What labels need to know of a case.
pub(crate) struct KnownCase {
    pub(crate) content: ContentHash,
    pub(crate) split: Split,
    pub(crate) cluster: Option<String>,
    pub(crate) tags: Vec<String>,
    /// Where it was imported from, if it was.
    pub(crate) source: Option<String>,
}

impl KnownCase {
    fn of(case: Case, policy: &SplitPolicy) -> Self {
        let source = case.source.as_ref().and_then(|source| source.get("import"));
        Self {
            content: case.content_hash(),
            split: policy.split_of(&case),
            source: source.and_then(Value::as_str).map(str::to_owned),
            cluster: case.cluster,
            tags: case.tags,
        }
    }
}

impl App {
    /// Returns the name by which this person labels: git's, if it has one. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no project.
    pub fn default_labeller(
        &self,
        folder: Option<&std::path::Path>,
    ) -> Result<Option<String>, AppError> {
        let (project, _) = self.open(folder)?;
        // Without git there is no name, and the person is asked.
        Ok(project::user_name(&project.root).unwrap_or(None))
    }
}

/// Opens the labels of an eval set: the file is imported first.
pub(crate) fn open_world(
    project: &Project,
    store: Store,
    name: &str,
) -> Result<LabelWorld, AppError> {
    // Three files that are large together, read at once.
    let (folder, outputs, rows) = thread::scope(|scope| {
        let outputs = scope.spawn(|| project.outputs(name));
        let rows = scope.spawn(|| {
            sync::import(project, &store, name)?;
            Ok::<_, AppError>(store.labels(name)?)
        });
        let folder = project.eval_set(name);
        (folder, joined(outputs), joined(rows))
    });
    let (mut folder, mut found) = folder.map_err(|error| crate::open_error(&error))?;
    let (outputs, more) = outputs?;
    found.extend(more);
    found.retain(|one| one.severity == Severity::Error);
    let Some(set) = folder.set.take().filter(|_| found.is_empty()) else {
        let message = format!("the files of the eval set `{name}` have errors");
        return Err(AppError::input(message).with_diagnostics(found));
    };
    let rows = rows?;
    let (categories, dealings) = (Categories::of(&rows), Dealings::of(&rows));
    let labels = Labels::of(rows);
    let outputs = outputs.content.unwrap_or_default();
    let known = |case: Case| (case.id.clone(), KnownCase::of(case, &set.split));
    let cases = in_parts(folder.cases.len(), |places| {
        places.filter_map(|place| folder.cases.nth(place)).map(known).collect::<Vec<_>>()
    });
    let cases = cases.into_iter().flatten().collect();
    let rubrics = set.criteria.iter().map(|one| (one.name.clone(), one.rubric_hash())).collect();
    Ok(LabelWorld { store, folder, set, labels, categories, outputs, dealings, cases, rubrics })
}

fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// Returns the eval set that is meant: the named one, else the one of the newest run.
pub(crate) fn labelled_set(
    store: &Store,
    project: &Project,
    named: Option<&str>,
) -> Result<String, AppError> {
    if let Some(name) = named {
        return Ok(name.to_owned());
    }
    if let [only] = project.eval_sets.as_slice() {
        return Ok(only.clone());
    }
    let newest = store.run_headers(None, None, 1)?;
    newest.into_iter().next().map(|header| header.eval_set).ok_or_else(|| {
        AppError::input("which eval set?")
            .with_hint(format!("this project has {}", project.eval_sets.join(", ")))
    })
}

impl LabelWorld {
    /// Returns the criterion that is meant: the named one, else the primary, else the only one.
    pub(crate) fn criterion(&self, named: Option<&str>) -> Result<&Criterion, AppError> {
        let primary = self.set.primary.as_ref().map(|primary| primary.name.as_str());
        let known: Vec<_> = self.set.criteria.iter().map(|one| one.name.as_str()).collect();
        let name = match (named.or(primary), known.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => only,
            (None, _) => return Err(which_criterion("which criterion?", &known)),
        };
        let missing = || which_criterion(&format!("there is no criterion `{name}`"), &known);
        self.set.criterion(name).ok_or_else(missing)
    }

    /// Tells whether the case or the guideline has changed since a label was given.
    pub(crate) fn is_outdated(&self, event: &evalset::LabelEvent) -> bool {
        let case = self.cases.get(&event.subject.case);
        let rubric = self.rubrics.get(&event.subject.criterion);
        case.zip(rubric).is_none_or(|(case, rubric)| event.is_outdated(case.content, *rubric))
    }

    /// Returns the current labels on a subject that are not outdated.
    pub(crate) fn valid<'a>(
        &'a self,
        on: &SubjectLabels<'a>,
    ) -> Vec<(&'a str, &'a evalset::LabelEvent, &'a LabelValue)> {
        on.current()
            .into_iter()
            .filter(|(_, label)| !self.is_outdated(label.event))
            .map(|(who, label)| (who, label.event, label.value))
            .collect()
    }

    /// Returns what people decided on a subject by labels that are not outdated.
    pub(crate) fn reference(&self, on: &SubjectLabels<'_>) -> Reference {
        on.reference_where(|event| !self.is_outdated(event))
    }

    /// Returns the texts of a subject's outputs, `None` where one is not here.
    pub(crate) fn texts(&self, subject: &LabelSubject) -> Result<Vec<Option<String>>, AppError> {
        let hashes: Vec<_> = subject.output.hashes().collect();
        let kept = |hash| self.outputs.text(hash).map(str::to_owned);
        let missing = hashes.iter().copied().filter(|hash| self.outputs.get(hash).is_none());
        let mut found = self.store.output_texts(missing)?;
        Ok(hashes.iter().map(|hash| kept(hash).or_else(|| found.remove(hash))).collect())
    }
}

fn which_criterion(message: &str, known: &[&str]) -> AppError {
    AppError::input(message)
        .with_hint(format!("this eval set has {}; name one with --criterion", known.join(", ")))
}

/// Returns what a person reads of a case: its variables, then what is expected.
pub(crate) fn input_of(case: &Case) -> (String, Option<String>) {
    let whole = Value::Object(case.inputs.clone());
    (readable(&whole), case.expected.as_ref().map(readable))
}

fn readable(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) => format!("{key}: {text}"),
                other => format!("{key}: {other}"),
            })
            .collect::<Vec<_>>()
            .join("\n"),
        other => other.to_string(),
    }
}
