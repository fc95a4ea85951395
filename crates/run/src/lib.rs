//! The record of a run: what was planned, what was sent, what came back, what it cost.
//!
//! Pure data and its keys. `engine` produces it, `store` keeps it, and terminal, window and reports
//! read it. Who sends a call is not known here, nor where a row is kept. Every persisted form
//! carries an integer format version.

mod attempt;
mod call;
mod cell_score;
mod event;
mod export;
mod ledger;
mod order;
mod plan;
mod recording;

pub use attempt::{Answer, AnswerSource, Attempt, Bill, Failure, FailureKind, Outcome, Retry};
pub use call::{Call, Endpoint};
pub use cell_score::{CellScore, RecordedScore};
pub use event::{
    FailureNotice, Progress, ProviderProgress, RunEvent, Spend, StatusCounts, StopCause, Summary,
};
pub use export::{EXPORT_FORMAT, ExportRow};
pub use ledger::{CapScope, Caps, LedgerEntry, LedgerState};
pub use order::{ORDER_ALGORITHM, PlanOrder, PlannedCase, TooManyCells, plan_order};
pub use plan::{
    Judging, PlannedCell, RunHeader, RunState, StopGoal, UntilDecided, Variant, VariantSource,
};
pub use recording::{
    BadRecording, RECORDING_FORMAT, RecordedBy, Recording, read_recordings, write_recordings,
};
