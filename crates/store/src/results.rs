use std::collections::BTreeMap;

use chat::FinishReason;
use run::{AnswerSource, FailureKind, PlannedCell, RunState, Spend, StatusCounts};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use score::Status;
use values::{Id, NanoDollars, Timestamp};

use crate::error::{Doing, StoreError};
use crate::runs;
use crate::sql::Columns;
use crate::store::Store;
use crate::sums;

/// How many cells of a run stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Finished cells, by status. A cell whose generation failed is an `error`.
    pub counts: StatusCounts,
    /// Cells without an outcome.
    pub pending: u32,
    /// Cells with an answer that is not scored yet.
    pub unscored: u32,
}

impl Tally {
    /// Adds cells of one outcome and status, as the table `cell` has them.
    fn add(&mut self, row: &Row<'_>, outcome: usize, count: u32) -> rusqlite::Result<()> {
        let place = match (row.get(outcome)?, status(row, outcome)?) {
            (0, _) => &mut self.pending,
            (_, None) => &mut self.unscored,
            (_, Some(status)) => self.counts.of_mut(status),
        };
        *place += count;
        Ok(())
    }
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// The run.
    pub id: Id,
    /// When it was planned.
    pub created: Timestamp,
    /// The eval set's folder name.
    pub eval_set: String,
    /// Where it stands.
    pub state: RunState,
    /// Since when.
    pub state_since: Timestamp,
    /// How many of its cells stand where.
    pub tally: Tally,
    /// Its part of the ledger.
    pub spend: Spend,
    /// Answers that came from the cache.
    pub hits: u32,
}

/// What the cells of one variant of a run add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VariantTotals {
    /// How many cells stand where.
    pub tally: Tally,
    /// Answers that the provider gave in this run.
    pub live: u32,
    /// Answers that the cache gave.
    pub cache_hits: u32,
    /// Answers that a recording gave.
    pub replays: u32,
    /// What the live answers cost, where it is known.
    pub cost: NanoDollars,
    /// Live answers whose cost nobody knows.
    pub cost_unknown: u32,
    /// What the answers of the cache cost when they were made, where it is known.
    pub saved: NanoDollars,
    /// Input tokens of all answers that have usage.
    pub input_tokens: u64,
    /// Output tokens of all answers that have usage.
    pub output_tokens: u64,
    /// The median of the answers' latency, by nearest rank.
    pub latency_p50_ms: Option<u64>,
    /// The 95th percentile of the answers' latency, by nearest rank.
    pub latency_p95_ms: Option<u64>,
}

/// Which cells are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Which {
    /// All of them.
    All,
    /// Those whose generation failed, and those whose status is fail, error or unreadable.
    Failures,
}

/// A cell in a page of results.
#[derive(Debug, Clone, PartialEq)]
pub struct CellRow {
    /// The cell.
    pub cell: PlannedCell,
    /// Its status; `None` while it has no outcome, or an answer that is not scored yet.
    pub status: Option<Status>,
    /// Its answer, if it has one.
    pub answer: Option<AnswerRow>,
    /// Why it has none, if it failed.
    pub failure: Option<FailureRow>,
}

/// An answer in a page of results.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerRow {
    /// The beginning of its text.
    pub excerpt: String,
    /// Whether the text goes on.
    pub is_cut: bool,
    /// Why the model stopped.
    pub finish: FinishReason,
    /// Who gave it.
    pub source: AnswerSource,
    /// Milliseconds from sending to the last byte.
    pub latency_ms: u64,
    /// What it cost, of a hit when it was made; `None` if nobody knows.
    pub cost: Option<NanoDollars>,
}

/// A failure in a page of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureRow {
    /// Its kind.
    pub kind: FailureKind,
    /// What happened.
    pub message: String,
}

impl Store {
    /// Returns a page of the runs that make outputs, newest first: at most `limit` of those older than `before`.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn list_runs(&self, before: Option<Id>, limit: u32) -> Result<Vec<RunSummary>, StoreError> {
        self.read(|connection| {
            let doing = "list runs";
            let mut statement = connection
                .prepare_cached(
                    "SELECT run_no, id, created_at, eval_set, state, state_at FROM run
                     WHERE judges IS NULL AND (?1 IS NULL OR id < ?1) ORDER BY id DESC LIMIT ?2",
                )
                .doing(doing)?;
            let before = before.map(|id| *id.as_bytes());
            let rows = statement
                .query_map(params![before, limit], |row| Ok((row.get::<_, i64>(0)?, summary(row)?)))
                .doing(doing)?;
            let runs: Vec<_> = rows.collect::<Result<_, _>>().doing(doing)?;
            runs.into_iter()
                .map(|(run_no, mut run)| {
                    complete(connection, run_no, &mut run)?;
                    Ok(run)
                })
                .collect()
        })
    }

    /// Returns at most `limit` runs, newest first, whose ids begin with these hex digits (hyphens
    /// do not count). A judging run, which no list names, is found by its whole id only.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn find_runs(&self, prefix: &str, limit: u32) -> Result<Vec<Id>, StoreError> {
        let digits: String = prefix.chars().filter(|digit| *digit != '-').collect();
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        self.read(|connection| {
            let doing = "look for a run";
            let mut statement = connection
                .prepare_cached(
                    "SELECT id FROM run
                     WHERE hex(id) LIKE ?1 || '%' AND (judges IS NULL OR length(?1) = 32)
                     ORDER BY id DESC LIMIT ?2",
                )
                .doing(doing)?;
            let rows = statement
                .query_map(params![digits, limit], |row| row.get(0).map(Id::from_bytes))
                .doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Returns one run as the list shows it.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn run_summary(&self, run: Id) -> Result<RunSummary, StoreError> {
        self.read(|connection| {
            let doing = "read a run";
            let run_no = runs::number(connection, run)?;
            let mut found = connection
                .prepare_cached(
                    "SELECT run_no, id, created_at, eval_set, state, state_at FROM run
                     WHERE run_no = ?1",
                )
                .and_then(|mut select| select.query_row([run_no], summary))
                .doing(doing)?;
            complete(connection, run_no, &mut found)?;
            Ok(found)
        })
    }

    /// Returns what the cells of each variant of a run add up to, by the variant's place in the
    /// header.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn variant_totals(&self, run: Id) -> Result<BTreeMap<u32, VariantTotals>, StoreError> {
        self.read(|connection| {
            let doing = "add up the results of a run";
            let run_no = runs::number(connection, run)?;
            let mut totals = BTreeMap::new();
            add_tallies(connection, run_no, &mut totals).doing(doing)?;
            add_sums(connection, run_no, &mut totals).doing(doing)?;
            add_latencies(connection, run_no, &mut totals).doing(doing)?;
            Ok(totals)
        })
    }

    /// Returns a page of a run's cells in plan order, in which the cells of a case stand together:
    /// at most `limit` cells after the place `after`, each with the first `excerpt` characters of
    /// its answer.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn results(
        &self,
        run: Id,
        which: Which,
        after: Option<u32>,
        limit: u32,
        excerpt: u32,
    ) -> Result<Vec<CellRow>, StoreError> {
        let sql = match which {
            Which::All => RESULTS.replace("{filter}", "1"),
            Which::Failures => RESULTS
                .replace("{filter}", "(outcome = 2 OR status IN ('fail', 'error', 'unreadable'))"),
        };
        self.read(|connection| {
            let doing = "read the results of a run";
            let run_no = runs::number(connection, run)?;
            let mut statement = connection.prepare_cached(&sql).doing(doing)?;
            let after = after.map_or(-1, i64::from);
            let rows = statement
                .query_map(params![run_no, after, limit, excerpt], cell_row)
                .doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }
}

const RESULTS: &str = "
    SELECT c.cell, case_id, case_hash, cluster, variant, sample, outcome, status,
      substr(text, 1, ?4), length(text) > ?4, finish, source, latency_ms, cost,
      kind, failure ->> 'message'
    FROM cell AS c JOIN run_case USING (case_no)
      LEFT JOIN attempt AS a
        ON a.run_no = c.run_no AND a.cell = c.cell AND a.number = c.attempt
      LEFT JOIN answer USING (answer_no)
    WHERE c.run_no = ?1 AND c.cell > ?2 AND {filter} ORDER BY c.cell LIMIT ?3";

fn cell_row(row: &Row<'_>) -> rusqlite::Result<CellRow> {
    let answer = match row.get::<_, Option<String>>(8)? {
        Some(excerpt) => Some(AnswerRow {
            excerpt,
            is_cut: row.get(9)?,
            finish: row.name(10)?,
            source: row.name(11)?,
            latency_ms: row.count(12)?,
            cost: row.money(13)?,
        }),
        None => None,
    };
    let failure = match row.get::<_, Option<String>>(15)? {
        Some(message) => Some(FailureRow { kind: row.name(14)?, message }),
        None => None,
    };
    Ok(CellRow { cell: runs::planned_cell(row)?, status: status(row, 6)?, answer, failure })
}

/// Reads a cell's status from its outcome and, in the next column, what a scoring gave it.
pub(crate) fn status(row: &Row<'_>, outcome: usize) -> rusqlite::Result<Option<Status>> {
    match row.get::<_, u8>(outcome)? {
        2 => Ok(Some(Status::Error)),
        1 if row.get_ref(outcome + 1)? != ValueRef::Null => row.name(outcome + 1).map(Some),
        _ => Ok(None),
    }
}

fn summary(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    Ok(RunSummary {
        id: Id::from_bytes(row.get(1)?),
        created: row.time(2)?,
        eval_set: row.get(3)?,
        state: row.name(4)?,
        state_since: row.time(5)?,
        tally: Tally::default(),
        spend: Spend::default(),
        hits: 0,
    })
}

/// Adds what is counted to what the run's row says.
fn complete(connection: &Connection, run_no: i64, run: &mut RunSummary) -> Result<(), StoreError> {
    run.tally = tally(connection, run_no).doing("count the cells of a run")?;
    let sums = sums::sums(connection, sums::Scope::Run(run_no))?;
    (run.spend, run.hits) = (sums.spend, sums.hits);
    Ok(())
}

/// Counts the cells of a run.
pub(crate) fn tally(connection: &Connection, run_no: i64) -> rusqlite::Result<Tally> {
    let mut statement = connection.prepare_cached(
        "SELECT outcome, status, count(*) FROM cell WHERE run_no = ?1 GROUP BY outcome, status",
    )?;
    let mut rows = statement.query([run_no])?;
    let mut tally = Tally::default();
    while let Some(row) = rows.next()? {
        tally.add(row, 0, row.get(2)?)?;
    }
    Ok(tally)
}

type Totals = BTreeMap<u32, VariantTotals>;

fn add_tallies(connection: &Connection, run_no: i64, totals: &mut Totals) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT variant, outcome, status, count(*) FROM cell WHERE run_no = ?1
         GROUP BY variant, outcome, status",
    )?;
    let mut rows = statement.query([run_no])?;
    while let Some(row) = rows.next()? {
        let variant: &mut VariantTotals = totals.entry(row.get(0)?).or_default();
        variant.tally.add(row, 1, row.get(3)?)?;
    }
    Ok(())
}

fn add_sums(connection: &Connection, run_no: i64, totals: &mut Totals) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT variant, source, count(*), ifnull(sum(a.cost), 0), sum(a.cost IS NULL),
           ifnull(sum(input_tokens), 0), ifnull(sum(output_tokens), 0)
         FROM cell AS c
           JOIN attempt AS a ON a.run_no = c.run_no AND a.cell = c.cell AND a.number = c.attempt
           JOIN answer USING (answer_no)
         WHERE c.run_no = ?1 GROUP BY variant, source",
    )?;
    let mut rows = statement.query([run_no])?;
    while let Some(row) = rows.next()? {
        let variant: &mut VariantTotals = totals.entry(row.get(0)?).or_default();
        let (count, cost) = (row.get(2)?, NanoDollars::new(row.get(3)?));
        match row.name(1)? {
            AnswerSource::Live => {
                variant.live = count;
                variant.cost = cost;
                variant.cost_unknown = row.get(4)?;
            }
            AnswerSource::Cache => {
                variant.cache_hits = count;
                variant.saved = cost;
            }
            AnswerSource::Replay => variant.replays = count,
        }
        variant.input_tokens += row.count(5)?;
        variant.output_tokens += row.count(6)?;
    }
    Ok(())
}

fn add_latencies(
    connection: &Connection,
    run_no: i64,
    totals: &mut Totals,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT variant, latency_ms, place = (n + 1) / 2, place = (n * 95 + 99) / 100 FROM (
           SELECT variant, latency_ms, count(*) OVER (PARTITION BY variant) AS n,
             row_number() OVER (PARTITION BY variant ORDER BY latency_ms) AS place
           FROM cell AS c
             JOIN attempt AS a ON a.run_no = c.run_no AND a.cell = c.cell AND a.number = c.attempt
             JOIN answer USING (answer_no)
           WHERE c.run_no = ?1)
         WHERE place IN ((n + 1) / 2, (n * 95 + 99) / 100)",
    )?;
    let mut rows = statement.query([run_no])?;
    while let Some(row) = rows.next()? {
        let variant: &mut VariantTotals = totals.entry(row.get(0)?).or_default();
        let latency = Some(row.count(1)?);
        if row.get(2)? {
            variant.latency_p50_ms = latency;
        }
        if row.get(3)? {
            variant.latency_p95_ms = latency;
        }
    }
    Ok(())
}
