//! Labelling one thing after the other.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use evalset::{Act, Criterion, LabelEvent, LabelSubject, LabelValue, Preference};
use values::Id;

use super::queue::{LabelItem, LabelRequest};
use super::recorder::Recorder;
use crate::{App, AppError};

/// Where a person labels: what is next, and what they said.
///
/// Every event is durable in the database before its function returns, and in `labels.jsonl` within
/// two seconds and when the desk is closed.
pub struct LabelDesk {
    recorder: Recorder,
    criterion: Criterion,
    blind: bool,
    items: Vec<LabelItem>,
    open: VecDeque<usize>,
    done: Vec<Done>,
    /// The labels that were brought back in this sitting, by item.
    restored: BTreeMap<usize, LabelEvent>,
    total: usize,
}

/// Something that can be taken back.
struct Done {
    item: usize,
    event: Id,
    /// The label that it took the place of.
    before: Option<LabelEvent>,
    was_decided: bool,
}

impl App {
    /// Opens a desk. Blocking.
    ///
    /// # Errors
    /// As [`App::label_queue`].
    pub fn label_desk(
        &self,
        folder: Option<&Path>,
        request: &LabelRequest,
    ) -> Result<LabelDesk, AppError> {
        let queue = self.queued(folder, request)?;
        queue.world.require_splits(&format!("trysquare label {}", queue.world.folder.name))?;
        let criterion = queue.world.criterion(Some(&queue.criterion))?.clone();
        Ok(LabelDesk {
            recorder: Recorder::open(self, folder, queue.world, &request.labeller)?,
            criterion,
            blind: request.blind,
            open: (0..queue.items.len()).collect(),
            items: queue.items,
            done: Vec::new(),
            restored: BTreeMap::new(),
            total: queue.total,
        })
    }
}

impl LabelDesk {
    /// Returns what is decided, with its rubric.
    pub fn criterion(&self) -> &Criterion {
        &self.criterion
    }

    /// Returns the eval set's name.
    pub fn eval_set(&self) -> &str {
        &self.recorder.world.folder.name
    }

    /// Returns what is to be labelled now; `None` at the end.
    pub fn next(&self) -> Option<&LabelItem> {
        self.open.front().map(|index| &self.items[*index])
    }

    /// Returns how many are left.
    pub fn left(&self) -> usize {
        self.open.len()
    }

    /// Returns how many there are with those that this person has labelled.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Returns why labels are not in the file yet, if it cannot be written. They are saved all the
    /// same.
    pub fn backlog(&self) -> Option<String> {
        self.recorder.trouble()
    }

    /// Keeps the label of what is next, and goes on. Of a pair, `a` is the side that is shown first.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`] if it could not be made durable; it then stays next.
    pub fn record(
        &mut self,
        value: &LabelValue,
        note: Option<String>,
        seconds: Option<u64>,
    ) -> Result<(), AppError> {
        let Some(item) = self.open.front().copied() else { return Ok(()) };
        let value = if self.items[item].swapped { turned(value) } else { value.clone() };
        let subject = self.items[item].subject.clone();
        let before = self.standing_label(item);
        let mut replaces: Vec<Id> = before.iter().map(|event| event.id).collect();
        replaces.extend(self.standing_deferrals(&subject));
        let event = LabelEvent { note, replaces, seconds, ..self.event(item, Act::Label(value)) };
        let event = self.recorder.keep(event)?;
        self.open.pop_front();
        self.restored.remove(&item);
        self.done.push(Done { item, event, before, was_decided: true });
        Ok(())
    }

    /// Puts what is next off: it comes again after the others.
    ///
    /// # Errors
    /// As [`LabelDesk::record`].
    pub fn defer(&mut self) -> Result<(), AppError> {
        let Some(item) = self.open.front().copied() else { return Ok(()) };
        let event = self.recorder.keep(self.event(item, Act::Defer))?;
        self.open.pop_front();
        self.open.push_back(item);
        self.done.push(Done { item, event, before: None, was_decided: false });
        Ok(())
    }

    /// Keeps a note about what is next, which decides nothing.
    ///
    /// # Errors
    /// As [`LabelDesk::record`].
    pub fn note(&mut self, text: String) -> Result<(), AppError> {
        let Some(item) = self.open.front().copied() else { return Ok(()) };
        let event = LabelEvent { note: Some(text), ..self.event(item, Act::Note) };
        self.recorder.keep(event).map(drop)
    }

    /// Asks others to look at what is next.
    ///
    /// # Errors
    /// As [`LabelDesk::record`].
    pub fn flag(&mut self) -> Result<(), AppError> {
        let Some(item) = self.open.front().copied() else { return Ok(()) };
        self.recorder.keep(self.event(item, Act::Flag)).map(drop)
    }

    /// Takes back the last label or deferral of this sitting, so that it is next again; tells
    /// whether there was one. A label that it had replaced stands again.
    ///
    /// # Errors
    /// As [`LabelDesk::record`].
    pub fn undo(&mut self) -> Result<bool, AppError> {
        let Some(done) = self.done.last() else { return Ok(false) };
        let (item, was_decided) = (done.item, done.was_decided);
        let replaces = vec![done.event];
        if let Some(before) = &done.before {
            // As it was, so that an outdated label is still outdated, and not made today.
            let event = self.recorder.again(before, replaces);
            self.recorder.keep(event.clone())?;
            self.restored.insert(item, event);
        } else {
            let retraction = self.event(item, Act::Retract);
            self.recorder.keep(LabelEvent { replaces, drawn: None, ..retraction })?;
        }
        self.done.pop();
        if !was_decided {
            self.open.retain(|open| *open != item);
        }
        self.open.push_front(item);
        Ok(true)
    }

    /// Writes what is left into the file.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if the file cannot be written, for example because a line of it is
    /// no label; the labels are in the database all the same.
    pub fn close(self) -> Result<(), AppError> {
        self.recorder.finish()
    }

    fn event(&self, item: usize, act: Act) -> LabelEvent {
        let item = &self.items[item];
        LabelEvent {
            drawn: item.drawn.clone(),
            blind: Some(self.blind),
            ..self.recorder.event(item.subject.clone(), act)
        }
    }

    /// Returns this person's label of an item that is not decided in this sitting.
    fn standing_label(&self, item: usize) -> Option<LabelEvent> {
        if let Some(restored) = self.restored.get(&item) {
            return Some(restored.clone());
        }
        let current = self.recorder.world.labels.current(&self.items[item].subject);
        current.get(self.recorder.labeller.as_str()).map(|label| label.event.clone())
    }

    fn standing_deferrals(&self, subject: &LabelSubject) -> Vec<Id> {
        let mine = |event: &&LabelEvent| {
            event.labeller == self.recorder.labeller && event.act == Act::Defer
        };
        self.recorder
            .world
            .labels
            .on(subject)
            .standing()
            .filter(mine)
            .map(|event| event.id)
            .collect()
    }
}

/// Returns a preference as the subject names the sides.
fn turned(value: &LabelValue) -> LabelValue {
    match value {
        LabelValue::Prefers(Preference::A) => LabelValue::Prefers(Preference::B),
        LabelValue::Prefers(Preference::B) => LabelValue::Prefers(Preference::A),
        other => other.clone(),
    }
}
