use std::collections::{BTreeMap, BTreeSet};

use values::{ContentHash, Id};

use super::event::{Act, LabelEvent, LabelSubject, LabelValue};
use super::row::LabelRow;

/// The events of an eval set, looked up by what they are about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Labels {
    /// Every event that stands and was not purged, by id.
    events: BTreeMap<Id, LabelEvent>,
    /// Events that another one takes the place of.
    replaced: BTreeSet<Id>,
    subjects: BTreeMap<LabelSubject, Vec<Id>>,
}

/// The label that a person stands by now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurrentLabel<'a> {
    /// The event.
    pub event: &'a LabelEvent,
    /// What it says.
    pub value: &'a LabelValue,
}

/// What people decided on an output and a criterion.
#[derive(Debug, Clone, PartialEq)]
pub enum Reference {
    /// Somebody decided between them.
    Adjudicated(LabelValue),
    /// All current labels share it.
    Shared(LabelValue),
    /// More than half of three or more say so.
    Majority(LabelValue),
    /// They disagree. Counted, and left out of rates.
    Conflict,
    /// Nobody has a current label.
    Unlabelled,
}

impl Reference {
    /// Returns the decision, if there is one.
    pub fn value(&self) -> Option<&LabelValue> {
        match self {
            Self::Adjudicated(value) | Self::Shared(value) | Self::Majority(value) => Some(value),
            Self::Conflict | Self::Unlabelled => None,
        }
    }
}

impl Labels {
    /// Takes rows of any number of copies, in any order and with duplicates.
    pub fn of(rows: impl IntoIterator<Item = LabelRow>) -> Self {
        let mut labels = Self::default();
        let mut purged = Vec::new();
        for row in rows {
            match row {
                LabelRow::Purge(purge) => purged.extend(purge.purges),
                LabelRow::Later(later) => labels.replaced.extend(later.replaces),
                LabelRow::Category(_) | LabelRow::Sorting(_) => {}
                LabelRow::Event(event) => {
                    let is_newer = |standing: &LabelEvent| {
                        LabelRow::Event(Box::new(standing.clone())).row()
                            < LabelRow::Event(event.clone()).row()
                    };
                    if labels.events.get(&event.id).is_none_or(is_newer) {
                        labels.events.insert(event.id, *event);
                    }
                }
            }
        }
        for id in purged {
            labels.events.remove(&id);
        }
        for event in labels.events.values() {
            labels.replaced.extend(&event.replaces);
            labels.subjects.entry(event.subject.clone()).or_default().push(event.id);
        }
        labels
    }

    /// Returns every event, by id.
    pub fn events(&self) -> impl Iterator<Item = &LabelEvent> {
        self.events.values()
    }

    /// Returns what has been labelled, deferred or noted.
    pub fn subjects(&self) -> impl Iterator<Item = &LabelSubject> {
        self.subjects.keys()
    }

    /// Returns the current label of each person on a subject, by labeller.
    ///
    /// Current is the event that no other replaces; of several the latest, then the greater id. Who
    /// retracted a label has none; what else is retracted (a flag, a note) leaves the label alone.
    pub fn current(&self, subject: &LabelSubject) -> BTreeMap<&str, CurrentLabel<'_>> {
        let mut latest: BTreeMap<&str, &LabelEvent> = BTreeMap::new();
        for event in self.standing(subject) {
            if !self.competes(event) {
                continue;
            }
            let place = latest.entry(event.labeller.as_str()).or_insert(event);
            if (place.time, place.id) < (event.time, event.id) {
                *place = event;
            }
        }
        latest
            .into_iter()
            .filter_map(|(labeller, event)| match &event.act {
                Act::Label(value) => Some((labeller, CurrentLabel { event, value })),
                _ => None,
            })
            .collect()
    }

    /// Returns what people decided on a subject.
    pub fn reference(&self, subject: &LabelSubject) -> Reference {
        self.reference_where(subject, |_| true)
    }

    /// Returns what people decided on a subject by the labels and adjudications that count, as those
    /// do that are not outdated.
    pub fn reference_where(
        &self,
        subject: &LabelSubject,
        counts: impl Fn(&LabelEvent) -> bool,
    ) -> Reference {
        let adjudication = self
            .standing(subject)
            .filter(|event| counts(event))
            .filter_map(|event| match &event.act {
                Act::Adjudicate { value, .. } => Some((event.time, event.id, value)),
                _ => None,
            })
            .max_by_key(|(time, id, _)| (*time, *id));
        if let Some((_, _, value)) = adjudication {
            return Reference::Adjudicated(value.clone());
        }
        let mut current = self.current(subject);
        current.retain(|_, label| counts(label.event));
        let mut votes: Vec<(&LabelValue, usize)> = Vec::new();
        for label in current.values() {
            match votes.iter_mut().find(|(value, _)| value.agrees_with(label.value)) {
                Some((_, count)) => *count += 1,
                None => votes.push((label.value, 1)),
            }
        }
        match votes.as_slice() {
            [] => Reference::Unlabelled,
            [(value, _)] => Reference::Shared((*value).clone()),
            _ if current.len() >= 3 => votes
                .iter()
                .find(|(_, count)| count * 2 > current.len())
                .map_or(Reference::Conflict, |(value, _)| Reference::Majority((*value).clone())),
            _ => Reference::Conflict,
        }
    }

    /// Tells whether an event says what a person's label is: a label, or the retraction of one.
    fn competes(&self, event: &LabelEvent) -> bool {
        let is_label =
            |id| self.events.get(id).is_some_and(|event| matches!(event.act, Act::Label(_)));
        match event.act {
            Act::Label(_) => true,
            Act::Retract => event.replaces.iter().any(is_label),
            Act::Defer | Act::Note | Act::Flag | Act::Adjudicate { .. } => false,
        }
    }

    /// Returns an event that was not purged.
    pub fn event(&self, id: Id) -> Option<&LabelEvent> {
        self.events.get(&id)
    }

    /// Returns the events on a subject that no other replaces, by id.
    pub fn standing(&self, subject: &LabelSubject) -> impl Iterator<Item = &LabelEvent> {
        let ids = self.subjects.get(subject).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter(|id| !self.replaced.contains(id)).filter_map(|id| self.events.get(id))
    }
}

impl LabelEvent {
    /// Tells whether the case or the guideline has changed since. An outdated label is shown, and
    /// counts in no rate.
    pub fn is_outdated(&self, case_hash: ContentHash, rubric: ContentHash) -> bool {
        self.subject.case_hash != case_hash || self.rubric.is_some_and(|then| then != rubric)
    }
}
