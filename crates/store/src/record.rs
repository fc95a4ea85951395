use std::sync::Arc;

use chat::WithoutText;
use run::{Answer, AnswerSource, Attempt, LedgerState, Outcome, RunHeader};
use rusqlite::{Connection, OptionalExtension, params};
use values::{ContentHash, Id, NanoDollars, Timestamp};

use crate::cache::CacheUse;
use crate::cells::{self, RecordedAttempt};
use crate::error::{Doing, StoreError};
use crate::ledger::{self, Settled};
use crate::runs::{self, PlannedCells};
use crate::sql::{integer, is_dangling, name_of};
use crate::store::Store;
use crate::sums::{Change, day_of};
use crate::writer::Done;
use crate::writing::Writing;

/// An attempt to record, with all that follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAttempt {
    /// The attempt and its outcome.
    pub attempt: Arc<Attempt>,
    /// The attempt's reservation and what becomes of it.
    pub settlement: Option<(Id, LedgerState)>,
    /// Whether it was sent without a known price.
    pub unpriced: bool,
    /// The key under which the answer is kept in the cache, or was found there. Only a live,
    /// complete, successful answer is kept.
    pub cache_key: Option<ContentHash>,
}

impl Store {
    /// Records an attempt: the outcome, the cell's state, the settlement of its reservation and the
    /// cache entry, all or nothing. Whoever waits is told once that is durable.
    ///
    /// An answer is recorded whoever holds the run by now, since it was paid for. An answered cell
    /// keeps its answer; a failed one takes the outcome of a later attempt that closes it.
    ///
    /// Recording the same attempt again changes nothing and succeeds; another one of the same
    /// number fails with [`StoreError::Conflict`].
    pub fn record(&self, new: NewAttempt, done: Done<Settled>) {
        let cache = self.cache_use().clone();
        self.submit_shared(done, move |writing| record(writing, &new, &cache));
    }

    /// Writes a run together with answers that were made elsewhere, all or nothing: a run without
    /// some of its answers could never be completed, because nothing can be sent for it.
    ///
    /// Fails like [`Store::create_run`] and [`Store::record`].
    pub fn create_answered_run(
        &self,
        header: RunHeader,
        cells: PlannedCells,
        answers: Vec<Attempt>,
        now: Timestamp,
        done: Done<()>,
    ) {
        let (lease, cache) = (self.lease(), self.cache_use().clone());
        self.submit(done, move |writing| {
            runs::create(writing, &header, cells, &lease, now)?;
            for attempt in answers {
                let new = NewAttempt {
                    attempt: Arc::new(attempt),
                    settlement: None,
                    unpriced: false,
                    cache_key: None,
                };
                record(writing, &new, &cache)?;
            }
            Ok(())
        });
    }
}

fn record(
    writing: &Writing<'_>,
    new: &NewAttempt,
    cache: &CacheUse,
) -> Result<Settled, StoreError> {
    let NewAttempt { attempt, settlement, unpriced, cache_key } = new;
    let (run, cell, number) = (attempt.run, attempt.cell, attempt.number);
    let run_no = runs::number_once(writing, run)?;
    if let Some(known) = cells::attempt(writing, run, run_no, cell, number)? {
        return again(writing, run_no, &known, attempt, *settlement);
    }
    let settled = match *settlement {
        Some((id, to)) => ledger::settle(writing, run, run_no, id, to)?,
        None => Settled::default(),
    };
    let row = Row {
        run,
        run_no,
        cell,
        number,
        started_at: attempt.started.unix_ms(),
        ended_at: attempt.ended.unix_ms(),
        closes: attempt.closes,
        cost: attempt.cost.map(NanoDollars::get),
        reservation: settlement.map(|(id, _)| *id.as_bytes()),
    };
    let mut hit = None;
    let outcome = match &attempt.outcome {
        Outcome::Answered(answer) => {
            let source = answer.source;
            let keep = cache_key.filter(|_| answer.is_cacheable());
            let is_hit = source == AnswerSource::Cache;
            hit = is_hit.then(|| attempt.cost.unwrap_or_default());
            let written = write_answer(writing, answer, cache_key.filter(|_| is_hit))?;
            row.insert(writing, Some((source, written.answer_no)), None)?;
            if let Some(key) = keep {
                cache.put(writing, key, written.answer_no, written.bytes, row.ended_at)?;
            }
            1
        }
        Outcome::Failed(failure) => {
            let json = serde_json::to_string(failure).doing("record a failed attempt")?;
            row.insert(writing, None, Some((&json, &name_of(&failure.kind))))?;
            2
        }
    };
    if hit.is_some() || *unpriced {
        let aside = Change {
            saved: hit.unwrap_or_default().get(),
            hits: hit.is_some().into(),
            unpriced: i64::from(*unpriced),
            ..Change::default()
        };
        aside.book(writing, run_no, day_of(attempt.ended));
    }
    if row.closes {
        row.close(writing, outcome)?;
    }
    Ok(settled)
}

/// Answers for an attempt that is recorded already.
fn again(
    writing: &Writing<'_>,
    run_no: i64,
    known: &RecordedAttempt,
    attempt: &Attempt,
    settlement: Option<(Id, LedgerState)>,
) -> Result<Settled, StoreError> {
    if known.attempt != *attempt || known.reservation != settlement.map(|(id, _)| id) {
        return Err(StoreError::Conflict(format!(
            "another attempt {} of cell {} of run {} is recorded already",
            attempt.number, attempt.cell, attempt.run
        )));
    }
    match settlement {
        Some((id, to)) => ledger::settle(writing, attempt.run, run_no, id, to),
        None => Ok(Settled::default()),
    }
}

/// The columns that every attempt has.
struct Row {
    run: Id,
    run_no: i64,
    cell: u32,
    number: u32,
    started_at: i64,
    ended_at: i64,
    closes: bool,
    cost: Option<i64>,
    reservation: Option<[u8; 16]>,
}

impl Row {
    fn insert(
        &self,
        connection: &Connection,
        answer: Option<(AnswerSource, i64)>,
        failure: Option<(&str, &str)>,
    ) -> Result<(), StoreError> {
        connection
            .prepare_cached(
                "INSERT INTO attempt (run_no, cell, number, started_at, ended_at, closes, cost,
                   source, answer_no, failure, kind, reservation)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )
            .and_then(|mut insert| {
                insert.execute(params![
                    self.run_no,
                    self.cell,
                    self.number,
                    self.started_at,
                    self.ended_at,
                    self.closes,
                    self.cost,
                    answer.map(|(source, _)| name_of(&source)),
                    answer.map(|(_, answer_no)| answer_no),
                    failure.map(|(json, _)| json),
                    failure.map(|(_, kind)| kind),
                    self.reservation,
                ])
            })
            .map(drop)
            .map_err(|error| self.explain(error))
    }

    /// Gives the cell its outcome. Scores of an earlier failure say nothing of a new answer.
    fn close(&self, connection: &Connection, outcome: u8) -> Result<(), StoreError> {
        connection
            .prepare_cached(
                "UPDATE cell SET outcome = ?3, attempt = ?4, generation = NULL, status = NULL
                 WHERE run_no = ?1 AND cell = ?2 AND outcome <> 1",
            )
            .and_then(|mut update| {
                update.execute(params![self.run_no, self.cell, outcome, self.number])
            })
            .map(drop)
            .map_err(|error| self.explain(error))
    }

    fn explain(&self, error: rusqlite::Error) -> StoreError {
        if is_dangling(&error) {
            StoreError::UnknownCell { run: self.run, cell: self.cell }
        } else {
            StoreError::sql("record an attempt", error)
        }
    }
}

struct Written {
    answer_no: i64,
    bytes: u64,
}

/// Writes an answer, or finds the same one where the cache has it under `shared`.
fn write_answer(
    connection: &Connection,
    answer: &Answer,
    shared: Option<ContentHash>,
) -> Result<Written, StoreError> {
    let doing = "record an answer";
    let text = &answer.reply.text;
    let reply = serde_json::to_string(&WithoutText(&answer.reply)).doing(doing)?;
    let bytes = (text.len() + reply.len()) as u64;
    if let Some(key) = shared {
        // Another process may have replaced the entry since: only the same answer is shared.
        let found = connection
            .prepare_cached(
                "SELECT answer_no FROM cache JOIN answer USING (answer_no)
                 WHERE key = ?1 AND text = ?2 AND reply = ?3",
            )
            .and_then(|mut select| {
                select.query_row(params![key.as_bytes(), text, reply], |row| row.get(0)).optional()
            })
            .doing(doing)?;
        if let Some(answer_no) = found {
            return Ok(Written { answer_no, bytes });
        }
    }
    let usage = answer.reply.usage;
    let answer_no = connection
        .prepare_cached(
            "INSERT INTO answer (text, reply, finish, latency_ms, first_token_ms, input_tokens,
               output_tokens, text_hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .and_then(|mut insert| {
            insert.insert(params![
                text,
                reply,
                name_of(&answer.reply.finish),
                integer(answer.latency_ms),
                answer.first_token_ms.map(integer),
                usage.map(|usage| integer(usage.input_total())),
                usage.map(|usage| integer(usage.output_total())),
                ContentHash::of_bytes(text.as_bytes()).as_bytes(),
            ])
        })
        .doing(doing)?;
    Ok(Written { answer_no, bytes })
}
