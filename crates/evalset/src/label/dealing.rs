use serde_json::{Map, Value};
use values::{Id, Timestamp};

use super::row::{head, tail};
use crate::{Split, SplitPolicy};

/// By which seed and shares the cases of a set are dealt to splits from here on.
#[derive(Debug, Clone, PartialEq)]
pub struct Dealing {
    /// The row.
    pub id: Id,
    /// Since when.
    pub time: Timestamp,
    /// Who wrote the row; the program itself.
    pub labeller: String,
    /// The seed and the shares.
    pub policy: SplitPolicy,
    /// The dealings that this one takes the place of: none of the first.
    pub replaces: Vec<Id>,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

/// Where a case stood when something was said about an output of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dealt {
    /// The part of the set.
    pub split: Split,
    /// The cluster, if it had one.
    pub cluster: Option<String>,
}

impl Dealing {
    pub(super) fn put(&self, row: &mut Map<String, Value>) {
        head(row, self.id, "split");
        row.insert("seed".to_owned(), self.policy.seed.into());
        for split in [Split::Train, Split::Dev] {
            row.insert(split.name().to_owned(), self.policy.shares.percent(split).into());
        }
        tail(row, &self.labeller, self.time, &self.replaces, &self.other);
    }
}
