//! The outputs of a run that could be labelled, and which of them are asked about.

use std::collections::{BTreeMap, BTreeSet};

use evalset::{Drawn, LabelSubject, LabelledOutput, ScoreSource};
use run::RunHeader;
use score::Outcome;
use store::OutcomeEvidence;
use values::ContentHash;

use super::draw::{draw, order};
use super::{LabelItem, LabelRequest, QueueKind, ShownOutput};
use crate::AppError;
use crate::labels::{LabelWorld, input_of};

/// The share of a draw for measuring that is uniform, so that no probability is near 0.
const UNIFORM_SHARE: f64 = 0.2;

/// A case of the run with the outputs that could be labelled.
struct Candidate {
    case: String,
    hash: ContentHash,
    outputs: BTreeMap<u32, ContentHash>,
    /// Scores as the pass share of each judge, by variant, and of everything that scored.
    judged: BTreeMap<u32, Vec<f64>>,
    scored: Vec<f64>,
    notes: BTreeMap<u32, String>,
}

/// Returns what of a run a person is asked about.
pub(super) fn from_run(
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
            // What people decide is counted alike in comparisons, so that it is drawn alike.
            let by_people =
                world.set.criterion(criterion).is_some_and(|one| one.source == ScoreSource::Human);
            let plan = plan(&candidates, request.count, by_people)?;
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
/// uncertainty, else the same for all. That variants differ is no uncertainty.
fn plan(candidates: &[Candidate], count: u32, evenly: bool) -> Result<Vec<f64>, AppError> {
    let is_graded = |share: &f64| *share > 0.0 && *share < 1.0;
    let mut outputs = candidates.iter().flat_map(|one| one.judged.values());
    let is_informed =
        !evenly && outputs.any(|judged| judged.len() > 1 || judged.iter().any(is_graded));
    let of_case = |one: &Candidate| {
        let outputs: Vec<f64> =
            one.judged.values().map(|judged| uncertainty(mean(judged))).collect();
        if outputs.is_empty() { 0.5 } else { mean(&outputs) }
    };
    let uncertainties: Vec<f64> =
        candidates.iter().map(|one| if is_informed { of_case(one) } else { 1.0 }).collect();
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
            let case = world.cases.get(&cell.case.id);
            case.is_some_and(|case| case.content == cell.case.hash)
        };
        // A label on a case that has changed since the run would be outdated from the start.
        if cell.sample != 0 || !is_current() {
            return;
        }
        let candidate = found.entry(cell.case.id.clone()).or_insert_with(|| Candidate {
            case: cell.case.id.clone(),
            hash: cell.case.hash,
            outputs: BTreeMap::new(),
            judged: BTreeMap::new(),
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
                candidate.judged.entry(cell.variant).or_default().push(share);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(case: &str, judged: &[f64]) -> Candidate {
        Candidate {
            case: case.to_owned(),
            hash: ContentHash::of_bytes(b"case"),
            outputs: BTreeMap::new(),
            judged: BTreeMap::from([(0, judged.to_vec())]),
            scored: judged.to_vec(),
            notes: BTreeMap::new(),
        }
    }

    #[test]
    fn without_a_judge_that_is_unsure_every_case_is_as_likely() {
        let cases: Vec<_> = (0..10).map(|n| candidate(&n.to_string(), &[1.0])).collect();
        assert!(plan(&cases, 5, false).unwrap().iter().all(|share| (share - 0.5).abs() < 1e-9));
        let many = plan(&cases, 50, false).unwrap();
        assert!(many.iter().all(|share| (share - 1.0).abs() < 1e-9));
    }

    #[test]
    fn cases_about_which_judges_are_unsure_are_drawn_more_often() {
        let panel = [candidate("a", &[1.0, 0.0]), candidate("b", &[1.0, 1.0])];
        let shares = plan(&panel, 1, false).unwrap();
        // τ b/n = 0.1 for both; the rest goes where u is above 0.
        assert!((shares[0] - 0.9).abs() < 1e-9 && (shares[1] - 0.1).abs() < 1e-9, "{shares:?}");
    }

    #[test]
    fn what_people_decide_and_variants_that_differ_are_drawn_evenly() {
        let of = |case: &str, old: f64, new: f64| {
            let judged = BTreeMap::from([(0, vec![old]), (1, vec![new])]);
            Candidate { judged, ..candidate(case, &[]) }
        };
        let even = |shares: Vec<f64>| shares.iter().all(|share| (share - 0.5).abs() < 1e-9);
        assert!(even(plan(&[of("a", 0.0, 1.0), of("b", 1.0, 1.0)], 1, false).unwrap()));
        let unsure = [of("a", 0.5, 0.5), of("b", 1.0, 1.0)];
        assert!(!even(plan(&unsure, 1, false).unwrap()));
        assert!(even(plan(&unsure, 1, true).unwrap()));
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
