use std::sync::Arc;

use tokio::sync::watch;

/// How many requests and connections a server has seen, and what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Connections that were accepted.
    pub connections: u64,
    /// Requests that were read whole.
    pub requests: u64,
    /// Responses that were handed over to the end that their behaviour planned.
    pub completed: u64,
    /// Responses that the client did not wait for.
    pub aborted: u64,
}

/// Counts the response as aborted if it is dropped before it is complete.
pub(crate) struct InFlight {
    counts: Arc<watch::Sender<Counts>>,
    done: bool,
}

impl InFlight {
    pub(crate) fn new(counts: Arc<watch::Sender<Counts>>) -> Self {
        Self { counts, done: false }
    }

    pub(crate) fn complete(&mut self) {
        if !std::mem::replace(&mut self.done, true) {
            self.counts.send_modify(|counts| counts.completed += 1);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if !self.done {
            self.counts.send_modify(|counts| counts.aborted += 1);
        }
    }
}
