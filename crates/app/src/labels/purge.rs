//! What a purge takes out: events, and what kinds of failures repeat of them.

use std::collections::{BTreeMap, BTreeSet};

use evalset::{Categories, Category, LabelRow, Sorting};
use values::{ContentHash, Id};

/// Which events are purged: those that any of these names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelPurge {
    /// Events.
    pub events: Vec<Id>,
    /// Everything about these cases.
    pub cases: Vec<String>,
    /// Everything about these outputs, whose texts go too.
    pub outputs: Vec<ContentHash>,
    /// Everything that these people did, and what kinds of failures say of them.
    pub labellers: Vec<String>,
}

/// What a purge takes out.
#[derive(Debug, Default)]
pub(super) struct Purged {
    /// Rows of every kind, by id.
    pub(super) events: Vec<Id>,
    /// How many of them define a kind of failure.
    pub(super) categories: usize,
    /// Outputs whose texts go.
    pub(super) outputs: BTreeSet<ContentHash>,
}

impl LabelPurge {
    /// Returns the rows and the outputs that are meant.
    ///
    /// With a purged event goes how its note was sorted. A kind of failure goes that nothing else was
    /// sorted into, since it may repeat what the note said, and one that names a purged person.
    pub(super) fn find(&self, rows: &[LabelRow]) -> Purged {
        let mut events: BTreeSet<Id> = BTreeSet::new();
        let named: BTreeSet<ContentHash> = self.outputs.iter().copied().collect();
        let (mut outputs, mut kept) = (BTreeSet::new(), BTreeSet::new());
        for row in rows.iter().filter(|row| row.purges().is_empty()) {
            let subject = row.subject();
            let is_of_case = subject.is_some_and(|subject| self.cases.contains(&subject.case));
            let is_of_output = subject
                .is_some_and(|subject| subject.output.hashes().any(|hash| named.contains(&hash)));
            if is_of_case || is_of_output || self.names(row) {
                events.insert(row.id());
            }
            // What a model said about a person's data may repeat it.
            let texts = if is_of_case { &mut outputs } else { &mut kept };
            texts.extend(subject.into_iter().flat_map(|subject| subject.output.hashes()));
        }
        // A text that labels of other cases are about as well says nothing about this one.
        let mut outputs: BTreeSet<ContentHash> = outputs.difference(&kept).copied().collect();
        outputs.extend(named);
        let sortings = sortings(rows);
        let is_sorted_away = |one: &&Sorting| events.contains(&one.sorts);
        let gone: Vec<Id> =
            sortings.iter().copied().filter(is_sorted_away).map(|one| one.id).collect();
        events.extend(gone);
        events.extend(self.categories(rows, &sortings, &events));
        let is_category = |row: &&LabelRow| matches!(row, LabelRow::Category(_));
        let categories = rows.iter().filter(is_category).filter(|row| events.contains(&row.id()));
        Purged { categories: categories.count(), events: events.into_iter().collect(), outputs }
    }

    /// Tells whether a row is named by its id or by who made it.
    fn names(&self, row: &LabelRow) -> bool {
        self.events.contains(&row.id()) || self.labellers.iter().any(|who| who == row.labeller())
    }

    /// Returns the definitions of kinds that go with these events.
    fn categories(
        &self,
        rows: &[LabelRow],
        sortings: &[&Sorting],
        events: &BTreeSet<Id>,
    ) -> Vec<Id> {
        let categories = Categories::of(rows);
        // Of each kind, whether something was sorted into it that goes, and something that stays.
        let mut sorted: BTreeMap<Id, (bool, bool)> = BTreeMap::new();
        for sorting in sortings {
            for kind in sorting.categories.iter().filter_map(|id| categories.category(*id)) {
                let (goes, stays) = sorted.entry(kind.id).or_default();
                *goes |= events.contains(&sorting.id);
                *stays |= !events.contains(&sorting.id);
            }
        }
        let is_meant = |definition: &&Category| {
            let kind = categories.category(definition.id);
            let sorted = kind.and_then(|kind| sorted.get(&kind.id));
            sorted == Some(&(true, false)) || self.is_named_in(definition)
        };
        let definitions = rows.iter().filter_map(|row| match row {
            LabelRow::Category(definition) => Some(definition),
            _ => None,
        });
        definitions.filter(is_meant).map(|definition| definition.id).collect()
    }

    /// Tells whether a definition names one of the people.
    fn is_named_in(&self, definition: &Category) -> bool {
        let text = format!("{} {}", definition.name, definition.sentence);
        self.labellers.iter().any(|who| has_word(&text, who))
    }
}

fn sortings(rows: &[LabelRow]) -> Vec<&Sorting> {
    rows.iter()
        .filter_map(|row| match row {
            LabelRow::Sorting(sorting) => Some(sorting),
            _ => None,
        })
        .collect()
}

/// Tells whether a text has a name in it that is not a part of a longer word, however it is written.
fn has_word(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.trim().to_lowercase());
    if name.is_empty() {
        return false;
    }
    text.match_indices(&name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        [before, after].into_iter().flatten().all(|char| !char.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn a_name_is_found_as_a_word_of_its_own() {
        let text = "As Ana Lima said: too long";
        assert!(has_word(text, "ana") && has_word(text, "Ana Lima"));
        assert!(!has_word("a banana", "ana") && !has_word(text, "") && !has_word(text, "lim"));
        assert!(has_word("(ána)", "Ána"));
    }
}
