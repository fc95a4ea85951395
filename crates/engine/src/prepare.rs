//! The first step of a cell: render its call, and look it up in the cache.

use std::sync::Arc;

use run::{Answer, AnswerSource, Attempt, Bill, Call, Failure, FailureKind, Outcome, Retry};
use score::Status;
use values::ContentHash;

use crate::bill::book;
use crate::shared::Shared;
use crate::work::{Done, Job, score};
use crate::{CacheUse, Costing, Entry, PendingCell, PreparedCell, RecordError};

/// Renders a cell's call and looks it up in the cache.
pub(crate) async fn prepare(shared: Arc<Shared>, provider: Arc<str>, pending: PendingCell) -> Done {
    let prepared = match shared.ports.calls.prepare(&pending.cell).await {
        Ok(prepared) => prepared,
        Err(failure) => {
            refuse(&shared, &provider, &pending, None, *failure).await;
            return Done::Over;
        }
    };
    let anew = shared.ports.calls.is_drawn_anew(&pending.cell);
    let uses_cache = shared.settings.cache != CacheUse::Off && !anew;
    let cache_key = uses_cache.then(|| prepared.call.cache_key(pending.cell.sample));
    match look_up(&shared, cache_key).await {
        Err(error) => {
            shared.halt.record_failed(error);
            Done::Over
        }
        Ok(Some(answer)) => {
            take_hit(&shared, &pending, &prepared, cache_key, answer).await;
            Done::Over
        }
        Ok(None) => match unbounded(&shared, &prepared.costing) {
            Some(failure) => {
                let call = Some(Arc::clone(&prepared.call));
                refuse(&shared, &provider, &pending, call, failure).await;
                Done::Over
            }
            None => Done::Prepared(Box::new(Job::new(pending, prepared, cache_key))),
        },
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

/// Returns the failure of a call that no cap can bound, where there is one that should.
fn unbounded(shared: &Shared, costing: &Costing) -> Option<Failure> {
    let Costing::Unknown { why } = costing else { return None };
    if !shared.settings.caps.any() || shared.settings.allow_unpriced {
        return None;
    }
    Some(Failure {
        kind: FailureKind::Unbounded,
        message: format!("{why}, so no cap can bound what the call costs"),
        hint: Some(why.hint().to_owned()),
        status: None,
        request_id: None,
        retry: Retry::Never,
        bill: Bill::Nothing,
    })
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
        cache_key: None,
    };
    if shared.commit(&Arc::new(entry)).await.is_ok()
        && let Outcome::Failed(failure) = &attempt.outcome
    {
        let mut tally = shared.tally();
        tally.failed(&pending.cell, provider, failure, false);
        tally.finished(pending.status, Status::Error);
    }
}

/// Records an answer from the cache and scores it.
async fn take_hit(
    shared: &Arc<Shared>,
    pending: &PendingCell,
    prepared: &PreparedCell,
    cache_key: Option<ContentHash>,
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
        cache_key,
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
