//! Recorded responses in an eval set's folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use document::{Diagnostic, Severity, Span};
use evalset::Case;
use project::Project;
use provider::Replay;
use run::{Answer, CaseRef, Outcome, PlannedCell, Recording, RunHeader, plan_order};
use store::{PendingQuery, Selection, Store};
use values::{ContentHash, Id, Timestamp};

use crate::material::Material;
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
        needed: &BTreeSet<ContentHash>,
    ) -> Result<usize, AppError> {
        let mut rows: BTreeMap<ContentHash, Recording> = BTreeMap::new();
        for row in read_rows(project, &header.eval_set)? {
            if needed.contains(&row.key) {
                rows.insert(row.key, row);
            }
        }
        each_answer(store, header.id, |cell, answer| {
            if let Ok(prepared) = calls.prepare_now(&cell) {
                let row = Recording::new(&prepared.call, cell.sample, &answer, (self.host.now)());
                rows.insert(row.key, row);
            }
        })?;
        let text = run::write_recordings(rows.into_values());
        files::write_atomic(&recordings_path(project, &header.eval_set), text.as_bytes())?;
        Ok(text.lines().count())
    }
}

/// Reads the recordings of an eval set. Blocking.
pub(crate) fn recordings(project: &Project, set: &str) -> Result<Arc<Replay>, AppError> {
    Ok(Arc::new(Replay::open(set, read_rows(project, set)?)))
}

/// Returns the keys of every call that the files of an eval set make today: all its variants,
/// cases and samples. Blocking.
pub(crate) fn needed_keys(
    material: &Material,
    calls: &RunCalls,
    samples: u32,
) -> Result<BTreeSet<ContentHash>, AppError> {
    let cases: Vec<Case> = material.cases.iter().collect();
    let refs: Vec<_> = cases
        .iter()
        .map(|case| CaseRef { id: &case.id, hash: case.content_hash(), cluster: None })
        .collect();
    let variants = u32::try_from(material.variants.len()).unwrap_or(u32::MAX);
    let cells = plan_order(&refs, variants, samples, 0)
        .map_err(|error| AppError::input(error.to_string()))?;
    let keys = cells.iter().filter_map(|cell| {
        let prepared = calls.prepare_now(cell).ok()?;
        Some(prepared.call.recording_key(cell.sample))
    });
    Ok(keys.collect())
}

pub(crate) fn read_rows(project: &Project, set: &str) -> Result<Vec<Recording>, AppError> {
    let path = recordings_path(project, set);
    let Some(text) = files::read_text_if_present(&path)? else { return Ok(Vec::new()) };
    let (rows, bad) = run::read_recordings(&text);
    if bad.is_empty() {
        return Ok(rows);
    }
    let shown = Path::new("evalsets").join(set).join("recorded.jsonl");
    let found = bad.into_iter().map(|bad| Diagnostic {
        severity: Severity::Error,
        code: "bad-recording".to_owned(),
        message: bad.problem,
        hint: Some("remove the line, or record again with --record".to_owned()),
        file: shown.to_string_lossy().into_owned(),
        span: Some(Span::default()),
        position: Some(document::Position {
            line: u32::try_from(bad.line).unwrap_or(u32::MAX),
            column: u32::try_from(bad.column).unwrap_or(u32::MAX),
        }),
        excerpt: None,
    });
    Err(AppError::input("the recordings cannot be read").with_diagnostics(found.collect()))
}

/// Returns when the newest recording of an eval set was made, if recordings answered a run. Blocking.
pub(crate) fn newest_recording(
    project: &Project,
    header: &RunHeader,
) -> Result<Option<Timestamp>, AppError> {
    if !header.replay {
        return Ok(None);
    }
    Ok(read_rows(project, &header.eval_set)?.iter().map(|row| row.recorded_at).max())
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
