use serde_json::{Map, Value};
use values::{Id, Timestamp, row_json};

use super::category::{Category, Sorting};
use super::dealing::Dealing;
use super::event::{LabelEvent, LabelSubject, ids, text};
use super::read::LABEL_FORMAT;

/// One row of `labels.jsonl`.
#[derive(Debug, Clone, PartialEq)]
pub enum LabelRow {
    /// Something that a person did about an output.
    Event(Box<LabelEvent>),
    /// What a kind of failure is called and what it is.
    Category(Category),
    /// Of which kinds the failure is that a note tells of.
    Sorting(Sorting),
    /// By which seed and shares cases are dealt to splits.
    Split(Dealing),
    /// What is left of events that were removed.
    Purge(Purge),
    /// A row of a kind that a later version writes. It is kept and written back as it was.
    Later(LaterRow),
}

/// The tombstone of events that were removed, for example because they held personal data.
#[derive(Debug, Clone, PartialEq)]
pub struct Purge {
    /// The tombstone.
    pub id: Id,
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub labeller: String,
    /// The events that no union brings back.
    pub purges: Vec<Id>,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

/// A row of a kind that this version does not know: it merges and is purged as any other, and says
/// nothing but what it takes the place of.
#[derive(Debug, Clone, PartialEq)]
pub struct LaterRow {
    /// The row.
    pub id: Id,
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub labeller: String,
    /// The rows that this one takes the place of.
    pub replaces: Vec<Id>,
    /// The word for what was done.
    pub act: String,
    /// The row as it was read, without space around it.
    pub text: String,
}

impl LabelRow {
    /// Returns the id of the row.
    pub fn id(&self) -> Id {
        match self {
            Self::Event(event) => event.id,
            Self::Category(category) => category.id,
            Self::Sorting(sorting) => sorting.id,
            Self::Split(dealing) => dealing.id,
            Self::Purge(purge) => purge.id,
            Self::Later(later) => later.id,
        }
    }

    /// Returns when it was done.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Event(event) => event.time,
            Self::Category(category) => category.time,
            Self::Sorting(sorting) => sorting.time,
            Self::Split(dealing) => dealing.time,
            Self::Purge(purge) => purge.time,
            Self::Later(later) => later.time,
        }
    }

    /// Returns who did it.
    pub fn labeller(&self) -> &str {
        match self {
            Self::Event(event) => &event.labeller,
            Self::Category(category) => &category.labeller,
            Self::Sorting(sorting) => &sorting.labeller,
            Self::Split(dealing) => &dealing.labeller,
            Self::Purge(purge) => &purge.labeller,
            Self::Later(later) => &later.labeller,
        }
    }

    /// Returns the word that files use for what was done.
    pub fn act_name(&self) -> &str {
        match self {
            Self::Event(event) => event.act.name(),
            Self::Category(_) => "category",
            Self::Sorting(_) => "sort",
            Self::Split(_) => "split",
            Self::Purge(_) => "purge",
            Self::Later(later) => &later.act,
        }
    }

    /// Returns the output that it is about, if it is about one.
    pub fn subject(&self) -> Option<&LabelSubject> {
        match self {
            Self::Event(event) => Some(&event.subject),
            Self::Category(_)
            | Self::Sorting(_)
            | Self::Split(_)
            | Self::Purge(_)
            | Self::Later(_) => None,
        }
    }

    /// Returns the events that it forbids every copy to bring back.
    pub fn purges(&self) -> &[Id] {
        match self {
            Self::Purge(purge) => &purge.purges,
            Self::Event(_)
            | Self::Category(_)
            | Self::Sorting(_)
            | Self::Split(_)
            | Self::Later(_) => &[],
        }
    }

    /// Returns the canonical row: one JSON object, no line end.
    ///
    /// Keys in the order `format`, `id`, `act`, `case`, `case_hash`, `output` or `pair`, `criterion`,
    /// then `value`, `category` or `prefers`, `note`, `labeller`, `time`, `replaces`, `adjudicates`,
    /// `rubric`, `drawn`, `split`, `cluster`, `blind`, `seconds`, `external`, and what this version does
    /// not know. A category has `format`, `id`, `act`, `name`, `sentence`, `labeller`, `time`,
    /// `replaces`; a sorting `format`, `id`, `act`, `sorts`, `categories`, `labeller`, `time`, `replaces`;
    /// a dealing `format`, `id`, `act`, `seed`, `train`, `dev`, `labeller`, `time`, `replaces`; a
    /// tombstone `format`, `id`, `act`, `purges`, `labeller`, `time`. A row of a later version stays as
    /// it was read, byte for byte.
    pub fn row(&self) -> String {
        let mut row = Map::new();
        match self {
            Self::Event(event) => event.put(&mut row),
            Self::Category(category) => category.put(&mut row),
            Self::Sorting(sorting) => sorting.put(&mut row),
            Self::Split(dealing) => dealing.put(&mut row),
            Self::Purge(purge) => purge.put(&mut row),
            Self::Later(later) => return later.text.clone(),
        }
        row_json(&Value::Object(row))
    }
}

impl Purge {
    fn put(&self, row: &mut Map<String, Value>) {
        head(row, self.id, "purge");
        row.insert("purges".to_owned(), self.purges.iter().map(text).collect::<Vec<_>>().into());
        tail(row, &self.labeller, self.time, &[], &self.other);
    }
}

/// Puts what every row begins with.
pub(super) fn head(row: &mut Map<String, Value>, id: Id, act: &str) {
    row.insert("format".to_owned(), LABEL_FORMAT.into());
    row.insert("id".to_owned(), text(&id));
    row.insert("act".to_owned(), act.into());
}

/// Puts what the rows that are about no output end with.
pub(super) fn tail(
    row: &mut Map<String, Value>,
    labeller: &str,
    time: Timestamp,
    replaces: &[Id],
    other: &Map<String, Value>,
) {
    row.insert("labeller".to_owned(), labeller.into());
    row.insert("time".to_owned(), text(&time));
    if let Some(replaces) = ids(replaces) {
        row.insert("replaces".to_owned(), replaces);
    }
    for (key, value) in other {
        row.insert(key.clone(), value.clone());
    }
}
