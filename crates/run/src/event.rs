use score::Status;
use serde::{Deserialize, Serialize};
use values::{Id, NanoDollars, Timestamp};

use crate::{CapScope, FailureKind, RunState};

/// What a run tells those who watch it.
///
/// Each event stands for itself: a watcher that misses some has lost nothing once it sees the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunEvent {
    /// How far the run is.
    Progress(Progress),
    /// The run has ended; always the last event.
    Finished(Summary),
}

impl RunEvent {
    /// Returns how far the run is, or was when it ended.
    pub fn progress(&self) -> &Progress {
        match self {
            Self::Progress(progress) => progress,
            Self::Finished(summary) => &summary.progress,
        }
    }
}

/// How far a run is. Counts include what earlier sessions of the same run did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The run.
    pub run: Id,
    /// When this was true.
    pub at: Timestamp,
    /// Cells in the plan.
    pub planned: u32,
    /// Finished cells, by status.
    pub counts: StatusCounts,
    /// Cells that this session finished, or scored again.
    pub finished_now: u32,
    /// Calls on their way now.
    pub in_flight: u32,
    /// Answers that came from the cache.
    pub hits: u32,
    /// Attempts that this session repeated.
    pub retries: u32,
    /// The bill.
    pub spend: Spend,
    /// The cap on this run.
    pub cap: Option<NanoDollars>,
    /// Cells finished a second, over the last half minute; `None` before there is a number.
    pub cells_per_second: Option<f64>,
    /// Milliseconds until the run is complete at that rate.
    pub eta_ms: Option<u64>,
    /// The providers, in the order of the plan.
    pub providers: Vec<ProviderProgress>,
    /// The newest failed attempts, oldest first; at most [`Progress::NEWEST_FAILURES`].
    pub failures: Vec<FailureNotice>,
}

impl Progress {
    /// How many failed attempts an event carries at most.
    pub const NEWEST_FAILURES: usize = 8;

    /// Returns the number of finished cells.
    pub fn done(&self) -> u32 {
        self.counts.total()
    }
}

/// How many finished cells have each status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusCounts {
    /// [`Status::Pass`].
    pub pass: u32,
    /// [`Status::Fail`].
    pub fail: u32,
    /// [`Status::Error`].
    pub error: u32,
    /// [`Status::Unreadable`].
    pub unreadable: u32,
    /// [`Status::Skipped`].
    pub skipped: u32,
    /// [`Status::NoChecks`].
    pub no_checks: u32,
}

impl StatusCounts {
    /// Returns the number of cells of all statuses.
    pub fn total(&self) -> u32 {
        Status::ALL.into_iter().map(|status| self.of(status)).sum()
    }

    /// Returns the number of cells of one status.
    pub fn of(&self, status: Status) -> u32 {
        match status {
            Status::Pass => self.pass,
            Status::Fail => self.fail,
            Status::Error => self.error,
            Status::Unreadable => self.unreadable,
            Status::Skipped => self.skipped,
            Status::NoChecks => self.no_checks,
        }
    }

    /// Returns the place that counts one status.
    pub fn of_mut(&mut self, status: Status) -> &mut u32 {
        match status {
            Status::Pass => &mut self.pass,
            Status::Fail => &mut self.fail,
            Status::Error => &mut self.error,
            Status::Unreadable => &mut self.unreadable,
            Status::Skipped => &mut self.skipped,
            Status::NoChecks => &mut self.no_checks,
        }
    }
}

/// A run's bill. The ledger holds `billed + presumed + reserved`, and that stays within the caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Spend {
    /// What providers counted.
    pub billed: NanoDollars,
    /// Worst cases of attempts whose bill will never be known.
    pub presumed: NanoDollars,
    /// Worst cases of calls on their way.
    pub reserved: NanoDollars,
    /// What cache hits would have cost.
    pub saved: NanoDollars,
    /// Attempts whose price is unknown; they are in none of the amounts.
    pub unpriced: u32,
}

/// How one provider is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderProgress {
    /// The provider.
    pub provider: String,
    /// Calls on their way to it.
    pub in_flight: u32,
    /// How many it is given at once now; at most what is configured.
    pub concurrency: u32,
    /// Until when nothing is sent to it, because it asked for that.
    pub paused_until: Option<Timestamp>,
    /// Why nothing more is sent to it in this session.
    pub unusable: Option<String>,
}

/// One failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureNotice {
    /// Its number in this session, from 1 without gaps, by which a watcher knows what it has seen.
    pub number: u64,
    /// The cell's place in the plan.
    pub cell: u32,
    /// The case.
    pub case_id: String,
    /// The variant, as an index into the header's list.
    pub variant: u32,
    /// The provider.
    pub provider: String,
    /// The kind.
    pub kind: FailureKind,
    /// What happened.
    pub message: String,
    /// What the person can do.
    pub hint: Option<String>,
    /// Whether the cell is tried again in this session.
    pub again: bool,
}

/// How a session of a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Where the run stands now.
    pub state: RunState,
    /// Why cells are left, or what else must be known.
    pub cause: Option<StopCause>,
    /// Milliseconds that this session took.
    pub elapsed_ms: u64,
    /// How far the run is.
    pub progress: Progress,
}

/// Why a session ended before every cell had an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StopCause {
    /// The person stopped it.
    Requested,
    /// Nothing more is sent to a provider until the person has done something.
    ProviderUnusable {
        /// The provider.
        provider: String,
        /// The kind of failure that showed it.
        failure: FailureKind,
        /// What happened.
        message: String,
        /// What the person can do.
        hint: Option<String>,
    },
    /// The run was to end when its verdict is decided, and it is. What is left is not needed.
    Decided {
        /// The verdict in words.
        verdict: String,
        /// The cases that decided it.
        cases: u32,
        /// The cases of the plan.
        of: u32,
    },
    /// The next call would have gone over a cap.
    Cap {
        /// Which one.
        scope: CapScope,
    },
    /// A provider billed more than the worst case of what it was sent.
    Overrun {
        /// The cell's place in the plan.
        cell: u32,
        /// The worst case that was reserved.
        reserved: NanoDollars,
        /// What was billed.
        billed: NanoDollars,
    },
    /// A part of the program failed unexpectedly.
    Panicked {
        /// What it said.
        message: String,
    },
    /// The record could not be written.
    RecordFailed {
        /// What happened.
        message: String,
        /// What the person can do.
        hint: Option<String>,
    },
}
