use std::collections::HashMap;

use analysis::BothOrders;
use analysis::probe::{KinshipAnswer, ProbeAnswers, Repeated, Said, Swayed};
use evalset::{CriterionKind, LabelSubject, LabelValue, LabelledOutput, Preference};
use project::Project;
use report::ProbeCalls;
use run::{AnswerSource, Outcome as Ended};
use score::{Judged, Outcome, Sees, in_own_order};
use store::Store;
use values::Id;

use super::asks::Ask;
use super::{Probed, Subject};
use crate::AppError;
use crate::labels::open_world;

/// How many cells are read at once.
const PAGE: usize = 500;

/// Reads the answers of a probe, and where they came from. Blocking.
///
/// # Errors
/// [`crate::ErrorKind::Record`] if the record cannot be read.
pub(super) fn read(
    project: &Project,
    store: &Store,
    probe: Id,
    probed: &Probed,
) -> Result<(ProbeAnswers, ProbeCalls), AppError> {
    let mut calls = ProbeCalls { live: 0, cached: 0, replayed: 0 };
    let mut by_subject: Vec<Vec<(Ask, Judged)>> = vec![Vec::new(); probed.subjects.len()];
    let cells: Vec<u32> = (0u32..).take(probed.asked.len()).collect();
    for page in cells.chunks(PAGE) {
        for record in store.cell_records(probe, page)? {
            let place = usize::try_from(record.cell.index).unwrap_or(usize::MAX);
            let Some(asked) = probed.asked.get(place) else { continue };
            let closing = record.attempts.iter().rev().find(|one| one.attempt.closes);
            // A probe that was stopped has no answer here.
            let Some(closing) = closing else { continue };
            let judged = match &closing.attempt.outcome {
                Ended::Answered(answer) => {
                    match answer.source {
                        AnswerSource::Cache => calls.cached += 1,
                        AnswerSource::Replay => calls.replayed += 1,
                        AnswerSource::Live => calls.live += 1,
                    }
                    said_of(probed, &answer.reply)
                }
                Ended::Failed(failure) => Judged {
                    outcome: Outcome::Error,
                    probability: None,
                    reason: failure.to_string(),
                },
            };
            by_subject[asked.subject].push((asked.ask, judged));
        }
    }
    let mut answers = ProbeAnswers::default();
    let clusters = clusters(&probed.subjects);
    for ((subject, said), cluster) in probed.subjects.iter().zip(&by_subject).zip(clusters) {
        add(&mut answers, probed, subject, said, cluster);
    }
    if probed.reader.judge.sees == Sees::One {
        answers.kinship = kinship(project, store, probed, &by_subject)?;
    }
    Ok((answers, calls))
}

/// Reads a reply of the judge, as it is read where it counts.
fn said_of(probed: &Probed, reply: &chat::Reply) -> Judged {
    probed.reader.read_at(&probed.spec, reply, threshold(probed))
}

fn threshold(probed: &Probed) -> Option<f64> {
    probed.spec.threshold.or(probed.criterion.threshold)
}

/// Returns the number of each subject's cluster; a case without one is its own.
fn clusters(subjects: &[Subject]) -> Vec<usize> {
    let mut numbers: HashMap<(bool, &str), usize> = HashMap::new();
    let mut all = Vec::with_capacity(subjects.len());
    for Subject { case, cluster, .. } in subjects {
        let key = match cluster {
            Some(cluster) => (true, cluster.as_str()),
            None => (false, case.as_str()),
        };
        let next = numbers.len();
        all.push(*numbers.entry(key).or_insert(next));
    }
    all
}

/// Adds what was said of one output or pair.
fn add(
    answers: &mut ProbeAnswers,
    probed: &Probed,
    subject: &Subject,
    all: &[(Ask, Judged)],
    cluster: usize,
) {
    let find = |wanted: Ask| all.iter().find(|(ask, _)| *ask == wanted).map(|(_, judged)| judged);
    let worth = |judged: &Judged| worth(&judged.outcome, &probed.criterion.kind);
    let empty = find(Ask::Empty).map(worth);
    let plain = find(Ask::Plain(0)).map(worth);
    for (ask, judged) in all {
        match ask {
            Ask::Injected(kind) => answers.injections.extend(empty.clone().map(|plain| Swayed {
                kind: *kind,
                cluster,
                plain,
                changed: worth(judged),
            })),
            Ask::Changed(kind) => answers.changes.extend(plain.clone().map(|plain| Swayed {
                kind: *kind,
                cluster,
                plain,
                changed: worth(judged),
            })),
            Ask::Empty | Ask::Plain(_) | Ask::Swapped => {}
        }
    }
    let repeated: Vec<Said> = all
        .iter()
        .filter(|(ask, _)| matches!(ask, Ask::Plain(_)))
        .map(|(_, judged)| worth(judged))
        .collect();
    if repeated.len() > 1 {
        answers.repeated.push(Repeated { cluster, said: repeated });
    }
    if subject.texts.len() > 1
        && let (Some(first), Some(second)) = (find(Ask::Plain(0)), find(Ask::Swapped))
    {
        let b_first = in_own_order(second.outcome.clone(), true);
        answers.orders.push(BothOrders {
            a_first: preference(&first.outcome),
            b_first: preference(&b_first),
        });
    }
}

/// Returns which output of a pair is preferred; `None` if the outcome is no preference.
fn preference(outcome: &Outcome) -> Option<Preference> {
    let Outcome::Category { name } = outcome else { return None };
    Preference::ALL.into_iter().find(|one| one.name() == name)
}

/// Returns how good the first output is by what the judge says.
fn worth(outcome: &Outcome, kind: &CriterionKind) -> Said {
    match outcome {
        Outcome::Pass => Said::Worth(1.0),
        Outcome::Fail => Said::Worth(0.0),
        Outcome::Number { value } => Said::Worth(*value),
        Outcome::Category { name } => match (preference(outcome), kind) {
            (_, CriterionKind::Categorical { passing, .. }) if passing.is_empty() => {
                Said::Category(name.clone())
            }
            (_, CriterionKind::Categorical { passing, .. }) => {
                Said::Worth(f64::from(u8::from(passing.contains(name))))
            }
            (Some(Preference::A), _) => Said::Worth(1.0),
            (Some(Preference::B), _) => Said::Worth(0.0),
            (Some(Preference::Tie), _) => Said::Worth(0.5),
            (None, _) => Said::Category(name.clone()),
        },
        Outcome::Error | Outcome::Skipped => Said::Error,
        Outcome::Unreadable => Said::Unreadable,
    }
}

/// Returns what the judge and people said of outputs whose model is known.
fn kinship(
    project: &Project,
    store: &Store,
    probed: &Probed,
    by_subject: &[Vec<(Ask, Judged)>],
) -> Result<Vec<KinshipAnswer>, AppError> {
    let of = |variant: u32| {
        probed.own.get(usize::try_from(variant).unwrap_or(usize::MAX)).copied().flatten()
    };
    if probed.own.iter().flatten().all(|own| *own) || !probed.own.contains(&Some(true)) {
        return Ok(Vec::new());
    }
    let world = open_world(project, store.clone(), &probed.set_name)?;
    let mut found = Vec::new();
    for (subject, said) in probed.subjects.iter().zip(by_subject) {
        let plain = said.iter().find(|(ask, _)| *ask == Ask::Plain(0));
        let (Some(own), Some((_, judged))) = (of(subject.variant), plain) else { continue };
        let label = LabelSubject {
            case: subject.case.clone(),
            case_hash: subject.case_hash,
            output: LabelledOutput::One(subject.outputs[0]),
            criterion: probed.criterion.name.clone(),
        };
        let human = world.reference(&world.labels.on(&label));
        let human = human.value().and_then(|value| human_worth(value, probed));
        found.push(KinshipAnswer {
            own,
            said: worth(&judged.outcome, &probed.criterion.kind),
            human,
        });
    }
    Ok(found)
}

/// Returns how good people find an output, by the scale and the threshold by which the judge is read.
fn human_worth(value: &LabelValue, probed: &Probed) -> Option<f64> {
    match (value, &probed.criterion.kind) {
        (LabelValue::Pass, _) => Some(1.0),
        (LabelValue::Fail, _) => Some(0.0),
        (LabelValue::Number(share), _) => Some(match threshold(probed) {
            Some(threshold) => f64::from(u8::from(*share >= threshold)),
            None => *share,
        }),
        (LabelValue::Category(name), CriterionKind::Categorical { passing, .. })
            if !passing.is_empty() =>
        {
            Some(f64::from(u8::from(passing.contains(name))))
        }
        _ => None,
    }
}
