use run::{Attempt, LedgerEntry, Outcome, PlannedCell, RecordedScore};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use score::Status;
use values::Id;

use crate::cache;
use crate::error::{Doing, StoreError};
use crate::ledger;
use crate::results;
use crate::runs;
use crate::scores;
use crate::sql::Columns;
use crate::store::Store;

/// Which cells a session works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Cells without an outcome, and cells whose answer is not scored.
    Unfinished,
    /// Cells whose outcome is a failure.
    Failed,
    /// Cells with an answer.
    Answered,
}

/// A question for a page of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingQuery {
    /// The run.
    pub run: Id,
    /// Which cells.
    pub selection: Selection,
    /// Only cells of these variants; `None` is all.
    pub variants: Option<Vec<u32>>,
    /// Only cells after this place in the plan.
    pub after: Option<u32>,
    /// How many at most.
    pub limit: u32,
}

/// A cell to be worked on.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingCell {
    /// The cell.
    pub cell: PlannedCell,
    /// The number of its next attempt: one more than the greatest recorded.
    pub next_attempt: u32,
    /// The status that it is counted under now.
    pub status: Option<Status>,
    /// The attempt that answered it, if it has an answer.
    pub answered: Option<Attempt>,
}

/// An attempt as it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedAttempt {
    /// The attempt, with the whole answer.
    pub attempt: Attempt,
    /// The reservation that it settled.
    pub reservation: Option<Id>,
}

/// All that is recorded of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellRecord {
    /// The cell.
    pub cell: PlannedCell,
    /// Its status; `None` while it has no outcome, or an answer that is not scored yet.
    pub status: Option<Status>,
    /// The scoring that counts.
    pub generation: Option<u32>,
    /// Its attempts, in order.
    pub attempts: Vec<RecordedAttempt>,
    /// Its reservations, in order.
    pub ledger: Vec<LedgerEntry>,
    /// Its scores, those of the latest scoring first.
    pub scores: Vec<RecordedScore>,
}

impl Store {
    /// Returns all that is recorded of one cell.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], [`StoreError::UnknownCell`], or if the database cannot be read.
    pub fn cell(&self, run: Id, cell: u32) -> Result<CellRecord, StoreError> {
        self.read(|connection| {
            let run_no = runs::number(connection, run)?;
            let record = record(connection, run, run_no, cell)?;
            Ok(CellRecord { ledger: ledger::of_cell(connection, run, run_no, cell)?, ..record })
        })
    }

    /// Returns all that is recorded of some cells, in the order in which they are named, but their
    /// part of the ledger, which is left empty: it is not kept by cell.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], [`StoreError::UnknownCell`], or if the database cannot be read.
    pub fn cell_records(&self, run: Id, cells: &[u32]) -> Result<Vec<CellRecord>, StoreError> {
        self.read(|connection| {
            let run_no = runs::number(connection, run)?;
            cells.iter().map(|cell| record(connection, run, run_no, *cell)).collect()
        })
    }

    /// Returns a page of cells to work on, in plan order: fewer than `query.limit` only at the end.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn pending_cells(&self, query: &PendingQuery) -> Result<Vec<PendingCell>, StoreError> {
        let doing = "read the cells to work on";
        let filter = match query.selection {
            Selection::Unfinished => "(outcome = 0 OR outcome = 1 AND status IS NULL)",
            Selection::Failed => "outcome = 2",
            Selection::Answered => "outcome = 1",
        };
        let sql = PENDING.replace("{filter}", filter);
        let variants = serde_json::to_string(&query.variants).doing(doing)?;
        self.read(|connection| {
            let run_no = runs::number(connection, query.run)?;
            let mut statement = connection.prepare_cached(&sql).doing(doing)?;
            let after = query.after.map_or(-1, i64::from);
            let rows = statement
                .query_map(params![run_no, after, query.limit, variants], |row| {
                    pending(row, query.run)
                })
                .doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }
}

/// The columns from which [`recorded`] reads an attempt.
macro_rules! attempt_columns {
    () => {
        "text, reply, latency_ms, first_token_ms, a.cost, a.number, started_at, ended_at, source,
         failure, reservation, closes"
    };
}

const PENDING: &str = concat!(
    "SELECT ",
    attempt_columns!(),
    ", outcome, status, c.cell, case_id, case_hash, cluster, variant, sample,
       (SELECT ifnull(max(number) + 1, 0) FROM attempt AS n
        WHERE n.run_no = c.run_no AND n.cell = c.cell)
     FROM cell AS c JOIN run_case USING (case_no)
       LEFT JOIN attempt AS a
         ON a.run_no = c.run_no AND a.cell = c.cell AND a.number = c.attempt AND c.outcome = 1
       LEFT JOIN answer USING (answer_no)
     WHERE c.run_no = ?1 AND c.cell > ?2 AND {filter}
       AND (?4 = 'null' OR variant IN (SELECT value FROM json_each(?4)))
     ORDER BY c.cell LIMIT ?3"
);

fn pending(row: &Row<'_>, run: Id) -> rusqlite::Result<PendingCell> {
    let cell = PlannedCell {
        index: row.get(14)?,
        case_id: row.get(15)?,
        case_hash: row.hash(16)?,
        cluster: row.get(17)?,
        variant: row.get(18)?,
        sample: row.get(19)?,
    };
    let answered = match row.get_ref(1)? {
        ValueRef::Null => None,
        _ => Some(recorded(row, run, cell.index)?.attempt),
    };
    Ok(PendingCell {
        next_attempt: row.get(20)?,
        status: results::status(row, 12)?,
        cell,
        answered,
    })
}

/// Returns all that is recorded of one cell but its ledger, which is not kept by cell.
pub(crate) fn record(
    connection: &Connection,
    run: Id,
    run_no: i64,
    cell: u32,
) -> Result<CellRecord, StoreError> {
    let (planned, status, generation) = connection
        .prepare_cached(
            "SELECT cell, case_id, case_hash, cluster, variant, sample, outcome, status, generation
             FROM cell JOIN run_case USING (case_no) WHERE run_no = ?1 AND cell = ?2",
        )
        .and_then(|mut select| {
            select
                .query_row(params![run_no, cell], |row| {
                    Ok((runs::planned_cell(row)?, results::status(row, 6)?, row.get(8)?))
                })
                .optional()
        })
        .doing("read a cell")?
        .ok_or(StoreError::UnknownCell { run, cell })?;
    let doing = "read the attempts of a cell";
    let mut statement = connection
        .prepare_cached(concat!(
            "SELECT ",
            attempt_columns!(),
            " FROM attempt AS a LEFT JOIN answer USING (answer_no)
             WHERE run_no = ?1 AND cell = ?2 ORDER BY number"
        ))
        .doing(doing)?;
    let attempts =
        statement.query_map(params![run_no, cell], |row| recorded(row, run, cell)).doing(doing)?;
    Ok(CellRecord {
        cell: planned,
        status,
        generation,
        attempts: attempts.collect::<Result<_, _>>().doing(doing)?,
        ledger: Vec::new(),
        scores: scores::scores(connection, run_no, cell)?,
    })
}

/// Returns one attempt, if it is recorded.
pub(crate) fn attempt(
    connection: &Connection,
    run: Id,
    run_no: i64,
    cell: u32,
    number: u32,
) -> Result<Option<RecordedAttempt>, StoreError> {
    connection
        .prepare_cached(concat!(
            "SELECT ",
            attempt_columns!(),
            " FROM attempt AS a LEFT JOIN answer USING (answer_no)
             WHERE run_no = ?1 AND cell = ?2 AND number = ?3"
        ))
        .and_then(|mut select| {
            select
                .query_row(params![run_no, cell, number], |row| recorded(row, run, cell))
                .optional()
        })
        .doing("look for an attempt")
}

fn recorded(row: &Row<'_>, run: Id, cell: u32) -> rusqlite::Result<RecordedAttempt> {
    let outcome = if row.get_ref(9)? == ValueRef::Null {
        Outcome::Answered(Box::new(cache::answer(row, row.name(8)?)?))
    } else {
        Outcome::Failed(row.json(9)?)
    };
    Ok(RecordedAttempt {
        attempt: Attempt {
            run,
            cell,
            number: row.get(5)?,
            started: row.time(6)?,
            ended: row.time(7)?,
            closes: row.get(11)?,
            cost: row.money(4)?,
            outcome,
        },
        reservation: row.get::<_, Option<[u8; 16]>>(10)?.map(Id::from_bytes),
    })
}
