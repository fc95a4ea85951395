//! Finding cells by case, the cases of a run, and the hosts that were contacted.

use run::FailureKind;
use rusqlite::params;
use values::{ContentHash, Id, Timestamp};

use crate::error::{Doing, StoreError};
use crate::runs;
use crate::sql::{Columns, name_of};
use crate::store::Store;
use crate::writer::Done;

/// A host that runs of this project were sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its origin.
    pub origin: String,
    /// When a run first opened it.
    pub first: Timestamp,
    /// When a run last did.
    pub last: Timestamp,
}

impl Store {
    /// Returns the cases of a run, each id once, with the content that was run.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn run_cases(&self, run: Id) -> Result<Vec<(String, ContentHash)>, StoreError> {
        self.read(|connection| {
            let doing = "read the cases of a run";
            let run_no = runs::number(connection, run)?;
            let mut statement = connection
                .prepare_cached(
                    "SELECT case_id, case_hash FROM run_case WHERE case_no IN
                       (SELECT case_no FROM cell WHERE run_no = ?1) ORDER BY case_no",
                )
                .doing(doing)?;
            let rows = statement
                .query_map([run_no], |row| Ok((row.get(0)?, row.hash(1)?)))
                .doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Returns the places in the plan of a case's cells.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn case_cells(&self, run: Id, case: &str) -> Result<Vec<u32>, StoreError> {
        self.read(|connection| {
            let doing = "look for the cells of a case";
            let run_no = runs::number(connection, run)?;
            let mut statement = connection
                .prepare_cached(
                    "SELECT cell FROM cell JOIN run_case USING (case_no)
                     WHERE run_no = ?1 AND case_id = ?2 ORDER BY cell",
                )
                .doing(doing)?;
            let rows = statement.query_map(params![run_no, case], |row| row.get(0)).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Returns how many cells of a run ended in a failure of a kind.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn count_failures(&self, run: Id, kind: FailureKind) -> Result<u32, StoreError> {
        self.read(|connection| {
            let run_no = runs::number(connection, run)?;
            connection
                .prepare_cached(
                    "SELECT count(*) FROM cell AS c
                       JOIN attempt AS a
                         ON a.run_no = c.run_no AND a.cell = c.cell AND a.number = c.attempt
                     WHERE c.run_no = ?1 AND a.kind = ?2",
                )
                .and_then(|mut count| {
                    count.query_row(params![run_no, name_of(&kind)], |row| row.get(0))
                })
                .doing("count the failures of a run")
        })
    }

    /// Notes that something is about to be sent to these origins.
    pub fn note_contacts(&self, origins: Vec<String>, now: Timestamp, done: Done<()>) {
        self.submit(done, move |connection| {
            let doing = "note which hosts are contacted";
            let mut insert = connection
                .prepare_cached(
                    "INSERT INTO contact (origin, first_at, last_at) VALUES (?1, ?2, ?2)
                     ON CONFLICT (origin) DO UPDATE SET last_at = excluded.last_at",
                )
                .doing(doing)?;
            for origin in &origins {
                insert.execute(params![origin, now.unix_ms()]).doing(doing)?;
            }
            Ok(())
        });
    }

    /// Returns every host that something was sent to.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        self.read(|connection| {
            let doing = "list the hosts that were contacted";
            let mut statement = connection
                .prepare("SELECT origin, first_at, last_at FROM contact ORDER BY origin")
                .doing(doing)?;
            let rows = statement
                .query_map((), |row| {
                    Ok(Contact { origin: row.get(0)?, first: row.time(1)?, last: row.time(2)? })
                })
                .doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }
}
