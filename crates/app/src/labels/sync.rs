//! Keeping `labels.jsonl` and the database one: reading by union, writing what the file lacks.
//!
//! The database knows by its hash the file whose rows it holds, so that one that has not changed is not
//! read again.

use std::collections::BTreeSet;

use document::{Diagnostic, Severity};
use evalset::{LabelLine, LabelRow, LabelText};
use files::FileProblem;
use project::{Project, SetFile};
use store::{LabelFile, Store, wait};
use values::{ContentHash, Id};

use crate::AppError;
use crate::parts::in_parts;

/// How often a file that changes while it is merged is merged again.
const TRIES: usize = 5;

/// A file whose rows are all in the database.
struct Known {
    file: SetFile<Vec<LabelRow>>,
    is_canonical: bool,
}

/// Imports the file of an eval set by union, unless the database knows it.
///
/// # Errors
/// [`crate::ErrorKind::Input`] with every line that is no label; nothing is imported then.
pub(crate) fn import(project: &Project, store: &Store, set: &str) -> Result<(), AppError> {
    known(project, store, set).map(drop)
}

fn known(project: &Project, store: &Store, set: &str) -> Result<Known, AppError> {
    let mut file = project.label_text(set)?;
    let Some(hash) = file.snapshot.hash() else {
        return Ok(Known { file, is_canonical: true });
    };
    if let Some(known) = store.label_file(set)?.filter(|known| known.hash == hash) {
        return Ok(Known { file, is_canonical: known.is_canonical });
    }
    let lines = lines(set, &mut file)?;
    let mut canonical = LabelText::default();
    for line in &lines {
        canonical.add(line);
    }
    let is_canonical = file.text.as_ref() == Some(&canonical.into_text());
    let noted = LabelFile { hash, is_canonical };
    wait(|done| store.note_label_file(set, noted, lines, Vec::new(), done))?;
    Ok(Known { file, is_canonical })
}

/// Reads the rows of a file, all of which must be good.
fn lines(set: &str, file: &mut SetFile<Vec<LabelRow>>) -> Result<Vec<LabelLine>, AppError> {
    let found = file.read_rows();
    refuse_bad_lines(set, "labels.jsonl", found)?;
    Ok(written(file.content.take().unwrap_or_default()))
}

/// Writes rows, each alone.
fn written(rows: Vec<LabelRow>) -> Vec<LabelLine> {
    let texts = in_parts(rows.len(), |places| {
        rows[places].iter().map(LabelRow::row).collect::<Vec<String>>()
    });
    let texts = texts.into_iter().flatten();
    texts.zip(rows).map(|(text, row)| LabelLine { text, row }).collect()
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
    merge(project, store, set, all, Vec::new())
}

/// Writes rows into the file and then into the database, with what was made here before. Whoever dies
/// between the two finds them in the file.
pub(crate) fn bring(
    project: &Project,
    store: &Store,
    set: &str,
    rows: Vec<LabelRow>,
) -> Result<usize, AppError> {
    merge(project, store, set, false, written(rows))
}

fn merge(
    project: &Project,
    store: &Store,
    set: &str,
    all: bool,
    mut new: Vec<LabelLine>,
) -> Result<usize, AppError> {
    let _lock = files::lock(&project.root.join(".trysquare/labels.lock"))?;
    let mut left = TRIES;
    loop {
        // The database first: what another process notes as written after this is in the file then.
        let pending = if all { store.labels(set)? } else { store.labels_to_write(set)? };
        let Known { mut file, is_canonical } = known(project, store, set)?;
        let standing_lines = if is_canonical { Vec::new() } else { lines(set, &mut file)? };
        let mut text = match &file.text {
            Some(text) if is_canonical => LabelText::of_canonical(text),
            _ => LabelText::default(),
        };
        for line in &standing_lines {
            text.add(line);
        }
        let mut made = written(pending);
        if store.purged_labels(set)?.into_iter().any(|id| text.holds(id)) {
            // Another branch brought back what was purged: its tombstone comes with it.
            let tombstones = store.label_tombstones(set)?;
            made.extend(tombstones.into_iter().map(LabelLine::of));
        } else if made.is_empty() && new.is_empty() {
            return Ok(0);
        }
        keep_outputs(project, store, set, &made)?;
        let ids_made: Vec<Id> = made.iter().map(|line| line.row.id()).collect();
        let ids: BTreeSet<Id> = made.iter().chain(&new).map(|line| line.row.id()).collect();
        let added = ids.into_iter().filter(|id| !text.holds(*id)).count();
        for line in made.iter().chain(&new) {
            text.add(line);
        }
        let text = text.into_text();
        left -= 1;
        match file.write(&text) {
            Ok(()) => {
                let hash = ContentHash::of_bytes(text.as_bytes());
                let noted = LabelFile { hash, is_canonical: true };
                let new = std::mem::take(&mut new);
                wait(|done| store.note_label_file(set, noted, new, ids_made, done))?;
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
    lines: &[LabelLine],
) -> Result<(), AppError> {
    let mut left = TRIES;
    loop {
        let named: BTreeSet<ContentHash> = lines
            .iter()
            .filter_map(|line| line.row.subject())
            .flat_map(|subject| subject.output.hashes())
            .collect();
        if named.is_empty() {
            return Ok(());
        }
        let (file, found) = project.outputs(set)?;
        refuse_bad_lines(set, "outputs.jsonl", found)?;
        let mut outputs = file.content.clone().unwrap_or_default();
        let missing = named.into_iter().filter(|hash| outputs.get(hash).is_none());
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
