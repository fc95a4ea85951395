use run::{CellScore, RecordedScore, Variant};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use score::{Outcome, Score, Status};
use values::{ContentHash, Id, Timestamp};

use crate::error::{Doing, StoreError};
use crate::runs;
use crate::sql::{Columns, is_dangling, name_of};
use crate::store::Store;
use crate::writer::Done;
use crate::writing::Writing;

/// The kind of a kept version that is the text of an `evalset.yaml`, by the SHA-256 of its bytes.
///
/// A set's own hash leaves out what decides about no score, the margin among it.
pub const SETTINGS_KIND: &str = "evalset.yaml";

/// By what the scores of a run that count are given.
#[derive(Debug, Clone, PartialEq)]
pub struct Counting {
    /// The latest scoring.
    pub generation: u32,
    /// The version of its settings, of kind [`SETTINGS_KIND`], if it was noted.
    pub settings: Option<ContentHash>,
    /// The judges whose verdicts count, by their names in the set.
    pub judges: Vec<Variant>,
}

/// The scores of one cell, to record.
#[derive(Debug, Clone, PartialEq)]
pub struct NewScores {
    /// The run.
    pub run: Id,
    /// The cell's place in the plan.
    pub cell: u32,
    /// The scoring: what [`Store::start_rescoring`] reported, else the standing's.
    pub generation: u32,
    /// The scores.
    pub scores: Vec<CellScore>,
    /// The cell's status by them.
    pub status: Status,
    /// The time.
    pub now: Timestamp,
}

impl Store {
    /// Records the scores of a cell in place of any of the same generation. Scores of the latest
    /// generation recorded for a cell are the ones that count; older ones are kept.
    pub fn record_scores(&self, new: NewScores, done: Done<()>) {
        self.submit_shared(done, move |writing| record(writing, &new));
    }

    /// Records the scores of many cells as [`Store::record_scores`] does, all or none.
    pub fn record_all_scores(&self, all: Vec<NewScores>, done: Done<()>) {
        self.submit(done, move |connection| all.iter().try_for_each(|new| record(connection, new)));
    }

    /// Begins to score a run again by settings that are kept as a version of kind
    /// [`SETTINGS_KIND`], and by the verdicts of these judges. Reports the generation of the new scores.
    pub fn start_rescoring(
        &self,
        run: Id,
        settings: ContentHash,
        judges: Vec<Variant>,
        now: Timestamp,
        done: Done<u32>,
    ) {
        self.submit(done, move |connection| {
            let doing = "begin to score a run again";
            let (run_no, generation) = connection
                .query_row(
                    "UPDATE run SET generation = generation + 1 WHERE id = ?1
                     RETURNING run_no, generation",
                    [run.as_bytes()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()
                .doing(doing)?
                .ok_or(StoreError::UnknownRun(run))?;
            note(connection, run_no, generation, (settings, &judges), now)?;
            Ok(generation)
        });
    }

    /// Notes the settings of a new run's first scoring, kept as a version of kind [`SETTINGS_KIND`],
    /// and the judges that are to judge its outputs.
    pub fn note_settings(
        &self,
        run: Id,
        settings: ContentHash,
        judges: Vec<Variant>,
        now: Timestamp,
        done: Done<()>,
    ) {
        self.submit(done, move |connection| {
            let run_no = runs::number(connection, run)?;
            note(connection, run_no, 1, (settings, &judges), now)
        });
    }

    /// Returns the latest scoring of a run, whose scores count.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn counting(&self, run: Id) -> Result<Counting, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT run.generation, settings, scoring.judges FROM run LEFT JOIN scoring
                       ON scoring.run_no = run.run_no AND scoring.generation = run.generation
                     WHERE id = ?1",
                )
                .and_then(|mut select| {
                    select
                        .query_row([run.as_bytes()], |row| {
                            let settings: Option<[u8; 32]> = row.get(1)?;
                            let settings = settings.map(ContentHash::from_bytes);
                            let (generation, judges) = (row.get(0)?, judges(row, 2)?);
                            Ok(Counting { generation, settings, judges })
                        })
                        .optional()
                })
                .doing("look by what a run was scored")?
                .ok_or(StoreError::UnknownRun(run))
        })
    }

    /// Returns all scores of a cell, those that count first.
    ///
    /// # Errors
    /// [`StoreError::UnknownRun`], or if the database cannot be read.
    pub fn scores(&self, run: Id, cell: u32) -> Result<Vec<RecordedScore>, StoreError> {
        self.read(|connection| scores(connection, runs::number(connection, run)?, cell))
    }
}

fn note(
    connection: &Connection,
    run_no: i64,
    generation: u32,
    (settings, judges): (ContentHash, &[Variant]),
    now: Timestamp,
) -> Result<(), StoreError> {
    let doing = "note by what a run is scored";
    let judges = match judges {
        [] => None,
        judges => Some(serde_json::to_string(judges).doing(doing)?),
    };
    connection
        .prepare_cached(
            "INSERT INTO scoring (run_no, generation, settings, judges, began_at)
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )
        .and_then(|mut insert| {
            let key = params![run_no, generation, settings.as_bytes(), judges, now.unix_ms()];
            insert.execute(key)
        })
        .doing(doing)
        .map(drop)
}

/// Reads the judges of a scoring.
pub(crate) fn judges(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<Variant>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(Vec::new()),
        _ => row.json(column),
    }
}

/// Returns all scores of a cell, the latest generation first.
pub(crate) fn scores(
    connection: &Connection,
    run_no: i64,
    cell: u32,
) -> Result<Vec<RecordedScore>, StoreError> {
    let doing = "read the scores of a cell";
    let mut statement = connection
        .prepare_cached(
            "SELECT generation, scored_at, criterion, name, source, hash, value, number, category,
               reason, unfinished
             FROM score JOIN scorer USING (scorer_no)
             WHERE run_no = ?1 AND cell = ?2 ORDER BY generation DESC, criterion, scorer_no",
        )
        .doing(doing)?;
    let rows = statement.query_map(params![run_no, cell], recorded).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}

fn recorded(row: &Row<'_>) -> rusqlite::Result<RecordedScore> {
    let outcome = outcome(row, 6)?;
    let unfinished = match row.get_ref(10)? {
        ValueRef::Null => None,
        _ => Some(row.name(10)?),
    };
    Ok(RecordedScore {
        generation: row.get(0)?,
        scored_at: row.time(1)?,
        score: CellScore {
            criterion: row.get(2)?,
            name: row.get(3)?,
            scored_by: row.hash(5)?,
            score: Score { outcome, reason: row.get(9)?, source: row.name(4)?, unfinished },
        },
    })
}

/// Reads a result from the columns value, number and category.
pub(crate) fn outcome(row: &Row<'_>, value: usize) -> rusqlite::Result<Outcome> {
    Ok(match row.get_ref(value)?.as_str()? {
        "pass" => Outcome::Pass,
        "fail" => Outcome::Fail,
        "number" => Outcome::Number { value: row.get(value + 1)? },
        "category" => Outcome::Category { name: row.get(value + 2)? },
        "unreadable" => Outcome::Unreadable,
        "skipped" => Outcome::Skipped,
        // The table allows no other text.
        _ => Outcome::Error,
    })
}

fn record(connection: &Writing<'_>, new: &NewScores) -> Result<(), StoreError> {
    let doing = "record the scores of a cell";
    let run_no = runs::number_once(connection, new.run)?;
    let key = params![run_no, new.cell, new.generation];
    // A look is much cheaper than a removal of nothing, which SQLite prepares for many rows.
    let has_older = connection
        .prepare_cached("SELECT 1 FROM score WHERE run_no = ?1 AND cell = ?2 AND generation = ?3")
        .and_then(|mut select| select.exists(key))
        .doing(doing)?;
    if has_older {
        connection
            .prepare_cached("DELETE FROM score WHERE run_no = ?1 AND cell = ?2 AND generation = ?3")
            .and_then(|mut delete| delete.execute(key))
            .doing(doing)?;
    }
    for score in &new.scores {
        let scorer_no =
            connection.scorer(score, |connection| scorer(connection, score)).doing(doing)?;
        let (value, number, category) = columns_of(&score.score.outcome);
        let inserted = connection
            .prepare_cached(
                "INSERT INTO score (run_no, cell, generation, scorer_no, value, number, category,
                   reason, unfinished, scored_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )
            .doing(doing)?
            .execute(params![
                run_no,
                new.cell,
                new.generation,
                scorer_no,
                value,
                number,
                category,
                score.score.reason,
                score.score.unfinished.as_ref().map(name_of),
                new.now.unix_ms(),
            ]);
        match inserted {
            Err(error) if is_dangling(&error) => {
                return Err(StoreError::UnknownCell { run: new.run, cell: new.cell });
            }
            other => other.doing(doing)?,
        };
    }
    let changed = connection
        .prepare_cached(
            "UPDATE cell SET
               status = CASE WHEN ifnull(generation, 0) <= ?3 THEN ?4 ELSE status END,
               generation = max(ifnull(generation, 0), ?3)
             WHERE run_no = ?1 AND cell = ?2",
        )
        .and_then(|mut update| {
            update.execute(params![run_no, new.cell, new.generation, name_of(&new.status)])
        })
        .doing(doing)?;
    if changed == 0 {
        return Err(StoreError::UnknownCell { run: new.run, cell: new.cell });
    }
    Ok(())
}

/// Returns the number of what scored, writing it down the first time.
fn scorer(connection: &Connection, score: &CellScore) -> rusqlite::Result<i64> {
    let source = name_of(&score.score.source);
    let key = params![score.criterion, score.name, source, score.scored_by.as_bytes()];
    let known = connection
        .prepare_cached(
            "SELECT scorer_no FROM scorer
             WHERE criterion = ?1 AND name = ?2 AND source = ?3 AND hash = ?4",
        )?
        .query_row(key, |row| row.get(0))
        .optional()?;
    match known {
        Some(scorer_no) => Ok(scorer_no),
        None => connection
            .prepare_cached(
                "INSERT INTO scorer (criterion, name, source, hash) VALUES (?1, ?2, ?3, ?4)",
            )?
            .insert(key),
    }
}

pub(crate) fn columns_of(outcome: &Outcome) -> (&'static str, Option<f64>, Option<&str>) {
    match outcome {
        Outcome::Pass => ("pass", None, None),
        Outcome::Fail => ("fail", None, None),
        Outcome::Number { value } => ("number", Some(*value), None),
        Outcome::Category { name } => ("category", None, Some(name)),
        Outcome::Error => ("error", None, None),
        Outcome::Unreadable => ("unreadable", None, None),
        Outcome::Skipped => ("skipped", None, None),
    }
}
