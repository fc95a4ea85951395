//! Writing everything into the file, and taking personal data out of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use evalset::{LabelRow, Purge};
use serde::Serialize;
use serde_json::Map;
use store::{LabelOrigin, wait};
use values::{ContentHash, Id};

use super::{labelled_set, sync};
use crate::{App, AppError};

/// What was written into the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabelsWritten {
    /// The eval set.
    pub eval_set: String,
    /// The file, as a path inside the project.
    pub file: PathBuf,
    /// How many rows it got that it did not have.
    pub added: usize,
}

/// Which events are purged: those that any of these names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelPurge {
    /// Events.
    pub events: Vec<Id>,
    /// Everything about these cases.
    pub cases: Vec<String>,
    /// Everything about these outputs, whose texts go too.
    pub outputs: Vec<ContentHash>,
    /// Everything that these people did.
    pub labellers: Vec<String>,
}

/// What was purged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabelsPurged {
    /// The eval set.
    pub eval_set: String,
    /// How many events.
    pub events: usize,
    /// How many texts in `outputs.jsonl`.
    pub outputs: usize,
}

impl App {
    /// Brings what was labelled here into `labels.jsonl`; with `all` also what the file had once and
    /// holds no longer, as after a switch of branches. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such set, or the file has a line that is no label.
    pub fn export_labels(
        &self,
        folder: Option<&Path>,
        set: Option<&str>,
        all: bool,
    ) -> Result<LabelsWritten, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let eval_set = labelled_set(&store, &project, set)?;
        project.eval_set(&eval_set).map_err(|error| crate::open_error(&error))?;
        let added = sync::write(&project, &store, &eval_set, all)?;
        let file = Path::new("evalsets").join(&eval_set).join("labels.jsonl");
        Ok(LabelsWritten { eval_set, file, added })
    }

    /// Returns how many events a purge would remove. Blocking.
    ///
    /// # Errors
    /// As [`App::purge_labels`].
    pub fn labels_to_purge(
        &self,
        folder: Option<&Path>,
        set: Option<&str>,
        which: &LabelPurge,
    ) -> Result<LabelsPurged, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let eval_set = labelled_set(&store, &project, set)?;
        sync::import(&project, &store, &eval_set)?;
        let (events, outputs) = which.find(&store.labels(&eval_set)?);
        Ok(LabelsPurged { eval_set, events: events.len(), outputs: outputs.len() })
    }

    /// Removes events for ever, from the database and the file, and leaves a tombstone that no other
    /// copy of the file overrules. What outputs said that are named goes too. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if nothing is found, or a file has a line that cannot be read.
    pub fn purge_labels(
        &self,
        folder: Option<&Path>,
        set: Option<&str>,
        which: &LabelPurge,
        labeller: &str,
    ) -> Result<LabelsPurged, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let eval_set = labelled_set(&store, &project, set)?;
        sync::import(&project, &store, &eval_set)?;
        let (events, outputs) = which.find(&store.labels(&eval_set)?);
        if events.is_empty() && outputs.is_empty() {
            return Err(AppError::input("there is no such label or output to purge"));
        }
        let count = events.len();
        if count > 0 {
            let tombstone = LabelRow::Purge(Purge {
                id: self.host.new_id(),
                time: (self.host.now)(),
                labeller: labeller.to_owned(),
                purges: events,
                other: Map::new(),
            });
            wait(|done| {
                store.add_labels(&eval_set, vec![tombstone], LabelOrigin::Here, done);
            })?;
        }
        sync::write(&project, &store, &eval_set, false)?;
        let (file, found) = project.outputs(&eval_set)?;
        sync::refuse_bad_lines(&eval_set, "outputs.jsonl", found)?;
        let mut kept = file.content.clone().unwrap_or_default();
        let now = (self.host.now)();
        let purged = outputs.into_iter().filter(|hash| kept.purge(*hash, now)).count();
        if purged > 0 {
            file.write(&kept.to_text())?;
        }
        Ok(LabelsPurged { eval_set, events: count, outputs: purged })
    }
}

impl LabelPurge {
    /// Returns the events and the outputs that are meant.
    fn find(&self, rows: &[LabelRow]) -> (Vec<Id>, BTreeSet<ContentHash>) {
        let named: BTreeSet<ContentHash> = self.outputs.iter().copied().collect();
        let (mut events, mut outputs, mut kept) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for row in rows {
            let Some(subject) = row.subject() else { continue };
            let is_of_case = self.cases.contains(&subject.case);
            let is_meant = self.events.contains(&row.id())
                || is_of_case
                || subject.output.hashes().any(|hash| named.contains(&hash))
                || self.labellers.iter().any(|who| who == row.labeller());
            if is_meant {
                events.push(row.id());
            }
            // What a model said about a person's data may repeat it.
            let texts = if is_of_case { &mut outputs } else { &mut kept };
            texts.extend(subject.output.hashes());
        }
        // A text that labels of other cases are about as well says nothing about this one.
        let mut outputs: BTreeSet<ContentHash> = outputs.difference(&kept).copied().collect();
        outputs.extend(named);
        (events, outputs)
    }
}
