//! Keeping `labels.jsonl` and the database one: reading by union, writing what the file lacks.

use std::collections::BTreeSet;

use document::{Diagnostic, Severity};
use evalset::{LabelRow, write_labels};
use files::FileProblem;
use project::Project;
use store::{LabelOrigin, Store, wait};
use values::Id;

use crate::AppError;

/// How often a file that changes while it is merged is merged again.
const TRIES: usize = 5;

/// Imports the file of an eval set by union and returns its rows.
///
/// # Errors
/// [`crate::ErrorKind::Input`] with every line that is no label; nothing is imported then.
pub(crate) fn import(
    project: &Project,
    store: &Store,
    set: &str,
) -> Result<Vec<LabelRow>, AppError> {
    let (file, found) = project.labels(set)?;
    refuse_bad_lines(set, "labels.jsonl", found)?;
    let rows = file.content.unwrap_or_default();
    wait(|done| store.add_labels(set, rows.clone(), LabelOrigin::File, done))?;
    Ok(rows)
}

/// Writes what was made here and the file has never had; with `all` everything that the database
/// has. Returns how many rows the file got.
///
/// A row is only ever removed by a tombstone. A file with a line that is no label stays as it is.
pub(crate) fn write(
    project: &Project,
    store: &Store,
    set: &str,
    all: bool,
) -> Result<usize, AppError> {
    let _lock = files::lock(&project.root.join(".trysquare/labels.lock"))?;
    let mut left = TRIES;
    loop {
        // The database first: what another process notes as written after this is in the file then.
        let pending = if all { store.labels(set)? } else { store.labels_to_write(set)? };
        let (file, found) = project.labels(set)?;
        refuse_bad_lines(set, "labels.jsonl", found)?;
        let mut rows = file.content.clone().unwrap_or_default();
        let standing: BTreeSet<Id> = rows.iter().map(LabelRow::id).collect();
        wait(|done| store.add_labels(set, rows.clone(), LabelOrigin::File, done))?;
        let purged = store.purged_labels(set)?;
        if standing.iter().any(|id| purged.contains(id)) {
            // Another branch brought back what was purged: its tombstone comes with it.
            let known = store.labels(set)?;
            rows.extend(known.into_iter().filter(|row| !row.purges().is_empty()));
        } else if pending.is_empty() {
            return Ok(0);
        }
        keep_outputs(project, store, set, &pending)?;
        let ids: Vec<Id> = pending.iter().map(LabelRow::id).collect();
        let added = ids.iter().filter(|id| !standing.contains(id)).count();
        rows.extend(pending);
        let text = write_labels(rows);
        left -= 1;
        match file.write(&text) {
            Ok(()) => {
                wait(|done| store.labels_are_written(set, ids, done))?;
                return Ok(added);
            }
            Err(error) if matches!(error.problem, FileProblem::Changed) && left > 0 => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Adds the outputs that labels are about to `outputs.jsonl`, as far as their texts are here.
fn keep_outputs(
    project: &Project,
    store: &Store,
    set: &str,
    rows: &[LabelRow],
) -> Result<(), AppError> {
    let mut left = TRIES;
    loop {
        let (file, found) = project.outputs(set)?;
        refuse_bad_lines(set, "outputs.jsonl", found)?;
        let mut outputs = file.content.clone().unwrap_or_default();
        let named = rows.iter().filter_map(LabelRow::subject);
        let missing: BTreeSet<_> = named
            .flat_map(|subject| subject.output.hashes())
            .filter(|hash| outputs.get(hash).is_none())
            .collect();
        let texts = store.output_texts(missing)?;
        if texts.is_empty() {
            return Ok(());
        }
        for text in texts.values() {
            outputs.insert(text);
        }
        left -= 1;
        match file.write(&outputs.to_text()) {
            Ok(()) => return Ok(()),
            Err(error) if matches!(error.problem, FileProblem::Changed) && left > 0 => {}
            Err(error) => return Err(error.into()),
        }
    }
}

pub(crate) fn refuse_bad_lines(
    set: &str,
    file: &str,
    mut found: Vec<Diagnostic>,
) -> Result<(), AppError> {
    found.retain(|one| one.severity == Severity::Error);
    if found.is_empty() {
        return Ok(());
    }
    let message = format!("evalsets/{set}/{file} has lines that cannot be read");
    Err(AppError::input(message)
        .with_hint("mend or remove them; until then the file is left as it is, and nothing is lost")
        .with_diagnostics(found))
}
