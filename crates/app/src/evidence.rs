//! The results of a run as an analysis reads them.

use std::collections::{BTreeSet, HashMap, HashSet};

use analysis::{
    CaseResults, Measured, Origin, SampleResult, Scorer, SetCriterion, Value, VariantResults,
};
use evalset::{Criterion, CriterionKind, EvalSet, ScoreSource};
use project::Project;
use run::{AnswerSource, CellScore, RunHeader, VariantSource};
use score::{Contribution, Outcome, Score, Status, criterion_result};
use serde::Deserialize;
use store::{AnswerEvidence, CellEvidence, OutcomeEvidence, ScoreEvidence, ScorerEvidence, Store};
use values::Id;

use crate::judging::leave_out_comparing;
use crate::material::counting_settings;
use crate::{App, AppError, ErrorKind};

/// What a run found, and the settings by which it was scored.
#[derive(Debug)]
pub struct RunResults {
    /// The settings of the scoring that counts, with the project's defaults.
    pub set: EvalSet,
    /// The chosen variants, in the order in which they were asked for.
    pub variants: Vec<VariantResults>,
    /// For each of them, the places in the plan of the cells of each of its cases.
    pub cells: Vec<Vec<Vec<u32>>>,
}

impl App {
    /// Reads what some variants of a run did, by their places in its header. Blocking.
    ///
    /// # Errors
    /// [`ErrorKind::Record`] if the run cannot be read, or has no such variant.
    pub fn run_results(
        &self,
        project: &Project,
        store: &Store,
        run: Id,
        variants: &[u32],
    ) -> Result<RunResults, AppError> {
        let header = store.run_header(run)?;
        let mut set = counting_settings(store, &header, &project.config.defaults)?;
        leave_out_comparing(store, run, &mut set)?;
        let mut columns = Vec::with_capacity(variants.len());
        for variant in variants {
            columns.push(Column::new(&set, &header, *variant)?);
        }
        let mut scorers = Scorers { set: &set, known: HashMap::new() };
        store.evidence(run, variants, |cell| {
            if let Some(column) = columns.iter_mut().find(|column| column.index == cell.variant) {
                column.add(&cell, &mut scorers);
            }
        })?;
        let (variants, cells) = columns.into_iter().map(|column| column.finish(&set)).unzip();
        Ok(RunResults { set, variants, cells })
    }
}

/// The results of one variant while its cells come by.
struct Column {
    index: u32,
    results: VariantResults,
    cells: Vec<Vec<u32>>,
    is_complete: bool,
    keeps_latency: bool,
    places: HashMap<String, usize>,
    scored_by: ScoredBy,
}

/// What scored a variant.
struct ScoredBy {
    numbers: HashSet<i64>,
    /// By the criterion's place.
    scorers: Vec<BTreeSet<Scorer>>,
}

impl Column {
    fn new(set: &EvalSet, header: &RunHeader, index: u32) -> Result<Self, AppError> {
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        let variant = header.variants.get(place).cloned().ok_or_else(|| {
            AppError::new(ErrorKind::Record, format!("the run has no variant {index}"))
        })?;
        let criteria = set.criteria.iter().map(|criterion| SetCriterion {
            name: criterion.name.clone(),
            hash: criterion.content_hash(),
            source: criterion.source,
            scorers: Vec::new(),
        });
        let keeps_latency = !matches!(variant.source, VariantSource::Outputs { .. });
        let results = VariantResults {
            variant,
            origin: Origin::Run { id: header.id, created: header.created, complete: true },
            eval_set: header.eval_set.clone(),
            eval_set_hash: header.eval_set_hash,
            samples: header.samples,
            replayed: header.replay,
            criteria: criteria.collect(),
            primary: primary(set),
            cases: Vec::new(),
        };
        Ok(Self {
            index,
            results,
            cells: Vec::new(),
            is_complete: true,
            keeps_latency,
            places: HashMap::new(),
            scored_by: ScoredBy {
                numbers: HashSet::new(),
                scorers: vec![BTreeSet::new(); set.criteria.len()],
            },
        })
    }

    fn add(&mut self, cell: &CellEvidence<'_>, scorers: &mut Scorers<'_>) {
        let criteria = &scorers.set.criteria;
        let (output, measured, values) = match cell.outcome {
            OutcomeEvidence::Pending => {
                self.is_complete = false;
                (None, None, vec![Value::Pending; criteria.len()])
            }
            OutcomeEvidence::Failed => {
                (None, None, vec![Value::Not(Status::Error); criteria.len()])
            }
            OutcomeEvidence::Answered(answer) => {
                let values = match cell.scores {
                    Some(scores) => scorers.values(scores, &mut self.scored_by),
                    None => vec![Value::Pending; criteria.len()],
                };
                (Some(answer.output), Some(self.measured(&answer)), values)
            }
        };
        let place = self.case_of(cell);
        self.cells[place].push(cell.cell);
        self.results.cases[place].samples.push(SampleResult { output, values, measured });
    }

    fn measured(&self, answer: &AnswerEvidence) -> Measured {
        Measured {
            cost: answer.cost,
            latency_ms: self.keeps_latency.then_some(answer.latency_ms),
            live: answer.source == AnswerSource::Live,
            input_tokens: answer.input_tokens,
            output_tokens: answer.output_tokens,
        }
    }

    /// Returns the place of a cell's case. Planned cells of a case stand together; outputs that were
    /// made elsewhere may not.
    fn case_of(&mut self, cell: &CellEvidence<'_>) -> usize {
        let cases = &mut self.results.cases;
        let last = cases.len().checked_sub(1);
        let is_same = |place: &usize| cases[*place].id == cell.case.id;
        let known = last.filter(is_same).or_else(|| self.places.get(&cell.case.id).copied());
        known.unwrap_or_else(|| {
            self.places.insert(cell.case.id.clone(), cases.len());
            self.cells.push(Vec::new());
            cases.push(CaseResults {
                id: cell.case.id.clone(),
                hash: cell.case.hash,
                cluster: cell.case.cluster.clone(),
                tags: cell.case.body.as_deref().map(tags).unwrap_or_default(),
                samples: Vec::new(),
            });
            cases.len() - 1
        })
    }

    fn finish(mut self, set: &EvalSet) -> (VariantResults, Vec<Vec<u32>>) {
        for (criterion, found) in self.results.criteria.iter_mut().zip(self.scored_by.scorers) {
            criterion.scorers = if found.is_empty() && criterion.source == ScoreSource::Code {
                // Nothing was answered, so that nothing was scored.
                declared_scorers(set, &criterion.name)
            } else {
                found.into_iter().collect()
            };
        }
        if let Origin::Run { complete, .. } = &mut self.results.origin {
            *complete = self.is_complete;
        }
        (self.results, self.cells)
    }
}

fn declared_scorers(set: &EvalSet, criterion: &str) -> Vec<Scorer> {
    let serving = set.checks.iter().filter(|check| check.criterion == criterion);
    let mut scorers: Vec<_> =
        serving.map(|check| Scorer { name: check.name.clone(), hash: check.hash() }).collect();
    scorers.sort_unstable();
    scorers
}

/// The criterion that is declared to decide, or the only one that there is.
pub(crate) fn primary(set: &EvalSet) -> Option<usize> {
    match &set.primary {
        Some(primary) => set.criteria.iter().position(|one| one.name == primary.name),
        None => (set.criteria.len() == 1).then_some(0),
    }
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Vec<String>,
}

/// Returns the tags of a kept case.
fn tags(body: &str) -> Vec<String> {
    if !body.contains("\"tags\"") {
        return Vec::new();
    }
    // Tags only describe; a row that this program did not write has none.
    serde_json::from_str::<Tags>(body).map(|row| row.tags).unwrap_or_default()
}

/// What each scorer of the database means in a set.
struct Scorers<'s> {
    set: &'s EvalSet,
    known: HashMap<i64, Place>,
}

/// The part of a scorer in a set.
#[derive(Clone, Copy)]
struct Place {
    /// The criterion's place, if the set has it.
    criterion: Option<usize>,
    weight: f64,
}

impl Scorers<'_> {
    /// Combines the scores of a cell to one value for each criterion, and notes what scored.
    fn values(&mut self, scores: &[ScoreEvidence<'_>], scored_by: &mut ScoredBy) -> Vec<Value> {
        let places: Vec<Place> = scores
            .iter()
            .map(|score| {
                let place = self.place(score.scorer);
                if scored_by.numbers.insert(score.scorer.number)
                    && let Some(at) = place.criterion
                    && self.set.criteria[at].source == score.scorer.source
                {
                    let ScorerEvidence { name, hash, .. } = score.scorer;
                    scored_by.scorers[at].insert(Scorer { name: name.clone(), hash: *hash });
                }
                place
            })
            .collect();
        let of = |at: usize| {
            let serving = scores.iter().zip(&places);
            serving.filter(move |(_, place)| place.criterion == Some(at))
        };
        let criteria = self.set.criteria.iter().enumerate();
        let found = criteria.map(|(at, criterion)| match value(criterion, of(at)) {
            // It waits for a verdict: that is not the same as that nothing could decide it.
            Value::Not(Status::NoChecks) if self.set.is_judged(criterion) => Value::Pending,
            other => other,
        });
        found.collect()
    }

    fn place(&mut self, scorer: &ScorerEvidence) -> Place {
        if let Some(place) = self.known.get(&scorer.number) {
            return *place;
        }
        let set = self.set;
        let criterion = set.criteria.iter().position(|one| one.name == scorer.criterion);
        let place = Place { criterion, weight: weight(set, scorer.source, &scorer.name) };
        self.known.insert(scorer.number, place);
        place
    }
}

/// Decides a criterion by the scores that serve it.
fn value<'s>(
    criterion: &Criterion,
    scores: impl Iterator<Item = (&'s ScoreEvidence<'s>, &'s Place)> + Clone,
) -> Value {
    let mut own = scores.clone().filter(|(score, _)| score.scorer.source == criterion.source);
    match (own.next(), own.next()) {
        (None, _) => return Value::Not(Status::NoChecks),
        (Some((only, _)), None) => {
            if let Some(value) = plain(criterion, &only.outcome) {
                return value;
            }
        }
        _ => {}
    }
    combined(criterion, scores)
}

/// Decides a criterion by all scores that serve it, as [`criterion_result`] combines them.
fn combined<'s>(
    criterion: &Criterion,
    scores: impl Iterator<Item = (&'s ScoreEvidence<'s>, &'s Place)>,
) -> Value {
    let kept: Vec<(&str, f64, Score)> = scores
        .map(|(score, place)| {
            let (outcome, source) = (score.outcome.clone(), score.scorer.source);
            let reason = String::new();
            let kept = Score { outcome, reason, source, unfinished: None };
            (score.scorer.name.as_str(), place.weight, kept)
        })
        .collect();
    let contributions: Vec<_> = kept
        .iter()
        .map(|(name, weight, score)| Contribution { name, weight: *weight, score })
        .collect();
    decide(criterion, &contributions)
}

/// Decides a criterion by the scores that a cell was just given.
pub(crate) fn value_of(set: &EvalSet, criterion: &Criterion, scores: &[CellScore]) -> Value {
    let serving = scores.iter().filter(|score| score.criterion == criterion.name);
    let contributions: Vec<_> = serving
        .map(|score| Contribution {
            name: &score.name,
            weight: weight(set, score.score.source, &score.name),
            score: &score.score,
        })
        .collect();
    decide(criterion, &contributions)
}

/// Returns how much a scorer counts in a weighted criterion.
pub(crate) fn weight(set: &EvalSet, source: ScoreSource, name: &str) -> f64 {
    let weight = match source {
        ScoreSource::Code => set.checks.iter().find(|one| one.name == name).map(|one| one.weight),
        ScoreSource::Judge => {
            let judge = set.judges.iter().find(|one| one.name == name).map(|one| one.weight);
            let jury = || set.juries.iter().find(|one| one.name == name).map(|one| one.weight);
            judge.or_else(jury)
        }
        ScoreSource::Human => None,
    };
    weight.unwrap_or(1.0)
}

pub(crate) fn decide(criterion: &Criterion, contributions: &[Contribution<'_>]) -> Value {
    let result = criterion_result(criterion, contributions);
    match (result.status, result.outcome) {
        (Status::Pass, _) => Value::Number(1.0),
        (Status::Fail, _) => Value::Number(0.0),
        (_, Some(Outcome::Number { value })) if criterion.kind == CriterionKind::Graded => {
            Value::Number(value)
        }
        (status, _) => Value::Not(status),
    }
}

/// Reads a single score that nothing is to be combined with, as [`criterion_result`] would.
fn plain(criterion: &Criterion, outcome: &Outcome) -> Option<Value> {
    match outcome {
        Outcome::Pass => Some(Value::Number(1.0)),
        Outcome::Fail => Some(Value::Number(0.0)),
        Outcome::Error | Outcome::Unreadable | Outcome::Skipped => {
            Some(Value::Not(outcome.status()))
        }
        Outcome::Number { value } => (criterion.threshold.is_none()
            && criterion.kind == CriterionKind::Graded
            && value.is_finite())
        .then_some(Value::Number(*value)),
        Outcome::Category { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use document::Span;
    use evalset::Combine;
    use values::ContentHash;

    use super::*;

    fn outcomes() -> Vec<Outcome> {
        vec![
            Outcome::Pass,
            Outcome::Fail,
            Outcome::Number { value: 0.5 },
            Outcome::Number { value: f64::NAN },
            Outcome::Category { name: "a".to_owned() },
            Outcome::Error,
            Outcome::Unreadable,
            Outcome::Skipped,
        ]
    }

    fn criteria() -> Vec<Criterion> {
        let categories = ["a", "b"].map(str::to_owned).to_vec();
        let kinds = [
            CriterionKind::Binary,
            CriterionKind::Graded,
            CriterionKind::Categorical { categories: categories.clone(), passing: Vec::new() },
            CriterionKind::Categorical { categories, passing: vec!["a".to_owned()] },
        ];
        let mut all = Vec::new();
        for kind in kinds {
            for combine in Combine::ALL {
                for threshold in [None, Some(0.4), Some(0.6)] {
                    let implied = Criterion::implied("exact", Span::default(), ScoreSource::Code);
                    all.push(Criterion { kind: kind.clone(), combine, threshold, ..implied });
                }
            }
        }
        all
    }

    fn scorer(source: ScoreSource) -> ScorerEvidence {
        ScorerEvidence {
            number: 1,
            criterion: "exact".to_owned(),
            name: "exact".to_owned(),
            source,
            hash: ContentHash::of_bytes(b"exact"),
        }
    }

    #[test]
    fn a_single_score_is_read_as_the_rule_for_many_reads_it() {
        let (scorer, place) =
            (scorer(ScoreSource::Code), Place { criterion: Some(0), weight: 1.0 });
        for criterion in criteria() {
            for outcome in outcomes() {
                let score = ScoreEvidence { scorer: &scorer, outcome };
                if let Some(value) = plain(&criterion, &score.outcome) {
                    let combined = combined(&criterion, std::iter::once((&score, &place)));
                    assert_eq!(value, combined, "{criterion:?} {:?}", score.outcome);
                }
            }
        }
    }

    #[test]
    fn scores_of_another_source_decide_nothing() {
        let (scorer, place) =
            (scorer(ScoreSource::Human), Place { criterion: Some(0), weight: 1.0 });
        let score = ScoreEvidence { scorer: &scorer, outcome: Outcome::Pass };
        let value = value(&criteria()[0], std::iter::once((&score, &place)));
        assert_eq!(value, Value::Not(Status::NoChecks));
    }

    #[test]
    fn tags_are_those_of_the_kept_case() {
        assert_eq!(tags(r#"{"id":"a","tags":["spam","de"]}"#), ["spam", "de"]);
        assert_eq!(tags(r#"{"id":"a","input":{"text":"\"tags\""}}"#), [""; 0]);
    }
}
