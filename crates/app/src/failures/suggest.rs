//! Groups that notes may form. A suggestion is only a suggestion: nothing is kept.

use std::collections::BTreeMap;
use std::path::Path;

use analysis::{SimilarNotes, similar_notes};
use serde::Serialize;
use values::Id;

use super::gather::{FailureWorld, Noted};
use super::names::short_ids;
use crate::{App, AppError};

/// The notes that somebody must have written before groups are suggested: kinds that are looked for
/// before reading find what was expected.
pub const NOTES_BEFORE_SUGGESTIONS: usize = 30;

/// Groups that may be kinds of failures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestions {
    /// The eval set.
    pub eval_set: String,
    /// The notes that were looked at: all that count.
    pub notes: usize,
    /// Those that nobody has sorted.
    pub not_sorted: usize,
    /// The groups with a note that nobody has sorted, the largest first.
    pub groups: Vec<SuggestedGroup>,
}

/// Notes that may tell of one kind of failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuggestedGroup {
    /// Words that set them apart, the weightiest first.
    pub words: Vec<String>,
    /// The category that most of its sorted notes are in, if one has more than half of them.
    pub category: Option<String>,
    /// The notes, the most typical first, then oldest first.
    pub notes: Vec<SuggestedNote>,
}

/// A note of a suggested group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuggestedNote {
    /// The event that holds it.
    pub id: Id,
    /// The end of the id, as long as no other note ends so.
    pub short: String,
    /// The case.
    pub case: String,
    /// What was written.
    pub note: String,
    /// Whether somebody has sorted it.
    pub is_sorted: bool,
}

impl App {
    /// Suggests groups among the notes that count, by the words that they share. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such set, a file of it has errors, or there are fewer
    /// than [`NOTES_BEFORE_SUGGESTIONS`] notes.
    pub fn suggest_failures(
        &self,
        folder: Option<&Path>,
        set: Option<&str>,
    ) -> Result<Suggestions, AppError> {
        let found = self.failure_world(folder, set)?;
        let notes: Vec<&Noted> = found.failing().collect();
        if notes.len() < NOTES_BEFORE_SUGGESTIONS {
            return Err(AppError::input(format!(
                "groups are suggested after {NOTES_BEFORE_SUGGESTIONS} notes on failing outputs; \
                 there are {}",
                notes.len()
            ))
            .with_hint(
                "write what went wrong first, in your words: trysquare label --queue hunt",
            ));
        }
        let texts: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
        let is_sorted = |note: &Noted| found.world.categories.of_note(note.event.id).is_some();
        let short = short_ids(found.notes.iter().map(|note| note.event.id));
        let groups = similar_notes(&texts)
            .into_iter()
            .filter(|group| group.notes.iter().any(|place| !is_sorted(notes[*place])))
            .map(|group| found.suggested(group, &notes, &short))
            .collect();
        Ok(Suggestions {
            eval_set: found.world.folder.name.clone(),
            notes: notes.len(),
            not_sorted: notes.iter().filter(|note| !is_sorted(note)).count(),
            groups,
        })
    }
}

impl FailureWorld {
    fn suggested(
        &self,
        group: SimilarNotes,
        notes: &[&Noted],
        short: &BTreeMap<Id, String>,
    ) -> SuggestedGroup {
        let SimilarNotes { notes: mut places, typical, words } = group;
        places.sort_by_key(|place| (*place != typical, *place));
        let kinds: Vec<Option<Vec<String>>> =
            places.iter().map(|place| self.kinds_of(notes[*place].event.id)).collect();
        let sorted = kinds.iter().flatten().count();
        let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
        for kind in kinds.iter().flatten().flatten() {
            *counts.entry(kind).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        let category = most.filter(|(_, count)| 2 * count > sorted).map(|(kind, _)| kind.clone());
        let shown = places.iter().zip(&kinds).map(|(place, kinds)| {
            let note = notes[*place];
            SuggestedNote {
                id: note.event.id,
                short: short.get(&note.event.id).cloned().unwrap_or_default(),
                case: note.event.subject.case.clone(),
                note: note.text.clone(),
                is_sorted: kinds.is_some(),
            }
        });
        SuggestedGroup { words, category, notes: shown.collect() }
    }
}
