//! Writing everything into the file, and taking personal data out of it.

use std::path::{Path, PathBuf};

use evalset::{LabelRow, Purge};
use serde::Serialize;
use serde_json::Map;
use store::{LabelOrigin, wait};

use super::purge::{LabelPurge, Purged};
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

/// What was purged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabelsPurged {
    /// The eval set.
    pub eval_set: String,
    /// How many events, kinds of failures and sortings among them.
    pub events: usize,
    /// How many definitions of kinds of failures, whose names and sentences are gone.
    pub categories: usize,
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
        let found = which.find(&store.labels(&eval_set)?);
        Ok(LabelsPurged {
            eval_set,
            events: found.events.len(),
            categories: found.categories,
            outputs: found.outputs.len(),
        })
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
        let Purged { events, categories, outputs } = which.find(&store.labels(&eval_set)?);
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
        Ok(LabelsPurged { eval_set, events: count, categories, outputs: purged })
    }
}
