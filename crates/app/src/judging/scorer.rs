use std::sync::Arc;

use async_trait::async_trait;
use engine::{Answered, Scored, Scorer};
use evalset::{EvalSet, ScoreSource};
use run::CellScore;
use score::{Judge, Judged, Score, Status};
use values::ContentHash;

use crate::AppError;
use crate::judging::ready::judge_of;
use crate::material::Material;

/// Reads the replies of judges, as the scores of the cells of a judging run.
pub(crate) struct JudgeScorer {
    material: Arc<Material>,
    judges: Vec<Judge>,
}

impl JudgeScorer {
    pub(crate) fn new(material: Arc<Material>) -> Result<Self, AppError> {
        let judges = material.variants.iter().map(judge_of).collect::<Result<_, _>>()?;
        Ok(Self { material, judges })
    }
}

#[async_trait]
impl Scorer for JudgeScorer {
    async fn score(&self, answered: Answered<'_>) -> Scored {
        let place = usize::try_from(answered.cell.variant).unwrap_or(usize::MAX);
        let ready = self.material.variants.get(place).zip(self.judges.get(place));
        let Some((ready, judge)) = ready else {
            return Scored { status: Status::Skipped, scores: Vec::new() };
        };
        let name = &ready.variant.name;
        let spec = self.material.set.judges.iter().find(|spec| spec.name == *name);
        let judged = judge.read(&answered.answer.reply, spec.and_then(|spec| spec.threshold));
        let status = judged.outcome.status();
        let score = cell_score(&self.material.set, name, ready.variant.hash, judged);
        Scored { status, scores: score.into_iter().collect() }
    }
}

/// Returns what a judge said as the score of a cell; `None` if the set has no such judge.
pub(crate) fn cell_score(
    set: &EvalSet,
    name: &str,
    version: ContentHash,
    judged: Judged,
) -> Option<CellScore> {
    let spec = set.judges.iter().find(|spec| spec.name == name)?;
    let Judged { outcome, reason, .. } = judged;
    Some(CellScore {
        criterion: spec.criterion.name.clone(),
        name: spec.name.clone(),
        scored_by: version,
        score: Score { outcome, reason, source: ScoreSource::Judge, unfinished: None },
    })
}
