//! The steps of one cell that is sent: reserve, send and record, score.
//!
//! Each is a task of its lane's and keeps no state beside its arguments. A cell that a step leaves
//! without a recorded outcome is simply still pending in the record.

use std::sync::Arc;

use provider::{RateHints, Sent};
use run::{
    Answer, Attempt, Bill, Failure, FailureKind, LedgerState, Outcome, PlannedCell, Retry,
    StopCause,
};
use score::Status;
use tokio::sync::mpsc;
use values::{ContentHash, Id, NanoDollars, Timestamp};

use crate::bill::{Booking, book};
use crate::budget::Room;
use crate::halt::Level;
use crate::pace::{Signal, Ticket};
use crate::retry::{Failed, Verdict, signal_of};
use crate::shared::Shared;
use crate::{
    Answered, Costing, Entry, PendingCell, PreparedCell, RecordError, Reservation, ScoredCell,
    Settlement,
};

/// Milliseconds that a call is given to break off by itself when the session is stopped at once.
const STOP_GRACE_MS: u64 = 2_000;

/// A cell on its way to being sent.
pub(crate) struct Job {
    pub(crate) pending: PendingCell,
    prepared: PreparedCell,
    cache_key: Option<ContentHash>,
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
    /// Makes a job of a cell that has to be sent.
    pub(crate) fn new(
        pending: PendingCell,
        prepared: PreparedCell,
        cache_key: Option<ContentHash>,
    ) -> Self {
        Self { pending, prepared, cache_key, tries: 0, reserved: None }
    }

    /// Tells whether its worst case has to be reserved before it is sent.
    pub(crate) fn needs_reservation(&self) -> bool {
        matches!(self.prepared.costing, Costing::Priced { .. })
    }

    fn cell(&self) -> &PlannedCell {
        &self.pending.cell
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
    if !shared.halt.is_going() {
        // The session came to its end between the lane's decision and now.
        let (signal, hints) = (Signal::Silent, RateHints::default());
        drop(freed.send(Freed { ticket, signal, hints, unusable: None }));
        return release(shared, job).await;
    }
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
        cache_key: job.cache_key.filter(|_| match &attempt.outcome {
            Outcome::Answered(answer) => answer.is_cacheable(),
            Outcome::Failed(_) => false,
        }),
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
            tally.finished(job.pending.status, Status::Error);
            Done::Over
        }
        Some(Verdict::Unusable | Verdict::Stopped) | None => Done::Over,
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
pub(crate) async fn score(
    shared: &Arc<Shared>,
    cell: &PlannedCell,
    before: Option<Status>,
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
