//! Open coding: what people wrote about failing outputs, and of which kinds those failures are.
//!
//! A note is what a person wrote beside a label, or alone; it counts while its output fails by what
//! people decided. Categories and what was sorted into them are rows of `labels.jsonl`, merged and
//! purged as labels are. Everything here is durable in the database before it is written to the file.

mod gather;
mod make_check;
mod make_judge;
mod names;
mod sort;
mod suggest;

pub use gather::{FailureRequest, NotesAsked};
pub use make_check::{CheckRequest, Finds, FoundByCheck, MadeCheck};
pub use make_judge::{JudgeRequest, MadeJudge};
pub use sort::{CategoryChange, GroupRequest, MergeRequest, RenameRequest, UngroupRequest};
pub use suggest::{NOTES_BEFORE_SUGGESTIONS, SuggestedGroup, SuggestedNote, Suggestions};
