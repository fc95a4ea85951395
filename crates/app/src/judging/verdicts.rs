use std::collections::{BTreeMap, HashMap};

use evalset::{EvalSet, LabelledOutput, ScoreSource};
use run::{CellScore, RunHeader};
use score::{Judged, Outcome};
use store::{CellRecord, JudgedCell, Judgement, NewScores, Store};
use values::{ContentHash, Id, Timestamp};

use crate::judging::outputs::{JudgedOutput, Outputs};
use crate::judging::ready::{Reader, readers};
use crate::judging::scorer::cell_score;
use crate::material::counting_settings;
use crate::port::status_of;
use crate::{App, AppError};

/// How many cells are read at once.
const PAGE: usize = 500;

/// What judges said of the outputs of a run.
#[derive(Default)]
pub(crate) struct Verdicts {
    /// The scores that the cells of the run have by it.
    pub(crate) by_cell: HashMap<u32, Vec<CellScore>>,
    /// The same as it is kept beside the labels.
    rows: Vec<Judgement>,
}

/// A verdict, and where its reply is.
struct Said {
    judged: Judged,
    version: ContentHash,
    raw: (Id, u32),
    at: Timestamp,
}

/// Reads what the judging runs of a run said, by the judges whose versions count in its scoring and by
/// the thresholds of its settings. Of several replies of one version on an output the last one that came
/// is taken. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Record`] if the record cannot be read.
pub(crate) fn verdicts(
    store: &Store,
    header: &RunHeader,
    set: &EvalSet,
    judges: &[run::Variant],
) -> Result<Verdicts, AppError> {
    if judges.is_empty() {
        return Ok(Verdicts::default());
    }
    let outputs = Outputs::of(store, header)?;
    let readers = readers(store, judges)?;
    let mut said = Saids::new();
    for judging in store.judging_runs(header.id)? {
        let cells = store.judged_cells(judging.id)?;
        for page in cells.chunks(PAGE) {
            add(&mut said, store, (&judging, page), (set, &outputs, &readers))?;
        }
    }
    let mut verdicts = Verdicts::default();
    for ((place, name), said) in said {
        verdicts.extend(set, &outputs.all[place], &name, said);
    }
    Ok(verdicts)
}

/// What was said by the place of the output and the judge's name.
type Saids = BTreeMap<(usize, String), Said>;

/// Adds what some cells of a judging run say.
fn add(
    said: &mut Saids,
    store: &Store,
    (judging, page): (&RunHeader, &[JudgedCell]),
    (set, outputs, readers): (&EvalSet, &Outputs, &BTreeMap<ContentHash, Reader>),
) -> Result<(), AppError> {
    let places: Vec<u32> = page.iter().map(|one| one.cell.index).collect();
    let records = store.cell_records(judging.id, &places)?;
    for (one, record) in page.iter().zip(records) {
        let variant = usize::try_from(one.cell.variant).unwrap_or(usize::MAX);
        let version = judging.variants.get(variant).map(|variant| variant.hash);
        let reader = version.and_then(|version| readers.get(&version));
        let place = one.of.first().and_then(|of| outputs.of_cell(*of));
        let (Some(reader), Some(place)) = (reader, place) else { continue };
        for name in &reader.names {
            let Some(found) = read(reader, name, set, judging.id, &record) else { continue };
            let key = (place, name.clone());
            // A judge that could not be asked again has still said what it said first.
            if found.judged.outcome != Outcome::Error || !said.contains_key(&key) {
                said.insert(key, found);
            }
        }
    }
    Ok(())
}

impl Verdicts {
    fn extend(&mut self, set: &EvalSet, output: &JudgedOutput, name: &str, said: Said) {
        let version = said.version;
        let Some(score) = cell_score(set, name, version, said.judged.clone()) else { return };
        for cell in &output.cells {
            self.by_cell.entry(*cell).or_default().push(score.clone());
        }
        self.rows.push(Judgement {
            case: output.case.clone(),
            case_hash: output.case_hash,
            output: LabelledOutput::One(output.output),
            criterion: score.criterion,
            judge: name.to_owned(),
            version,
            swapped: false,
            sample: 0,
            outcome: said.judged.outcome,
            probability: said.judged.probability,
            reason: said.judged.reason,
            raw: Some(said.raw),
            judged: said.at,
        });
    }
}

/// Reads what a cell of a judging run came to; `None` if nothing yet.
fn read(
    reader: &Reader,
    name: &str,
    set: &EvalSet,
    judging: Id,
    record: &CellRecord,
) -> Option<Said> {
    let attempt = &record.attempts.iter().rev().find(|one| one.attempt.closes)?.attempt;
    let threshold = set.judges.iter().find(|spec| spec.name == name).and_then(|one| one.threshold);
    let judged = match &attempt.outcome {
        run::Outcome::Answered(answer) => reader.judge.read(&answer.reply, threshold),
        run::Outcome::Failed(failure) => Judged {
            outcome: Outcome::Error,
            probability: None,
            reason: format!("the judge gave no answer: {failure}"),
        },
    };
    Some(Said {
        judged,
        version: reader.version,
        raw: (judging, record.cell.index),
        at: attempt.ended,
    })
}

impl App {
    /// Gives the cells of a run the verdicts of its judging runs, and keeps these beside the labels.
    /// Nothing is sent. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Record`] if the record cannot be read or written.
    pub(crate) fn apply_verdicts(
        &self,
        project: &project::Project,
        store: &Store,
        run: Id,
    ) -> Result<(), AppError> {
        let header = store.run_header(run)?;
        let counting = store.counting(run)?;
        let set = counting_settings(store, &header, &project.config.defaults)?;
        let Verdicts { mut by_cell, rows } = verdicts(store, &header, &set, &counting.judges)?;
        let now = (self.host.now)();
        store::wait(|done| store.add_judgements(&header.eval_set, rows, done))?;
        let mut judged: Vec<u32> = by_cell.keys().copied().collect();
        judged.sort_unstable();
        for page in judged.chunks(PAGE) {
            let mut changed = Vec::new();
            for record in store.cell_records(run, page)? {
                // A cell that the counting scoring has not reached is given its verdicts by that.
                let Some(generation) = record.generation else { continue };
                let cell = record.cell.index;
                let (own, before): (Vec<_>, Vec<_>) = record
                    .scores
                    .into_iter()
                    .filter(|score| score.generation == generation)
                    .map(|score| score.score)
                    .partition(|score| score.score.source != ScoreSource::Judge);
                let verdicts = by_cell.remove(&cell).unwrap_or_default();
                if before == verdicts {
                    continue;
                }
                let scores: Vec<_> = own.into_iter().chain(verdicts).collect();
                let status = status_of(&set, &scores);
                changed.push(NewScores { run, cell, generation, scores, status, now });
            }
            store::wait(|done| store.record_all_scores(changed, done))?;
        }
        Ok(())
    }
}
