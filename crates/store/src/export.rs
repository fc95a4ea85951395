use run::{EXPORT_FORMAT, ExportRow};
use values::Id;

use crate::cells::{self, CellRecord};
use crate::error::StoreError;
use crate::runs;
use crate::store::Store;

/// How many ledger entries are read at once.
const PAGE: u32 = 500;

impl Store {
    /// Hands a run's whole record to `write`, row by row: the run, its cells in plan order, its
    /// ledger. Of scores, those that count. Stops at the first error of `write`.
    ///
    /// Memory does not grow with the run. One that goes on meanwhile is exported as far as it was
    /// when each row was read.
    ///
    /// # Errors
    /// What `write` returned, or a [`StoreError`] turned into it.
    pub fn export<E: From<StoreError>>(
        &self,
        run: Id,
        mut write: impl FnMut(ExportRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let header = self.run_header(run)?;
        let cells = header.cells;
        write(ExportRow::Run {
            format: EXPORT_FORMAT,
            state: self.run_state(run)?,
            header: Box::new(header),
        })?;
        for cell in 0..cells {
            let record = self.read(|connection| {
                cells::record(connection, run, runs::number(connection, run)?, cell)
            })?;
            write(cell_row(record))?;
        }
        let mut after = None;
        loop {
            let page = self.ledger(run, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            page.into_iter().try_for_each(|entry| write(ExportRow::Ledger { entry }))?;
        }
    }
}

fn cell_row(record: CellRecord) -> ExportRow {
    let counts = record.generation;
    ExportRow::Cell {
        cell: record.cell,
        status: record.status,
        attempts: record.attempts.into_iter().map(|recorded| recorded.attempt).collect(),
        scores: record
            .scores
            .into_iter()
            .filter(|recorded| Some(recorded.generation) == counts)
            .map(|recorded| recorded.score)
            .collect(),
    }
}
