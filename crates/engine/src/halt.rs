//! How a session comes to its end before its cells do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use run::StopCause;
use tokio::sync::watch;

use crate::RecordError;

/// How urgently a session is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// It goes on.
    Go,
    /// Nothing new is sent; what is on its way is awaited.
    Finish,
    /// What is on its way is broken off.
    Now,
}

/// Stops a session from outside, as often and from wherever one likes.
#[derive(Debug, Clone)]
pub struct Stopper {
    halt: Arc<Halt>,
}

impl Stopper {
    /// Sends nothing new, and lets the calls that are on their way finish.
    pub fn finish(&self) {
        self.halt.raise(Level::Finish, StopCause::Requested);
    }

    /// Sends nothing new and lets the calls that are on their way finish, because what the run is
    /// for is decided: it then counts as complete. `cause` says what was decided.
    pub fn decided(&self, cause: StopCause) {
        self.halt.raise(Level::Finish, cause);
    }

    /// Sends nothing new, and breaks off the calls that are on their way. What they cost is then
    /// unknown and presumed spent.
    pub fn now(&self) {
        self.halt.raise(Level::Now, StopCause::Requested);
    }
}

/// The one place that knows whether a session goes on, and why not.
#[derive(Debug)]
pub(crate) struct Halt {
    level: watch::Sender<Level>,
    /// The same as a plain signal, for clients.
    now: watch::Sender<bool>,
    why: Mutex<Why>,
}

#[derive(Debug, Default)]
struct Why {
    cause: Option<StopCause>,
    record_error: Option<RecordError>,
}

impl Halt {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            level: watch::Sender::new(Level::Go),
            now: watch::Sender::new(false),
            why: Mutex::default(),
        })
    }

    pub(crate) fn stopper(self: &Arc<Self>) -> Stopper {
        Stopper { halt: Arc::clone(self) }
    }

    pub(crate) fn is_going(&self) -> bool {
        *self.level.borrow() == Level::Go
    }

    /// Returns a receiver that sees every change of the level.
    pub(crate) fn watch(&self) -> watch::Receiver<Level> {
        self.level.subscribe()
    }

    /// Returns the signal for a client: true when it is to break off.
    pub(crate) fn signal(&self) -> watch::Receiver<bool> {
        self.now.subscribe()
    }

    /// Waits until the session is to end, at least this urgently.
    pub(crate) async fn reached(&self, level: Level) {
        // The sender lives in `self`, so the channel cannot close while this waits.
        drop(self.level.subscribe().wait_for(|now| *now >= level).await);
    }

    /// Ends the session, at least this urgently. The gravest cause is kept.
    pub(crate) fn raise(&self, level: Level, cause: StopCause) {
        self.note(cause);
        self.level.send_if_modified(|now| {
            let raised = level > *now;
            *now = level.max(*now);
            raised
        });
        if level == Level::Now {
            self.now.send_replace(true);
        }
    }

    /// Keeps a cause for which cells are left, without ending the session.
    pub(crate) fn note(&self, cause: StopCause) {
        let mut why = self.why();
        if why.cause.as_ref().is_none_or(|kept| gravity(kept) < gravity(&cause)) {
            why.cause = Some(cause);
        }
    }

    /// Ends the session because the record failed.
    pub(crate) fn record_failed(&self, error: RecordError) {
        let cause =
            StopCause::RecordFailed { message: error.message.clone(), hint: error.hint.clone() };
        self.why().record_error.get_or_insert(error);
        self.raise(Level::Finish, cause);
    }

    /// Ends the session because a part of it panicked.
    pub(crate) fn panicked(&self, message: String) {
        self.raise(Level::Finish, StopCause::Panicked { message });
    }

    pub(crate) fn cause(&self) -> Option<StopCause> {
        self.why().cause.clone()
    }

    pub(crate) fn take_record_error(&self) -> Option<RecordError> {
        self.why().record_error.take()
    }

    fn why(&self) -> MutexGuard<'_, Why> {
        // Nothing panics while it is held, so what is inside is whole.
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gravity(cause: &StopCause) -> u8 {
    match cause {
        StopCause::ProviderUnusable { .. } => 0,
        StopCause::Requested => 1,
        StopCause::Cap { .. } => 2,
        StopCause::Decided { .. } => 3,
        StopCause::Overrun { .. } => 4,
        StopCause::Panicked { .. } => 5,
        StopCause::RecordFailed { .. } => 6,
    }
}
