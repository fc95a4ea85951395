//! The steps of one cell: prepare, reserve, send and record, score.
//!
//! Each is a task of its lane's and keeps no state beside its arguments. A cell that a step leaves
//! without a recorded outcome is simply still pending in the record.

use std::sync::Arc;

use chat::FinishReason;
use provider::{RateHints, Sent};
use run::{
    Answer, AnswerSource, Attempt, Bill, Call, CellStatus, Failure, FailureKind, LedgerState,
    Outcome, PlannedCell, Retry, StopCause,
};
use tokio::sync::mpsc;
use values::{ContentHash, Id, NanoDollars, Timestamp};

use crate::bill::{Booking, book};
use crate::budget::Room;
use crate::halt::Level;
use crate::pace::{Signal, Ticket};
use crate::retry::{Failed, Verdict, signal_of};
use crate::shared::Shared;
use crate::{
    Answered, CacheUse, Costing, Entry, PendingCell, PreparedCell, RecordError, Reservation,
    ScoredCell, Settlement,
};

/// Milliseconds that a call is given to break off by itself when the session is stopped at once.
const STOP_GRACE_MS: u64 = 2_000;

/// A cell on its way to being sent.
pub(crate) struct Job {
    pub(crate) pending: PendingCell,
    prepared: PreparedCell,
    cache_as: Option<ContentHash>,
    /// Attempts at it in this session.
    tries: u32,
    reserved: Option<Held>,
}

/// A line of the ledger that is held for a job.
#[derive(Debug, Clone, Copy)]
struct Held {
    id: Id,
    amount: NanoDollars,
}

/// What a step came to.
pub(crate) enum Done {
    /// The call is ready; its worst case is not reserved yet.
    Prepared(Box<Job>),
    /// It may be sent.
    Reserved(Box<Job>),
    /// It may not be sent in this session.
    NotReserved,
    /// It is to be tried again.
    Again(Box<Job>, Timestamp),
    /// The cell is finished, or left to the next session.
    Over,
}

/// Tells a lane that a call has come back, before it is recorded.
pub(crate) struct Freed {
    pub(crate) ticket: Ticket,
    pub(crate) signal: Signal,
    pub(crate) hints: RateHints,
    /// Why the provider gets nothing more.
    pub(crate) unusable: Option<StopCause>,
}

impl Job {
    /// Tells whether its worst case has to be reserved before it is sent.
    pub(crate) fn needs_reservation(&self) -> bool {
        matches!(self.prepared.costing, Costing::Priced { .. })
    }

    fn cell(&self) -> &PlannedCell {
        &self.pending.cell
    }
}

/// Renders a cell's call and looks it up in the cache.
pub(crate) async fn prepare(shared: Arc<Shared>, provider: Arc<str>, pending: PendingCell) -> Done {
    let prepared = match shared.ports.calls.prepare(&pending.cell).await {
        Ok(prepared) => prepared,
        Err(failure) => {
            refuse(&shared, &provider, &pending, None, *failure).await;
            return Done::Over;
        }
    };
    let uses_cache = shared.settings.cache != CacheUse::Off;
    let cache_as = uses_cache.then(|| prepared.call.cache_key(pending.cell.sample));
    match look_up(&shared, cache_as).await {
        Err(error) => {
            shared.halt.record_failed(error);
            Done::Over
        }
        Ok(Some(answer)) => {
            take_hit(&shared, &pending, &prepared, answer).await;
            Done::Over
        }
        Ok(None) if is_unbounded(&shared, prepared.costing) => {
            let call = Some(Arc::clone(&prepared.call));
            refuse(&shared, &provider, &pending, call, unbounded()).await;
            Done::Over
        }
        Ok(None) => {
            let job = Job { pending, prepared, cache_as, tries: 0, reserved: None };
            Done::Prepared(Box::new(job))
        }
    }
}

async fn look_up(
    shared: &Shared,
    key: Option<ContentHash>,
) -> Result<Option<Box<Answer>>, RecordError> {
    match key {
        Some(key) if shared.settings.cache == CacheUse::On => shared.ports.cache.lookup(&key).await,
        _ => Ok(None),
    }
}

fn is_unbounded(shared: &Shared, costing: Costing) -> bool {
    costing == Costing::Unknown && shared.settings.caps.any() && !shared.settings.allow_unpriced
}

fn unbounded() -> Failure {
    Failure {
        kind: FailureKind::Unbounded,
        message: "the model has no known price, so no cap can bound what the call costs".to_owned(),
        hint: Some("give the model's prices in trysquare.yaml, or allow unpriced calls".to_owned()),
        status: None,
        request_id: None,
        retry: Retry::Never,
        bill: Bill::Nothing,
    }
}

/// Records that a cell cannot be sent.
async fn refuse(
    shared: &Shared,
    provider: &str,
    pending: &PendingCell,
    call: Option<Arc<Call>>,
    failure: Failure,
) {
    let now = shared.now();
    let attempt = Arc::new(Attempt {
        run: shared.settings.run,
        cell: pending.cell.index,
        number: pending.next_attempt,
        started: now,
        ended: now,
        closes: true,
        cost: None,
        outcome: Outcome::Failed(failure),
    });
    let entry = Entry {
        attempt: Arc::clone(&attempt),
        call,
        settlement: None,
        saved: None,
        unpriced: false,
        cache_as: None,
    };
    if shared.commit(&Arc::new(entry)).await.is_ok()
        && let Outcome::Failed(failure) = &attempt.outcome
    {
        let mut tally = shared.tally();
        tally.failed(&pending.cell, provider, failure, false);
        tally.finished(pending.status, CellStatus::Error);
    }
}

/// Records an answer from the cache and scores it.
async fn take_hit(
    shared: &Arc<Shared>,
    pending: &PendingCell,
    prepared: &PreparedCell,
    mut answer: Box<Answer>,
) {
    answer.source = AnswerSource::Cache;
    let outcome = Outcome::Answered(answer);
    let cost = book(&outcome, &prepared.costing).cost;
    let now = shared.now();
    let attempt = Arc::new(Attempt {
        run: shared.settings.run,
        cell: pending.cell.index,
        number: pending.next_attempt,
        started: now,
        ended: now,
        closes: true,
        cost,
        outcome,
    });
    let entry = Entry {
        attempt: Arc::clone(&attempt),
        call: Some(Arc::clone(&prepared.call)),
        settlement: None,
        saved: cost,
        unpriced: false,
        cache_as: None,
    };
    if shared.commit(&Arc::new(entry)).await.is_ok() {
        {
            let mut tally = shared.tally();
            tally.reopened(pending.status);
            tally.hit(cost);
        }
        score(shared, &pending.cell, None, &attempt).await;
    }
}

/// Reserves the worst case of a job's next attempt.
pub(crate) async fn reserve(shared: Arc<Shared>, mut job: Box<Job>) -> Done {
    let Costing::Priced { worst_case, .. } = job.prepared.costing else {
        return Done::Reserved(job);
    };
    let wish = Reservation {
        run: shared.settings.run,
        cell: job.cell().index,
        attempt: job.pending.next_attempt,
        at: shared.now(),
        amount: worst_case,
        caps: shared.settings.caps,
    };
    match shared.budget.reserve(&*shared.ports.record, &shared.halt, wish).await {
        Ok(Room::Granted(id)) => {
            job.reserved = Some(Held { id, amount: worst_case });
            shared.tally().reserved(worst_case);
            Done::Reserved(job)
        }
        Ok(Room::OverCap(scope)) => {
            let cause = StopCause::Cap { scope };
            if scope == run::CapScope::Request {
                // Other calls may be smaller: only this cell waits for a higher cap.
                shared.halt.note(cause);
            } else {
                shared.halt.raise(Level::Finish, cause);
            }
            Done::NotReserved
        }
        Ok(Room::Stopped) => Done::NotReserved,
        Err(error) => {
            shared.halt.record_failed(error);
            Done::NotReserved
        }
    }
}

/// Releases what is reserved for a job that is not sent after all.
pub(crate) async fn release(shared: Arc<Shared>, job: Box<Job>) -> Done {
    if let Some(held) = job.reserved {
        let settlement = Settlement { reservation: held.id, state: LedgerState::Released };
        match shared.ports.record.settle(settlement).await {
            Ok(()) => {
                let ledger = Some(LedgerState::Released);
                let booking = Booking { cost: None, ledger, unpriced: false };
                shared.tally().booked(&booking, Some(held.amount));
            }
            Err(error) => shared.halt.record_failed(error),
        }
        shared.budget.give_back();
    }
    Done::Over
}

/// Sends a job once, records what came back, and scores an answer.
pub(crate) async fn send(
    shared: Arc<Shared>,
    provider: Arc<str>,
    mut job: Box<Job>,
    ticket: Ticket,
    freed: mpsc::UnboundedSender<Freed>,
) -> Done {
    job.tries += 1;
    let started = shared.now();
    let sent = deliver(&shared, &job).await;
    let ended = shared.now();
    let (outcome, verdict) = judge(&shared, &job, sent.outcome, ended);
    let booking = book(&outcome, &job.prepared.costing);
    if let (Some(held), Some(LedgerState::Settled { billed })) = (job.reserved, booking.ledger) {
        shared.check_overrun(job.cell().index, held.amount, billed);
    }
    let notice = Freed {
        ticket,
        signal: signal(&outcome),
        hints: sent.rate,
        unusable: unusable(&provider, &outcome, verdict),
    };
    // The lane outlives its tasks; where it is gone, the session is being dropped.
    drop(freed.send(notice));

    let closes = matches!(verdict, None | Some(Verdict::Close));
    let attempt = Arc::new(Attempt {
        run: shared.settings.run,
        cell: job.cell().index,
        number: job.pending.next_attempt,
        started,
        ended,
        closes,
        cost: booking.cost,
        outcome,
    });
    record(&shared, &provider, job, &attempt, booking, verdict).await
}

/// Lets the client send; when the session is stopped at once and the client does not come back
/// in time, the call is abandoned.
async fn deliver(shared: &Shared, job: &Job) -> Sent {
    let abandoned = async {
        shared.halt.reached(Level::Now).await;
        shared.sleep(STOP_GRACE_MS).await;
    };
    tokio::select! {
        biased;
        sent = job.prepared.client.send(&job.prepared.call, shared.halt.signal()) => sent,
        () = abandoned => Sent {
            outcome: Err(Failure {
                kind: FailureKind::Cancelled,
                message: "the run was stopped before the answer came".to_owned(),
                hint: None,
                status: None,
                request_id: None,
                retry: Retry::Never,
                bill: Bill::Unknown,
            }),
            rate: RateHints::default(),
        },
    }
}

/// Returns the outcome, and for a failure what follows from it.
fn judge(
    shared: &Shared,
    job: &Job,
    outcome: Result<Box<Answer>, Failure>,
    at: Timestamp,
) -> (Outcome, Option<Verdict>) {
    match outcome {
        Ok(answer) => (Outcome::Answered(answer), None),
        Err(failure) => {
            let failed = Failed { failure: &failure, tries: job.tries, cell: job.cell().index, at };
            let verdict = shared.settings.retry.judge(failed, shared.settings.seed);
            (Outcome::Failed(failure), Some(verdict))
        }
    }
}

fn signal(outcome: &Outcome) -> Signal {
    match outcome {
        Outcome::Answered(_) => Signal::Fine,
        Outcome::Failed(failure) => signal_of(failure),
    }
}

fn unusable(provider: &str, outcome: &Outcome, verdict: Option<Verdict>) -> Option<StopCause> {
    let Outcome::Failed(failure) = outcome else { return None };
    let hint = match failure.retry {
        Retry::After { ms } => Some(format!("resume the run in {} s", ms.div_ceil(1_000))),
        Retry::Never | Retry::Backoff => failure.hint.clone(),
    };
    (verdict == Some(Verdict::Unusable)).then(|| StopCause::ProviderUnusable {
        provider: provider.to_owned(),
        failure: failure.kind,
        message: failure.message.clone(),
        hint,
    })
}

/// Records an attempt with its settlement and cache entry; only then anything else follows.
async fn record(
    shared: &Arc<Shared>,
    provider: &str,
    mut job: Box<Job>,
    attempt: &Arc<Attempt>,
    booking: Booking,
    verdict: Option<Verdict>,
) -> Done {
    let held = job.reserved.take();
    let settlement =
        held.zip(booking.ledger).map(|(held, state)| Settlement { reservation: held.id, state });
    let entry = Arc::new(Entry {
        attempt: Arc::clone(attempt),
        call: Some(Arc::clone(&job.prepared.call)),
        settlement,
        saved: None,
        unpriced: booking.unpriced,
        cache_as: job.cache_as.filter(|_| is_cacheable(&attempt.outcome)),
    });
    let recorded = shared.commit(&entry).await;
    if held.is_some() {
        shared.budget.give_back();
    }
    if recorded.is_err() {
        return Done::Over;
    }
    shared.tally().booked(&booking, held.map(|held| held.amount));
    job.pending.next_attempt += 1;
    match &attempt.outcome {
        Outcome::Answered(_) => {
            shared.tally().reopened(job.pending.status.take());
            score(shared, job.cell(), None, attempt).await;
            Done::Over
        }
        Outcome::Failed(failure) => follow(shared, provider, job, failure, verdict),
    }
}

/// Does what follows from a failure that is recorded.
fn follow(
    shared: &Shared,
    provider: &str,
    job: Box<Job>,
    failure: &Failure,
    verdict: Option<Verdict>,
) -> Done {
    let again = matches!(verdict, Some(Verdict::Again { .. }));
    let mut tally = shared.tally();
    if verdict != Some(Verdict::Stopped) {
        tally.failed(job.cell(), provider, failure, again);
    }
    match verdict {
        Some(Verdict::Again { at }) => Done::Again(job, at),
        Some(Verdict::Close) => {
            tally.finished(job.pending.status, CellStatus::Error);
            Done::Over
        }
        Some(Verdict::Unusable | Verdict::Stopped) | None => Done::Over,
    }
}

/// Tells whether an answer may stand for a later call: complete, and given by the provider now.
fn is_cacheable(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answered(answer) => {
            answer.source == AnswerSource::Live
                && !matches!(answer.reply.finish, FinishReason::Error | FinishReason::Paused)
        }
        Outcome::Failed(_) => false,
    }
}

/// Scores a recorded answer that an earlier session left, or that is to be scored again.
pub(crate) async fn score_recorded(
    shared: Arc<Shared>,
    pending: PendingCell,
    attempt: Arc<Attempt>,
) -> Done {
    score(&shared, &pending.cell, pending.status, &attempt).await;
    Done::Over
}

/// Scores a recorded answer; `before` is the status that the cell is counted under.
async fn score(
    shared: &Arc<Shared>,
    cell: &PlannedCell,
    before: Option<CellStatus>,
    attempt: &Attempt,
) {
    let Outcome::Answered(answer) = &attempt.outcome else {
        shared.halt.record_failed(RecordError {
            message: format!("cell {} is to be scored, but its attempt has no answer", cell.index),
            hint: None,
            source: None,
        });
        return;
    };
    let answered = Answered { cell, answer, cost: attempt.cost };
    let scored = tokio::select! {
        biased;
        scored = shared.ports.scorer.score(answered) => scored,
        () = shared.halt.reached(Level::Now) => return,
    };
    let status = scored.status;
    let scored = Arc::new(ScoredCell { run: shared.settings.run, cell: cell.index, scored });
    if shared.commit_scores(&scored).await.is_ok() {
        shared.tally().finished(before, status);
        shared.changed.notify_one();
    }
}
