//! What people disagree on, and deciding it.

use std::path::Path;

use evalset::{Act, Criterion, LabelEvent, LabelSubject, LabelValue, Reference};
use serde::Serialize;
use values::Id;

use super::recorder::Recorder;
use super::{LabelWorld, input_of, labelled_set, open_world};
use crate::{App, AppError};

/// An output, or a pair, on which people disagree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conflict {
    /// What they disagree on.
    #[serde(skip)]
    pub subject: LabelSubject,
    /// The case.
    pub case: String,
    /// The criterion.
    pub criterion: String,
    /// The case's variables, for reading.
    pub input: String,
    /// What a right output is, where it is known.
    pub expected: Option<String>,
    /// The texts, `None` where one is not here.
    pub outputs: Vec<Option<String>>,
    /// What each said.
    pub opinions: Vec<Opinion>,
}

/// What one person said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Opinion {
    /// The event.
    pub event: Id,
    /// Who; not shown to one who adjudicates.
    pub labeller: String,
    /// What, as it is shown.
    pub value: String,
    /// What.
    #[serde(skip)]
    pub decision: LabelValue,
    /// In their words.
    pub note: Option<String>,
}

/// Where a person decides between others.
pub struct ConflictDesk {
    recorder: Recorder,
    conflicts: Vec<Conflict>,
}

impl App {
    /// Returns what people disagree on and nobody has decided. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such set, or a file of it has errors.
    pub fn label_conflicts(
        &self,
        folder: Option<&Path>,
        set: Option<&str>,
    ) -> Result<Vec<Conflict>, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let set = labelled_set(&store, &project, set)?;
        conflicts(&open_world(&project, store, &set)?)
    }

    /// Opens a desk for adjudicating. Blocking.
    ///
    /// # Errors
    /// As [`App::label_conflicts`].
    pub fn conflict_desk(
        &self,
        folder: Option<&Path>,
        set: Option<&str>,
        labeller: &str,
    ) -> Result<ConflictDesk, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let set = labelled_set(&store, &project, set)?;
        let world = open_world(&project, store, &set)?;
        let mut conflicts = conflicts(&world)?;
        conflicts.reverse();
        Ok(ConflictDesk { recorder: Recorder::open(self, folder, world, labeller)?, conflicts })
    }
}

impl ConflictDesk {
    /// Returns what is to be decided now; `None` at the end.
    pub fn next(&self) -> Option<&Conflict> {
        self.conflicts.last()
    }

    /// Returns the criterion of what is to be decided now.
    pub fn criterion(&self) -> Option<&Criterion> {
        self.recorder.world.set.criterion(&self.next()?.criterion)
    }

    /// Returns how many are left.
    pub fn left(&self) -> usize {
        self.conflicts.len()
    }

    /// Decides what is next, and goes on.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`] if it could not be made durable; it then stays next.
    pub fn adjudicate(&mut self, value: LabelValue, note: Option<String>) -> Result<(), AppError> {
        let Some(conflict) = self.conflicts.last() else { return Ok(()) };
        let adjudicates = conflict.opinions.iter().map(|opinion| opinion.event).collect();
        let act = Act::Adjudicate { value, adjudicates };
        let event = self.recorder.event(conflict.subject.clone(), act);
        self.recorder.keep(LabelEvent { note, blind: Some(true), ..event })?;
        self.conflicts.pop();
        Ok(())
    }

    /// Leaves what is next undecided.
    pub fn skip(&mut self) {
        self.conflicts.pop();
    }

    /// Writes what is left into the file.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if the file cannot be written; the decisions are in the database
    /// all the same.
    pub fn close(self) -> Result<(), AppError> {
        self.recorder.finish()
    }
}

fn conflicts(world: &LabelWorld) -> Result<Vec<Conflict>, AppError> {
    let mut found = Vec::new();
    for on in world.labels.by_subject() {
        let Some(subject) = on.subject() else { continue };
        if world.reference(&on) != Reference::Conflict {
            continue;
        }
        let Some(case) = world.folder.cases.get(&subject.case) else { continue };
        let (input, expected) = input_of(&case);
        let opinions = world.valid(&on).into_iter().map(|(who, event, value)| Opinion {
            event: event.id,
            labeller: who.to_owned(),
            value: value.word().into_owned(),
            decision: value.clone(),
            note: event.note.clone(),
        });
        found.push(Conflict {
            subject: subject.clone(),
            case: subject.case.clone(),
            criterion: subject.criterion.clone(),
            input,
            expected,
            outputs: world.texts(subject)?,
            opinions: opinions.collect(),
        });
    }
    Ok(found)
}
