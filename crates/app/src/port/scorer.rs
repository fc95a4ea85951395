use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use engine::{Answered, Scored, Scorer};
use evalset::{Case, EvalSet};
use run::{Answer, CellScore};
use score::{
    Contribution, Generation, ProgramAnswer, ProgramAnswers, Status, Subject, cell_status,
    criterion_result, evaluate, program_requests,
};
use values::{ContentHash, NanoDollars};

use crate::bridge;
use crate::evidence::weight;
use crate::judging::Verdicts;
use crate::material::Material;
use crate::target::TrustedProgram;

/// Scores answers by the checks of an eval set.
pub(crate) struct CheckScorer {
    material: Arc<Material>,
    /// The hash of each check, in their order.
    hashes: Arc<[ContentHash]>,
    /// The programs that are trusted, by name.
    programs: BTreeMap<String, TrustedProgram>,
    /// What judges said before of the cells that are scored again.
    verdicts: Verdicts,
}

impl CheckScorer {
    pub(crate) fn new(
        material: Arc<Material>,
        programs: BTreeMap<String, TrustedProgram>,
        verdicts: Verdicts,
    ) -> Self {
        let hashes = material.set.checks.iter().map(evalset::check::CheckSpec::hash).collect();
        Self { material, hashes, programs, verdicts }
    }

    async fn ask_programs(&self, subject: &Subject<'_>) -> Vec<ProgramAnswers> {
        let mut all = Vec::with_capacity(self.material.set.checks.len());
        for check in &self.material.set.checks {
            let mut answers = ProgramAnswers::none();
            for request in program_requests(check, subject) {
                let answer = match self.programs.get(&request.program) {
                    Some(program) => program.ask(&request.body).await,
                    None => ProgramAnswer::NotRun {
                        reason: format!(
                            "the program `{}` is not trusted on this machine",
                            request.program
                        ),
                    },
                };
                answers.insert(request.slot, answer);
            }
            all.push(answers);
        }
        all
    }
}

#[async_trait]
impl Scorer for CheckScorer {
    async fn score(&self, answered: Answered<'_>) -> Scored {
        let Some(case) = self.material.cases.get(&answered.cell.case_id) else {
            return Scored { status: Status::Skipped, scores: Vec::new() };
        };
        let subject = subject(&case, answered.answer, answered.cost);
        let programs = self.ask_programs(&subject).await;
        let verdicts = self.verdicts.by_cell.get(&answered.cell.index).cloned().unwrap_or_default();
        if !is_long(&case, answered.answer) {
            return score_answer(&self.material.set, &self.hashes, &subject, &programs, verdicts);
        }
        let (material, hashes) = (Arc::clone(&self.material), Arc::clone(&self.hashes));
        let (answer, cost) = (answered.answer.clone(), answered.cost);
        bridge::blocking(move || {
            let subject = self::subject(&case, &answer, cost);
            score_answer(&material.set, &hashes, &subject, &programs, verdicts)
        })
        .await
    }
}

/// Bytes of an answer, and of what was expected, up to which checks are made at once: they take
/// microseconds, as handing them to another thread does. Comparing texts takes the product of their
/// lengths, which is seconds where both are long.
const SHORT: (usize, usize) = (1_024, 8_192);

fn is_long(case: &Case, answer: &Answer) -> bool {
    let expected = case.expected.as_ref().and_then(|value| value.as_str()).unwrap_or_default();
    answer.reply.text.len() > SHORT.0 || expected.len() > SHORT.1
}

/// Returns what checks see of an answer.
fn subject<'a>(case: &'a Case, answer: &'a Answer, cost: Option<NanoDollars>) -> Subject<'a> {
    Subject {
        generation: Generation::Reply(&answer.reply),
        inputs: &case.inputs,
        expected: case.expected.as_ref(),
        latency_ms: Some(answer.latency_ms),
        cost,
    }
}

/// Scores one answer by every check, and combines the scores with what judges said to the cell's
/// status.
fn score_answer(
    set: &EvalSet,
    hashes: &[ContentHash],
    subject: &Subject<'_>,
    programs: &[ProgramAnswers],
    verdicts: Vec<CellScore>,
) -> Scored {
    let checked = set.checks.iter().zip(programs).zip(hashes);
    let checked = checked.map(|((check, programs), hash)| CellScore {
        criterion: check.criterion.clone(),
        name: check.name.clone(),
        scored_by: *hash,
        score: evaluate(check, subject, programs),
    });
    let scores: Vec<_> = checked.chain(verdicts).collect();
    Scored { status: status_of(set, &scores), scores }
}

/// Combines all scores of an answered cell to its status.
pub(crate) fn status_of(set: &EvalSet, scores: &[CellScore]) -> Status {
    let criteria: Vec<_> = set
        .criteria
        .iter()
        .map(|criterion| {
            let serving = scores.iter().filter(|score| score.criterion == criterion.name);
            let contributions: Vec<_> = serving
                .map(|score| Contribution {
                    name: &score.name,
                    weight: weight(set, score.score.source, &score.name),
                    score: &score.score,
                })
                .collect();
            (criterion.name.as_str(), criterion_result(criterion, &contributions).status)
        })
        .collect();
    let primary = set.primary.as_ref().map(|primary| primary.name.as_str());
    cell_status(false, primary, &criteria)
}
