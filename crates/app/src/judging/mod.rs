//! Judging: the outputs of a run are shown to judges, in runs of their own.
//!
//! What a judge is asked is a cell like any other, so that cap, retries, cache, record, resume and
//! ledger are the engine's. A judging run has the judges as its variants and names the run that it
//! judges; each of its cells judges one output of one case, however many cells of the judged run gave
//! it. A judge that compares is shown each pair of different outputs of a case in both orders. Replies that
//! cannot be read are asked again in one more run, once. [`verdicts`] is the one place where replies
//! become scores of the judged run, and where juries decide.

mod ask;
mod next;
mod outputs;
mod pairs;
mod plan;
mod ready;
mod record;
mod scorer;
mod verdicts;

pub(crate) use ask::Asking;
pub(crate) use pairs::{PairVerdicts, leave_out_comparing, pair_verdicts};
pub(crate) use ready::{
    Reader, judge_of, judges_from_files, member_version, members, variants_of, version_of,
};
pub(crate) use record::Needed;
pub(crate) use scorer::JudgeScorer;
pub(crate) use verdicts::{Verdicts, judging_runs, verdicts};

pub use plan::{JudgingPlan, JudgingRequest, JudgingRound};
