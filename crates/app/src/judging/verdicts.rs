use std::collections::{BTreeMap, HashMap};

use evalset::{EvalSet, JudgeSpec, JurySpec, LabelledOutput, ScoreSource};
use run::{CellScore, RunHeader};
use score::{Judged, JuryMember, Outcome, in_own_order, jury, jury_version};
use store::{CellRecord, JudgedCell, Judgement, NewScores, Store};
use values::{ContentHash, Id, Timestamp};

use crate::judging::outputs::{Outputs, Shown};
use crate::judging::ready::{Reader, member_version, readers, version_of};
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
    /// The same, and what was said of pairs, as it is kept beside the labels.
    rows: Vec<Judgement>,
}

/// What was said, and by what.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) judged: Judged,
    pub(crate) version: ContentHash,
    /// Where the reply is; `None` of a jury.
    raw: Option<(Id, u32)>,
    at: Timestamp,
}

/// What was said by what was shown and the name of the judge or jury.
pub(crate) type Saids = BTreeMap<(Shown, String), Said>;

/// Reads what the judging runs of a run said, by the judges whose versions count in its scoring and by
/// the thresholds of its settings. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Record`] if the record cannot be read.
pub(crate) fn verdicts(
    store: &Store,
    header: &RunHeader,
    set: &EvalSet,
    judges: &[run::Variant],
) -> Result<Verdicts, AppError> {
    let mut verdicts = Verdicts::default();
    if judges.is_empty() {
        return Ok(verdicts);
    }
    let outputs = Outputs::of(store, header)?;
    for ((shown, name), said) in saids(store, header, set, judges, &outputs)? {
        verdicts.extend(set, &outputs, shown, &name, said);
    }
    Ok(verdicts)
}

/// Reads what judges said of the outputs of a run, juries among them. Of several replies of one version
/// the last one that can be read is taken. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Record`] if the record cannot be read.
pub(crate) fn saids(
    store: &Store,
    header: &RunHeader,
    set: &EvalSet,
    judges: &[run::Variant],
    outputs: &Outputs,
) -> Result<Saids, AppError> {
    let readers = readers(store, set, judges)?;
    let mut said = Saids::new();
    for judging in judging_runs(store, header.id)? {
        let cells = store.judged_cells(judging.id)?;
        for page in cells.chunks(PAGE) {
            add(&mut said, store, (&judging, page), (outputs, &readers))?;
        }
    }
    let specs = || readers.values().flat_map(|reader| &reader.specs);
    for jury in &set.juries {
        let versions: Vec<(ContentHash, Option<f64>)> = readers
            .values()
            .flat_map(|reader| reader.specs.iter().map(|spec| (reader.version, spec)))
            .filter(|(_, spec)| is_member(jury, &spec.name))
            .map(|(asked, spec)| member_version(asked, spec))
            .collect();
        if specs().any(|spec| is_member(jury, &spec.name)) {
            decide(&mut said, jury, jury_version(jury, &versions));
        }
    }
    Ok(said)
}

/// Returns the runs whose replies are verdicts on a run, oldest first. What a probe shows to judges was
/// made up.
pub(crate) fn judging_runs(store: &Store, of: Id) -> Result<Vec<RunHeader>, AppError> {
    let mut runs = store.judging_runs(of)?;
    runs.retain(|run| run.judging.is_some_and(|judging| !judging.probe));
    Ok(runs)
}

fn is_member(jury: &JurySpec, name: &str) -> bool {
    jury.members.iter().any(|member| member.name == name)
}

/// Adds what a jury says wherever one of its members said something. A member that was not asked has no
/// opinion.
fn decide(said: &mut Saids, spec: &JurySpec, version: ContentHash) {
    let silent = Judged {
        outcome: Outcome::Skipped,
        probability: None,
        reason: "it was not asked".to_owned(),
    };
    let members = || spec.members.iter().map(|member| member.name.as_str());
    let asked = said.keys().filter(|(_, name)| members().any(|member| member == name));
    let mut shown: Vec<Shown> = asked.map(|(shown, _)| *shown).collect();
    shown.dedup();
    for shown in shown {
        let opinion = |name: &str| said.get(&(shown, name.to_owned()));
        let all: Vec<JuryMember<'_>> = members()
            .map(|name| JuryMember {
                name,
                judged: opinion(name).map_or(&silent, |one| &one.judged),
            })
            .collect();
        let at = members().filter_map(|name| opinion(name).map(|one| one.at)).max();
        let Some(at) = at else { continue };
        let found = Said { judged: jury(spec, &all), version, raw: None, at };
        said.insert((shown, spec.name.clone()), found);
    }
}

/// Adds what some cells of a judging run say.
fn add(
    said: &mut Saids,
    store: &Store,
    (judging, page): (&RunHeader, &[JudgedCell]),
    (outputs, readers): (&Outputs, &BTreeMap<ContentHash, Reader>),
) -> Result<(), AppError> {
    let places: Vec<u32> = page.iter().map(|one| one.cell.index).collect();
    let records = store.cell_records(judging.id, &places)?;
    for (one, record) in page.iter().zip(records) {
        let variant = usize::try_from(one.cell.variant).unwrap_or(usize::MAX);
        let version = judging.variants.get(variant).map(|variant| variant.hash);
        let reader = version.and_then(|version| readers.get(&version));
        let (Some(reader), Some(shown)) = (reader, outputs.shown_by(&one.of)) else { continue };
        for (name, found) in read(reader, judging.id, &record) {
            let key = (shown, name);
            let before = said.get(&key).map(|before| weight(&before.judged.outcome));
            if before.is_none_or(|before| weight(&found.judged.outcome) >= before) {
                said.insert(key, found);
            }
        }
    }
    Ok(())
}

/// Whether an answer replaces an earlier one. A judge that could not be asked again has still said what
/// it said first, and of several criteria one may have been readable the first time only.
fn weight(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Error => 0,
        Outcome::Unreadable => 1,
        _ => 2,
    }
}

impl Verdicts {
    /// Hands over what is to be kept beside the labels.
    pub(crate) fn take_rows(&mut self) -> Vec<Judgement> {
        std::mem::take(&mut self.rows)
    }

    fn extend(&mut self, set: &EvalSet, outputs: &Outputs, shown: Shown, name: &str, said: Said) {
        let Some(score) = cell_score(set, name, said.version, said.judged.clone()) else { return };
        let criterion = score.criterion.clone();
        let (output, swapped, outcome) = match shown {
            Shown::One(place) => {
                // Of a jury and its members, the jury's verdict counts.
                if set.jury_of(name).is_none() {
                    for cell in &outputs.all[place].cells {
                        self.by_cell.entry(*cell).or_default().push(score.clone());
                    }
                }
                let output = LabelledOutput::One(outputs.all[place].output);
                (output, false, said.judged.outcome)
            }
            Shown::Pair(first, second) => {
                let swapped = !outputs.is_own_order(first, second);
                let (a, b) = if swapped { (second, first) } else { (first, second) };
                let pair = LabelledOutput::Pair(outputs.all[a].output, outputs.all[b].output);
                (pair, swapped, in_own_order(said.judged.outcome, swapped))
            }
        };
        let of = outputs.first(shown);
        self.rows.push(Judgement {
            case: of.case.clone(),
            case_hash: of.case_hash,
            output,
            criterion,
            judge: name.to_owned(),
            version: said.version,
            swapped,
            sample: 0,
            outcome,
            probability: said.judged.probability,
            reason: said.judged.reason,
            raw: said.raw,
            judged: said.at,
        });
    }
}

/// Reads what a cell of a judging run came to, for each judge that reads it; nothing if nothing yet.
fn read(reader: &Reader, judging: Id, record: &CellRecord) -> Vec<(String, Said)> {
    let closing = record.attempts.iter().rev().find(|one| one.attempt.closes);
    let Some(closing) = closing else { return Vec::new() };
    let attempt = &closing.attempt;
    let of = |spec: &JudgeSpec| match &attempt.outcome {
        run::Outcome::Answered(answer) => reader.read(spec, &answer.reply),
        run::Outcome::Failed(failure) => Judged {
            outcome: Outcome::Error,
            probability: None,
            reason: format!("the judge gave no answer: {failure}"),
        },
    };
    let said = |spec: &JudgeSpec| Said {
        judged: of(spec),
        version: version_of(reader.version, spec),
        raw: Some((judging, record.cell.index)),
        at: attempt.ended,
    };
    reader.specs.iter().map(|spec| (spec.name.clone(), said(spec))).collect()
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
