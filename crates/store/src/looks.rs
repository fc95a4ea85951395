//! Verdicts that were shown, so that adding cases after a look, or answering the same cases anew, is
//! known for what it is.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use values::{ContentHash, Id, Timestamp};

use crate::error::{Doing, StoreError};
use crate::sql::{Columns, integer, name_of};
use crate::store::Store;
use crate::writer::Done;

/// The kind of a kept version that is a set of cases: content hashes by case id.
const CASES_KIND: &str = "cases";
/// The kind of a kept version that says what was seen of cases: hashes by case id.
const ANSWERS_KIND: &str = "answers";
/// Stands for the answers of a look that was recorded before they were kept.
const UNKNOWN: [u8; 32] = [0; 32];

/// A verdict that is shown now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLook {
    /// The candidate's variant hash.
    pub candidate: ContentHash,
    /// The baseline's variant hash.
    pub baseline: ContentHash,
    /// The eval set's folder name, through all its changes.
    pub eval_set: String,
    /// The criterion.
    pub criterion: String,
    /// The shared, unchanged cases by id.
    pub cases: BTreeMap<String, ContentHash>,
    /// What was seen of them, by case id: a hash of both sides' answers, whichever side is which. A
    /// case without an answer on a side is not there.
    pub answers: BTreeMap<String, ContentHash>,
    /// The candidate's run; `None` if it is none of this database.
    pub candidate_run: Option<Id>,
    /// The baseline's run; `None` if it is none of this database.
    pub baseline_run: Option<Id>,
    /// How the interval was made.
    pub method: LookMethod,
    /// The verdict's name.
    pub verdict: String,
}

/// How the interval of a verdict was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookMethod {
    /// For a number of cases that was declared.
    Fixed,
    /// Valid at any stopping time.
    Sequence,
}

/// A verdict that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The criterion.
    pub criterion: String,
    /// What identifies its set of cases.
    pub cases: ContentHash,
    /// The number of its cases.
    pub case_count: u32,
    /// What identifies the answers that were seen; `None` if it was not kept.
    pub answers: Option<ContentHash>,
    /// The candidate's run, if it is one of this database.
    pub candidate_run: Option<Id>,
    /// The baseline's run, if it is one of this database.
    pub baseline_run: Option<Id>,
    /// How the interval was made.
    pub method: LookMethod,
    /// The verdict's name.
    pub verdict: String,
    /// When it was first shown.
    pub first: Timestamp,
}

impl NewLook {
    /// Returns what identifies a set of cases: their ids and contents.
    pub fn cases_hash(cases: &BTreeMap<String, ContentHash>) -> ContentHash {
        ContentHash::of_document("trysquare-cases-v1", &serde_json::json!(cases))
    }

    /// Returns what identifies the answers that are seen.
    pub fn answers_hash(&self) -> ContentHash {
        ContentHash::of_document("trysquare-answers-v1", &serde_json::json!(self.answers))
    }
}

impl Store {
    /// Records verdicts that are shown. What was shown before stays as it was first recorded.
    /// Reports how many are new.
    pub fn record_looks(&self, looks: Vec<NewLook>, now: Timestamp, done: Done<u32>) {
        self.submit(done, move |connection| {
            let mut new = 0;
            for look in &looks {
                new += record(connection, look, now)?;
            }
            Ok(new)
        });
    }

    /// Returns every look at two variants on an eval set, oldest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn looks(
        &self,
        candidate: ContentHash,
        baseline: ContentHash,
        eval_set: &str,
    ) -> Result<Vec<Look>, StoreError> {
        self.read(|connection| {
            let doing = "read what was looked at before";
            let mut statement = connection
                .prepare_cached(
                    "SELECT criterion, cases, case_count, c.id, b.id, method, verdict, first_at,
                       answers
                     FROM look LEFT JOIN run AS c ON c.run_no = candidate_run
                       LEFT JOIN run AS b ON b.run_no = baseline_run
                     WHERE candidate = ?1 AND baseline = ?2 AND look.eval_set = ?3
                     ORDER BY first_at, look_no",
                )
                .doing(doing)?;
            let key = params![candidate.as_bytes(), baseline.as_bytes(), eval_set];
            let rows = statement.query_map(key, look).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Returns the cases of a look by id, with their contents.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if no look has this set of cases, or if the database cannot be read.
    pub fn look_cases(
        &self,
        cases: ContentHash,
    ) -> Result<BTreeMap<String, ContentHash>, StoreError> {
        self.hashes_by_case(CASES_KIND, cases)
    }

    /// Returns what a look saw of its cases, by id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if no look has seen these, or if the database cannot be read.
    pub fn look_answers(
        &self,
        answers: ContentHash,
    ) -> Result<BTreeMap<String, ContentHash>, StoreError> {
        self.hashes_by_case(ANSWERS_KIND, answers)
    }

    fn hashes_by_case(
        &self,
        kind: &str,
        hash: ContentHash,
    ) -> Result<BTreeMap<String, ContentHash>, StoreError> {
        self.read(|connection| {
            let doing = "read the cases of a look";
            connection
                .prepare_cached("SELECT body FROM content WHERE kind = ?1 AND hash = ?2")
                .and_then(|mut select| {
                    let key = params![kind, hash.as_bytes()];
                    select.query_row(key, |row| row.json(0)).optional()
                })
                .doing(doing)?
                .ok_or_else(|| {
                    StoreError::Conflict(format!("no look has the {kind} {}", hash.short()))
                })
        })
    }

    /// Returns the variants that were ever compared with a baseline on an eval set, in the order in
    /// which they were first shown.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn candidates_tried(
        &self,
        baseline: ContentHash,
        eval_set: &str,
    ) -> Result<Vec<ContentHash>, StoreError> {
        self.read(|connection| {
            let doing = "count the candidates that were tried";
            let mut statement = connection
                .prepare_cached(
                    "SELECT candidate FROM look WHERE baseline = ?1 AND eval_set = ?2
                     GROUP BY candidate ORDER BY min(first_at), min(look_no)",
                )
                .doing(doing)?;
            let key = params![baseline.as_bytes(), eval_set];
            let rows = statement.query_map(key, |row| row.hash(0)).doing(doing)?;
            rows.collect::<Result<_, _>>().doing(doing)
        })
    }
}

fn look(row: &rusqlite::Row<'_>) -> rusqlite::Result<Look> {
    let run = |column| row.get::<_, Option<[u8; 16]>>(column).map(|id| id.map(Id::from_bytes));
    Ok(Look {
        criterion: row.get(0)?,
        cases: row.hash(1)?,
        case_count: row.get(2)?,
        candidate_run: run(3)?,
        baseline_run: run(4)?,
        method: row.name(5)?,
        verdict: row.get(6)?,
        first: row.time(7)?,
        answers: Some(row.hash(8)?).filter(|hash| *hash.as_bytes() != UNKNOWN),
    })
}

fn record(connection: &Connection, look: &NewLook, now: Timestamp) -> Result<u32, StoreError> {
    let doing = "record what was looked at";
    let (cases, answers) = (NewLook::cases_hash(&look.cases), look.answers_hash());
    for (kind, hash, body) in
        [(CASES_KIND, cases, &look.cases), (ANSWERS_KIND, answers, &look.answers)]
    {
        let body = serde_json::to_string(body).doing(doing)?;
        connection
            .prepare_cached(
                "INSERT INTO content (kind, hash, body, kept_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )
            .and_then(|mut insert| {
                insert.execute(params![kind, hash.as_bytes(), body, now.unix_ms()])
            })
            .doing(doing)?;
    }
    let inserted = connection
        .prepare_cached(
            "INSERT INTO look (candidate, baseline, eval_set, criterion, cases, case_count,
               candidate_run, baseline_run, method, verdict, first_at, answers)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT run_no FROM run WHERE id = ?7),
               (SELECT run_no FROM run WHERE id = ?8), ?9, ?10, ?11, ?12)
             ON CONFLICT DO NOTHING",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                look.candidate.as_bytes(),
                look.baseline.as_bytes(),
                look.eval_set,
                look.criterion,
                cases.as_bytes(),
                integer(look.cases.len() as u64),
                look.candidate_run.as_ref().map(Id::as_bytes),
                look.baseline_run.as_ref().map(Id::as_bytes),
                name_of(&look.method),
                look.verdict,
                now.unix_ms(),
                answers.as_bytes(),
            ])
        })
        .doing(doing)?;
    Ok(u32::from(inserted > 0))
}
