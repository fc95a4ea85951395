//! Reading the notes and counting their kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use analysis::calibration::Scale;
use analysis::{FailureNote, failure_kinds};
use evalset::{Act, Drawn, LabelEvent, LabelSubject, LabelledOutput, SubjectLabels};
use project::Project;
use report::{CategoryRow, FAILURES_FORMAT, FailureReport, NoteRow, NoteStanding, NotesAside};
use values::Id;

use super::names::short_ids;
use crate::labels::{LabelWorld, labelled_set, open_world};
use crate::{App, AppError};

/// Which failures a person wants to see.
#[derive(Debug, Clone, Default)]
pub struct FailureRequest {
    /// The eval set; the only one, or that of the newest run if `None`.
    pub set: Option<String>,
    /// Only notes on this criterion; all if `None`.
    pub criterion: Option<String>,
    /// Which notes are listed.
    pub listed: NotesAsked,
}

/// Which notes are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NotesAsked {
    /// Those that count and that nobody has sorted.
    #[default]
    NotSorted,
    /// Those of a category.
    Of(String),
    /// All, those that do not count with them.
    All,
}

/// The notes of an eval set, oldest first, and the categories.
pub(super) struct FailureWorld {
    pub(super) project: Project,
    pub(super) world: LabelWorld,
    pub(super) notes: Vec<Noted>,
}

/// A note and whether it counts.
pub(super) struct Noted {
    pub(super) event: LabelEvent,
    pub(super) text: String,
    pub(super) standing: NoteStanding,
    cluster: usize,
}

impl App {
    /// Returns what people wrote about failing outputs, of which kinds those are, and how often each
    /// occurs. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such set, criterion or category, or a file of the
    /// set has errors.
    pub fn failures(
        &self,
        folder: Option<&Path>,
        request: &FailureRequest,
    ) -> Result<FailureReport, AppError> {
        let mut found = self.failure_world(folder, request.set.as_deref())?;
        if let Some(name) = &request.criterion {
            found.world.criterion(Some(name))?;
            found.notes.retain(|note| note.event.subject.criterion == *name);
        }
        found.report(&request.listed)
    }

    pub(super) fn failure_world(
        &self,
        folder: Option<&Path>,
        set: Option<&str>,
    ) -> Result<FailureWorld, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let set = labelled_set(&store, &project, set)?;
        let world = open_world(&project, store, &set)?;
        let notes = notes(&world);
        Ok(FailureWorld { project, world, notes })
    }
}

fn notes(world: &LabelWorld) -> Vec<Noted> {
    let mut clusters: BTreeMap<(bool, String), usize> = BTreeMap::new();
    let mut found = Vec::new();
    for on in world.labels.by_subject() {
        let Some(subject) = on.subject() else { continue };
        // Why one of two is better is no note on an output that fails.
        if matches!(subject.output, LabelledOutput::Pair(..)) {
            continue;
        }
        let case = world.cases.get(&subject.case);
        let key = match case.and_then(|case| case.cluster.clone()) {
            Some(cluster) => (true, cluster),
            None => (false, subject.case.clone()),
        };
        let next = clusters.len();
        let cluster = *clusters.entry(key).or_insert(next);
        let passes = people_pass(world, &on);
        for event in on.standing().filter(|one| one.act != Act::Retract) {
            let text = event.note.as_deref().unwrap_or_default().trim();
            if text.is_empty() {
                continue;
            }
            let standing = match passes {
                _ if world.is_outdated(event) => NoteStanding::Outdated,
                Some(true) => NoteStanding::Passing,
                Some(false) => NoteStanding::Failing,
                None => NoteStanding::Undecided,
            };
            found.push(Noted { event: event.clone(), text: text.to_owned(), standing, cluster });
        }
    }
    found.sort_by_key(|note| (note.event.time, note.event.id));
    found
}

/// Tells whether an output passes, by what people decided; `None` if they did not, or disagree.
pub(super) fn people_pass(world: &LabelWorld, on: &SubjectLabels<'_>) -> Option<bool> {
    let criterion = world.set.criterion(&on.subject()?.criterion)?;
    let scale = Scale::of(&criterion.kind, criterion.threshold);
    scale.passes(world.reference(on).value()?)
}

impl FailureWorld {
    /// Returns the notes that count.
    pub(super) fn failing(&self) -> impl Iterator<Item = &Noted> {
        self.notes.iter().filter(|note| note.standing == NoteStanding::Failing)
    }

    /// Returns the names of a note's categories; `None` if nobody has sorted it.
    pub(super) fn kinds_of(&self, note: Id) -> Option<Vec<String>> {
        let categories = self.world.categories.of_note(note)?;
        Some(categories.into_iter().map(|one| one.name.clone()).collect())
    }

    fn report(&self, listed: &NotesAsked) -> Result<FailureReport, AppError> {
        let categories = &self.world.categories;
        let counted: Vec<FailureNote> = self.failing().map(|note| self.counted(note)).collect();
        let known: Vec<Id> = categories.current().into_iter().map(|one| one.id).collect();
        let kinds = failure_kinds(&counted, &known)
            .map_err(|error| AppError::input(format!("no shares can be computed: {error}")))?;
        let rows = kinds.kinds.into_iter().filter_map(|kind| {
            let category = categories.category(kind.category)?;
            Some(CategoryRow {
                id: category.id,
                name: category.name.clone(),
                sentence: category.sentence.clone(),
                notes: kind.notes,
                outputs: kind.outputs,
                share: kind.share,
            })
        });
        let outputs: BTreeSet<_> = counted.iter().map(|one| (&one.case, one.output)).collect();
        let aside = |standing| self.notes.iter().filter(|one| one.standing == standing).count();
        Ok(FailureReport {
            format: FAILURES_FORMAT,
            set: self.world.folder.name.clone(),
            notes: kinds.notes,
            outputs: outputs.len(),
            sorted: kinds.sorted,
            of_no_kind: kinds.of_no_kind,
            drawn_at_random: self.failing().filter(|note| is_drawn(&note.event)).count(),
            aside: NotesAside {
                passing: aside(NoteStanding::Passing),
                undecided: aside(NoteStanding::Undecided),
                outdated: aside(NoteStanding::Outdated),
            },
            categories: rows.collect(),
            saturation: kinds.saturation,
            listed: self.listed(listed)?,
        })
    }

    fn counted(&self, note: &Noted) -> FailureNote {
        let of = self.world.categories.of_note(note.event.id);
        FailureNote {
            id: note.event.id,
            time: note.event.time,
            case: note.event.subject.case.clone(),
            cluster: note.cluster,
            output: output_of(&note.event.subject),
            categories: of.map(|all| all.into_iter().map(|one| one.id).collect()),
        }
    }

    fn listed(&self, listed: &NotesAsked) -> Result<Vec<NoteRow>, AppError> {
        let short = short_ids(self.notes.iter().map(|note| note.event.id));
        let wanted = match listed {
            NotesAsked::Of(name) => Some(self.category(name)?.id),
            NotesAsked::NotSorted | NotesAsked::All => None,
        };
        let is_asked = |note: &&Noted| {
            let of = self.world.categories.of_note(note.event.id);
            match listed {
                NotesAsked::NotSorted => of.is_none() && note.standing == NoteStanding::Failing,
                NotesAsked::Of(_) => {
                    of.is_some_and(|all| all.iter().any(|one| Some(one.id) == wanted))
                }
                NotesAsked::All => true,
            }
        };
        let row = |note: &Noted| NoteRow {
            id: note.event.id,
            short: short.get(&note.event.id).cloned().unwrap_or_default(),
            time: note.event.time,
            labeller: note.event.labeller.clone(),
            case: note.event.subject.case.clone(),
            criterion: note.event.subject.criterion.clone(),
            output: output_of(&note.event.subject),
            note: note.text.clone(),
            standing: note.standing,
            categories: self.kinds_of(note.event.id),
        };
        Ok(self.notes.iter().filter(is_asked).map(row).collect())
    }
}

fn is_drawn(event: &LabelEvent) -> bool {
    matches!(event.drawn, Some(Drawn::Random { .. } | Drawn::Stratum { .. }))
}

fn output_of(subject: &LabelSubject) -> values::ContentHash {
    match subject.output {
        LabelledOutput::One(output) | LabelledOutput::Pair(output, _) => output,
    }
}
