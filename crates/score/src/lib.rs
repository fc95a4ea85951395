//! What an output is worth: checks evaluated, criteria combined, the status of a cell.
//!
//! Checks are functions of a subject. A program check builds a request and reads an answer, and
//! calls nobody. Statuses are never merged and never averaged together; a missing answer is never a
//! pass. Not here: running programs or judges, where scores are kept, what many scores mean.
//!
//! Unknowns follow one rule everywhere (negation, groups, criteria): a result that holds whatever
//! the unknown turns out to be stands; otherwise the result is unknown too.

mod combine;
mod criterion;
mod distance;
mod evaluate;
mod facts;
mod finding;
mod json;
mod judge;
mod likeness;
mod outcome;
pub mod probe;
mod program;
mod quote;
mod subject;
mod text;

#[cfg(test)]
mod tests;

pub use criterion::{Contribution, CriterionResult, Sided, cell_status, criterion_result};
pub use evaluate::{evaluate, program_requests};
pub use facts::REFUSAL_OPENINGS;
pub use judge::{
    FENCE, Judge, JudgeAnswer, Judged, JuryMember, Sees, bind_rendered, fence, in_own_order,
    judge_variables, judge_version, jury, jury_version, pair_variables, read_judge, sees_rendered,
};
pub use likeness::{MAX_COMPARED_PAIRS, levenshtein, rouge_l, similarity};
pub use outcome::{MAX_REASON_CHARS, Outcome, Score, Status};
pub use program::{
    MAX_ANSWER_BYTES, ProgramAnswer, ProgramAnswers, ProgramRequest, read_program_answer,
};
pub use subject::{Generation, Subject};
