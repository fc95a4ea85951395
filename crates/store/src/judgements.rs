//! What judges said of outputs, by which they are calibrated.

use evalset::LabelledOutput;
use rusqlite::{CachedStatement, Row, params};
use score::Outcome;
use values::{ContentHash, Id, Timestamp};

use crate::error::{Doing, StoreError};
use crate::scores::{columns_of, outcome};
use crate::sql::Columns;
use crate::store::Store;
use crate::writer::Done;

/// What a judge said of one output, or of an ordered pair of them, on a criterion.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The case's id.
    pub case: String,
    /// The case's content hash as it was then.
    pub case_hash: ContentHash,
    /// What was judged. A pair is named in one order whichever output the judge saw first.
    pub output: LabelledOutput,
    /// The criterion.
    pub criterion: String,
    /// The judge's name in the eval set.
    pub judge: String,
    /// The judge's version: its prompt with its model and config.
    pub version: ContentHash,
    /// Whether the second output of a pair was shown first.
    pub swapped: bool,
    /// Which of several judgings of the same, from 0.
    pub sample: u32,
    /// The result. Of a pair it is the category `a`, `b` or `tie`, by the pair's own order.
    pub outcome: Outcome,
    /// The probability of pass, where the judge gives one.
    pub probability: Option<f64>,
    /// Why, in the judge's words.
    pub reason: String,
    /// The judging run and the cell that holds the raw reply; `None` if another program judged.
    pub raw: Option<(Id, u32)>,
    /// When.
    pub judged: Timestamp,
}

const KEEP: &str =
    "INSERT INTO judgement (eval_set, case_id, case_hash, output, output_b, criterion,
       judge, version, swapped, sample, value, number, category, probability, reason, run, cell,
       judged_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
     ON CONFLICT DO UPDATE SET value = excluded.value, number = excluded.number,
       category = excluded.category, probability = excluded.probability,
       reason = excluded.reason, run = excluded.run, cell = excluded.cell,
       judged_at = excluded.judged_at
     WHERE excluded.judged_at >= judged_at";

impl Store {
    /// Keeps what judges said of outputs of an eval set, all or nothing.
    ///
    /// Of two judgings with the same key (everything but the result and where it is from) the later
    /// one stands; the raw replies of both stay in their runs.
    pub fn add_judgements(&self, eval_set: &str, rows: Vec<Judgement>, done: Done<()>) {
        let eval_set = eval_set.to_owned();
        self.submit(done, move |connection| {
            let doing = "keep what judges said";
            let mut insert = connection.prepare_cached(KEEP).doing(doing)?;
            for row in &rows {
                put(&mut insert, &eval_set, row).doing(doing)?;
            }
            Ok(())
        });
    }

    /// Returns what judges said on an eval set, all versions of them, by criterion, judge and case.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn judgements(&self, eval_set: &str) -> Result<Vec<Judgement>, StoreError> {
        self.read(|connection| {
            let doing = "read what judges said";
            let mut statement = connection
                .prepare_cached(
                    "SELECT case_id, case_hash, output, output_b, criterion, judge, version, swapped,
                       sample, value, number, category, probability, reason, run, cell, judged_at
                     FROM judgement WHERE eval_set = ?1
                     ORDER BY criterion, judge, case_id, case_hash, output, output_b, swapped, sample,
                       judged_at, version",
                )
                .doing(doing)?;
            let rows = statement.query_map([eval_set], judgement).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Returns how many outputs of an eval set, or pairs of them, a version of a judge has judged on a
    /// criterion; those for which it gave no answer do not count.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn judged_outputs(
        &self,
        eval_set: &str,
        criterion: &str,
        judge: &str,
        version: ContentHash,
    ) -> Result<u64, StoreError> {
        self.read(|connection| {
            let doing = "count what a judge judged";
            connection
                .prepare_cached(
                    "SELECT count(*) FROM (
                       SELECT DISTINCT case_id, case_hash, output, output_b FROM judgement
                       WHERE eval_set = ?1 AND criterion = ?2 AND judge = ?3 AND version = ?4
                         AND value <> 'error')",
                )
                .and_then(|mut select| {
                    let of = params![eval_set, criterion, judge, version.as_bytes()];
                    select.query_row(of, |row| row.get::<_, u32>(0).map(u64::from))
                })
                .doing(doing)
        })
    }
}

fn put(
    insert: &mut CachedStatement<'_>,
    eval_set: &str,
    row: &Judgement,
) -> rusqlite::Result<usize> {
    let (output, output_b): (_, &[u8]) = match &row.output {
        LabelledOutput::One(output) => (output, &[]),
        LabelledOutput::Pair(a, b) => (a, b.as_bytes()),
    };
    let (value, number, category) = columns_of(&row.outcome);
    insert.execute(params![
        eval_set,
        row.case,
        row.case_hash.as_bytes(),
        output.as_bytes(),
        output_b,
        row.criterion,
        row.judge,
        row.version.as_bytes(),
        row.swapped,
        row.sample,
        value,
        number,
        category,
        row.probability,
        row.reason,
        row.raw.as_ref().map(|(run, _)| run.as_bytes()),
        row.raw.map(|(_, cell)| cell),
        row.judged.unix_ms(),
    ])
}

fn judgement(row: &Row<'_>) -> rusqlite::Result<Judgement> {
    let first = row.hash(2)?;
    let output = match row.get_ref(3)?.as_blob()? {
        [] => LabelledOutput::One(first),
        _ => LabelledOutput::Pair(first, row.hash(3)?),
    };
    let run: Option<[u8; 16]> = row.get(14)?;
    let cell: Option<u32> = row.get(15)?;
    Ok(Judgement {
        case: row.get(0)?,
        case_hash: row.hash(1)?,
        output,
        criterion: row.get(4)?,
        judge: row.get(5)?,
        version: row.hash(6)?,
        swapped: row.get(7)?,
        sample: row.get(8)?,
        outcome: outcome(row, 9)?,
        probability: row.get(12)?,
        reason: row.get(13)?,
        raw: run.map(Id::from_bytes).zip(cell),
        judged: row.time(16)?,
    })
}
