//! Labels: what people decided, as events that are only ever added.
//!
//! A file is a union of events by id: any order and duplicates are read, and two copies that went
//! different ways merge into the same labels whichever is taken first. Nothing is overwritten: a
//! changed mind is an event that replaces another, a withdrawn label one that retracts it. What an
//! output's label is now is read off by [`Labels::current`], what people agree on by
//! [`Labels::reference`], and of which kinds failures are by [`Categories`].

mod category;
mod dealing;
mod event;
mod labels;
mod lines;
mod quick;
mod read;
mod row;

pub use category::{Categories, Category, Sorting};
pub use dealing::{Dealing, Dealt};
pub use event::{
    Act, Drawn, ExternalOutput, LabelEvent, LabelSubject, LabelValue, LabelledOutput, Preference,
};
pub use labels::{CurrentLabel, Labels, Reference, SubjectLabels};
pub use lines::{LabelLine, LabelText, write_labels};
pub use read::{BadLabel, LABEL_FORMAT, read_labels};
pub use row::{LabelRow, LaterRow, Purge};

#[cfg(test)]
mod category_tests;
#[cfg(test)]
mod tests;
