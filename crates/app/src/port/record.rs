use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use engine::{
    Entry, PendingCell, PendingQuery, Record, RecordError, Reservation, Reserved, ScoredCell,
    Selection, Settlement, Standing, Stopper,
};
use run::{Answer, Attempt, Outcome, RunState, StopCause};
use store::{NewAttempt, NewScores, Store, StoreError};
use values::{ContentHash, Id, Timestamp};

use crate::Host;
use crate::bridge::{read, write};
use crate::port::lookups::Lookups;
use crate::until_decided::Watch;

/// The record and the cache of a run, in the project's database.
pub(crate) struct StoreRecord {
    store: Store,
    lookups: Arc<Lookups>,
    host: Host,
    run: Id,
    /// The scoring that this session's scores belong to, known once the run is open.
    generation: AtomicU32,
    /// Told when another process asks the run to stop.
    stopper: OnceLock<Stopper>,
    /// Says when the run is decided, if that is to end it.
    watch: Option<Mutex<Watch>>,
}

impl StoreRecord {
    pub(crate) fn new(store: Store, host: Host, run: Id, watch: Option<Watch>) -> Self {
        let (generation, stopper) = (AtomicU32::new(1), OnceLock::new());
        let lookups = Arc::new(Lookups::new(store.clone()));
        Self { store, lookups, host, run, generation, stopper, watch: watch.map(Mutex::new) }
    }

    /// Tells the watch what was recorded, and ends the session once the run is decided.
    fn tell(&self, recorded: impl FnOnce(&mut Watch) -> Option<StopCause>) {
        let Some(watch) = &self.watch else { return };
        let decided = recorded(&mut watch.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(cause) = decided
            && let Some(stopper) = self.stopper.get()
        {
            stopper.decided(cause);
        }
    }

    /// Names what stops the session, once it exists.
    pub(crate) fn stop_with(&self, stopper: Stopper) {
        // Set once, right after the session is made; a second session has its own record.
        let _already = self.stopper.set(stopper);
    }
}

fn record_error(error: StoreError) -> RecordError {
    let (message, hint) = (error.to_string(), error.hint());
    RecordError { message, hint, source: Some(Box::new(error)) }
}

#[async_trait]
impl Record for StoreRecord {
    async fn open(&self, run: Id) -> Result<Standing, RecordError> {
        let now = (self.host.now)();
        let standing = write(|done| self.store.claim_run(run, now, done)).await;
        let standing = standing.map_err(record_error)?;
        self.generation.store(standing.generation, Ordering::Relaxed);
        // What an earlier session recorded may decide it already.
        self.tell(Watch::advance);
        Ok(Standing {
            state: standing.state,
            counts: standing.tally.counts,
            spend: standing.spend,
            hits: standing.hits,
        })
    }

    async fn pending(&self, query: &PendingQuery) -> Result<Vec<PendingCell>, RecordError> {
        let query = store::PendingQuery {
            run: query.run,
            selection: match query.selection {
                Selection::Unfinished => store::Selection::Unfinished,
                Selection::Failed => store::Selection::Failed,
                Selection::Answered => store::Selection::Answered,
            },
            variants: Some(query.variants.to_vec()),
            after: query.after,
            limit: query.limit,
        };
        let cells = read(&self.store, move |store| store.pending_cells(&query)).await;
        let pending = cells.map_err(record_error)?.into_iter().map(|pending| PendingCell {
            cell: pending.cell,
            next_attempt: pending.next_attempt,
            status: pending.status,
            answered: pending.answered.map(Arc::new),
        });
        Ok(pending.collect())
    }

    async fn reserve(&self, reservation: Reservation) -> Result<Reserved, RecordError> {
        let Reservation { run, cell, at, amount, caps, .. } = reservation;
        let id = self.host.new_id();
        let wanted = store::Reservation { id, run, cell, worst_case: amount };
        match write(|done| self.store.reserve(wanted, caps, at, done)).await {
            Ok(store::Reserved::Granted) => Ok(Reserved::Granted(id)),
            Ok(store::Reserved::Refused(reached)) => Ok(Reserved::OverCap(reached.scope)),
            Err(error) => Err(record_error(error)),
        }
    }

    async fn commit(&self, entry: Arc<Entry>) -> Result<(), RecordError> {
        let new = NewAttempt {
            attempt: Arc::clone(&entry.attempt),
            settlement: entry.settlement.map(|settled| (settled.reservation, settled.state)),
            unpriced: entry.unpriced,
            cache_key: entry.cache_key,
        };
        write(|done| self.store.record(new, done)).await.map(drop).map_err(record_error)?;
        let Attempt { cell, closes, outcome, .. } = &*entry.attempt;
        if *closes && matches!(outcome, Outcome::Failed(_)) {
            self.tell(|watch| watch.failed(*cell));
        }
        Ok(())
    }

    async fn settle(&self, settlement: Settlement) -> Result<(), RecordError> {
        let Settlement { reservation, state } = settlement;
        write(|done| self.store.settle(self.run, reservation, state, done))
            .await
            .map(drop)
            .map_err(record_error)
    }

    async fn commit_scores(&self, scored: Arc<ScoredCell>) -> Result<(), RecordError> {
        let new = NewScores {
            run: scored.run,
            cell: scored.cell,
            generation: self.generation.load(Ordering::Relaxed),
            scores: scored.scored.scores.clone(),
            status: scored.scored.status,
            now: (self.host.now)(),
        };
        write(|done| self.store.record_scores(new, done)).await.map_err(record_error)?;
        self.tell(|watch| watch.scored(scored.cell, &scored.scored.scores));
        Ok(())
    }

    async fn close(&self, run: Id, state: RunState) -> Result<(), RecordError> {
        let now = (self.host.now)();
        write(|done| self.store.end_run(run, state, now, done)).await.map_err(record_error)
    }

    async fn heartbeat(&self, run: Id, at: Timestamp) -> Result<(), RecordError> {
        let asked = write(|done| self.store.heartbeat(run, at, done)).await;
        if asked.map_err(record_error)?
            && let Some(stopper) = self.stopper.get()
        {
            stopper.finish();
        }
        Ok(())
    }
}

#[async_trait]
impl engine::Cache for StoreRecord {
    async fn lookup(&self, key: &ContentHash) -> Result<Option<Box<Answer>>, RecordError> {
        let (key, now) = (*key, (self.host.now)());
        let found = self.lookups.find(key, now).await;
        Ok(found.map_err(record_error)?.map(Box::new))
    }
}
