use std::sync::Arc;

use run::{RunEvent, RunState, StopCause, Summary};
use tokio::sync::watch;
use tokio::task::JoinSet;
use values::Timestamp;

use crate::halt::Stopper;
use crate::lane::Lane;
use crate::shared::Shared;
use crate::{HEARTBEAT_MS, Ports, RecordError, Selection, Settings, Standing};

/// Milliseconds between two events at least: 25 a second.
const EVENT_INTERVAL_MS: u64 = 40;

/// One session of a run: from opening its record until every cell has an outcome, or it is stopped.
pub struct Session {
    shared: Arc<Shared>,
    events: watch::Sender<RunEvent>,
}

/// A session failed in a way that is not a state of its run.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The record could not be read or written. Nothing was sent after that was known.
    #[error("the run cannot be recorded{}", lost_note(*.lost))]
    Record {
        /// Why.
        #[source]
        source: RecordError,
        /// Attempts whose outcome could not be recorded, though it was tried twice.
        lost: u32,
    },
    /// A part of the program failed unexpectedly. What is recorded is whole.
    #[error("a part of the run failed unexpectedly: {message}")]
    Panicked {
        /// What it said.
        message: String,
    },
}

fn lost_note(lost: u32) -> String {
    match lost {
        0 => String::new(),
        1 => "; 1 answer in hand is lost".to_owned(),
        lost => format!("; {lost} answers in hand are lost"),
    }
}

impl Session {
    /// Makes a session. Nothing happens before [`Session::execute`].
    pub fn new(settings: Settings, ports: Ports) -> Self {
        let shared = Arc::new(Shared::new(settings, ports));
        let start = shared.tally().snapshot(shared.now());
        Self { shared, events: watch::Sender::new(RunEvent::Progress(start)) }
    }

    /// Returns what stops the session.
    pub fn stopper(&self) -> Stopper {
        self.shared.halt.stopper()
    }

    /// Returns the event stream: always the latest event, at most 25 a second, and at the end
    /// [`RunEvent::Finished`]. A slow watcher misses events and delays nobody.
    pub fn events(&self) -> watch::Receiver<RunEvent> {
        self.events.subscribe()
    }

    /// Executes the session.
    ///
    /// Must run on a Tokio runtime. Dropped in the middle, it leaves the record as a killed process
    /// does: whole, and to be resumed.
    ///
    /// # Errors
    /// [`SessionError`] if the record failed, or a port panicked.
    pub async fn execute(self) -> Result<Summary, SessionError> {
        let started = self.shared.now();
        let record = &self.shared.ports.record;
        let standing = record
            .open(self.shared.settings.run)
            .await
            .map_err(|source| SessionError::Record { source, lost: 0 })?;
        self.shared.tally().open(&standing);
        tokio::select! {
            () = self.work() => {}
            () = self.report() => {}
            () = self.renew_lease() => {}
        }
        self.end(started, &standing).await
    }

    async fn work(&self) {
        let mut lanes = JoinSet::new();
        for index in 0..self.shared.settings.lanes.len() {
            lanes.spawn(Lane::new(Arc::clone(&self.shared), index).run());
        }
        while let Some(ended) = lanes.join_next().await {
            if let Err(error) = ended {
                self.shared.halt.panicked(error.to_string());
            }
        }
    }

    /// Tells the watchers, for ever.
    async fn report(&self) {
        loop {
            self.shared.changed.notified().await;
            let now = self.shared.now();
            let progress = self.shared.tally().snapshot(now);
            self.events.send_replace(RunEvent::Progress(progress));
            self.shared.sleep(EVENT_INTERVAL_MS).await;
        }
    }

    /// Renews the lease, for ever.
    async fn renew_lease(&self) {
        loop {
            self.shared.sleep(HEARTBEAT_MS).await;
            let now = self.shared.now();
            if let Err(error) =
                self.shared.ports.record.heartbeat(self.shared.settings.run, now).await
            {
                self.shared.halt.record_failed(error);
            }
        }
    }

    async fn end(self, started: Timestamp, standing: &Standing) -> Result<Summary, SessionError> {
        let cause = self.shared.halt.cause();
        let unfinished = self.shared.tally().unfinished();
        let state =
            final_state(cause.as_ref(), unfinished, standing.state, self.shared.settings.selection);
        let closed = self.shared.ports.record.close(self.shared.settings.run, state).await;
        if let Err(error) = closed {
            self.shared.halt.record_failed(error);
        }
        let now = self.shared.now();
        let progress = self.shared.tally().snapshot(now);
        let cause = self.shared.halt.cause();
        let summary =
            Summary { state, cause: cause.clone(), elapsed_ms: now.ms_since(started), progress };
        self.events.send_replace(RunEvent::Finished(summary.clone()));
        if let Some(source) = self.shared.halt.take_record_error() {
            return Err(SessionError::Record { source, lost: self.shared.tally().lost() });
        }
        match cause {
            Some(StopCause::Panicked { message }) => Err(SessionError::Panicked { message }),
            _ => Ok(summary),
        }
    }
}

/// Returns where a run stands after a session.
fn final_state(
    cause: Option<&StopCause>,
    unfinished: u32,
    before: RunState,
    selection: Selection,
) -> RunState {
    match cause {
        // Shown even if it was the last cell: the person must know.
        Some(StopCause::Overrun { .. }) => RunState::StoppedAtOverrun,
        // What the run is for is done; the cells that are left are not needed.
        Some(StopCause::Decided { .. }) => RunState::Complete,
        _ if unfinished == 0 => RunState::Complete,
        Some(StopCause::Cap { .. }) => RunState::StoppedAtCap,
        // A session that was not to send the rest leaves the run as it was.
        None if selection != Selection::Unfinished && before != RunState::Running => before,
        _ => RunState::Stopped,
    }
}
