//! What is to be judged next of a run: one step at a time, so that a run whose judging was killed at any
//! moment goes on where it was.

use std::collections::HashMap;

use engine::Selection;
use evalset::ScoreSource;
use run::{PlannedCell, RunHeader, RunState, Variant};
use score::{Outcome, Sees};
use store::{JudgedCell, OutcomeEvidence, Store};
use values::{ContentHash, Id};

use crate::AppError;
use crate::judging::outputs::{Outputs, Shown};
use crate::judging::ready::{distinct, judge_of};
use crate::judging::verdicts::judging_runs;
use crate::material::ready_from_store;

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
    /// Those of them that decide without words: asked again they would say the same.
    pub(super) wordless: &'a [ContentHash],
    pub(super) replay: Option<bool>,
    pub(super) retry_errors: bool,
    pub(super) retried: &'a [Id],
}

/// How far a judge is with what it is shown.
enum Standing {
    /// Asked, with or without an answer that can be read.
    Over,
    /// It has an answer that cannot be read, from this run, in which these cells stood for what it saw.
    Unreadable { run: Id, of: Vec<u32> },
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
    let runs = judging_runs(store, header.id)?;
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
    let sees = sees(store, &judges)?;
    let shown = outputs.shown(&sees);
    let asked = Asked { outputs: &outputs, judges: &judges, sees: &sees, shown: &shown };
    let cells = asked.cells(|judge, shown| {
        (!standing.contains_key(&(judge, shown))).then(|| outputs.cells(shown))
    });
    if !cells.is_empty() {
        return Ok(Some(Next::Ask { again: None, judges, cells }));
    }
    // The unreadable replies of one run at a time.
    let mut again = None;
    let cells = asked.cells(|judge, shown| match standing.get(&(judge, shown)) {
        Some(Standing::Unreadable { run, of })
            if !wish.wordless.contains(&judge) && *again.get_or_insert(*run) == *run =>
        {
            Some(of.clone())
        }
        _ => None,
    });
    Ok(again.map(|again| Next::Ask { again: Some(again), judges, cells }))
}

/// Reads what each judge sees of a case.
fn sees(store: &Store, judges: &[Variant]) -> Result<Vec<Sees>, AppError> {
    let of = |judge| Ok(judge_of(&ready_from_store(store, judge)?)?.sees);
    judges.iter().map(of).collect()
}

/// Everything that some judges could be asked about the outputs of a run.
struct Asked<'a> {
    outputs: &'a Outputs,
    judges: &'a [Variant],
    /// What each judge sees.
    sees: &'a [Sees],
    shown: &'a [Shown],
}

impl Asked<'_> {
    /// Makes cells of what judges are asked: `of` gives the cells of the judged run that are shown, or
    /// nothing if it is not to be asked.
    fn cells(&self, mut of: impl FnMut(ContentHash, Shown) -> Option<Vec<u32>>) -> Vec<JudgedCell> {
        let mut cells = Vec::new();
        for shown in self.shown {
            let output = self.outputs.first(*shown);
            for (variant, (judge, sees)) in (0u32..).zip(self.judges.iter().zip(self.sees)) {
                if *sees != shown.sees() {
                    continue;
                }
                let Some(of) = of(judge.hash, *shown) else { continue };
                let cell = PlannedCell {
                    index: u32::try_from(cells.len()).unwrap_or(u32::MAX),
                    case_id: output.case.clone(),
                    case_hash: output.case_hash,
                    cluster: output.cluster.clone(),
                    variant,
                    sample: 0,
                };
                cells.push(JudgedCell { cell, of });
            }
        }
        cells
    }
}

/// Reads how far each version of a judge is with what it is shown.
fn standing(
    store: &Store,
    outputs: &Outputs,
    runs: &[RunHeader],
) -> Result<HashMap<(ContentHash, Shown), Standing>, AppError> {
    let mut found = HashMap::new();
    for judging in runs {
        let variants: Vec<u32> = (0..).take(judging.variants.len()).collect();
        let cells = store.judged_cells(judging.id)?.into_iter();
        let mut of: HashMap<u32, Vec<u32>> = cells.map(|one| (one.cell.index, one.of)).collect();
        let is_again = judging.judging.is_some_and(|judging| judging.again.is_some());
        store.evidence(judging.id, &variants, |cell| {
            let variant =
                usize::try_from(cell.variant).ok().and_then(|at| judging.variants.get(at));
            let Some((judge, of)) = variant.zip(of.remove(&cell.cell)) else { return };
            let Some(shown) = outputs.shown_by(&of) else { return };
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
            found.insert((judge.hash, shown), standing);
        })?;
    }
    Ok(found)
}
