use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Deref;

use run::CellScore;
use rusqlite::Connection;
use values::Id;

use crate::error::StoreError;
use crate::sums::{self, Change, Scope};

/// An open transaction, and what its writes have in common: looked up once, or written once at its
/// end, however many writes share it.
pub(crate) struct Writing<'a> {
    connection: &'a Connection,
    /// How its writes change the sums of the ledger.
    sums: RefCell<BTreeMap<Scope, Change>>,
    run: Cell<Option<RunRow>>,
    scorers: RefCell<Vec<(CellScore, i64)>>,
}

/// A run as its writes see it. No write that shares a transaction changes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunRow {
    pub(crate) id: Id,
    pub(crate) run_no: i64,
    pub(crate) lease: Option<Id>,
}

impl<'a> Writing<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            sums: RefCell::default(),
            run: Cell::default(),
            scorers: RefCell::default(),
        }
    }

    /// Adds to a sum of the ledger.
    pub(crate) fn add(&self, scope: Scope, change: Change) {
        let mut sums = self.sums.borrow_mut();
        let sum = sums.entry(scope).or_default();
        *sum = *sum + change;
    }

    /// Returns what was added to a sum and is not written yet.
    pub(crate) fn added(&self, scope: Scope) -> Change {
        self.sums.borrow().get(&scope).copied().unwrap_or_default()
    }

    /// Returns a run's row, looking for it the first time.
    pub(crate) fn run(
        &self,
        id: Id,
        look: impl FnOnce(&Connection) -> Result<RunRow, StoreError>,
    ) -> Result<RunRow, StoreError> {
        match self.run.get() {
            Some(row) if row.id == id => Ok(row),
            _ => look(self.connection).inspect(|row| self.run.set(Some(*row))),
        }
    }

    /// Returns the number of what made a score, looking for it the first time.
    pub(crate) fn scorer(
        &self,
        of: &CellScore,
        look: impl FnOnce(&Connection) -> rusqlite::Result<i64>,
    ) -> rusqlite::Result<i64> {
        let is_same = |known: &CellScore| {
            (known.scored_by, known.score.source) == (of.scored_by, of.score.source)
                && (&known.criterion, &known.name) == (&of.criterion, &of.name)
        };
        let mut scorers = self.scorers.borrow_mut();
        if let Some((_, scorer_no)) = scorers.iter().find(|(known, _)| is_same(known)) {
            return Ok(*scorer_no);
        }
        let scorer_no = look(self.connection)?;
        scorers.push((of.clone(), scorer_no));
        Ok(scorer_no)
    }

    /// Writes what was kept for the end.
    pub(crate) fn finish(self) -> Result<(), StoreError> {
        let sums = self.sums.into_inner();
        sums.into_iter().try_for_each(|(scope, change)| sums::write(self.connection, scope, change))
    }
}

impl Deref for Writing<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}
