use std::collections::{BTreeMap, HashSet};

use values::{ContentHash, Id};

use super::event::{Act, LabelEvent, LabelSubject, LabelValue};
use super::row::LabelRow;

/// The events of an eval set, looked up by what they are about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Labels {
    /// Every event that stands and was not purged, by id.
    events: Vec<LabelEvent>,
    /// Of each event, whether another one takes its place.
    is_replaced: Vec<bool>,
    /// The places of the events in the order of what they are about, then of their ids.
    by_subject: Vec<usize>,
}

/// What people did about one output, or a pair, and criterion.
#[derive(Debug, Clone, Copy)]
pub struct SubjectLabels<'a> {
    labels: &'a Labels,
    places: &'a [usize],
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
        let (mut events, mut replaced) = (Vec::new(), HashSet::new());
        let mut purged: HashSet<Id> = HashSet::new();
        for row in rows {
            match row {
                LabelRow::Purge(purge) => purged.extend(purge.purges),
                LabelRow::Later(later) => replaced.extend(later.replaces),
                LabelRow::Category(_) | LabelRow::Sorting(_) | LabelRow::Split(_) => {}
                LabelRow::Event(event) => events.push(*event),
            }
        }
        events.retain(|event| !purged.contains(&event.id));
        events.sort_by_key(|event| event.id);
        events.dedup_by(|new, kept| {
            let is_again = new.id == kept.id;
            // Of two rows with one id, which only damage can make, the one whose text is greater stays.
            if is_again && new != kept && row(kept) < row(new) {
                std::mem::swap(new, kept);
            }
            is_again
        });
        replaced.extend(events.iter().flat_map(|event| event.replaces.iter().copied()));
        let is_replaced = events.iter().map(|event| replaced.contains(&event.id)).collect();
        let mut by_subject: Vec<usize> = (0..events.len()).collect();
        by_subject.sort_by(|a, b| events[*a].subject.cmp(&events[*b].subject));
        Self { events, is_replaced, by_subject }
    }

    /// Returns every event, by id.
    pub fn events(&self) -> impl Iterator<Item = &LabelEvent> {
        self.events.iter()
    }

    /// Returns an event that was not purged.
    pub fn event(&self, id: Id) -> Option<&LabelEvent> {
        let place = self.events.binary_search_by_key(&id, |event| event.id).ok()?;
        Some(&self.events[place])
    }

    /// Returns what has been labelled, deferred or noted.
    pub fn subjects(&self) -> impl Iterator<Item = &LabelSubject> {
        self.by_subject().filter_map(|on| on.subject())
    }

    /// Returns what people did about each subject, in the order of [`Labels::subjects`].
    pub fn by_subject(&self) -> impl Iterator<Item = SubjectLabels<'_>> {
        let is_same = |a: &usize, b: &usize| self.events[*a].subject == self.events[*b].subject;
        self.by_subject.chunk_by(is_same).map(|places| SubjectLabels { labels: self, places })
    }

    /// Returns what people did about a subject, which may be nothing.
    pub fn on(&self, subject: &LabelSubject) -> SubjectLabels<'_> {
        let all = self.by_subject.as_slice();
        let start = all.partition_point(|place| self.events[*place].subject < *subject);
        let same = all[start..].iter().take_while(|place| self.events[**place].subject == *subject);
        SubjectLabels { labels: self, places: &all[start..start + same.count()] }
    }

    /// Returns the current label of each person on a subject, as [`SubjectLabels::current`] does.
    pub fn current(&self, subject: &LabelSubject) -> BTreeMap<&str, CurrentLabel<'_>> {
        self.on(subject).current()
    }

    /// Returns what people decided on a subject.
    pub fn reference(&self, subject: &LabelSubject) -> Reference {
        self.on(subject).reference()
    }

    /// Tells whether an event says what a person's label is: a label, or the retraction of one.
    fn competes(&self, event: &LabelEvent) -> bool {
        let is_label =
            |id: &Id| self.event(*id).is_some_and(|event| matches!(event.act, Act::Label(_)));
        match event.act {
            Act::Label(_) => true,
            Act::Retract => event.replaces.iter().any(is_label),
            Act::Defer | Act::Note | Act::Flag | Act::Adjudicate { .. } => false,
        }
    }
}

fn row(event: &LabelEvent) -> String {
    LabelRow::Event(Box::new(event.clone())).row()
}

impl<'a> SubjectLabels<'a> {
    /// Returns what it is that people did something about; none if nobody did.
    pub fn subject(&self) -> Option<&'a LabelSubject> {
        self.places.first().map(|place| &self.labels.events[*place].subject)
    }

    /// Returns the events that no other replaces, by id.
    pub fn standing(&self) -> impl Iterator<Item = &'a LabelEvent> + use<'a> {
        let Self { labels, places } = *self;
        let standing = places.iter().filter(|place| !labels.is_replaced[**place]);
        standing.map(|place| &labels.events[*place])
    }

    /// Returns the current label of each person, by labeller.
    ///
    /// Current is the event that no other replaces; of several the latest, then the greater id. Who
    /// retracted a label has none; what else is retracted (a flag, a note) leaves the label alone.
    pub fn current(&self) -> BTreeMap<&'a str, CurrentLabel<'a>> {
        let mut latest: BTreeMap<&str, &LabelEvent> = BTreeMap::new();
        for event in self.standing().filter(|event| self.labels.competes(event)) {
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

    /// Returns what people decided.
    pub fn reference(&self) -> Reference {
        self.reference_where(|_| true)
    }

    /// Returns what people decided by the labels and adjudications that count, as those do that are not
    /// outdated.
    pub fn reference_where(&self, counts: impl Fn(&LabelEvent) -> bool) -> Reference {
        let adjudication = self
            .standing()
            .filter(|event| counts(event))
            .filter_map(|event| match &event.act {
                Act::Adjudicate { value, .. } => Some((event.time, event.id, value)),
                _ => None,
            })
            .max_by_key(|(time, id, _)| (*time, *id));
        if let Some((_, _, value)) = adjudication {
            return Reference::Adjudicated(value.clone());
        }
        let mut current = self.current();
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
}

impl LabelEvent {
    /// Tells whether the case or the guideline has changed since. An outdated label is shown, and
    /// counts in no rate.
    pub fn is_outdated(&self, case_hash: ContentHash, rubric: ContentHash) -> bool {
        self.subject.case_hash != case_hash || self.rubric.is_some_and(|then| then != rubric)
    }
}
