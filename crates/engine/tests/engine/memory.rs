//! A record, ledger and cache in memory, with faults on demand.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use engine::{
    Cache, Entry, PendingCell, PendingQuery, Record, RecordError, Reservation, Reserved,
    ScoredCell, Selection, Settlement, Standing,
};
use run::{
    Answer, AnswerSource, Attempt, CapScope, LedgerState, Outcome, PlannedCell, RunState, Spend,
    StatusCounts,
};
use score::Status;
use values::{ContentHash, Id, NanoDollars, Timestamp};

/// What is kept of a cell.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) attempts: BTreeMap<u32, Arc<Attempt>>,
    pub(crate) status: Option<Status>,
    /// The attempt that closed it.
    closed_by: Option<u32>,
}

pub(crate) struct State {
    pub(crate) plan: Vec<PlannedCell>,
    pub(crate) rows: Vec<Row>,
    pub(crate) ledger: BTreeMap<Id, (NanoDollars, LedgerState)>,
    pub(crate) cache: HashMap<ContentHash, Answer>,
    pub(crate) run: RunState,
    pub(crate) heartbeats: u32,
    saved: NanoDollars,
    unpriced: u32,
    is_open: bool,
}

pub(crate) struct Memory {
    state: Mutex<State>,
    /// How many more writes succeed.
    writes_left: AtomicU32,
    /// How many writes fail after that, before they succeed again.
    failures_left: AtomicU32,
}

impl Memory {
    pub(crate) fn new(plan: Vec<PlannedCell>) -> Self {
        let rows = plan.iter().map(|_| Row::default()).collect();
        let state = State {
            plan,
            rows,
            ledger: BTreeMap::new(),
            cache: HashMap::new(),
            run: RunState::Stopped,
            heartbeats: 0,
            saved: NanoDollars::ZERO,
            unpriced: 0,
            is_open: false,
        };
        Self {
            state: Mutex::new(state),
            writes_left: AtomicU32::new(u32::MAX),
            failures_left: AtomicU32::new(0),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lets so many commits and reservations succeed, then so many fail.
    pub(crate) fn fail_after(&self, writes: u32, failures: u32) {
        self.writes_left.store(writes, Ordering::Relaxed);
        self.failures_left.store(failures, Ordering::Relaxed);
    }

    /// Makes the next session find what a killed process leaves.
    pub(crate) fn kill(&self) {
        self.state().is_open = false;
    }

    pub(crate) fn attempts(&self, cell: usize) -> Vec<Arc<Attempt>> {
        self.state().rows[cell].attempts.values().cloned().collect()
    }

    pub(crate) fn spend(&self) -> Spend {
        self.state().spend()
    }

    fn write(&self) -> Result<(), RecordError> {
        let left = self.writes_left.load(Ordering::Relaxed);
        if left > 0 {
            self.writes_left.store(left - 1, Ordering::Relaxed);
            return Ok(());
        }
        let failures = self.failures_left.load(Ordering::Relaxed);
        if failures == 0 {
            return Ok(());
        }
        self.failures_left.store(failures - 1, Ordering::Relaxed);
        Err(RecordError { message: "no space left".to_owned(), hint: None, source: None })
    }
}

impl State {
    pub(crate) fn spend(&self) -> Spend {
        let mut spend = Spend { saved: self.saved, unpriced: self.unpriced, ..Spend::default() };
        for (reserved, state) in self.ledger.values() {
            match *state {
                LedgerState::Reserved => spend.reserved = spend.reserved + *reserved,
                LedgerState::Settled { billed } => spend.billed = spend.billed + billed,
                LedgerState::PresumedSpent => spend.presumed = spend.presumed + *reserved,
                LedgerState::Released => {}
            }
        }
        spend
    }

    pub(crate) fn counts(&self) -> StatusCounts {
        let mut counts = StatusCounts::default();
        for status in self.rows.iter().filter_map(|row| row.status) {
            *counts.of_mut(status) += 1;
        }
        counts
    }

    fn presume_open(&mut self) {
        for (_, state) in self.ledger.values_mut() {
            if *state == LedgerState::Reserved {
                *state = LedgerState::PresumedSpent;
            }
        }
    }

    fn settle(&mut self, settlement: Settlement) {
        let (_, state) = self.ledger.get_mut(&settlement.reservation).unwrap();
        assert_eq!(*state, LedgerState::Reserved, "a reservation is settled once");
        *state = settlement.state;
    }
}

impl Row {
    fn closing(&self) -> Option<&Arc<Attempt>> {
        self.closed_by.map(|number| &self.attempts[&number])
    }

    fn is_selected(&self, selection: Selection) -> bool {
        let is_answered =
            self.closing().is_some_and(|closing| matches!(closing.outcome, Outcome::Answered(_)));
        match selection {
            Selection::Unfinished => self.status.is_none(),
            Selection::Failed => self.closed_by.is_some() && !is_answered,
            Selection::Answered => is_answered,
        }
    }
}

#[async_trait]
impl Record for Memory {
    async fn open(&self, _run: Id) -> Result<Standing, RecordError> {
        let mut state = self.state();
        assert!(!state.is_open, "one session at a time");
        state.presume_open();
        let before = std::mem::replace(&mut state.run, RunState::Running);
        state.is_open = true;
        let answers = state.rows.iter().filter_map(Row::closing);
        let is_hit = |attempt: &&Arc<Attempt>| matches!(&attempt.outcome, Outcome::Answered(answer) if answer.source == AnswerSource::Cache);
        let hits = u32::try_from(answers.filter(is_hit).count()).unwrap();
        Ok(Standing { state: before, counts: state.counts(), spend: state.spend(), hits })
    }

    async fn pending(&self, query: &PendingQuery) -> Result<Vec<PendingCell>, RecordError> {
        let state = self.state();
        let cells = state.plan.iter().zip(&state.rows).filter(|(cell, row)| {
            query.variants.contains(&cell.variant)
                && query.after.is_none_or(|after| cell.index > after)
                && row.is_selected(query.selection)
        });
        let pending = cells.map(|(cell, row)| PendingCell {
            cell: cell.clone(),
            next_attempt: row.attempts.keys().last().map_or(0, |last| last + 1),
            status: row.status,
            answered: row
                .closing()
                .filter(|closing| matches!(closing.outcome, Outcome::Answered(_)))
                .cloned(),
        });
        Ok(pending.take(query.limit as usize).collect())
    }

    async fn reserve(&self, wish: Reservation) -> Result<Reserved, RecordError> {
        self.write()?;
        let mut state = self.state();
        let spend = state.spend();
        let after = spend.billed + spend.presumed + spend.reserved + wish.amount;
        if wish.caps.request.is_some_and(|cap| wish.amount > cap) {
            return Ok(Reserved::OverCap(CapScope::Request));
        }
        if wish.caps.run.is_some_and(|cap| after > cap) {
            return Ok(Reserved::OverCap(CapScope::Run));
        }
        let mut random = [0; 10];
        random[6..].copy_from_slice(&u32::try_from(state.ledger.len()).unwrap().to_be_bytes());
        let id = Id::new(wish.at, random);
        assert!(state.ledger.insert(id, (wish.amount, LedgerState::Reserved)).is_none());
        Ok(Reserved::Granted(id))
    }

    async fn commit(&self, entry: Arc<Entry>) -> Result<(), RecordError> {
        self.write()?;
        let mut state = self.state();
        let attempt = &entry.attempt;
        let cell = attempt.cell as usize;
        if state.rows[cell].attempts.insert(attempt.number, Arc::clone(attempt)).is_some() {
            return Ok(());
        }
        if let Some(settlement) = entry.settlement {
            state.settle(settlement);
        }
        state.saved = state.saved + entry.saved.unwrap_or(NanoDollars::ZERO);
        state.unpriced += u32::from(entry.unpriced);
        if attempt.closes {
            let row = &mut state.rows[cell];
            row.closed_by = Some(attempt.number);
            row.status = matches!(attempt.outcome, Outcome::Failed(_)).then_some(Status::Error);
        }
        if let (Some(key), Outcome::Answered(answer)) = (entry.cache_key, &attempt.outcome)
            && answer.is_cacheable()
        {
            state.cache.insert(key, Answer::clone(answer));
        }
        Ok(())
    }

    async fn settle(&self, settlement: Settlement) -> Result<(), RecordError> {
        self.state().settle(settlement);
        Ok(())
    }

    async fn commit_scores(&self, scored: Arc<ScoredCell>) -> Result<(), RecordError> {
        self.write()?;
        let mut state = self.state();
        let row = &mut state.rows[scored.cell as usize];
        assert!(row.closing().is_some(), "an answer is recorded before it is scored");
        row.status = Some(scored.scored.status);
        Ok(())
    }

    async fn close(&self, _run: Id, state_now: RunState) -> Result<(), RecordError> {
        let mut state = self.state();
        state.presume_open();
        state.run = state_now;
        state.is_open = false;
        Ok(())
    }

    async fn heartbeat(&self, _run: Id, _at: Timestamp) -> Result<(), RecordError> {
        self.state().heartbeats += 1;
        Ok(())
    }
}

#[async_trait]
impl Cache for Memory {
    async fn lookup(&self, key: &ContentHash) -> Result<Option<Box<Answer>>, RecordError> {
        Ok(self.state().cache.get(key).cloned().map(Box::new))
    }
}
