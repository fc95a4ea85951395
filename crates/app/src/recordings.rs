//! Recorded responses in an eval set's folder.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use document::{Diagnostic, Severity, Span};
use files::{FileProblem, Snapshot};
use project::{Project, Reformatted};
use provider::Replay;
use run::{Answer, AnswerSource, Outcome, PlannedCell, Recording, RunHeader};
use store::{PendingQuery, Selection, Store};
use values::{ContentHash, Id, Timestamp};

use crate::judging::Needed;
use crate::plan::recordings_path;
use crate::port::RunCalls;
use crate::{App, AppError};

impl App {
    /// Writes the answers of a run as recordings, and drops what no version in the files needs any
    /// more. Returns how many rows the file holds. Blocking.
    pub(crate) fn write_recordings(
        &self,
        project: &Project,
        store: &Store,
        header: &RunHeader,
        calls: &RunCalls,
        needed: &Needed,
    ) -> Result<usize, AppError> {
        let mut recorded: BTreeMap<ContentHash, Recording> = BTreeMap::new();
        each_answer(store, header.id, |cell, answer| {
            if let Ok(prepared) = calls.prepare_now(&cell) {
                let row = Recording::new(&prepared.call, cell.sample, &answer, (self.host.now)());
                recorded.insert(row.key, row);
            }
        })?;
        let set = &header.eval_set;
        let merge = |standing: &str| {
            let mut rows: BTreeMap<_, _> =
                readable_rows(set, standing)?.into_iter().map(|row| (row.key, row)).collect();
            rows.extend(recorded.clone());
            let keys = needed.keys(|key| rows.get(key).map(|row| &row.reply))?;
            // What a probe shows was made up: no version in the files says which of it is needed.
            let is_probe = header.judging.is_some_and(|judging| judging.probe);
            rows.retain(|key, _| is_probe || keys.contains(key) || recorded.contains_key(key));
            Ok(run::write_recordings(rows.into_values()))
        };
        // Runs wait for each other here. What else writes the file does not, and is merged again.
        let _lock = files::lock(&project.root.join(".trysquare/recordings.lock"))?;
        let text = update(&recordings_path(project, set), merge)?;
        Ok(text.lines().count())
    }
}

/// How often a file that changes while it is merged is merged again.
const TRIES: usize = 5;

/// Replaces a file's text by what `merge` makes of it, and returns that. A file that changed
/// meanwhile is merged again, so that nothing that somebody else wrote is lost.
fn update(
    path: &Path,
    mut merge: impl FnMut(&str) -> Result<String, AppError>,
) -> Result<String, AppError> {
    let mut left = TRIES;
    loop {
        let standing = files::read_text_if_present(path)?;
        let snapshot = match &standing {
            Some(text) => Snapshot::of(path, text.as_bytes()),
            None => Snapshot::absent(path),
        };
        let text = merge(standing.as_deref().unwrap_or_default())?;
        left -= 1;
        match files::write_unless_changed(&snapshot, text.as_bytes()) {
            Ok(_) => return Ok(text),
            Err(error) if matches!(error.problem, FileProblem::Changed) && left > 0 => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reads the recordings of an eval set. Blocking.
pub(crate) fn recordings(project: &Project, set: &str) -> Result<Arc<Replay>, AppError> {
    Ok(Arc::new(Replay::open(set, read_rows(project, set)?)))
}

pub(crate) fn read_rows(project: &Project, set: &str) -> Result<Vec<Recording>, AppError> {
    match files::read_text_if_present(&recordings_path(project, set))? {
        Some(text) => readable_rows(set, &text),
        None => Ok(Vec::new()),
    }
}

/// Reads rows of which none may be bad.
fn readable_rows(set: &str, text: &str) -> Result<Vec<Recording>, AppError> {
    let (rows, found) = read_lines(set, text);
    if found.is_empty() {
        return Ok(rows);
    }
    Err(AppError::input("the recordings cannot be read").with_diagnostics(found))
}

/// Reads the lines of an eval set's recordings, and says what is wrong with those that are none.
fn read_lines(set: &str, text: &str) -> (Vec<Recording>, Vec<Diagnostic>) {
    let (rows, bad) = run::read_recordings(text);
    let file = inside_project(set).to_string_lossy().into_owned();
    let found = bad.into_iter().map(|bad| Diagnostic {
        severity: Severity::Error,
        code: "bad-recording".to_owned(),
        message: bad.problem,
        hint: Some("remove the line, or record again with --record".to_owned()),
        file: file.clone(),
        span: Some(Span::default()),
        position: Some(document::Position {
            line: u32::try_from(bad.line).unwrap_or(u32::MAX),
            column: u32::try_from(bad.column).unwrap_or(u32::MAX),
        }),
        excerpt: None,
    });
    (rows, found.collect())
}

fn inside_project(set: &str) -> PathBuf {
    Path::new("evalsets").join(set).join("recorded.jsonl")
}

/// When the recordings were made that answered a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordedRange {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// Finds the recordings that answered cells of a run: of the rows that the file has now those that say
/// what was answered, of the same repetition and latency. `None` if recordings answered nothing, or
/// those that did are not in the file any more. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Input`] if the file cannot be read; [`crate::ErrorKind::Record`].
pub(crate) fn used_recordings(
    project: &Project,
    store: &Store,
    header: &RunHeader,
    variant: u32,
) -> Result<Option<RecordedRange>, AppError> {
    if !header.replay {
        return Ok(None);
    }
    let mut made: HashMap<(ContentHash, u32, u64), RecordedRange> = HashMap::new();
    for row in read_rows(project, &header.eval_set)? {
        let range = RecordedRange { from: row.recorded_at, to: row.recorded_at };
        let key = (ContentHash::of_bytes(row.reply.text.as_bytes()), row.sample, row.latency_ms);
        made.entry(key).and_modify(|found| *found = found.with(range)).or_insert(range);
    }
    let mut found: Option<RecordedRange> = None;
    each_answer(store, header.id, |cell, answer| {
        if cell.variant != variant || answer.source != AnswerSource::Replay {
            return;
        }
        let text = ContentHash::of_bytes(answer.reply.text.as_bytes());
        if let Some(range) = made.get(&(text, cell.sample, answer.latency_ms)) {
            found = Some(found.map_or(*range, |found| found.with(*range)));
        }
    })?;
    Ok(found)
}

impl RecordedRange {
    pub(crate) fn with(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.max(other.to) }
    }
}

/// Returns what an eval set's recordings should hold if they are not canonical, and the lines that
/// are no recordings. A file that has such lines is left as it is. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Input`] if the file cannot be read.
pub(crate) fn to_reformat(
    project: &Project,
    set: &str,
) -> Result<(Option<Reformatted>, Vec<Diagnostic>), AppError> {
    let path = recordings_path(project, set);
    let Some(standing) = files::read_text_if_present(&path)? else {
        return Ok((None, Vec::new()));
    };
    let (rows, found) = read_lines(set, &standing);
    let text = run::write_recordings(rows);
    let changed = (found.is_empty() && text != standing).then(|| Reformatted {
        path: inside_project(set),
        snapshot: Snapshot::of(&path, standing.as_bytes()),
        text,
    });
    Ok((changed, found))
}

/// Hands every answered cell of a run with its answer to `take`, page by page.
pub(crate) fn each_answer(
    store: &Store,
    run: Id,
    mut take: impl FnMut(PlannedCell, Answer),
) -> Result<(), AppError> {
    let mut query = PendingQuery {
        run,
        selection: Selection::Answered,
        variants: None,
        after: None,
        limit: 500,
    };
    loop {
        let page = store.pending_cells(&query)?;
        let Some(last) = page.last() else { return Ok(()) };
        query.after = Some(last.cell.index);
        for pending in page {
            if let Some(Outcome::Answered(answer)) = pending.answered.map(|attempt| attempt.outcome)
            {
                take(pending.cell, *answer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_wrote_meanwhile_is_merged_and_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recorded.jsonl");
        let mut others = vec!["one\n", "two\n"];
        let text = update(&path, |standing| {
            if let Some(row) = others.pop() {
                files::write_atomic(&path, format!("{standing}{row}").as_bytes())?;
            }
            Ok(format!("{standing}ours\n"))
        });
        assert_eq!(text.unwrap(), "two\none\nours\n");
        assert_eq!(files::read_text(&path).unwrap(), "two\none\nours\n");
    }

    #[test]
    fn a_file_that_never_rests_is_left_to_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recorded.jsonl");
        let mut times = 0;
        let error = update(&path, |standing| {
            times += 1;
            files::write_atomic(&path, format!("{standing}theirs\n").as_bytes())?;
            Ok("ours\n".to_owned())
        });
        assert!(error.unwrap_err().message.contains("changed on disk"));
        assert_eq!(times, TRIES);
        assert_eq!(files::read_text(&path).unwrap(), "theirs\n".repeat(TRIES));
    }
}
