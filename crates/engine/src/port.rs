//! What the engine needs from outside. `app` implements these over `store`, `provider` and `score`;
//! tests implement them in memory.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use catalog::{Tariff, Unbounded};
use provider::Client;
use run::{
    Answer, Attempt, Call, CapScope, Caps, CellScore, Failure, LedgerState, PlannedCell, RunState,
    Spend, StatusCounts,
};
use score::Status;
use values::{ContentHash, Id, NanoDollars, Timestamp};

/// The time. The engine has no clock of its own, so that tests run in virtual time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Returns the time now; never less than an earlier call returned.
    fn now(&self) -> Timestamp;

    /// Returns once [`Clock::now`] has reached `time`, at once if it has already.
    async fn sleep_until(&self, time: Timestamp);
}

/// Turns cells into calls.
#[async_trait]
pub trait Calls: Send + Sync {
    /// Renders one cell into the exact call that is sent for it.
    ///
    /// Called shortly before the call is sent, so that memory does not grow with the plan, and
    /// again after a resume: the same cell must give the same call. Sends nothing. Work that takes
    /// long belongs on a blocking thread.
    ///
    /// # Errors
    /// The failure with which the cell is recorded: it is never retried and bills nothing.
    async fn prepare(&self, cell: &PlannedCell) -> Result<PreparedCell, Box<Failure>>;

    /// Tells whether a cell's answer is to be drawn anew: it is neither looked for in the cache nor kept
    /// there. Whether somebody says the same again is known only if they are asked again.
    fn is_drawn_anew(&self, _cell: &PlannedCell) -> bool {
        false
    }
}

/// A cell that is ready to be sent.
#[derive(Clone)]
pub struct PreparedCell {
    /// What is sent. Its `sample` for the cache's key is the cell's.
    pub call: Arc<Call>,
    /// Who sends it.
    pub client: Arc<dyn Client>,
    /// What it can cost.
    pub costing: Costing,
}

/// What a call can cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Costing {
    /// Nothing, whatever happens: a model in this process, a replay. No ledger line is written.
    Free {
        /// What shows what the answer would have cost.
        tariff: Option<Arc<Tariff>>,
    },
    /// At most the worst case, from a provider that keeps the token limit that it is sent.
    Priced {
        /// What it counts is billed by this.
        tariff: Arc<Tariff>,
        /// The cost of the most input and the most output; reserved before each try.
        worst_case: NanoDollars,
    },
    /// Unknown. Never sent under a cap, unless unpriced calls are allowed.
    Unknown {
        /// Why.
        why: Unbounded,
    },
}

/// The response cache.
#[async_trait]
pub trait Cache: Send + Sync {
    /// Returns the answer that is stored under a key, as it was recorded.
    ///
    /// # Errors
    /// [`RecordError`] if the store cannot be read; the run then stops.
    async fn lookup(&self, key: &ContentHash) -> Result<Option<Box<Answer>>, RecordError>;
}

/// Scores answers.
#[async_trait]
pub trait Scorer: Send + Sync {
    /// Scores one answer by everything that the eval set asks.
    ///
    /// What cannot be scored is a status, not an error. Called only after the answer is recorded.
    /// Dropped in the middle when the run is stopped at once; called again by the next session.
    async fn score(&self, answered: Answered<'_>) -> Scored;
}

/// An answer to score.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// The cell that it answers.
    pub cell: &'a PlannedCell,
    /// The answer.
    pub answer: &'a Answer,
    /// What it cost, or would have cost; `None` if unknown.
    pub cost: Option<NanoDollars>,
}

/// What scoring a cell gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The cell's status.
    pub status: Status,
    /// Its scores.
    pub scores: Vec<CellScore>,
}

/// The record of a run and the spend ledger.
///
/// Every method that returns `Ok` has made its change durable; one that returns an error, or is
/// dropped before it returns, has made all of it or none. Methods are called concurrently.
#[async_trait]
pub trait Record: Send + Sync {
    /// Takes the run's lease for this process, marks the run as running, and returns where it
    /// stands. Reservations that a dead process left become presumed spent first.
    ///
    /// # Errors
    /// [`RecordError`] if another living process holds the lease, there is no such run, or the
    /// record cannot be written.
    async fn open(&self, run: Id) -> Result<Standing, RecordError>;

    /// Returns the next cells of a selection, in plan order: at most `query.limit`, fewer only at
    /// the end.
    ///
    /// # Errors
    /// [`RecordError`] if the record cannot be read.
    async fn pending(&self, query: &PendingQuery) -> Result<Vec<PendingCell>, RecordError>;

    /// Reserves the worst case of one try in the ledger, if every cap allows it.
    ///
    /// Checked and written in one transaction: no two reservations, of whatever process, are
    /// granted where only one fits. A reservation counts until it is settled otherwise.
    ///
    /// # Errors
    /// [`RecordError`] if the ledger cannot be written.
    async fn reserve(&self, reservation: Reservation) -> Result<Reserved, RecordError>;

    /// Records an attempt together with all that follows from it, in one transaction: the attempt,
    /// the settlement of its reservation, the cache entry, and the cell's outcome if it closes. A
    /// cell that a failure closes has the status [`Status::Error`]; one that an answer closes
    /// has none until its scores are committed.
    ///
    /// Called once more after an error. Committing the same attempt (run, cell, number) again
    /// changes nothing and succeeds.
    ///
    /// # Errors
    /// [`RecordError`] if it could not be made durable.
    async fn commit(&self, entry: Arc<Entry>) -> Result<(), RecordError>;

    /// Settles a reservation for which nothing was sent after all.
    ///
    /// # Errors
    /// [`RecordError`] if the ledger cannot be written.
    async fn settle(&self, settlement: Settlement) -> Result<(), RecordError>;

    /// Records the status and scores of a cell whose answer is recorded, in place of any that the
    /// same instruments gave before. Called once more after an error.
    ///
    /// # Errors
    /// [`RecordError`] if they could not be made durable.
    async fn commit_scores(&self, scored: Arc<ScoredCell>) -> Result<(), RecordError>;

    /// Sets where the run stands at the end of a session, and gives the lease back. Reservations
    /// that are still open become presumed spent.
    ///
    /// # Errors
    /// [`RecordError`] if the record cannot be written.
    async fn close(&self, run: Id, state: RunState) -> Result<(), RecordError>;

    /// Renews the lease. Called every [`crate::HEARTBEAT_MS`].
    ///
    /// # Errors
    /// [`RecordError`] if another process has taken the lease, or it cannot be written.
    async fn heartbeat(&self, run: Id, at: Timestamp) -> Result<(), RecordError>;
}

/// Where a run stands when a session opens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its state before this session.
    pub state: RunState,
    /// Finished cells, by status. A cell whose answer is not scored yet is not finished.
    pub counts: StatusCounts,
    /// The run's part of the ledger; nothing is reserved any more.
    pub spend: Spend,
    /// Answers that came from the cache.
    pub hits: u32,
}

/// Which cells a session works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// Cells without an outcome, and cells whose answer is not scored: a new or a resumed run.
    Unfinished,
    /// Cells whose outcome is a failure: `retry`.
    Failed,
    /// Cells with an answer, to be scored again: `score`. Nothing is sent.
    Answered,
}

/// A question for a page of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingQuery {
    /// The run.
    pub run: Id,
    /// Which cells.
    pub selection: Selection,
    /// Only cells of these variants: those of one provider.
    pub variants: Arc<[u32]>,
    /// Only cells after this place in the plan.
    pub after: Option<u32>,
    /// How many at most.
    pub limit: u32,
}

/// A cell to be worked on.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingCell {
    /// The cell.
    pub cell: PlannedCell,
    /// The number of its next attempt: one more than the greatest recorded.
    pub next_attempt: u32,
    /// The status that it is counted under now, which its next outcome replaces.
    pub status: Option<Status>,
    /// Its recorded answer, where the cell only has to be scored.
    pub answered: Option<Arc<Attempt>>,
}

/// A wish to spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    /// The run.
    pub run: Id,
    /// The cell's place in the plan.
    pub cell: u32,
    /// The number of the attempt that it is for.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// The worst case.
    pub amount: NanoDollars,
    /// The caps in force. The ledger may already be above one that was lowered.
    pub caps: Caps,
}

/// The answer to a wish to spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// The ledger's line for it.
    Granted(Id),
    /// It does not fit under this cap. Nothing was written.
    OverCap(CapScope),
}

/// What became of a reservation; never [`LedgerState::Reserved`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// The ledger's line.
    pub reservation: Id,
    /// What became of it.
    pub state: LedgerState,
}

/// An attempt with all that is recorded together with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The attempt.
    pub attempt: Arc<Attempt>,
    /// The call; `None` if the cell could not be prepared.
    pub call: Option<Arc<Call>>,
    /// What became of its reservation; `None` if there was none.
    pub settlement: Option<Settlement>,
    /// What a cache hit saved; `None` if it is no hit, or usage or price is unknown.
    pub saved: Option<NanoDollars>,
    /// Whether the call was sent without a known price.
    pub unpriced: bool,
    /// The key under which the answer is to be stored in the cache, or was found there; `None` for
    /// an answer that is not cacheable or a cache that is not used.
    pub cache_key: Option<ContentHash>,
}

/// The scores of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredCell {
    /// The run.
    pub run: Id,
    /// The cell's place in the plan.
    pub cell: u32,
    /// Its status and scores.
    pub scored: Scored,
}

/// The record could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct RecordError {
    /// What happened: a lower-case fragment.
    pub message: String,
    /// What the person can do.
    pub hint: Option<String>,
    /// What lies beneath.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// All ports together.
#[derive(Clone)]
pub struct Ports {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Cells to calls.
    pub calls: Arc<dyn Calls>,
    /// The response cache.
    pub cache: Arc<dyn Cache>,
    /// The record and the ledger.
    pub record: Arc<dyn Record>,
    /// Scores.
    pub scorer: Arc<dyn Scorer>,
}
