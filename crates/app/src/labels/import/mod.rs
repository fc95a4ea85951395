//! Bringing in what people and judges said elsewhere, by a mapping.

mod changes;
mod gather;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use document::{Diagnostic, Severity};
use evalset::{Act, EvalSet, LabelEvent, LabelRow, Outputs};
use interchange::{LabelMap, RowFormat};
use project::{EvalSetFolder, Project};
use serde::Serialize;
use store::wait;
use values::ContentHash;

use super::{LabelWorld, labelled_set, open_world, sync};
use crate::{App, AppError};
use changes::Changes;
use gather::Gathered;

/// So many problems are shown; a file of another form has one on every row.
const SHOWN: usize = 20;

/// What a person asks to bring in.
#[derive(Debug, Clone)]
pub struct LabelImport {
    /// The eval set; else the only one, else that of the newest run.
    pub set: Option<String>,
    /// The mapping's file.
    pub map: PathBuf,
    /// Say what would be brought in, and write nothing.
    pub preview: bool,
    /// Leave out rows with a problem. Without it one problem is enough to bring in nothing.
    pub skip_bad: bool,
}

/// A file of rows, as it was read.
#[derive(Debug, Clone)]
pub struct ImportFile {
    name: String,
    bytes: Vec<u8>,
}

impl ImportFile {
    /// Reads a file. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if it cannot be read.
    pub fn open(path: &Path) -> Result<Self, AppError> {
        let name = path.to_string_lossy().into_owned();
        Ok(Self { name, bytes: files::read_bytes(path)? })
    }

    /// Reads a stream to its end. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if it cannot be read.
    pub fn read(name: &str, mut stream: impl Read) -> Result<Self, AppError> {
        let mut bytes = Vec::new();
        stream
            .read_to_end(&mut bytes)
            .map_err(|error| AppError::input(format!("failed to read {name}")).caused_by(error))?;
        Ok(Self { name: name.to_owned(), bytes })
    }

    fn format(&self, map: &LabelMap) -> Result<RowFormat, AppError> {
        map.format.or_else(|| RowFormat::of_file(&self.name)).ok_or_else(|| {
            AppError::input(format!("nothing says what form {} has", self.name))
                .with_hint("say `format: json`, `jsonl` or `csv` in the mapping")
        })
    }
}

/// What was brought in, or would be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelsImported {
    /// The eval set.
    pub eval_set: String,
    /// Whether nothing was written.
    pub preview: bool,
    /// The rows of the files.
    pub rows: u64,
    /// Cases.
    pub cases: Brought,
    /// Texts of outputs.
    pub outputs: Brought,
    /// Labels.
    pub labels: Brought,
    /// New labels that take the place of one that an earlier import brought.
    pub labels_changed: usize,
    /// Labels that were purged here and stay away.
    pub labels_purged: usize,
    /// Labels of which the mapping does not say that chance drew their case: they enter no rate.
    pub labels_not_drawn: usize,
    /// What people said, by criterion.
    pub criteria: Vec<ImportedCriterion>,
    /// What judges said, by criterion and judge.
    pub judges: Vec<ImportedJudge>,
    /// What is odd about the mapping.
    pub warnings: Vec<Diagnostic>,
    /// What could not be brought in, at most the first twenty problems.
    pub skipped: Vec<Diagnostic>,
    /// How many problems there are.
    pub problems: usize,
    /// The first rows, as they were understood.
    pub examples: Vec<ImportedExample>,
}

/// How much of something is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Brought {
    /// Not here before.
    pub new: usize,
    /// Here already, and left as it is.
    pub known: usize,
}

/// What people said on a criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportedCriterion {
    /// The criterion.
    pub criterion: String,
    /// How many people.
    pub labellers: usize,
    /// How often each value was given.
    pub values: BTreeMap<String, usize>,
}

/// What a judge said on a criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportedJudge {
    /// The judge, by the name in the mapping.
    pub judge: String,
    /// The criterion.
    pub criterion: String,
    /// Verdicts, those of both orders of a pair apart.
    pub verdicts: Brought,
    /// Those among them that could not be read.
    pub unreadable: usize,
}

/// A row as it was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportedExample {
    /// The case.
    pub case: String,
    /// What people said: criterion, person and value.
    pub labels: Vec<String>,
    /// What judges said: criterion, judge and value.
    pub verdicts: Vec<String>,
}

impl App {
    /// Brings in what people and judges said elsewhere. Blocking.
    ///
    /// Everything is read and checked before anything is written. Cases that the set does not have are
    /// added to it; what is known stays. An import that was cut off is completed by another one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] with the place of every problem: of the mapping, and of the rows
    /// unless they are to be left out; nothing is written then.
    pub fn import_labels(
        &self,
        folder: Option<&Path>,
        request: &LabelImport,
        data: &[ImportFile],
    ) -> Result<LabelsImported, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let name = labelled_set(&store, &project, request.set.as_deref())?;
        let mut world = open_world(&project, store, &name)?;
        world.require_splits(&format!("trysquare label {name}"))?;
        let (map, warnings) = read_map(&request.map, &world.set)?;
        let gathered = Gathered::read(&map, data, &world.cases)?;
        if !gathered.bad.is_empty() && !request.skip_bad {
            return Err(refused(gathered.bad));
        }
        let changes = Changes::of(gathered, &map, &world, &name)?;
        let imported = changes.summary(&name, request.preview, warnings);
        if !request.preview {
            self.keep_import(changes, &project, &mut world)?;
        }
        Ok(imported)
    }
}

/// Reads a mapping for a set; what is odd about it is the second value.
fn read_map(path: &Path, set: &EvalSet) -> Result<(LabelMap, Vec<Diagnostic>), AppError> {
    let (name, text) = (path.to_string_lossy(), files::read_text(path)?);
    let (map, mut found) = LabelMap::read(&name, &text);
    let map = map.map(|mut map| {
        found.extend(map.bind(&name, &text, set));
        map
    });
    let has_errors = found.iter().any(|one| one.severity == Severity::Error);
    if let Some(map) = map.filter(|_| !has_errors) {
        return Ok((map, found));
    }
    Err(AppError::input(format!("the mapping {name} has errors")).with_diagnostics(found))
}

fn refused(mut bad: Vec<Diagnostic>) -> AppError {
    let count = bad.len();
    bad.truncate(SHOWN);
    let problems = if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
    let shown = if count > SHOWN { format!(", of which {SHOWN} are shown") } else { String::new() };
    AppError::input(format!("the rows have {problems}{shown}; nothing was imported"))
        .with_hint("mend the rows or the mapping, or leave such rows out with --skip-bad")
        .with_diagnostics(bad)
}

/// Writes what is new. Each step alone leaves files and record sound, and the next import goes on from
/// there: a label's case and output stand before the label does.
impl App {
    fn keep_import(
        &self,
        changes: Changes,
        project: &Project,
        world: &mut LabelWorld,
    ) -> Result<(), AppError> {
        keep_cases(&mut world.folder, &changes)?;
        let (store, set) = (&world.store, &world.folder.name);
        keep_outputs(project, set, &changes.texts)?;
        let Changes { verdicts, labels, .. } = changes;
        wait(|done| store.add_judgements(set, verdicts, done))?;
        let events = labels.into_iter().map(|event| LabelRow::Event(Box::new(event)));
        let mut rows: Vec<LabelRow> = events.collect();
        if !rows.is_empty() && !world.dealings.is_known() {
            rows.push(world.dealings.row(&self.host, world.set.split));
        }
        sync::bring(project, store, set, rows).map(drop)
    }
}

fn keep_cases(folder: &mut EvalSetFolder, changes: &Changes) -> Result<(), AppError> {
    if changes.cases.is_empty() {
        return Ok(());
    }
    let added = folder.cases.append_rows(&changes.cases);
    added.map_err(|error| AppError::input(error.to_string()))?;
    Ok(folder.save_cases()?)
}

fn keep_outputs(
    project: &Project,
    set: &str,
    texts: &BTreeMap<ContentHash, String>,
) -> Result<(), AppError> {
    if texts.is_empty() {
        return Ok(());
    }
    let (file, found) = project.outputs(set)?;
    sync::refuse_bad_lines(set, "outputs.jsonl", found)?;
    let mut outputs: Outputs = file.content.clone().unwrap_or_default();
    for text in texts.values() {
        outputs.insert(text);
    }
    Ok(file.write(&outputs.to_text())?)
}

/// Counts what people said, by criterion.
fn criteria<'a>(labels: impl Iterator<Item = &'a LabelEvent>) -> Vec<ImportedCriterion> {
    let mut found: BTreeMap<&str, (BTreeSet<&str>, BTreeMap<String, usize>)> = BTreeMap::new();
    for label in labels {
        let Act::Label(value) = &label.act else { continue };
        let (people, values) = found.entry(&label.subject.criterion).or_default();
        people.insert(&label.labeller);
        *values.entry(value.word().into_owned()).or_default() += 1;
    }
    let criteria = found.into_iter().map(|(criterion, (people, values))| ImportedCriterion {
        criterion: criterion.to_owned(),
        labellers: people.len(),
        values,
    });
    criteria.collect()
}
