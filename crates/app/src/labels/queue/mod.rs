//! Which outputs a person is asked about, in which order, and with which probability.

mod candidates;
mod draw;

use std::path::Path;

use evalset::{Act, Drawn, LabelSubject};
use serde::Serialize;
use values::Id;

use super::{LabelWorld, input_of, labelled_set, open_world};
use crate::{App, AppError};
use candidates::from_run;
use draw::{draw, order};

/// What a person wants to label.
#[derive(Debug, Clone)]
pub struct LabelRequest {
    /// The eval set; that of the run, the only one, or that of the newest run if `None`.
    pub set: Option<String>,
    /// The run whose outputs are labelled; the set's newest if `None`.
    pub run: Option<Id>,
    /// The criterion; the primary one if `None`.
    pub criterion: Option<String>,
    /// Who labels.
    pub labeller: String,
    /// How cases are chosen.
    pub queue: QueueKind,
    /// How many cases a draw for measuring expects.
    pub count: u32,
    /// The variants whose outputs are labelled; the candidate if none is named.
    pub variants: Vec<String>,
    /// Whether the outputs of two variants are labelled as a pair.
    pub pairs: bool,
    /// Whether model, variant and judge are hidden.
    pub blind: bool,
}

/// How cases are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueKind {
    /// Drawn at random with known probabilities, so that the labels may enter rates.
    Measure,
    /// The most suspicious first. Their labels enter no rate.
    Hunt,
    /// What another person labelled and this one did not.
    Overlap,
}

/// One thing to label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelItem {
    /// What the label is about.
    #[serde(skip)]
    pub subject: LabelSubject,
    /// The case.
    pub case: String,
    /// Its variables, for reading.
    pub input: String,
    /// What a right output is, where it is known.
    pub expected: Option<String>,
    /// The output, or two of them as they are shown.
    pub shown: Vec<ShownOutput>,
    /// Whether a pair is shown the other way round than its subject names it.
    pub swapped: bool,
    /// How the case was drawn.
    #[serde(skip)]
    pub drawn: Option<Drawn>,
    /// The probability with which it was drawn, if chance drew it.
    pub probability: Option<f64>,
    /// Whether this person put it off before.
    pub deferred: bool,
    /// What this person said of it under another rubric.
    pub outdated: Option<String>,
}

/// An output as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownOutput {
    /// Its text.
    pub text: String,
    /// What is hidden from a blind labeller: the variant and the scores.
    pub made_by: Option<String>,
}

impl App {
    /// Returns what is to be labelled, and how much of it is done. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such set, run, variant or criterion, or a file of
    /// the set has errors.
    pub fn label_queue(
        &self,
        folder: Option<&Path>,
        request: &LabelRequest,
    ) -> Result<Vec<LabelItem>, AppError> {
        Ok(self.queued(folder, request)?.items)
    }

    pub(crate) fn queued(
        &self,
        folder: Option<&Path>,
        request: &LabelRequest,
    ) -> Result<Queue, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let header = request.run.map(|run| store.run_header(run)).transpose()?;
        let set = match (&request.set, &header) {
            (Some(set), Some(header)) if *set != header.eval_set => {
                let of = &header.eval_set;
                return Err(AppError::input(format!("the run is one of `{of}`, not of `{set}`")));
            }
            (None, Some(header)) => header.eval_set.clone(),
            _ => labelled_set(&store, &project, request.set.as_deref())?,
        };
        let world = open_world(&project, store, &set)?;
        let criterion = world.criterion(request.criterion.as_deref())?.name.clone();
        let all = match request.queue {
            QueueKind::Overlap => overlap(&world, request, &criterion)?,
            QueueKind::Measure | QueueKind::Hunt => {
                let newest =
                    || Ok(world.store.run_headers(Some(&set), None, 1)?.into_iter().next());
                let Some(header) =
                    header.map_or_else(newest, |one| Ok::<_, AppError>(Some(one)))?
                else {
                    return Err(AppError::input(format!(
                        "`{set}` has no run whose outputs could be labelled"
                    ))
                    .with_hint(format!("make one with: trysquare run {set}")));
                };
                from_run(&world, &header, request, &criterion)?
            }
        };
        Ok(Queue::of(world, request, criterion, all))
    }
}

/// What is to be labelled by one person.
pub(crate) struct Queue {
    pub(crate) world: LabelWorld,
    pub(crate) criterion: String,
    pub(crate) items: Vec<LabelItem>,
    /// How many there are with those that this person has labelled.
    pub(crate) total: usize,
}

impl Queue {
    /// Leaves out what the person has labelled, and puts last what they put off.
    fn of(
        world: LabelWorld,
        request: &LabelRequest,
        criterion: String,
        all: Vec<LabelItem>,
    ) -> Self {
        let total = all.len();
        let mut items = Vec::new();
        for mut item in all {
            let mine = |who: &str| who == request.labeller;
            let current = world.labels.current(&item.subject);
            let standing = current.iter().find(|(who, _)| mine(who)).map(|(_, label)| label);
            match standing {
                Some(label) if world.is_outdated(label.event) => {
                    item.outdated = Some(label.value.word().into_owned());
                }
                Some(_) => continue,
                None => {}
            }
            item.deferred = world
                .labels
                .on(&item.subject)
                .standing()
                .any(|event| mine(&event.labeller) && event.act == Act::Defer);
            items.push(item);
        }
        items.sort_by_key(|item| item.deferred);
        Self { world, criterion, items, total }
    }
}

/// Returns what other people labelled and this one may still label.
fn overlap(
    world: &LabelWorld,
    request: &LabelRequest,
    criterion: &str,
) -> Result<Vec<LabelItem>, AppError> {
    let mut items = Vec::new();
    for on in world.labels.by_subject() {
        let Some(subject) = on.subject().filter(|one| one.criterion == criterion) else { continue };
        let valid = world.valid(&on);
        let Some((_, theirs, _)) = valid.iter().find(|(who, ..)| *who != request.labeller) else {
            continue;
        };
        let texts: Option<Vec<_>> = world.texts(subject)?.into_iter().collect();
        let case = world.folder.cases.get(&subject.case);
        let Some((mut texts, case)) = texts.zip(case) else { continue };
        let (input, expected) = input_of(&case);
        let is_pair = texts.len() == 2;
        let swapped = is_pair && draw(world.set.seed, &request.labeller, &subject.case) < 0.5;
        if swapped {
            texts.reverse();
        }
        let shown = texts.into_iter().map(|text| ShownOutput { text, made_by: None }).collect();
        items.push(LabelItem {
            subject: subject.clone(),
            case: subject.case.clone(),
            input,
            expected,
            shown,
            swapped,
            // The case came here as it came to the first who labelled it.
            drawn: theirs.drawn.clone(),
            probability: theirs.drawn.as_ref().and_then(Drawn::probability),
            deferred: false,
            outdated: None,
        });
    }
    items.sort_by_key(|item| order(&item.case));
    Ok(items)
}
