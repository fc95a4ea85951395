use std::collections::BTreeMap;

use rusqlite::{Connection, Row};
use values::{Id, NanoDollars, Timestamp};

use crate::error::{Doing, StoreError};
use crate::store::Store;

const MS_PER_DAY: i64 = 86_400_000;

/// What one variant of a run cost on one UTC day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostRow {
    /// The run.
    pub run: Id,
    /// The variant's place in the run's header; of a judging run, the judge's.
    pub variant: u32,
    /// The beginning of the day.
    pub day: Timestamp,
    /// What it adds up to.
    pub cost: CostSum,
}

/// What calls cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CostSum {
    /// Answers that a provider gave.
    pub calls: u64,
    /// What providers counted.
    pub billed: NanoDollars,
    /// Worst cases of attempts whose bill will never be known.
    pub presumed: NanoDollars,
    /// Worst cases of calls on their way.
    pub reserved: NanoDollars,
    /// Answers that the cache gave.
    pub hits: u64,
    /// What those would have cost, where it is known.
    pub saved: NanoDollars,
    /// Answers of a provider whose price nobody knows; they are in none of the amounts.
    pub unpriced: u64,
    /// Input tokens of a provider's answers.
    pub input_tokens: u64,
    /// Output tokens of a provider's answers.
    pub output_tokens: u64,
}

type Key = (i64, [u8; 16], u32);

impl Store {
    /// Returns what all runs cost, by day, run and variant. Money stands on the day of its
    /// reservation, as the day's cap counts it; all else on the day on which an attempt ended.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn costs(&self) -> Result<Vec<CostRow>, StoreError> {
        self.read(|connection| {
            let mut sums = BTreeMap::new();
            add_money(connection, &mut sums).doing("add up what was spent")?;
            add_attempts(connection, &mut sums).doing("add up what was sent")?;
            let rows = sums.into_iter().map(|((day, run, variant), cost)| CostRow {
                run: Id::from_bytes(run),
                variant,
                day: Timestamp::from_unix_ms(day.saturating_mul(MS_PER_DAY)),
                cost,
            });
            Ok(rows.collect())
        })
    }
}

fn add_money(connection: &Connection, sums: &mut BTreeMap<Key, CostSum>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT ledger.day, run.id, cell.variant,
           sum(coalesce(billed, 0)),
           sum(iif(ledger.state = 'presumed_spent', reserved, 0)),
           sum(iif(ledger.state = 'reserved', reserved, 0))
         FROM ledger JOIN cell USING (run_no, cell) JOIN run USING (run_no)
         WHERE ledger.state <> 'released'
         GROUP BY ledger.day, ledger.run_no, cell.variant",
    )?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let sum = sums.entry(key(row)?).or_default();
        sum.billed = NanoDollars::new(row.get(3)?);
        sum.presumed = NanoDollars::new(row.get(4)?);
        sum.reserved = NanoDollars::new(row.get(5)?);
    }
    Ok(())
}

fn add_attempts(
    connection: &Connection,
    sums: &mut BTreeMap<Key, CostSum>,
) -> rusqlite::Result<()> {
    // Times are never before 1970, so that the division rounds down.
    let mut statement = connection.prepare_cached(
        "SELECT attempt.ended_at / 86400000 AS day, run.id, cell.variant,
           sum(source = 'live'),
           sum(source = 'cache'),
           sum(iif(source = 'cache', coalesce(attempt.cost, 0), 0)),
           sum(source = 'live' AND attempt.cost IS NULL AND reservation IS NULL),
           sum(iif(source = 'live', coalesce(input_tokens, 0), 0)),
           sum(iif(source = 'live', coalesce(output_tokens, 0), 0))
         FROM attempt JOIN answer USING (answer_no) JOIN cell USING (run_no, cell)
           JOIN run USING (run_no)
         WHERE source <> 'replay'
         GROUP BY day, attempt.run_no, cell.variant",
    )?;
    let mut rows = statement.query(())?;
    while let Some(row) = rows.next()? {
        let sum = sums.entry(key(row)?).or_default();
        sum.calls = count(row, 3)?;
        sum.hits = count(row, 4)?;
        sum.saved = NanoDollars::new(row.get(5)?);
        sum.unpriced = count(row, 6)?;
        sum.input_tokens = count(row, 7)?;
        sum.output_tokens = count(row, 8)?;
    }
    Ok(())
}

fn key(row: &Row<'_>) -> rusqlite::Result<Key> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

/// Reads a sum of what is never negative.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}
