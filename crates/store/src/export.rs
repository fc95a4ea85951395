use std::collections::HashMap;

use run::{EXPORT_FORMAT, ExportRow, RunHeader, VariantSource};
use rusqlite::Connection;
use values::{ContentHash, Id};

use crate::cells::{self, CellRecord};
use crate::error::{Doing, StoreError};
use crate::runs;
use crate::scores::{self, SETTINGS_KIND};
use crate::sql::Columns;
use crate::store::Store;

/// How many ledger entries are read at once.
const PAGE: u32 = 500;

impl Store {
    /// Hands a run's whole record to `write`, and then those of the runs that judge it, row by row, in
    /// the order that [`ExportRow`] gives. Stops at the first error of `write`.
    ///
    /// Of what grows with the run only the hashes of its cases and, of a judging run, what its cells
    /// judge are held. A run that goes on meanwhile is exported as far as it was when each row was read.
    ///
    /// # Errors
    /// What `write` returned, or a [`StoreError`] turned into it.
    pub fn export<E: From<StoreError>>(
        &self,
        run: Id,
        mut write: impl FnMut(ExportRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let judged_by = self.judging_run_ids(run)?;
        self.export_one(run, judged_by.clone(), &mut write)?;
        judged_by.into_iter().try_for_each(|one| self.export_one(one, Vec::new(), &mut write))
    }

    fn export_one<E: From<StoreError>>(
        &self,
        run: Id,
        judged_by: Vec<Id>,
        write: &mut impl FnMut(ExportRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let header = self.run_header(run)?;
        let summary = self.run_summary(run)?;
        let judged: HashMap<u32, Vec<u32>> = match header.judging {
            Some(_) => {
                self.judged_cells(run)?.into_iter().map(|it| (it.cell.index, it.of)).collect()
            }
            None => HashMap::new(),
        };
        let used = self.read(|connection| versions(connection, run, &header))?;
        let cells = header.cells;
        write(ExportRow::Run {
            format: EXPORT_FORMAT,
            state: summary.state,
            state_since: summary.state_since,
            header: Box::new(header),
            judged_by,
        })?;
        for (kind, hash) in used {
            if let Some(body) = self.content(kind, hash)? {
                write(ExportRow::Content { kind: kind.to_owned(), hash, body })?;
            }
        }
        let mut attempts = 0;
        for cell in 0..cells {
            let record = self.read(|connection| {
                cells::record(connection, run, runs::number(connection, run)?, cell)
            })?;
            attempts += record.attempts.len() as u64;
            export_cell(record, judged.get(&cell).cloned().unwrap_or_default(), write)?;
        }
        let mut after = None;
        loop {
            let page = self.ledger(run, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            page.into_iter().try_for_each(|entry| write(ExportRow::Ledger { entry }))?;
        }
        write(ExportRow::End { cells, attempts })
    }
}

/// Returns the versions that a run used: the eval set's, the prompts', the cases'.
fn versions(
    connection: &Connection,
    run: Id,
    header: &RunHeader,
) -> Result<Vec<(&'static str, ContentHash)>, StoreError> {
    let doing = "look for the versions that a run used";
    let mut versions = vec![("evalset", header.eval_set_hash)];
    let run_no = runs::number(connection, run)?;
    let mut statement = connection
        .prepare_cached(
            "SELECT DISTINCT settings, judges FROM scoring WHERE run_no = ?1 ORDER BY generation",
        )
        .doing(doing)?;
    let scorings = statement
        .query_map([run_no], |row| Ok((row.hash(0)?, scores::judges(row, 1)?)))
        .doing(doing)?;
    let mut judges = Vec::new();
    for scoring in scorings {
        let (settings, asked) = scoring.doing(doing)?;
        if !versions.contains(&(SETTINGS_KIND, settings)) {
            versions.push((SETTINGS_KIND, settings));
        }
        judges.extend(asked);
    }
    for variant in header.variants.iter().chain(&judges) {
        if let VariantSource::Prompt { version, .. } = variant.source
            && !versions.contains(&("prompt", version))
        {
            versions.push(("prompt", version));
        }
    }
    let mut statement = connection
        .prepare_cached(
            "SELECT DISTINCT case_hash FROM run_case
             WHERE case_no IN (SELECT case_no FROM cell WHERE run_no = ?1) ORDER BY case_no",
        )
        .doing(doing)?;
    let cases = statement.query_map([run_no], |row| row.hash(0)).doing(doing)?;
    for case in cases {
        versions.push(("case", case.doing(doing)?));
    }
    Ok(versions)
}

fn export_cell<E>(
    record: CellRecord,
    judges: Vec<u32>,
    write: &mut impl FnMut(ExportRow) -> Result<(), E>,
) -> Result<(), E> {
    let cell = record.cell.index;
    write(ExportRow::Cell { cell: record.cell, status: record.status, judges })?;
    for recorded in record.attempts {
        write(ExportRow::Attempt {
            attempt: Box::new(recorded.attempt),
            reservation: recorded.reservation,
        })?;
    }
    record.scores.into_iter().try_for_each(|score| write(ExportRow::Score { cell, score }))
}
