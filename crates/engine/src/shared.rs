use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use run::StopCause;
use tokio::sync::Notify;
use values::{NanoDollars, Timestamp};

use crate::budget::Budget;
use crate::halt::{Halt, Level};
use crate::pace::later;
use crate::tally::Tally;
use crate::{Entry, Ports, RecordError, ScoredCell, Settings};

/// Milliseconds before what could not be recorded is tried once more.
const RECORD_AGAIN_MS: u64 = 1_000;

/// What all parts of a session share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) ports: Ports,
    pub(crate) halt: Arc<Halt>,
    pub(crate) budget: Budget,
    /// Wakes who tells the watchers.
    pub(crate) changed: Notify,
    tally: Mutex<Tally>,
}

/// Something could not be recorded; the session is ending because of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unrecorded;

impl Shared {
    pub(crate) fn new(settings: Settings, ports: Ports) -> Self {
        let tally = Mutex::new(Tally::new(&settings, ports.clock.now()));
        Self {
            settings,
            ports,
            halt: Halt::new(),
            budget: Budget::default(),
            changed: Notify::new(),
            tally,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    pub(crate) async fn sleep(&self, ms: u64) {
        self.ports.clock.sleep_until(later(self.now(), ms)).await;
    }

    /// Gives access to the counts. Held for a few instructions, never across an await.
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        // Nothing panics while it is held, so what is inside is whole.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an attempt; tries once more if that fails, while the session is already ending.
    pub(crate) async fn commit(&self, entry: &Arc<Entry>) -> Result<(), Unrecorded> {
        let record = &self.ports.record;
        if let Err(error) = record.commit(Arc::clone(entry)).await {
            self.halt.record_failed(error);
            self.sleep(RECORD_AGAIN_MS).await;
            let again = record.commit(Arc::clone(entry)).await;
            self.lost_if(again)?;
        }
        Ok(())
    }

    /// Records scores, in the same manner.
    pub(crate) async fn commit_scores(&self, scored: &Arc<ScoredCell>) -> Result<(), Unrecorded> {
        let record = &self.ports.record;
        if let Err(error) = record.commit_scores(Arc::clone(scored)).await {
            self.halt.record_failed(error);
            self.sleep(RECORD_AGAIN_MS).await;
            // Scores that are lost are made again from the recorded answer.
            record.commit_scores(Arc::clone(scored)).await.map_err(|_| Unrecorded)?;
        }
        Ok(())
    }

    fn lost_if(&self, again: Result<(), RecordError>) -> Result<(), Unrecorded> {
        again.map_err(|error| {
            self.halt.record_failed(error);
            self.tally().unrecorded();
            Unrecorded
        })
    }

    /// Stops the session if a provider billed more than it was allowed.
    pub(crate) fn check_overrun(&self, cell: u32, reserved: NanoDollars, billed: NanoDollars) {
        if billed > reserved {
            self.halt.raise(Level::Finish, StopCause::Overrun { cell, reserved, billed });
        }
    }
}
