use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chat::Reply;
use run::{Answer, AnswerSource};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use values::{ContentHash, Timestamp};

use crate::error::{Doing, StoreError};
use crate::sql::{Columns, integer};
use crate::store::Store;
use crate::writer::Done;

/// After this many hits the times of use are written even if the writer never rests.
const TOUCHES: usize = 4_096;

/// What the cache holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStats {
    /// The number of answers.
    pub entries: u64,
    /// The bytes of their replies.
    pub bytes: u64,
    /// The most bytes that it keeps.
    pub limit_bytes: u64,
    /// When the answer that goes first was last used.
    pub oldest: Option<Timestamp>,
}

impl Store {
    /// Returns the answer of a key, its source being the cache and its latency the original's, and
    /// notes its use.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn cached(&self, key: ContentHash, now: Timestamp) -> Result<Option<Answer>, StoreError> {
        self.cached_all(&[key], now).map(|found| found.into_iter().next().flatten())
    }

    /// Returns the answer of each key as [`Store::cached`] does, all as of one moment.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn cached_all(
        &self,
        keys: &[ContentHash],
        now: Timestamp,
    ) -> Result<Vec<Option<Answer>>, StoreError> {
        let doing = "look into the cache";
        let found = self.read(|connection| {
            // One transaction: to begin and end one costs more than to look up a key.
            let snapshot = connection.unchecked_transaction().doing(doing)?;
            let mut select = snapshot
                .prepare_cached(
                    "SELECT text, reply, latency_ms, first_token_ms
                     FROM cache JOIN answer USING (answer_no) WHERE key = ?1",
                )
                .doing(doing)?;
            let mut found = Vec::with_capacity(keys.len());
            for key in keys {
                let row =
                    select.query_row([key.as_bytes()], |row| answer(row, AnswerSource::Cache));
                found.push(row.optional().doing(doing)?);
            }
            Ok(found)
        })?;
        for (key, _) in keys.iter().zip(&found).filter(|(_, found)| found.is_some()) {
            self.cache_use().touch(*key, now);
        }
        Ok(found)
    }

    /// Tells for each key whether the cache has its answer. Does not count as a use.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn are_cached(&self, keys: &[ContentHash]) -> Result<Vec<bool>, StoreError> {
        self.read(|connection| {
            let doing = "look into the cache";
            let snapshot = connection.unchecked_transaction().doing(doing)?;
            let mut select =
                snapshot.prepare_cached("SELECT 1 FROM cache WHERE key = ?1").doing(doing)?;
            keys.iter().map(|key| select.exists([key.as_bytes()]).doing(doing)).collect()
        })
    }

    /// Returns what the cache holds.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn cache_stats(&self) -> Result<CacheStats, StoreError> {
        let limit_bytes = self.cache_use().limit_bytes;
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT count(*), ifnull(sum(bytes), 0), min(touched_at) FROM cache",
                    (),
                    |row| {
                        Ok(CacheStats {
                            entries: row.count(0)?,
                            bytes: row.count(1)?,
                            limit_bytes,
                            oldest: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_unix_ms),
                        })
                    },
                )
                .doing("measure the cache")
        })
    }

    /// Empties the cache. Answers that runs recorded stay with their runs.
    ///
    /// Reports how many answers it held.
    pub fn clear_cache(&self, done: Done<u64>) {
        let cache = self.cache_use().clone();
        self.submit(done, move |connection| {
            let removed = connection.execute("DELETE FROM cache", ()).doing("empty the cache")?;
            cache.touches().clear();
            Ok(removed as u64)
        });
    }
}

/// Reads an answer from the columns text, reply, latency_ms, first_token_ms.
pub(crate) fn answer(row: &Row<'_>, source: AnswerSource) -> rusqlite::Result<Answer> {
    let first_token_ms = match row.get::<_, Option<i64>>(3)? {
        Some(_) => Some(row.count(3)?),
        None => None,
    };
    let reply: Reply = row.json(1)?;
    Ok(Answer {
        reply: Reply { text: row.get(0)?, ..reply },
        latency_ms: row.count(2)?,
        first_token_ms,
        source,
    })
}

/// What this process did to the cache and has not written down yet.
///
/// A hit costs no transaction: its time is kept here and written with others. Losing some in a crash
/// only makes the order of removal less exact.
#[derive(Debug)]
pub(crate) struct CacheUse {
    limit_bytes: u64,
    added_bytes: AtomicU64,
    touches: Mutex<HashMap<ContentHash, i64>>,
}

impl CacheUse {
    pub(crate) fn new(limit_bytes: u64) -> Self {
        Self { limit_bytes, added_bytes: AtomicU64::new(0), touches: Mutex::default() }
    }

    /// Keeps an answer under a key, in place of an older one.
    pub(crate) fn put(
        &self,
        connection: &Connection,
        key: ContentHash,
        answer_no: i64,
        bytes: u64,
        now: i64,
    ) -> Result<(), StoreError> {
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO cache (key, answer_no, bytes, stored_at, touched_at)
                 VALUES (?1, ?2, ?3, ?4, ?4)",
            )
            .and_then(|mut insert| {
                insert.execute(params![key.as_bytes(), answer_no, integer(bytes), now])
            })
            .doing("keep an answer in the cache")?;
        self.added_bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Tells whether there is so much to write down that it should not wait for a rest.
    pub(crate) fn wants_tidying(&self) -> bool {
        self.added_bytes.load(Ordering::Relaxed) > self.limit_bytes / 16
            || self.touches().len() >= TOUCHES
    }

    /// Writes the times of use, and removes the least recently used answers above the limit.
    pub(crate) fn tidy(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let touches = std::mem::take(&mut *self.touches());
        let added = self.added_bytes.load(Ordering::Relaxed);
        if touches.is_empty() && added == 0 {
            return Ok(());
        }
        let doing = "keep the cache within its limit";
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).doing(doing)?;
        {
            let mut update = transaction
                .prepare_cached(
                    "UPDATE cache SET touched_at = ?2 WHERE key = ?1 AND touched_at < ?2",
                )
                .doing(doing)?;
            for (key, time) in touches {
                update.execute(params![key.as_bytes(), time]).doing(doing)?;
            }
        }
        if added > 0 {
            self.remove_above_limit(&transaction).doing(doing)?;
        }
        transaction.commit().doing(doing)?;
        self.added_bytes.fetch_sub(added, Ordering::Relaxed);
        Ok(())
    }

    /// Goes a tenth below the limit, so that the next removal is not due at once.
    fn remove_above_limit(&self, connection: &Connection) -> rusqlite::Result<()> {
        let bytes: i64 =
            connection
                .query_row("SELECT ifnull(sum(bytes), 0) FROM cache", (), |row| row.get(0))?;
        if bytes <= integer(self.limit_bytes) {
            return Ok(());
        }
        let kept = integer(self.limit_bytes - self.limit_bytes / 10);
        connection
            .execute(
                "DELETE FROM cache WHERE key IN (
                   SELECT key FROM (
                     SELECT key, sum(bytes) OVER (ORDER BY touched_at DESC, key) AS upto FROM cache)
                   WHERE upto > ?1)",
                [kept],
            )
            .map(drop)
    }

    fn touch(&self, key: ContentHash, now: Timestamp) {
        self.touches().insert(key, now.unix_ms());
    }

    fn touches(&self) -> MutexGuard<'_, HashMap<ContentHash, i64>> {
        self.touches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
