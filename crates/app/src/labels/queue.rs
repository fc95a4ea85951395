//! Which outputs a person is asked about, in which order, and with which probability.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use evalset::{Act, Drawn, LabelSubject, LabelledOutput, ScoreSource};
use run::RunHeader;
use score::Outcome;
use serde::Serialize;
use store::OutcomeEvidence;
use values::{ContentHash, Id};

use super::{LabelWorld, input_of, labelled_set, open_world, value_word};
use crate::{App, AppError};

/// The share of a draw for measuring that is uniform, so that no probability is near 0.
const UNIFORM_SHARE: f64 = 0.2;

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

/// A case of the run with the outputs that could be labelled.
struct Candidate {
    case: String,
    hash: ContentHash,
    outputs: BTreeMap<u32, ContentHash>,
    /// Scores as the pass share of each judge, and of everything that scored.
    judged: Vec<f64>,
    scored: Vec<f64>,
    notes: BTreeMap<u32, String>,
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
                    item.outdated = Some(value_word(label.value));
                }
                Some(_) => continue,
                None => {}
            }
            item.deferred = world
                .labels
                .standing(&item.subject)
                .any(|event| mine(&event.labeller) && event.act == Act::Defer);
            items.push(item);
        }
        items.sort_by_key(|item| item.deferred);
        Self { world, criterion, items, total }
    }
}

fn from_run(
    world: &LabelWorld,
    header: &RunHeader,
    request: &LabelRequest,
    criterion: &str,
) -> Result<Vec<LabelItem>, AppError> {
    let variants = chosen_variants(world, header, request)?;
    let candidates = candidates(world, header, &variants, criterion)?;
    let key = |candidate: &Candidate| draw(world.set.seed, criterion, &candidate.case);
    let drawn: Vec<(Candidate, Drawn)> = match request.queue {
        QueueKind::Measure => {
            let plan = plan(&candidates, request.count)?;
            let mut drawn: Vec<_> = candidates
                .into_iter()
                .zip(plan)
                .filter(|(candidate, probability)| key(candidate) < *probability)
                .map(|(candidate, probability)| (candidate, Drawn::Random { probability }))
                .collect();
            // Whoever stops early has labelled a random part.
            drawn.sort_by_key(|(candidate, _)| order(&candidate.case));
            drawn
        }
        QueueKind::Hunt | QueueKind::Overlap => {
            let mut all: Vec<_> =
                candidates.into_iter().map(|candidate| (candidate, Drawn::Hunt)).collect();
            all.sort_by(|(a, _), (b, _)| {
                b.suspicion().total_cmp(&a.suspicion()).then(key(a).total_cmp(&key(b)))
            });
            all
        }
    };
    let wanted = drawn.iter().flat_map(|(one, _)| one.outputs.values().copied());
    let texts = world.store.output_texts(wanted.collect::<BTreeSet<_>>())?;
    let items = drawn.iter().flat_map(|(candidate, drawn)| {
        candidate.items(world, request, criterion, &variants, drawn, &texts)
    });
    Ok(items.collect())
}

impl Candidate {
    /// 0 if nothing speaks against it, 1 if everything does, or if scores contradict each other.
    fn suspicion(&self) -> f64 {
        if self.scored.is_empty() {
            return 0.5;
        }
        let passing = mean(&self.scored);
        (1.0 - passing).max(2.0 * uncertainty(passing))
    }

    fn items(
        &self,
        world: &LabelWorld,
        request: &LabelRequest,
        criterion: &str,
        variants: &[(u32, String)],
        drawn: &Drawn,
        texts: &BTreeMap<ContentHash, String>,
    ) -> Vec<LabelItem> {
        let Some(case) = world.folder.cases.get(&self.case) else { return Vec::new() };
        let (input, expected) = input_of(&case);
        let shown = |variant: &(u32, String)| {
            let text = texts.get(self.outputs.get(&variant.0)?)?.clone();
            let scores = self.notes.get(&variant.0).map_or("", String::as_str);
            let made_by = (!request.blind).then(|| format!("{}{scores}", variant.1));
            Some(ShownOutput { text, made_by })
        };
        let item = |output, shown, swapped| LabelItem {
            subject: LabelSubject {
                case: self.case.clone(),
                case_hash: self.hash,
                output,
                criterion: criterion.to_owned(),
            },
            case: self.case.clone(),
            input: input.clone(),
            expected: expected.clone(),
            shown,
            swapped,
            drawn: Some(drawn.clone()),
            probability: drawn.probability(),
            deferred: false,
            outdated: None,
        };
        if let (true, [a, b]) = (request.pairs, variants) {
            let outputs = self.outputs.get(&a.0).zip(self.outputs.get(&b.0));
            let Some(((a_hash, b_hash), (shown_a, shown_b))) = outputs.zip(shown(a).zip(shown(b)))
            else {
                return Vec::new();
            };
            let swapped = draw(world.set.seed, &request.labeller, &self.case) < 0.5;
            let both = if swapped { vec![shown_b, shown_a] } else { vec![shown_a, shown_b] };
            return vec![item(LabelledOutput::Pair(*a_hash, *b_hash), both, swapped)];
        }
        let mut seen = BTreeSet::new();
        variants
            .iter()
            .filter_map(|variant| {
                let hash = *self.outputs.get(&variant.0)?;
                // Two variants that answered the same are one thing to label.
                seen.insert(hash).then_some(())?;
                Some(item(LabelledOutput::One(hash), vec![shown(variant)?], false))
            })
            .collect()
    }
}

/// Returns the probability of each candidate: where a judge gives one, or several judge, by their
/// uncertainty, else the same for all.
fn plan(candidates: &[Candidate], count: u32) -> Result<Vec<f64>, AppError> {
    let is_graded = |share: &f64| *share > 0.0 && *share < 1.0;
    let is_informed =
        candidates.iter().any(|one| one.judged.len() > 1 || one.judged.iter().any(is_graded));
    let uncertainties: Vec<f64> = candidates
        .iter()
        .map(|one| match one.judged.as_slice() {
            [] => 0.5,
            judged => uncertainty(mean(judged)),
        })
        .map(|one| if is_informed { one } else { 1.0 })
        .collect();
    let plan = stats::labelling_probabilities(&uncertainties, f64::from(count), UNIFORM_SHARE);
    plan.map(|plan| plan.probabilities)
        .map_err(|error| AppError::input(format!("no draw can be made: {error}")))
}

fn candidates(
    world: &LabelWorld,
    header: &RunHeader,
    variants: &[(u32, String)],
    criterion: &str,
) -> Result<Vec<Candidate>, AppError> {
    let mut found: BTreeMap<String, Candidate> = BTreeMap::new();
    let numbers: Vec<u32> = variants.iter().map(|(number, _)| *number).collect();
    world.store.evidence(header.id, &numbers, |cell| {
        let OutcomeEvidence::Answered(answer) = cell.outcome else { return };
        let is_current = || {
            let case = world.folder.cases.get(&cell.case.id);
            case.is_some_and(|case| case.content_hash() == cell.case.hash)
        };
        // A label on a case that has changed since the run would be outdated from the start.
        if cell.sample != 0 || !is_current() {
            return;
        }
        let candidate = found.entry(cell.case.id.clone()).or_insert_with(|| Candidate {
            case: cell.case.id.clone(),
            hash: cell.case.hash,
            outputs: BTreeMap::new(),
            judged: Vec::new(),
            scored: Vec::new(),
            notes: BTreeMap::new(),
        });
        candidate.outputs.insert(cell.variant, answer.output);
        for score in cell.scores.unwrap_or_default() {
            if score.scorer.criterion != criterion {
                continue;
            }
            let Some(share) = passing_share(&score.outcome) else { continue };
            candidate.scored.push(share);
            if score.scorer.source == ScoreSource::Judge {
                candidate.judged.push(share);
            }
            let note = candidate.notes.entry(cell.variant).or_default();
            *note += &format!(" · {} {share}", score.scorer.name);
        }
    })?;
    Ok(found.into_values().collect())
}

fn passing_share(outcome: &Outcome) -> Option<f64> {
    match outcome {
        Outcome::Pass => Some(1.0),
        Outcome::Fail => Some(0.0),
        Outcome::Number { value } => Some(*value),
        _ => None,
    }
}

/// Returns what other people labelled and this one may still label.
fn overlap(
    world: &LabelWorld,
    request: &LabelRequest,
    criterion: &str,
) -> Result<Vec<LabelItem>, AppError> {
    let mut items = Vec::new();
    for subject in world.labels.subjects().filter(|one| one.criterion == criterion) {
        let valid = world.valid(subject);
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

fn chosen_variants(
    world: &LabelWorld,
    header: &RunHeader,
    request: &LabelRequest,
) -> Result<Vec<(u32, String)>, AppError> {
    let candidate = world.set.candidate.as_ref().map(|one| one.name.clone());
    let known: Vec<(u32, String)> =
        (0..).zip(header.variants.iter().map(|variant| variant.name.clone())).collect();
    let of_run = |name: &String| known.iter().find(|(_, known)| known == name).cloned();
    if request.variants.is_empty() {
        let candidate = candidate.as_ref().and_then(of_run);
        return Ok(candidate.or_else(|| known.first().cloned()).into_iter().collect());
    }
    let names: Vec<_> = known.iter().map(|(_, name)| name.as_str()).collect();
    let missing = |name: &String| {
        AppError::input(format!("this run has no variant `{name}`"))
            .with_hint(format!("it has {}", names.join(", ")))
    };
    request.variants.iter().map(|name| of_run(name).ok_or_else(|| missing(name))).collect()
}

fn mean(values: &[f64]) -> f64 {
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    values.iter().sum::<f64>() / f64::from(count.max(1))
}

/// √(f(1 − f)), the spread of a verdict that passes with probability f.
fn uncertainty(passing: f64) -> f64 {
    (passing * (1.0 - passing)).max(0.0).sqrt()
}

/// Returns a number in [0, 1) that depends on these alone, so that a case that is added or removed
/// changes no other draw.
fn draw(seed: u64, what: &str, case: &str) -> f64 {
    let key = serde_json::json!({ "case": case, "seed": seed, "what": what });
    let hash = ContentHash::of_document("trysquare-label-draw-v1", &key);
    let mut first = [0; 4];
    first.copy_from_slice(&hash.as_bytes()[..4]);
    f64::from(u32::from_be_bytes(first)) / (f64::from(u32::MAX) + 1.0)
}

fn order(case: &str) -> ContentHash {
    ContentHash::of_document("trysquare-label-order-v1", &serde_json::json!(case))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(case: &str, judged: &[f64]) -> Candidate {
        Candidate {
            case: case.to_owned(),
            hash: ContentHash::of_bytes(b"case"),
            outputs: BTreeMap::new(),
            judged: judged.to_vec(),
            scored: judged.to_vec(),
            notes: BTreeMap::new(),
        }
    }

    #[test]
    fn without_a_judge_that_is_unsure_every_case_is_as_likely() {
        let cases: Vec<_> = (0..10).map(|n| candidate(&n.to_string(), &[1.0])).collect();
        assert!(plan(&cases, 5).unwrap().iter().all(|share| (share - 0.5).abs() < 1e-9));
        let many = plan(&cases, 50).unwrap();
        assert!(many.iter().all(|share| (share - 1.0).abs() < 1e-9));
    }

    #[test]
    fn cases_about_which_judges_are_unsure_are_drawn_more_often() {
        let panel = [candidate("a", &[1.0, 0.0]), candidate("b", &[1.0, 1.0])];
        let shares = plan(&panel, 1).unwrap();
        // τ b/n = 0.1 for both; the rest goes where u is above 0.
        assert!((shares[0] - 0.9).abs() < 1e-9 && (shares[1] - 0.1).abs() < 1e-9, "{shares:?}");
    }

    #[test]
    fn failing_and_contradicted_outputs_are_the_most_suspicious() {
        let suspicion = |judged: &[f64]| candidate("a", judged).suspicion();
        assert!(suspicion(&[0.0]) > suspicion(&[0.9]));
        assert!(suspicion(&[1.0, 0.0]) > suspicion(&[]));
        assert!(suspicion(&[]) > suspicion(&[1.0]));
    }

    #[test]
    fn draws_depend_on_the_case_alone_and_are_spread_evenly() {
        let low = (0..1000).filter(|n| draw(7, "exact", &n.to_string()) < 0.3).count();
        // Five standard deviations of a binomial of 1,000 at 0.3 are 72.
        assert!(low.abs_diff(300) < 72, "{low}");
        assert!((draw(7, "exact", "a") - draw(8, "exact", "a")).abs() > f64::EPSILON);
    }
}
