//! The sums of the ledger by scope, from which a cap is checked in constant time.

use std::ops::Add;

use run::{LedgerState, Spend};
use rusqlite::{Connection, Row, params};
use values::{NanoDollars, Timestamp};

use crate::error::{Doing, StoreError};
use crate::writing::Writing;

const MS_PER_DAY: i64 = 86_400_000;

/// A row of sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// Of a run, by its number.
    Run(i64),
    /// Of a day, since 1970 in UTC.
    Day(i64),
    /// Of the project.
    Project,
}

impl Scope {
    fn columns(self) -> (&'static str, i64) {
        match self {
            Self::Run(run_no) => ("run", run_no),
            Self::Day(day) => ("day", day),
            Self::Project => ("project", 0),
        }
    }
}

/// Returns the UTC day of a time, counted from 1970.
pub(crate) fn day_of(time: Timestamp) -> i64 {
    time.unix_ms().div_euclid(MS_PER_DAY)
}

/// How the sums of a scope change.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Change {
    pub(crate) billed: i64,
    pub(crate) reserved: i64,
    pub(crate) presumed: i64,
    /// What is in none of the ledger's amounts: what hits saved, hits, and prices not known.
    pub(crate) saved: i64,
    pub(crate) hits: i64,
    pub(crate) unpriced: i64,
}

impl Change {
    /// Returns what an entry changes by going from one state to another.
    pub(crate) fn between(
        reserved: NanoDollars,
        before: Option<LedgerState>,
        after: LedgerState,
    ) -> Self {
        let parts = |state| match state {
            Some(LedgerState::Reserved) => (0, reserved.get(), 0),
            Some(LedgerState::Settled { billed }) => (billed.get(), 0, 0),
            Some(LedgerState::PresumedSpent) => (0, 0, reserved.get()),
            Some(LedgerState::Released) | None => (0, 0, 0),
        };
        let (old, new) = (parts(before), parts(Some(after)));
        Self {
            billed: new.0 - old.0,
            reserved: new.1 - old.1,
            presumed: new.2 - old.2,
            ..Self::default()
        }
    }

    /// Books it in all scopes of an entry, at the end of the transaction.
    pub(crate) fn book(self, writing: &Writing<'_>, run_no: i64, day: i64) {
        for scope in [Scope::Run(run_no), Scope::Day(day), Scope::Project] {
            writing.add(scope, self);
        }
    }
}

impl Add for Change {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            billed: self.billed + other.billed,
            reserved: self.reserved + other.reserved,
            presumed: self.presumed + other.presumed,
            saved: self.saved + other.saved,
            hits: self.hits + other.hits,
            unpriced: self.unpriced + other.unpriced,
        }
    }
}

/// The sums of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sums {
    pub(crate) spend: Spend,
    pub(crate) hits: u32,
}

impl Sums {
    /// Returns what counts against a cap.
    pub(crate) fn total(&self) -> NanoDollars {
        self.spend.billed + self.spend.presumed + self.spend.reserved
    }
}

/// Returns the sums of a scope as they are written.
pub(crate) fn sums(connection: &Connection, scope: Scope) -> Result<Sums, StoreError> {
    read(connection, scope, Change::default())
}

/// Returns the sums of a scope with what the open transaction has added.
pub(crate) fn sums_with(writing: &Writing<'_>, scope: Scope) -> Result<Sums, StoreError> {
    read(writing, scope, writing.added(scope))
}

fn read(connection: &Connection, scope: Scope, added: Change) -> Result<Sums, StoreError> {
    let (name, key) = scope.columns();
    let row = params![
        name,
        key,
        added.billed,
        added.presumed,
        added.reserved,
        added.saved,
        added.unpriced,
        added.hits
    ];
    connection
        .prepare_cached(
            "SELECT ifnull(sum(billed), 0) + ?3, ifnull(sum(presumed), 0) + ?4,
               ifnull(sum(reserved), 0) + ?5, ifnull(sum(saved), 0) + ?6,
               ifnull(sum(unpriced), 0) + ?7, ifnull(sum(hits), 0) + ?8
             FROM spend WHERE scope = ?1 AND key = ?2",
        )
        .and_then(|mut select| {
            let money = |row: &Row<'_>, column| row.get(column).map(NanoDollars::new);
            select.query_row(row, |row| {
                let spend = Spend {
                    billed: money(row, 0)?,
                    presumed: money(row, 1)?,
                    reserved: money(row, 2)?,
                    saved: money(row, 3)?,
                    unpriced: row.get(4)?,
                };
                Ok(Sums { spend, hits: row.get(5)? })
            })
        })
        .doing("read what was spent")
}

/// Writes what a transaction adds to the sums of a scope.
pub(crate) fn write(
    connection: &Connection,
    scope: Scope,
    change: Change,
) -> Result<(), StoreError> {
    let doing = "add up what was spent";
    let (name, key) = scope.columns();
    let Change { billed, reserved, presumed, saved, hits, unpriced } = change;
    let row = params![name, key, billed, reserved, presumed, saved, hits, unpriced];
    let changed = connection
        .prepare_cached(
            "UPDATE spend SET billed = billed + ?3, reserved = reserved + ?4,
               presumed = presumed + ?5, saved = saved + ?6, hits = hits + ?7,
               unpriced = unpriced + ?8
             WHERE scope = ?1 AND key = ?2",
        )
        .and_then(|mut update| update.execute(row))
        .doing(doing)?;
    if changed == 0 {
        connection
            .prepare_cached(
                "INSERT INTO spend (scope, key, billed, reserved, presumed, saved, hits, unpriced)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )
            .and_then(|mut insert| insert.execute(row))
            .doing(doing)?;
    }
    Ok(())
}
