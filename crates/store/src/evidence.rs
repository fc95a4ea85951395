//! Reading what an analysis needs of a run, in one pass.

use std::collections::HashMap;

use evalset::ScoreSource;
use run::AnswerSource;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Rows, params};
use score::Outcome;
use values::{ContentHash, Id, NanoDollars};

use crate::error::{Doing, StoreError};
use crate::runs;
use crate::scores;
use crate::sql::Columns;
use crate::store::Store;

/// One cell as an analysis sees it.
#[derive(Debug)]
pub struct CellEvidence<'a> {
    /// Its place in the plan.
    pub cell: u32,
    /// Its case. The cells of a planned case follow each other.
    pub case: &'a CaseEvidence,
    /// The variant, as an index into the header's list.
    pub variant: u32,
    /// The repetition, from 0.
    pub sample: u32,
    /// What came of it.
    pub outcome: OutcomeEvidence,
    /// The scores of the scoring that counts; `None` if that has not scored it (yet).
    pub scores: Option<&'a [ScoreEvidence<'a>]>,
}

/// A case of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseEvidence {
    /// Its id.
    pub id: String,
    /// Its content.
    pub hash: ContentHash,
    /// Its cluster.
    pub cluster: Option<String>,
    /// Its row as it was first kept, if it was.
    pub body: Option<String>,
}

/// What came of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeEvidence {
    /// Nothing yet.
    Pending,
    /// No answer.
    Failed,
    /// An answer.
    Answered(AnswerEvidence),
}

/// What is known of an answer besides its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerEvidence {
    /// The hash of its text.
    pub output: ContentHash,
    /// Who gave it.
    pub source: AnswerSource,
    /// What it cost, of a hit or a replay when it was made; `None` if nobody knows.
    pub cost: Option<NanoDollars>,
    /// Milliseconds from sending to the last byte, of a hit or a replay those of the original.
    pub latency_ms: u64,
    /// Input tokens of all buckets, if the usage is known.
    pub input_tokens: Option<u64>,
    /// Output tokens of all buckets, if the usage is known.
    pub output_tokens: Option<u64>,
}

/// One score.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreEvidence<'a> {
    /// What gave it.
    pub scorer: &'a ScorerEvidence,
    /// The result.
    pub outcome: Outcome,
}

/// A check, judge or person of one criterion, in one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScorerEvidence {
    /// Its number in this database.
    pub number: i64,
    /// The criterion.
    pub criterion: String,
    /// Its name.
    pub name: String,
    /// Whose score it is.
    pub source: ScoreSource,
    /// Its hash.
    pub hash: ContentHash,
}

impl Store {
    /// Shows every cell of some variants of a run to `visit`, in plan order, all from one moment.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn evidence(
        &self,
        run: Id,
        variants: &[u32],
        mut visit: impl FnMut(CellEvidence<'_>),
    ) -> Result<(), StoreError> {
        self.read(|connection| {
            let doing = "read the results of a run";
            // Ends when it is dropped; it only makes the statements below see one moment.
            let _moment = connection.unchecked_transaction().doing(doing)?;
            let run_no = runs::number(connection, run)?;
            visit_cells(connection, run_no, variants, &mut visit).doing(doing)
        })
    }
}

const CELLS: &str = "
    SELECT c.cell, c.case_no, c.variant, c.sample, c.outcome, c.generation IS ?3,
      source, cost, latency_ms, input_tokens, output_tokens, text_hash,
      CASE WHEN text_hash IS NULL THEN text END
    FROM cell AS c
      LEFT JOIN attempt AS a ON a.run_no = c.run_no AND a.cell = c.cell AND a.number = c.attempt
      LEFT JOIN answer USING (answer_no)
    WHERE c.run_no = ?1 AND variant IN (SELECT value FROM json_each(?2)) ORDER BY c.cell";

fn visit_cells(
    connection: &Connection,
    run_no: i64,
    variants: &[u32],
    visit: &mut impl FnMut(CellEvidence<'_>),
) -> rusqlite::Result<()> {
    let generation: u32 = connection
        .prepare_cached("SELECT generation FROM run WHERE run_no = ?1")?
        .query_row([run_no], |row| row.get(0))?;
    let scorers = scorers(connection)?;
    let mut scores = connection.prepare_cached(
        "SELECT cell, scorer_no, value, number, category FROM score
         WHERE run_no = ?1 AND generation = ?2 ORDER BY cell, scorer_no",
    )?;
    let mut scores =
        Scores { rows: scores.query(params![run_no, generation])?, scorers: &scorers, next: None };
    scores.advance()?;
    let mut cases = Cases { connection, last: None };
    let mut found = Vec::new();
    let mut cells = connection.prepare_cached(CELLS)?;
    let variants = serde_json::json!(variants).to_string();
    let mut rows = cells.query(params![run_no, variants, generation])?;
    while let Some(row) = rows.next()? {
        let cell = row.get(0)?;
        let is_scored: bool = row.get(5)?;
        scores.of(cell, &mut found)?;
        visit(CellEvidence {
            cell,
            case: cases.get(row.get(1)?)?,
            variant: row.get(2)?,
            sample: row.get(3)?,
            outcome: outcome(row)?,
            scores: is_scored.then_some(found.as_slice()),
        });
    }
    Ok(())
}

fn outcome(row: &Row<'_>) -> rusqlite::Result<OutcomeEvidence> {
    match row.get::<_, u8>(4)? {
        0 => return Ok(OutcomeEvidence::Pending),
        1 => {}
        _ => return Ok(OutcomeEvidence::Failed),
    }
    let tokens = |column| match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => row.count(column).map(Some),
    };
    let output = match row.get_ref(11)? {
        ValueRef::Null => ContentHash::of_bytes(row.get_ref(12)?.as_bytes()?),
        _ => row.hash(11)?,
    };
    let source = match row.get_ref(6)?.as_str()? {
        "live" => AnswerSource::Live,
        "cache" => AnswerSource::Cache,
        // The table allows no other text.
        _ => AnswerSource::Replay,
    };
    Ok(OutcomeEvidence::Answered(AnswerEvidence {
        output,
        source,
        cost: row.money(7)?,
        latency_ms: row.count(8)?,
        input_tokens: tokens(9)?,
        output_tokens: tokens(10)?,
    }))
}

/// Reads cases as their cells come by; the cells of a case stand together.
struct Cases<'c> {
    connection: &'c Connection,
    last: Option<(i64, CaseEvidence)>,
}

impl Cases<'_> {
    fn get(&mut self, case_no: i64) -> rusqlite::Result<&CaseEvidence> {
        let last = match self.last.take() {
            Some(last) if last.0 == case_no => last,
            _ => (case_no, self.read(case_no)?),
        };
        Ok(&self.last.insert(last).1)
    }

    fn read(&self, case_no: i64) -> rusqlite::Result<CaseEvidence> {
        let mut select = self.connection.prepare_cached(
            "SELECT case_id, case_hash, cluster, body
             FROM run_case LEFT JOIN content ON kind = 'case' AND hash = case_hash
             WHERE case_no = ?1",
        )?;
        select.query_row([case_no], |row| {
            Ok(CaseEvidence {
                id: row.get(0)?,
                hash: row.hash(1)?,
                cluster: row.get(2)?,
                body: row.get(3)?,
            })
        })
    }
}

/// The scores of a run in the order of its cells, read side by side with them.
struct Scores<'s> {
    rows: Rows<'s>,
    scorers: &'s HashMap<i64, ScorerEvidence>,
    next: Option<(u32, ScoreEvidence<'s>)>,
}

impl<'s> Scores<'s> {
    /// Moves the scores of a cell into `found`, in place of what it held. Cells come in order.
    fn of(&mut self, cell: u32, found: &mut Vec<ScoreEvidence<'s>>) -> rusqlite::Result<()> {
        found.clear();
        while let Some((at, score)) = self.next.take_if(|(at, _)| *at <= cell) {
            if at == cell {
                found.push(score);
            }
            self.advance()?;
        }
        Ok(())
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        self.next = None;
        if let Some(row) = self.rows.next()? {
            let number: i64 = row.get(1)?;
            let scorer = self.scorers.get(&number).ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            let outcome = scores::outcome(row, 2)?;
            self.next = Some((row.get(0)?, ScoreEvidence { scorer, outcome }));
        }
        Ok(())
    }
}

fn scorers(connection: &Connection) -> rusqlite::Result<HashMap<i64, ScorerEvidence>> {
    let mut statement =
        connection.prepare_cached("SELECT scorer_no, criterion, name, source, hash FROM scorer")?;
    let rows = statement.query_map((), |row| {
        let scorer = ScorerEvidence {
            number: row.get(0)?,
            criterion: row.get(1)?,
            name: row.get(2)?,
            source: row.name(3)?,
            hash: row.hash(4)?,
        };
        Ok((scorer.number, scorer))
    })?;
    rows.collect()
}
