use run::{PlannedCell, RunHeader, RunState, Spend};
use rusqlite::{Connection, OptionalExtension, params};
use values::{ContentHash, Id, Timestamp};

use crate::error::{Doing, StoreError};
use crate::leases::{self, Lease};
use crate::ledger;
use crate::results::{self, Tally};
use crate::sql::{Columns, name_of};
use crate::store::Store;
use crate::sums;
use crate::writer::Done;
use crate::writing::{RunRow, Writing};

/// The cells of a plan, in its order; made one by one so that a plan need not fit in memory.
pub type PlannedCells = Box<dyn Iterator<Item = PlannedCell> + Send>;

/// Where a run stands when a session takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its state before this session; of a run whose process died, [`RunState::Running`].
    pub state: RunState,
    /// The scoring to which new scores belong, unless the run is scored again.
    pub generation: u32,
    /// How many cells stand where.
    pub tally: Tally,
    /// The run's part of the ledger; nothing is reserved any more, unless it was held before.
    pub spend: Spend,
    /// Answers that came from the cache.
    pub hits: u32,
}

/// A version of a prompt, a case, an eval set … that a run used, kept for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What it is (`prompt`, `case`, `evalset`).
    pub kind: String,
    /// Its hash, as its kind defines it.
    pub hash: ContentHash,
    /// All that is needed to show it.
    pub body: String,
}

impl Store {
    /// Writes a run before its first call, held by this process.
    ///
    /// Fails with [`StoreError::Conflict`] if the run exists or the cells are not numbered from 0
    /// to the header's count; then nothing is kept.
    pub fn create_run(
        &self,
        header: RunHeader,
        cells: PlannedCells,
        now: Timestamp,
        done: Done<()>,
    ) {
        let lease = self.lease();
        self.submit(done, move |connection| create(connection, &header, cells, &lease, now));
    }

    /// Keeps versions of what runs use; those that are already kept stay as they are.
    pub fn keep_contents(&self, contents: Vec<Content>, now: Timestamp, done: Done<()>) {
        self.submit(done, move |connection| {
            let doing = "keep a version";
            let mut insert = connection
                .prepare_cached(
                    "INSERT INTO content (kind, hash, body, kept_at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO NOTHING",
                )
                .doing(doing)?;
            for content in contents {
                let Content { kind, hash, body } = content;
                insert.execute(params![kind, hash.as_bytes(), body, now.unix_ms()]).doing(doing)?;
            }
            Ok(())
        });
    }

    /// Returns the body of a kept version.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn content(&self, kind: &str, hash: ContentHash) -> Result<Option<String>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT body FROM content WHERE kind = ?1 AND hash = ?2")
                .and_then(|mut select| {
                    select.query_row(params![kind, hash.as_bytes()], |row| row.get(0)).optional()
                })
                .doing("read a kept version")
        })
    }

    /// Returns at most `limit` hashes of kept versions of a kind that begin with these hex digits.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn find_contents(
        &self,
        kind: &str,
        prefix: &str,
        limit: u32,
    ) -> Result<Vec<ContentHash>, StoreError> {
        if !prefix.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        self.read(|connection| {
            let doing = "look for a kept version";
            let mut statement = connection
                .prepare_cached(
                    "SELECT hash FROM content WHERE kind = ?1 AND hex(hash) LIKE ?2 || '%'
                     ORDER BY hash LIMIT ?3",
                )
                .doing(doing)?;
            let rows = statement
                .query_map(params![kind, prefix, limit], |row| row.hash(0))
                .doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Takes a run to work on it, as `run` and `resume` do. Taking it twice is no error.
    ///
    /// Reports where it stands. Fails with [`StoreError::Held`] if another live process works on it. A dead one's open
    /// reservations become presumed spent.
    pub fn claim_run(&self, run: Id, now: Timestamp, done: Done<Standing>) {
        let lease = self.lease();
        self.submit(done, move |connection| claim(connection, run, &lease, now));
    }

    /// Ends this process's work on a run. What is still reserved becomes presumed spent.
    ///
    /// Fails with [`StoreError::NotHeld`] if another process took it over, and with
    /// [`StoreError::Conflict`] for [`RunState::Running`], which only [`Store::claim_run`] gives.
    pub fn end_run(&self, run: Id, state: RunState, now: Timestamp, done: Done<()>) {
        let lease = self.lease().id;
        self.submit(done, move |connection| {
            if state == RunState::Running {
                return Err(StoreError::Conflict("a run does not end by running".to_owned()));
            }
            let run_no = held(connection, run, lease)?;
            ledger::presume_all(connection, run_no)?;
            connection
                .prepare_cached(
                    "UPDATE run SET state = ?2, state_at = ?3, lease = NULL, cancel_at = NULL
                     WHERE run_no = ?1",
                )
                .and_then(|mut update| {
                    update.execute(params![run_no, name_of(&state), now.unix_ms()])
                })
                .doing("end a run")
                .map(drop)
        });
    }

    /// Asks the process that works on a run, whichever it is, to stop; its heartbeat hears of it.
    ///
    /// Reports whether anybody works on it.
    pub fn ask_to_stop(&self, run: Id, now: Timestamp, done: Done<bool>) {
        self.submit(done, move |connection| {
            let run_no = number(connection, run)?;
            connection
                .execute(
                    "UPDATE run SET cancel_at = ?2 WHERE run_no = ?1 AND state = 'running'",
                    params![run_no, now.unix_ms()],
                )
                .doing("ask a run to stop")
                .map(|changed| changed > 0)
        });
    }

    /// Returns the header of a run.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn run_header(&self, run: Id) -> Result<RunHeader, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT header FROM run WHERE id = ?1")
                .and_then(|mut select| {
                    select.query_row([run.as_bytes()], |row| row.json(0)).optional()
                })
                .doing("read the header of a run")?
                .ok_or(StoreError::UnknownRun(run))
        })
    }

    /// Returns the headers of at most `limit` runs that make outputs, newest first: of those older than
    /// `before`, and of one eval set if it is named. Unlike [`Store::list_runs`] it counts no cells.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn run_headers(
        &self,
        eval_set: Option<&str>,
        before: Option<Id>,
        limit: u32,
    ) -> Result<Vec<RunHeader>, StoreError> {
        self.read(|connection| {
            let doing = "read the headers of runs";
            let mut statement = connection
                .prepare_cached(
                    "SELECT header FROM run
                     WHERE judges IS NULL AND (?1 IS NULL OR id < ?1)
                       AND (?2 IS NULL OR eval_set = ?2)
                     ORDER BY id DESC LIMIT ?3",
                )
                .doing(doing)?;
            let before = before.map(|id| *id.as_bytes());
            let rows = statement
                .query_map(params![before, eval_set, limit], |row| row.json(0))
                .doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Returns where a run stands.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn run_state(&self, run: Id) -> Result<RunState, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT state FROM run WHERE id = ?1")
                .and_then(|mut select| {
                    select.query_row([run.as_bytes()], |row| row.name(0)).optional()
                })
                .doing("read the state of a run")?
                .ok_or(StoreError::UnknownRun(run))
        })
    }
}

/// Reads a cell of the plan from the columns cell, case_id, case_hash, cluster, variant, sample.
pub(crate) fn planned_cell(row: &rusqlite::Row<'_>) -> rusqlite::Result<PlannedCell> {
    Ok(PlannedCell {
        index: row.get(0)?,
        case_id: row.get(1)?,
        case_hash: row.hash(2)?,
        cluster: row.get(3)?,
        variant: row.get(4)?,
        sample: row.get(5)?,
    })
}

/// Returns the number of a run in this file.
pub(crate) fn number(connection: &Connection, run: Id) -> Result<i64, StoreError> {
    connection
        .prepare_cached("SELECT run_no FROM run WHERE id = ?1")
        .and_then(|mut select| select.query_row([run.as_bytes()], |row| row.get(0)).optional())
        .doing("look for a run")?
        .ok_or(StoreError::UnknownRun(run))
}

/// Returns the number of a run that this opening works on.
pub(crate) fn held(writing: &Writing<'_>, run: Id, lease: Id) -> Result<i64, StoreError> {
    let row = writing.run(run, |connection| row(connection, run))?;
    if row.lease == Some(lease) { Ok(row.run_no) } else { Err(StoreError::NotHeld(run)) }
}

/// Returns the number of a run, which the writes of a transaction look for once.
pub(crate) fn number_once(writing: &Writing<'_>, run: Id) -> Result<i64, StoreError> {
    writing.run(run, |connection| row(connection, run)).map(|row| row.run_no)
}

fn row(connection: &Connection, run: Id) -> Result<RunRow, StoreError> {
    connection
        .prepare_cached("SELECT run_no, lease FROM run WHERE id = ?1")
        .and_then(|mut select| {
            select
                .query_row([run.as_bytes()], |row| {
                    let lease = row.get::<_, Option<[u8; 16]>>(1)?.map(Id::from_bytes);
                    Ok(RunRow { id: run, run_no: row.get(0)?, lease })
                })
                .optional()
        })
        .doing("look for a run")?
        .ok_or(StoreError::UnknownRun(run))
}

pub(crate) fn create(
    connection: &Connection,
    header: &RunHeader,
    cells: PlannedCells,
    lease: &Lease,
    now: Timestamp,
) -> Result<(), StoreError> {
    let doing = "write a new run";
    leases::ensure(connection, lease, now)?;
    let json = serde_json::to_string(header).doing(doing)?;
    let inserted = connection.execute(
        "INSERT INTO run (id, created_at, eval_set, header, state, state_at, lease)
         VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6)",
        params![
            header.id.as_bytes(),
            header.created.unix_ms(),
            header.eval_set,
            json,
            now.unix_ms(),
            lease.id.as_bytes(),
        ],
    );
    match inserted {
        Err(error) if crate::sql::is_taken(&error) => {
            return Err(StoreError::Conflict(format!("run {} exists already", header.id)));
        }
        other => other.doing(doing)?,
    };
    let run_no = connection.last_insert_rowid();
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO cell (run_no, cell, case_no, variant, sample) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .doing(doing)?;
    let mut cases = Cases { connection, last: None };
    let mut expected = 0;
    for cell in cells {
        if cell.index != expected {
            return Err(StoreError::Conflict(format!(
                "the plan of run {} has cell {} in place {expected}",
                header.id, cell.index
            )));
        }
        let (index, variant, sample) = (cell.index, cell.variant, cell.sample);
        let case_no = cases.number(cell).doing(doing)?;
        insert.execute(params![run_no, index, case_no, variant, sample]).doing(doing)?;
        expected += 1;
    }
    if expected != header.cells {
        return Err(StoreError::Conflict(format!(
            "the plan of run {} has {expected} cells, its header says {}",
            header.id, header.cells
        )));
    }
    Ok(())
}

/// Numbers cases. The cells of a case stand together in a plan, so the last one is remembered.
struct Cases<'a> {
    connection: &'a Connection,
    last: Option<(PlannedCell, i64)>,
}

impl Cases<'_> {
    fn number(&mut self, cell: PlannedCell) -> rusqlite::Result<i64> {
        if let Some((last, case_no)) = &self.last
            && (&last.case_id, &last.case_hash, &last.cluster)
                == (&cell.case_id, &cell.case_hash, &cell.cluster)
        {
            return Ok(*case_no);
        }
        let key = params![cell.case_id, cell.case_hash.as_bytes(), cell.cluster];
        let known = self
            .connection
            .prepare_cached(
                "SELECT case_no FROM run_case
                 WHERE case_id = ?1 AND case_hash = ?2 AND cluster IS ?3",
            )?
            .query_row(key, |row| row.get(0))
            .optional()?;
        let case_no = match known {
            Some(case_no) => case_no,
            None => self
                .connection
                .prepare_cached(
                    "INSERT INTO run_case (case_id, case_hash, cluster) VALUES (?1, ?2, ?3)",
                )?
                .insert(key)?,
        };
        self.last = Some((cell, case_no));
        Ok(case_no)
    }
}

fn claim(
    connection: &Writing<'_>,
    run: Id,
    lease: &Lease,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    let doing = "take a run to work on it";
    let sql = "SELECT run_no, lease, state, generation FROM run WHERE id = ?1";
    let (run_no, holder, state, generation) = connection
        .query_row(sql, [run.as_bytes()], |row| {
            let holder = row.get::<_, Option<[u8; 16]>>(1)?.map(Id::from_bytes);
            Ok((row.get::<_, i64>(0)?, holder, row.name(2)?, row.get(3)?))
        })
        .optional()
        .doing(doing)?
        .ok_or(StoreError::UnknownRun(run))?;
    if let Some(holder) = holder.filter(|holder| *holder != lease.id) {
        if let Some(pid) = leases::alive(connection, holder, now)? {
            return Err(StoreError::Held { run, pid });
        }
        leases::end(connection, holder, now)?;
    }
    leases::ensure(connection, lease, now)?;
    connection
        .execute(
            "UPDATE run SET state = 'running', state_at = ?2, lease = ?3, cancel_at = NULL
             WHERE run_no = ?1 AND lease IS NOT ?3",
            params![run_no, now.unix_ms(), lease.id.as_bytes()],
        )
        .doing(doing)?;
    let sums = sums::sums_with(connection, sums::Scope::Run(run_no))?;
    Ok(Standing {
        state,
        generation,
        tally: results::tally(connection, run_no).doing(doing)?,
        spend: sums.spend,
        hits: sums.hits,
    })
}
