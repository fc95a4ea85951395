//! The record of a project on this machine: one SQLite file, and the only crate that knows SQL.
//!
//! Runs, attempts, answers, scores, the spend ledger and the response cache live here, with a copy
//! of every version that a run used. What a team reviews lives in files, which `project` keeps.
//!
//! Writes go to one thread, which commits them in groups with `synchronous=FULL`; a write is
//! reported only once it is durable, and one that fails takes no other of its group with it. Several
//! processes may use one file at once. The crate has no clock: callers hand in the time.
#![expect(
    clippy::disallowed_methods,
    reason = "this crate makes and looks at the database's own files; documents go through `files`"
)]

mod cache;
mod case_counts;
mod cells;
mod costs;
mod error;
mod evidence;
mod export;
mod folder;
mod judgements;
mod judging;
mod labels;
mod leases;
mod ledger;
mod looks;
mod lookup;
mod open;
mod process;
mod readers;
mod record;
mod results;
mod runs;
mod schema;
mod scores;
mod sql;
mod store;
mod sums;
mod usage;
mod writer;
mod writing;

pub use cache::CacheStats;
pub use case_counts::CaseCounts;
pub use cells::{CellRecord, PendingCell, PendingQuery, RecordedAttempt, Selection};
pub use costs::{CostRow, CostSum};
pub use error::StoreError;
pub use evidence::{
    AnswerEvidence, CaseEvidence, CellEvidence, OutcomeEvidence, ScoreEvidence, ScorerEvidence,
};
pub use folder::Warning;
pub use judgements::Judgement;
pub use judging::JudgedCell;
pub use labels::{LabelFile, LabelOrigin};
pub use ledger::{CapReached, Reservation, Reserved, Settled, SpendScope};
pub use looks::{Look, LookMethod, NewLook};
pub use lookup::Contact;
pub use process::ProcessIdentity;
pub use record::NewAttempt;
pub use results::{AnswerRow, CellRow, FailureRow, RunSummary, Tally, VariantTotals, Which};
pub use runs::{Content, PlannedCells, Standing};
pub use scores::{Counting, NewScores, SETTINGS_KIND};
pub use store::{OpenOptions, Store, wait};
pub use usage::{AnswerUsage, Billed};
pub use writer::Done;
