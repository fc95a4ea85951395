use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use values::{Id, Timestamp};

use super::event::text;
use super::row::{LabelRow, head, tail};

/// What a kind of failure is called and what it is, as a person wrote it at one time.
///
/// A rename is a category that replaces one, a merge a category that replaces several.
#[derive(Debug, Clone, PartialEq)]
pub struct Category {
    /// The definition.
    pub id: Id,
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub labeller: String,
    /// Its name.
    pub name: String,
    /// One sentence by which another person can tell whether a failure is of this kind.
    pub sentence: String,
    /// The definitions that this one takes the place of.
    pub replaces: Vec<Id>,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

/// Of which kinds the failure is that a note tells of, as a person decided at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Sorting {
    /// The decision.
    pub id: Id,
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub labeller: String,
    /// The event whose note was sorted.
    pub sorts: Id,
    /// Any definition of each category; none if it is of no kind worth a name.
    pub categories: Vec<Id>,
    /// The sortings that this one takes the place of.
    pub replaces: Vec<Id>,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

impl Category {
    pub(super) fn put(&self, row: &mut Map<String, Value>) {
        head(row, self.id, "category");
        row.insert("name".to_owned(), self.name.as_str().into());
        row.insert("sentence".to_owned(), self.sentence.as_str().into());
        tail(row, &self.labeller, self.time, &self.replaces, &self.other);
    }
}

impl Sorting {
    pub(super) fn put(&self, row: &mut Map<String, Value>) {
        head(row, self.id, "sort");
        row.insert("sorts".to_owned(), text(&self.sorts));
        let categories: Vec<Value> = self.categories.iter().map(text).collect();
        row.insert("categories".to_owned(), categories.into());
        tail(row, &self.labeller, self.time, &self.replaces, &self.other);
    }
}

/// The categories of an eval set as they stand, and what was sorted into them.
///
/// Definitions that replace each other, directly or over others, are one category. It is called what
/// the definition says that no other replaces; where two people renamed it apart, what the later one
/// says. So a merge of copies never loses what was sorted, whatever it is called now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Categories {
    definitions: BTreeMap<Id, Category>,
    /// The definition that speaks for each id that was ever a category, itself or another.
    current: BTreeMap<Id, Id>,
    /// The sorting that counts for each note.
    sortings: BTreeMap<Id, Sorting>,
    /// The sortings of each note that no other replaces.
    standing: BTreeMap<Id, Vec<Id>>,
}

impl Categories {
    /// Takes rows of any number of copies, in any order and with duplicates.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a LabelRow>) -> Self {
        let mut definitions: BTreeMap<Id, &Category> = BTreeMap::new();
        let mut sortings: BTreeMap<Id, &Sorting> = BTreeMap::new();
        let (mut purged, mut replaced) = (BTreeSet::<Id>::new(), BTreeSet::<Id>::new());
        for row in rows {
            match row {
                LabelRow::Category(new) => {
                    keep_greater(&mut definitions, new.id, new, category_row);
                }
                LabelRow::Sorting(new) => keep_greater(&mut sortings, new.id, new, sorting_row),
                LabelRow::Purge(purge) => purged.extend(&purge.purges),
                LabelRow::Later(later) => replaced.extend(&later.replaces),
                LabelRow::Event(_) | LabelRow::Split(_) => {}
            }
        }
        definitions.retain(|id, _| !purged.contains(id));
        sortings.retain(|id, _| !purged.contains(id));
        replaced.extend(definitions.values().flat_map(|one| &one.replaces));
        replaced.extend(sortings.values().flat_map(|one| &one.replaces));

        let mut found = Self { current: current(&definitions, &replaced), ..Self::default() };
        let mut speaks: BTreeMap<Id, (bool, Timestamp, Id)> = BTreeMap::new();
        for sorting in sortings.values() {
            let stands = !replaced.contains(&sorting.id);
            if stands {
                found.standing.entry(sorting.sorts).or_default().push(sorting.id);
            }
            let key = (stands, sorting.time, sorting.id);
            let place = speaks.entry(sorting.sorts).or_insert(key);
            *place = (*place).max(key);
        }
        for (note, (stands, _, id)) in speaks {
            if let Some(sorting) = sortings.get(&id).filter(|_| stands) {
                found.sortings.insert(note, (*sorting).clone());
            }
        }
        found.definitions = definitions.into_iter().map(|(id, one)| (id, one.clone())).collect();
        found
    }

    /// Returns the categories, each by the definition that speaks for it, oldest first.
    pub fn current(&self) -> Vec<&Category> {
        let speaking: BTreeSet<&Id> = self.current.values().collect();
        speaking.into_iter().filter_map(|id| self.definitions.get(id)).collect()
    }

    /// Returns the category that any of its definitions belongs to; none if no copy here has one.
    pub fn category(&self, id: Id) -> Option<&Category> {
        self.definitions.get(self.current.get(&id)?)
    }

    /// Returns every definition of a category that stands: more than one if people renamed it apart.
    pub fn definitions(&self, id: Id) -> Vec<&Category> {
        let Some(speaker) = self.current.get(&id) else { return Vec::new() };
        let is_of = |one: &&Category| self.current.get(&one.id) == Some(speaker);
        let own: Vec<&Category> = self.definitions.values().filter(is_of).collect();
        let replaced: BTreeSet<Id> =
            own.iter().flat_map(|one| one.replaces.iter().copied()).collect();
        own.into_iter().filter(|one| !replaced.contains(&one.id) || one.id == *speaker).collect()
    }

    /// Returns the categories whose current name this is, differences of case apart.
    pub fn named(&self, name: &str) -> Vec<&Category> {
        let wanted = name.trim().to_lowercase();
        let is_it = |one: &&Category| one.name.trim().to_lowercase() == wanted;
        self.current().into_iter().filter(is_it).collect()
    }

    /// Returns the kinds of the failure that a note tells of, oldest category first; `None` if nobody
    /// has sorted it. A category that no copy here defines is left out.
    pub fn of_note(&self, note: Id) -> Option<Vec<&Category>> {
        let sorting = self.sortings.get(&note)?;
        let of: BTreeSet<Id> = sorting
            .categories
            .iter()
            .filter_map(|id| self.category(*id))
            .map(|one| one.id)
            .collect();
        Some(of.iter().filter_map(|id| self.definitions.get(id)).collect())
    }

    /// Returns the ids of a note's categories that no copy here defines, as when the definition is on
    /// another branch.
    pub fn undefined_of_note(&self, note: Id) -> Vec<Id> {
        let of = self.sortings.get(&note).map(|sorting| sorting.categories.as_slice());
        let is_unknown = |id: &&Id| self.category(**id).is_none();
        of.unwrap_or_default().iter().filter(is_unknown).copied().collect()
    }

    /// Returns the sortings that a new one of this note takes the place of.
    pub fn standing_sortings(&self, note: Id) -> &[Id] {
        self.standing.get(&note).map(Vec::as_slice).unwrap_or_default()
    }
}

fn category_row(one: &Category) -> String {
    LabelRow::Category(one.clone()).row()
}

fn sorting_row(one: &Sorting) -> String {
    LabelRow::Sorting(one.clone()).row()
}

/// Of two rows with one id, which only damage can make, the one whose text is greater stays.
fn keep_greater<'a, T>(
    rows: &mut BTreeMap<Id, &'a T>,
    id: Id,
    new: &'a T,
    text: impl Fn(&T) -> String,
) {
    if rows.get(&id).is_none_or(|standing| text(standing) < text(new)) {
        rows.insert(id, new);
    }
}

/// Finds the definition that speaks for each id that a definition has or replaces.
fn current(definitions: &BTreeMap<Id, &Category>, replaced: &BTreeSet<Id>) -> BTreeMap<Id, Id> {
    let mut families = Families::default();
    for one in definitions.values() {
        families.root(one.id);
        for old in &one.replaces {
            families.join(one.id, *old);
        }
    }
    let mut speakers: BTreeMap<Id, (bool, Timestamp, Id)> = BTreeMap::new();
    for one in definitions.values() {
        let key = (!replaced.contains(&one.id), one.time, one.id);
        let place = speakers.entry(families.root(one.id)).or_insert(key);
        *place = (*place).max(key);
    }
    let members: Vec<Id> = families.parents.keys().copied().collect();
    let speaker = |id| speakers.get(&families.root(id)).map(|(_, _, speaker)| (id, *speaker));
    members.into_iter().filter_map(speaker).collect()
}

/// Ids that belong together, as a union-find whose roots are the smallest ids.
#[derive(Default)]
struct Families {
    parents: BTreeMap<Id, Id>,
}

impl Families {
    fn root(&mut self, id: Id) -> Id {
        let mut at = id;
        while let Some(parent) = self.parents.get(&at).copied().filter(|parent| *parent != at) {
            at = parent;
        }
        // Every id on the way points to the root from now on, so that long chains stay cheap.
        let mut step = id;
        while let Some(next) = self.parents.insert(step, at).filter(|next| *next != step) {
            step = next;
        }
        at
    }

    fn join(&mut self, a: Id, b: Id) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents.insert(a.max(b), a.min(b));
    }
}
