//! Runs that judge the outputs of other runs.

use run::{PlannedCell, RunHeader};
use rusqlite::{Connection, params};
use values::{Id, Timestamp};

use crate::error::{Doing, StoreError};
use crate::runs;
use crate::sql::Columns;
use crate::store::Store;
use crate::writer::Done;

/// A cell of a judging run with what it judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedCell {
    /// The cell of the judging run.
    pub cell: PlannedCell,
    /// The cells of the judged run whose outputs the judge is shown, in the order in which it sees
    /// them.
    pub of: Vec<u32>,
}

impl Store {
    /// Writes a judging run before its first call, held by this process, as [`Store::create_run`]
    /// does. Its header names the judged run.
    ///
    /// `known` are the runs by which that was judged when this one was planned. Reports `false`, and
    /// writes nothing, if it has others by now: another process has begun to judge it, and what was
    /// planned here would be asked and paid for twice.
    pub fn create_judging_run(
        &self,
        header: RunHeader,
        cells: Vec<JudgedCell>,
        known: Vec<Id>,
        now: Timestamp,
        done: Done<bool>,
    ) {
        let lease = self.lease();
        self.submit(done, move |connection| {
            let doing = "write what a run judges";
            let Some(judging) = &header.judging else {
                return Err(StoreError::Conflict(format!("run {} judges nothing", header.id)));
            };
            runs::number(connection, judging.run)?;
            if judging_ids(connection, judging.run)? != known {
                return Ok(false);
            }
            let planned: Vec<PlannedCell> = cells.iter().map(|one| one.cell.clone()).collect();
            runs::create(connection, &header, Box::new(planned.into_iter()), &lease, now)?;
            let run_no = runs::number(connection, header.id)?;
            connection
                .execute(
                    "UPDATE run SET judges = ?2 WHERE run_no = ?1",
                    params![run_no, judging.run.as_bytes()],
                )
                .doing(doing)?;
            let mut insert = connection
                .prepare_cached(
                    "INSERT INTO judged_cell (run_no, cell, part, of_cell) VALUES (?1, ?2, ?3, ?4)",
                )
                .doing(doing)?;
            for judged in &cells {
                for (part, of) in (0u32..).zip(&judged.of) {
                    insert.execute(params![run_no, judged.cell.index, part, of]).doing(doing)?;
                }
            }
            Ok(true)
        });
    }

    /// Returns the headers of the runs that judge the outputs of a run, oldest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn judging_runs(&self, of: Id) -> Result<Vec<RunHeader>, StoreError> {
        self.read(|connection| {
            let doing = "look for the runs that judge a run";
            let mut statement = connection
                .prepare_cached("SELECT header FROM run WHERE judges = ?1 ORDER BY id")
                .doing(doing)?;
            let rows = statement.query_map([of.as_bytes()], |row| row.json(0)).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Returns the runs that judge the outputs of a run, oldest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn judging_run_ids(&self, of: Id) -> Result<Vec<Id>, StoreError> {
        self.read(|connection| judging_ids(connection, of))
    }

    /// Returns the cells of a judging run with what they judge, in plan order.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn judged_cells(&self, run: Id) -> Result<Vec<JudgedCell>, StoreError> {
        self.read(|connection| {
            let doing = "read what a run judges";
            let run_no = runs::number(connection, run)?;
            let mut statement = connection
                .prepare_cached(
                    "SELECT c.cell, case_id, case_hash, cluster, variant, sample, of_cell
                     FROM judged_cell AS j
                       JOIN cell AS c ON c.run_no = j.run_no AND c.cell = j.cell
                       JOIN run_case USING (case_no)
                     WHERE j.run_no = ?1 ORDER BY j.cell, part",
                )
                .doing(doing)?;
            let rows = statement
                .query_map([run_no], |row| Ok((runs::planned_cell(row)?, row.get::<_, u32>(6)?)))
                .doing(doing)?;
            let mut found: Vec<JudgedCell> = Vec::new();
            for row in rows {
                let (cell, of) = row.doing(doing)?;
                match found.last_mut() {
                    Some(last) if last.cell.index == cell.index => last.of.push(of),
                    _ => found.push(JudgedCell { cell, of: vec![of] }),
                }
            }
            Ok(found)
        })
    }
}

fn judging_ids(connection: &Connection, of: Id) -> Result<Vec<Id>, StoreError> {
    let doing = "look for the runs that judge a run";
    let mut statement = connection
        .prepare_cached("SELECT id FROM run WHERE judges = ?1 ORDER BY id")
        .doing(doing)?;
    let rows =
        statement.query_map([of.as_bytes()], |row| row.get(0).map(Id::from_bytes)).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}
