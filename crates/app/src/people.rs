//! What people decided about outputs, as results: where a criterion's source is people, their
//! reference labels are what a comparison, a gate and a baseline count.

use analysis::calibration::Draw;
use analysis::{CaseResults, Open, Value, VariantResults};
use evalset::{
    Criterion, EvalSet, LabelEvent, LabelSubject, LabelValue, LabelledOutput, Labels, Reference,
    ScoreSource,
};
use project::Project;
use report::Reason;
use score::{Contribution, Outcome, Score, Status};
use store::Store;
use values::{ContentHash, Timestamp};

use crate::AppError;
use crate::evidence::decide;
use crate::labels::sync;

/// Two probabilities nearer than this are the same chance.
const SAME_CHANCE: f64 = 1e-9;

/// The labels of an eval set in which people decide something.
pub(crate) struct People {
    labels: Labels,
}

impl People {
    /// Reads what people said; `None` if they decide nothing in this set.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if `labels.jsonl` has lines that are no labels.
    pub(crate) fn of(
        project: &Project,
        store: &Store,
        name: &str,
        set: &EvalSet,
    ) -> Result<Option<Self>, AppError> {
        if !set.criteria.iter().any(|criterion| criterion.source == ScoreSource::Human) {
            return Ok(None);
        }
        sync::import(project, store, name)?;
        Ok(Some(Self { labels: Labels::of(store.labels(name)?) }))
    }

    /// Puts what people decided into some results, on the criteria that they decide.
    ///
    /// What counts is today's reference of each output, by labels of the case and the rubric that the
    /// results are of. Labels that chance did not draw, or drew with unequal chances, count only where
    /// every case of the variant with an output has a label on one: else a rate would say what was
    /// looked for.
    pub(crate) fn decide(&self, set: &EvalSet, results: &mut VariantResults) {
        for place in 0..results.criteria.len() {
            let criterion = &results.criteria[place];
            let Some(criterion) = set.criterion(&criterion.name) else { continue };
            if criterion.source == ScoreSource::Human {
                self.decide_one(criterion, place, &mut results.cases);
            }
        }
    }

    fn decide_one(&self, criterion: &Criterion, place: usize, cases: &mut [CaseResults]) {
        let rubric = criterion.rubric_hash();
        let (mut chosen, mut drawn) = (Vec::new(), Vec::new());
        let (mut lacks_some, mut lacks_label) = (false, false);
        for (at, case) in cases.iter_mut().enumerate() {
            let (id, hash) = (case.id.clone(), case.hash);
            let (mut has_output, mut has_one, mut has_label) = (false, false, false);
            for (sample, result) in case.samples.iter_mut().enumerate() {
                let Some(output) = result.output else { continue };
                let subject = subject(&id, hash, output, criterion);
                let (value, draw) = self.said(criterion, rubric, &subject);
                has_output = true;
                has_one |= value.number().is_some();
                has_label |= value != Value::Open(Open::Unlabelled);
                match draw {
                    _ if value.number().is_none() => {}
                    Some(draw) => drawn.push((draw, (at, sample))),
                    None => chosen.push((at, sample)),
                }
                if let Some(slot) = result.values.get_mut(place) {
                    *slot = value;
                }
            }
            lacks_some |= has_output && !has_one;
            lacks_label |= has_output && !has_label;
        }
        if lacks_label && !were_even(drawn.iter().map(|(draw, _)| *draw).collect()) {
            for (_, (at, sample)) in drawn {
                cases[at].samples[sample].values[place] = Value::Open(Open::UnequallyDrawn);
            }
        }
        if lacks_some {
            for (at, sample) in chosen {
                cases[at].samples[sample].values[place] = Value::Open(Open::NotDrawn);
            }
        }
    }

    /// Returns what people decided on an output, and how chance drew it; `None` if it did not.
    fn said(
        &self,
        criterion: &Criterion,
        rubric: ContentHash,
        subject: &LabelSubject,
    ) -> (Value, Option<ByChance>) {
        let counts = |event: &LabelEvent| !event.is_outdated(subject.case_hash, rubric);
        let on = self.labels.on(subject);
        let value = match on.reference_where(counts) {
            Reference::Unlabelled => return (Value::Open(Open::Unlabelled), None),
            Reference::Conflict => return (Value::Open(Open::Disputed), None),
            Reference::Adjudicated(value)
            | Reference::Shared(value)
            | Reference::Majority(value) => value_of(criterion, &value),
        };
        let current = on.current();
        let drawn = || current.values().filter(|label| counts(label.event));
        let draw = match Draw::of(drawn().map(|label| label.event.drawn.as_ref())) {
            Draw::Random(probability) => {
                let first = drawn().map(|label| label.event.time).min();
                first.map(|first| ByChance { first, probability })
            }
            Draw::Hunt | Draw::Unknown => None,
        };
        (value, draw)
    }

    /// Returns what people say of one output, in their words where they left some.
    pub(crate) fn reasons(&self, set: &EvalSet, case: &CaseResults, sample: usize) -> Vec<Reason> {
        let Some(output) = case.samples.get(sample).and_then(|sample| sample.output) else {
            return Vec::new();
        };
        let deciding = set.criteria.iter().filter(|one| one.source == ScoreSource::Human);
        deciding
            .filter_map(|criterion| {
                let subject = subject(&case.id, case.hash, output, criterion);
                let (value, _) = self.said(criterion, criterion.rubric_hash(), &subject);
                let status = match value.number()? {
                    share if share >= 1.0 => Status::Pass,
                    share if share <= 0.0 => Status::Fail,
                    _ => return None,
                };
                let reason = self.words(&subject);
                Some(Reason { criterion: criterion.name.clone(), status, reason })
            })
            .collect()
    }

    fn words(&self, subject: &LabelSubject) -> String {
        let said = self.labels.current(subject).into_iter().map(|(who, label)| {
            match label.event.note.as_deref().map(str::trim) {
                Some(note) if !note.is_empty() => format!("{who}: {note}"),
                _ => format!("labelled by {who}"),
            }
        });
        said.collect::<Vec<_>>().join("; ")
    }
}

/// How chance brought an output into a sample.
#[derive(Clone, Copy)]
struct ByChance {
    /// When it was first labelled.
    first: Timestamp,
    probability: f64,
}

/// Tells whether chance drew every output as readily as any other. Even draws with growing chances,
/// one after the other, are even; a draw that prefers some outputs mixes them in time.
fn were_even(mut drawn: Vec<ByChance>) -> bool {
    drawn.sort_by(|a, b| a.first.cmp(&b.first).then(b.probability.total_cmp(&a.probability)));
    drawn.windows(2).all(|pair| pair[1].probability >= pair[0].probability - SAME_CHANCE)
}

fn subject(
    case: &str,
    case_hash: ContentHash,
    output: ContentHash,
    criterion: &Criterion,
) -> LabelSubject {
    LabelSubject {
        case: case.to_owned(),
        case_hash,
        output: LabelledOutput::One(output),
        criterion: criterion.name.clone(),
    }
}

/// Returns a label as a score of the criterion would count.
fn value_of(criterion: &Criterion, value: &LabelValue) -> Value {
    let outcome = match value {
        LabelValue::Pass => Outcome::Pass,
        LabelValue::Fail => Outcome::Fail,
        LabelValue::Number(value) => Outcome::Number { value: *value },
        LabelValue::Category(name) => Outcome::Category { name: name.clone() },
        // A preference between two outputs says nothing about one of them.
        LabelValue::Prefers(_) => return Value::Open(Open::Unlabelled),
    };
    let source = ScoreSource::Human;
    let score = Score { outcome, reason: String::new(), source, unfinished: None };
    decide(criterion, &[Contribution { name: "people", weight: 1.0, score: &score }])
}
