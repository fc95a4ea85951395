//! Keeping what one person says: durable in the database at once, in the file a little later.

use std::cell::Cell;
use std::path::Path;

use evalset::{Act, LabelEvent, LabelRow, LabelSubject};
use serde_json::Map;
use store::{LabelOrigin, wait};
use values::Id;

use super::writer::FileWriter;
use super::{KnownCase, LabelWorld};
use crate::{App, AppError};

/// Keeps the events of one person in one sitting.
pub(super) struct Recorder {
    app: App,
    pub(super) world: LabelWorld,
    writer: FileWriter,
    pub(super) labeller: String,
    /// Whether the file says how cases are dealt to splits.
    is_dealt: Cell<bool>,
}

impl Recorder {
    pub(super) fn open(
        app: &App,
        folder: Option<&Path>,
        world: LabelWorld,
        labeller: &str,
    ) -> Result<Self, AppError> {
        let (project, _) = app.open(folder)?;
        let writer = FileWriter::start(project, world.store.clone(), world.folder.name.clone())?;
        // What a process that died had not brought into the file.
        writer.wake();
        let is_dealt = Cell::new(world.dealings.is_known());
        Ok(Self { app: app.clone(), world, writer, labeller: labeller.to_owned(), is_dealt })
    }

    /// Returns an event of now, by this person, under today's rubric.
    pub(super) fn event(&self, subject: LabelSubject, act: Act) -> LabelEvent {
        let criterion = self.world.set.criterion(&subject.criterion);
        LabelEvent {
            id: self.app.host.new_id(),
            dealt: self.world.cases.get(&subject.case).map(KnownCase::dealt),
            time: (self.app.host.now)(),
            labeller: self.labeller.clone(),
            rubric: criterion.map(evalset::Criterion::rubric_hash),
            subject,
            act,
            note: None,
            replaces: Vec::new(),
            drawn: None,
            blind: None,
            seconds: None,
            external: Vec::new(),
            other: Map::new(),
        }
    }

    /// Returns an event of the past once more, in the place of another.
    pub(super) fn again(&self, event: &LabelEvent, replaces: Vec<Id>) -> LabelEvent {
        LabelEvent { id: self.app.host.new_id(), replaces, ..event.clone() }
    }

    /// Makes an event durable.
    pub(super) fn keep(&self, event: LabelEvent) -> Result<Id, AppError> {
        let id = event.id;
        let (set, world) = (&self.world.folder.name, &self.world);
        let mut rows = vec![LabelRow::Event(Box::new(event))];
        if !self.is_dealt.get() {
            rows.push(world.dealings.row(&self.app.host, world.set.split));
        }
        wait(|done| world.store.add_labels(set, rows, LabelOrigin::Here, done))?;
        self.is_dealt.set(true);
        self.writer.wake();
        Ok(id)
    }

    /// Returns why the file could not be written last time.
    pub(super) fn trouble(&self) -> Option<String> {
        self.writer.trouble()
    }

    /// Writes what is left into the file.
    pub(super) fn finish(self) -> Result<(), AppError> {
        self.writer.finish()
    }
}
