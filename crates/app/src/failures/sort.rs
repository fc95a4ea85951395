//! Putting notes into categories, and changing the categories.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use evalset::{Category, LabelRow, Sorting};
use serde::Serialize;
use serde_json::Map;
use store::{LabelOrigin, wait};
use values::Id;

use super::gather::FailureWorld;
use super::names::{fit_name, fit_sentence};
use crate::labels::sync;
use crate::{App, AppError};

/// Notes that a person puts into a category.
#[derive(Debug, Clone, Default)]
pub struct GroupRequest {
    /// The eval set; the only one, or that of the newest run if `None`.
    pub set: Option<String>,
    /// The category; it is made if there is none of this name.
    pub category: String,
    /// What it is; needed for a new one, and for no other.
    pub sentence: Option<String>,
    /// The notes, each by its id or the end of it.
    pub notes: Vec<String>,
    /// A category that the notes are taken out of.
    pub from: Option<String>,
    /// Who sorts.
    pub labeller: String,
}

/// Notes that a person takes out of categories.
#[derive(Debug, Clone, Default)]
pub struct UngroupRequest {
    /// As in [`GroupRequest::set`].
    pub set: Option<String>,
    /// The notes, each by its id or the end of it. What is in no category then is of no kind.
    pub notes: Vec<String>,
    /// The category; all if `None`.
    pub from: Option<String>,
    /// Who sorts.
    pub labeller: String,
}

/// A category that a person calls or explains otherwise.
#[derive(Debug, Clone, Default)]
pub struct RenameRequest {
    /// As in [`GroupRequest::set`].
    pub set: Option<String>,
    /// The category.
    pub category: String,
    /// Its new name; the old one if `None`.
    pub name: Option<String>,
    /// What it is; what was said before if `None`.
    pub sentence: Option<String>,
    /// Who renames.
    pub labeller: String,
}

/// Categories of which a person makes one.
#[derive(Debug, Clone, Default)]
pub struct MergeRequest {
    /// As in [`GroupRequest::set`].
    pub set: Option<String>,
    /// The categories; every one that has one of these names.
    pub categories: Vec<String>,
    /// What the one is called; as the first of them if `None`.
    pub into: Option<String>,
    /// What it is; as of the one that had that name, else of the first, if `None`.
    pub sentence: Option<String>,
    /// Who merges.
    pub labeller: String,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryChange {
    /// The eval set.
    pub eval_set: String,
    /// The file that has the rows, as a path inside the project.
    pub file: PathBuf,
    /// The category as it stands now; none if notes were taken out of all.
    pub category: Option<String>,
    /// What it is.
    pub sentence: Option<String>,
    /// Whether it was made now.
    pub is_new: bool,
    /// The notes whose categories changed.
    pub notes: usize,
}

impl App {
    /// Puts notes into a category, which is made if there is none of this name. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if a note or category is not there, a new category has no
    /// sentence, or a known one gets another.
    pub fn group_failures(
        &self,
        folder: Option<&Path>,
        request: &GroupRequest,
    ) -> Result<CategoryChange, AppError> {
        let found = self.failure_world(folder, request.set.as_deref())?;
        let notes = found.named_notes(&request.notes)?;
        let from = request.from.as_deref().map(|name| found.category(name)).transpose()?;
        let from = from.map(|one| one.id);
        let name = fit_name(&request.category)?;
        let mut rows = Vec::new();
        let is_new = found.world.categories.named(&name).is_empty();
        let category = if is_new {
            let sentence = request.sentence.as_deref().ok_or_else(|| {
                AppError::input(format!("there is no category `{name}` yet"))
                    .with_hint("say what it is with --sentence \"One sentence.\", and it is made")
            })?;
            let made = self.category(&name, sentence, &request.labeller, Vec::new())?;
            rows.push(LabelRow::Category(made.clone()));
            made
        } else {
            let known = found.category(&name)?.clone();
            refuse_other_sentence(&known, request.sentence.as_deref())?;
            known
        };
        if notes.is_empty() && !is_new {
            return Err(AppError::input("no note is named").with_hint(
                "name notes by the ends of their ids, as `trysquare failures` prints them",
            ));
        }
        let sorted = self.sortings(&found, &notes, &request.labeller, |of| {
            of.retain(|id| Some(*id) != from);
            of.insert(category.id);
        });
        let count = sorted.len();
        rows.extend(sorted);
        found.keep(rows)?;
        Ok(found.change(Some(&category), is_new, count))
    }

    /// Takes notes out of a category, or of all. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if a note or category is not there.
    pub fn ungroup_failures(
        &self,
        folder: Option<&Path>,
        request: &UngroupRequest,
    ) -> Result<CategoryChange, AppError> {
        let found = self.failure_world(folder, request.set.as_deref())?;
        let notes = found.named_notes(&request.notes)?;
        let from = request.from.as_deref().map(|name| found.category(name)).transpose()?;
        let out = from.map(|one| one.id);
        let rows = self.sortings(&found, &notes, &request.labeller, |of| {
            of.retain(|id| out.is_some_and(|out| out != *id));
        });
        let count = rows.len();
        found.keep(rows)?;
        Ok(found.change(from, false, count))
    }

    /// Calls or explains a category otherwise; what is in it stays. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such category, or another one has the name.
    pub fn rename_failures(
        &self,
        folder: Option<&Path>,
        request: &RenameRequest,
    ) -> Result<CategoryChange, AppError> {
        let found = self.failure_world(folder, request.set.as_deref())?;
        let known = found.category(&request.category)?;
        let name = fit_name(request.name.as_deref().unwrap_or(&known.name))?;
        let others = found.world.categories.named(&name);
        if let Some(other) = others.iter().find(|other| other.id != known.id) {
            let (old, other) = (&known.name, &other.name);
            return Err(AppError::input(format!("there is a category `{other}` already"))
                .with_hint(format!(
                    "make them one with: trysquare failures merge {old:?} {other:?}"
                )));
        }
        let sentence = request.sentence.as_deref().unwrap_or(&known.sentence);
        let replaces = found.definitions([known.id]);
        let made = self.category(&name, sentence, &request.labeller, replaces)?;
        if made.name != known.name || made.sentence != known.sentence {
            found.keep(vec![LabelRow::Category(made.clone())])?;
        }
        Ok(found.change(Some(&made), false, 0))
    }

    /// Makes one of several categories; a note that was in two of them is in one. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there are not two of them, or a category that is not among them
    /// has the name.
    pub fn merge_failures(
        &self,
        folder: Option<&Path>,
        request: &MergeRequest,
    ) -> Result<CategoryChange, AppError> {
        let found = self.failure_world(folder, request.set.as_deref())?;
        let categories = &found.world.categories;
        let mut all: Vec<&Category> = Vec::new();
        for name in &request.categories {
            let named = categories.named(name);
            if named.is_empty() {
                found.category(name)?;
            }
            all.extend(named);
        }
        let ids: BTreeSet<Id> = all.iter().map(|one| one.id).collect();
        let Some(first) = all.first().filter(|_| ids.len() > 1) else {
            return Err(AppError::input("a merge needs two categories")
                .with_hint("trysquare failures merge ONE OTHER --into NAME"));
        };
        let name = fit_name(request.into.as_deref().unwrap_or(&first.name))?;
        if categories.named(&name).iter().any(|one| !ids.contains(&one.id)) {
            return Err(AppError::input(format!("`{name}` is a category that is not among them"))
                .with_hint("name it too, and it becomes one with the others"));
        }
        let lower = name.to_lowercase();
        let of_name = all.iter().find(|one| one.name.to_lowercase() == lower).unwrap_or(first);
        let sentence = request.sentence.as_deref().unwrap_or(&of_name.sentence);
        let notes = found.notes.iter().filter(|note| {
            let of = categories.of_note(note.event.id).unwrap_or_default();
            of.iter().any(|one| ids.contains(&one.id))
        });
        let count = notes.count();
        let replaces = found.definitions(ids.iter().copied());
        let made = self.category(&name, sentence, &request.labeller, replaces)?;
        found.keep(vec![LabelRow::Category(made.clone())])?;
        Ok(found.change(Some(&made), false, count))
    }

    fn category(
        &self,
        name: &str,
        sentence: &str,
        labeller: &str,
        replaces: Vec<Id>,
    ) -> Result<Category, AppError> {
        Ok(Category {
            id: self.host.new_id(),
            time: (self.host.now)(),
            labeller: labeller.to_owned(),
            name: name.to_owned(),
            sentence: fit_sentence(sentence)?,
            replaces,
            other: Map::new(),
        })
    }

    /// Returns the rows that sort these notes as `change` makes their categories, where that is not
    /// so already. A category that only another copy of the file defines stays, unless `change`
    /// leaves nothing.
    fn sortings(
        &self,
        found: &FailureWorld,
        notes: &[Id],
        labeller: &str,
        change: impl Fn(&mut BTreeSet<Id>),
    ) -> Vec<LabelRow> {
        let categories = &found.world.categories;
        let distinct: BTreeSet<Id> = notes.iter().copied().collect();
        let rows = distinct.into_iter().filter_map(|note| {
            let before = categories.of_note(note);
            let before: Option<BTreeSet<Id>> =
                before.map(|all| all.into_iter().map(|one| one.id).collect());
            let mut after = before.clone().unwrap_or_default();
            change(&mut after);
            (before.as_ref() != Some(&after)).then(|| {
                if !after.is_empty() {
                    after.extend(categories.undefined_of_note(note));
                }
                LabelRow::Sorting(Sorting {
                    id: self.host.new_id(),
                    time: (self.host.now)(),
                    labeller: labeller.to_owned(),
                    sorts: note,
                    categories: after.into_iter().collect(),
                    replaces: categories.standing_sortings(note).to_vec(),
                    other: Map::new(),
                })
            })
        });
        rows.collect()
    }
}

impl FailureWorld {
    /// Returns the definitions that a new one of these categories takes the place of.
    fn definitions(&self, categories: impl IntoIterator<Item = Id>) -> Vec<Id> {
        let all = categories.into_iter().flat_map(|id| self.world.categories.definitions(id));
        all.map(|one| one.id).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Makes rows durable, and writes them into the file.
    fn keep(&self, rows: Vec<LabelRow>) -> Result<(), AppError> {
        let (store, set) = (&self.world.store, &self.world.folder.name);
        if !rows.is_empty() {
            wait(|done| store.add_labels(set, rows, LabelOrigin::Here, done))?;
        }
        sync::write(&self.project, store, set, false).map(drop)
    }

    fn change(&self, category: Option<&Category>, is_new: bool, notes: usize) -> CategoryChange {
        let eval_set = self.world.folder.name.clone();
        CategoryChange {
            file: Path::new("evalsets").join(&eval_set).join("labels.jsonl"),
            eval_set,
            category: category.map(|one| one.name.clone()),
            sentence: category.map(|one| one.sentence.clone()),
            is_new,
            notes,
        }
    }
}

fn refuse_other_sentence(known: &Category, sentence: Option<&str>) -> Result<(), AppError> {
    match sentence.map(str::trim) {
        Some(other) if other != known.sentence => {
            let name = &known.name;
            Err(AppError::input(format!("`{name}` is explained already: {}", known.sentence))
                .with_hint(format!(
                    "to explain it otherwise: trysquare failures rename {name:?} --sentence \"…\""
                )))
        }
        _ => Ok(()),
    }
}
