//! What results mean: is B better than A, how sure is that, and what would make it surer.
//!
//! Pure: results of variants in, verdicts and numbers out. Where the results come from (a run, an
//! approved baseline) is not known here, nor how a verdict is printed. One set of rules makes every
//! verdict of the product: [`compare`], a gate and a run that stops early all read [`Verdict`] off an
//! interval by [`Verdict::read`].

pub mod calibration;
mod candidates;
mod compare;
mod criterion;
mod decision;
mod diff;
mod estimate;
mod failures;
mod gate;
mod mean;
mod measures;
mod order;
mod pairing;
mod pairs;
mod planning;
pub mod probe;
mod rate;
mod repeated;
mod results;
mod sequential;
mod similar_notes;
mod slices;
mod square;
mod steps;
mod units;
mod verdict;
mod warning;

pub use candidates::{CandidateRow, Candidates, compare_all};
pub use compare::{CompareOptions, Comparison, LookHistory, Side, compare};
pub use criterion::{Basis, CriterionComparison, Refusal, Role, level_of_try};
pub use decision::{Decision, HeldBack, Method, WhySequence};
pub use diff::{OutputDiff, Segment, SegmentKind};
pub use estimate::Estimate;
pub use failures::{FailureKind, FailureKinds, FailureNote, Saturation, failure_kinds};
pub use gate::{
    GateContext, GateOutcome, GateStatus, Held, IncompleteCell, JudgeTrust, Rule, RuleChange,
    RuleOutcome, Verified, gate,
};
pub use mean::MeanEstimate;
pub use measures::{
    Measure, MeasureComparison, MeasureSide, MeasureSource, QuantileChange, QuantileEstimate,
};
pub use order::{JudgedPair, OrderRow, PairwiseOrder, Preferred, pairwise_order};
pub use pairing::{Pairing, pair};
pub use pairs::{BothOrders, ComparedPair, JudgedOrder, SwapFinding, judged_order, position};
pub use planning::{Advice, MostHelps, Needed, POWER, Question, SizePlan, Sizes, Spread};
pub use rate::{CasePasses, PassRate, RateMethod, pass_rate};
pub use repeated::{Reliability, Repeated};
pub use results::{
    CaseResults, Measured, Open, Origin, SampleResult, Scorer, SetCriterion, Value, VariantResults,
    cluster_numbers,
};
pub use sequential::{Goal, UntilDecided};
pub use similar_notes::{SimilarNotes, similar_notes};
pub use slices::{Slice, Slices};
pub use square::{CaseScore, Change, PairedCase, Square};
pub use units::Uncounted;
pub use verdict::Verdict;
pub use warning::Warning;
