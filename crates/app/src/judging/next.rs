//! What is to be judged next of a run: one step at a time, so that a run whose judging was killed at any
//! moment goes on where it was.

use std::collections::HashMap;

use engine::Selection;
use evalset::ScoreSource;
use run::{PlannedCell, RunHeader, RunState, Variant};
use score::Outcome;
use store::{JudgedCell, OutcomeEvidence, Store};
use values::{ContentHash, Id};

use crate::AppError;
use crate::judging::outputs::Outputs;
use crate::judging::ready::distinct;

/// What is to be done next.
pub(super) enum Next {
    /// Going on with a judging run.
    GoOn(Box<RunHeader>, Selection),
    /// Asking judges, the first time or, about the unreadable replies of a run, again.
    Ask { again: Option<Id>, judges: Vec<Variant>, cells: Vec<JudgedCell> },
}

/// What a person wants, as far as it decides what is next.
pub(super) struct Wish<'a> {
    /// The judges whose verdicts are wanted.
    pub(super) judges: &'a [Variant],
    pub(super) replay: Option<bool>,
    pub(super) retry_errors: bool,
    pub(super) retried: &'a [Id],
}

/// How far a judge is with an output.
#[derive(Clone, Copy)]
enum Standing {
    /// Asked, with or without an answer that can be read.
    Over,
    /// It has an answer that cannot be read, from this cell of this run.
    Unreadable { run: Id, of: u32 },
}

/// Finds what is to be done next; `None` if every output has been judged as far as can be. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Record`] if the record cannot be read.
pub(super) fn next(
    store: &Store,
    header: &RunHeader,
    wish: &Wish<'_>,
) -> Result<Option<Next>, AppError> {
    let judges = distinct(wish.judges.to_vec());
    if judges.is_empty() {
        return Ok(None);
    }
    let runs = store.judging_runs(header.id)?;
    let is_wanted = |judge: &Variant| judges.iter().any(|wanted| wanted.hash == judge.hash);
    for judging in runs.iter().rev().filter(|one| one.variants.iter().all(is_wanted)) {
        if wish.replay.is_some_and(|replay| replay != judging.replay) {
            continue;
        }
        if store.run_state(judging.id)? != RunState::Complete {
            return Ok(Some(Next::GoOn(Box::new(judging.clone()), Selection::Unfinished)));
        }
        let may_retry = wish.retry_errors && !wish.retried.contains(&judging.id);
        if may_retry && store.run_summary(judging.id)?.tally.counts.error > 0 {
            return Ok(Some(Next::GoOn(Box::new(judging.clone()), Selection::Failed)));
        }
    }
    let outputs = Outputs::of(store, header)?;
    let standing = standing(store, &outputs, &runs)?;
    let mut cells = Cells::default();
    for (place, output) in outputs.all.iter().enumerate() {
        for (variant, judge) in (0u32..).zip(&judges) {
            if !standing.contains_key(&(judge.hash, place)) {
                cells.push(&outputs, place, variant, output.cells[0]);
            }
        }
    }
    if !cells.0.is_empty() {
        return Ok(Some(Next::Ask { again: None, judges, cells: cells.0 }));
    }
    Ok(again(&outputs, &standing, judges))
}

/// Asks about the unreadable replies of one run.
fn again(
    outputs: &Outputs,
    standing: &HashMap<(ContentHash, usize), Standing>,
    judges: Vec<Variant>,
) -> Option<Next> {
    let of = |judge: &Variant, place: usize| match standing.get(&(judge.hash, place)) {
        Some(Standing::Unreadable { run, of }) => Some((*run, *of)),
        _ => None,
    };
    let mut cells = Cells::default();
    let mut again = None;
    for place in 0..outputs.all.len() {
        for (variant, judge) in (0u32..).zip(&judges) {
            if let Some((run, cell)) = of(judge, place)
                && *again.get_or_insert(run) == run
            {
                cells.push(outputs, place, variant, cell);
            }
        }
    }
    let again = again?;
    Some(Next::Ask { again: Some(again), judges, cells: cells.0 })
}

#[derive(Default)]
struct Cells(Vec<JudgedCell>);

impl Cells {
    fn push(&mut self, outputs: &Outputs, place: usize, variant: u32, of: u32) {
        let output = &outputs.all[place];
        let cell = PlannedCell {
            index: u32::try_from(self.0.len()).unwrap_or(u32::MAX),
            case_id: output.case.clone(),
            case_hash: output.case_hash,
            cluster: output.cluster.clone(),
            variant,
            sample: 0,
        };
        self.0.push(JudgedCell { cell, of: vec![of] });
    }
}

/// Reads how far each version of a judge is with each output.
fn standing(
    store: &Store,
    outputs: &Outputs,
    runs: &[RunHeader],
) -> Result<HashMap<(ContentHash, usize), Standing>, AppError> {
    let mut found = HashMap::new();
    for judging in runs {
        let variants: Vec<u32> = (0..).take(judging.variants.len()).collect();
        let of: HashMap<u32, u32> = store
            .judged_cells(judging.id)?
            .into_iter()
            .filter_map(|one| Some((one.cell.index, *one.of.first()?)))
            .collect();
        let is_again = judging.judging.is_some_and(|judging| judging.again.is_some());
        store.evidence(judging.id, &variants, |cell| {
            let variant =
                usize::try_from(cell.variant).ok().and_then(|at| judging.variants.get(at));
            let of = of.get(&cell.cell).copied();
            let place = of.and_then(|of| outputs.of_cell(of));
            let (Some(judge), Some(of), Some(place)) = (variant, of, place) else { return };
            let is_unreadable = cell.scores.unwrap_or_default().iter().any(|score| {
                score.scorer.source == ScoreSource::Judge && score.outcome == Outcome::Unreadable
            });
            let standing = match cell.outcome {
                OutcomeEvidence::Pending => return,
                OutcomeEvidence::Answered(_) if is_unreadable && !is_again => {
                    Standing::Unreadable { run: judging.id, of }
                }
                OutcomeEvidence::Failed | OutcomeEvidence::Answered(_) => Standing::Over,
            };
            found.insert((judge.hash, place), standing);
        })?;
    }
    Ok(found)
}
