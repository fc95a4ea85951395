use std::sync::Arc;

use async_trait::async_trait;
use engine::{Answered, Scored, Scorer};
use evalset::{EvalSet, ScoreSource};
use run::CellScore;
use score::{Judged, Outcome, Score, Status};
use values::ContentHash;

use crate::AppError;
use crate::judging::ready::{Reader, version_of};
use crate::material::Material;

/// Reads the replies of judges, as the scores of the cells of a judging run.
pub(crate) struct JudgeScorer {
    material: Arc<Material>,
    readers: Vec<Reader>,
}

impl JudgeScorer {
    pub(crate) fn new(material: Arc<Material>) -> Result<Self, AppError> {
        let of = |ready| Reader::of(ready, &material.set);
        let readers = material.variants.iter().map(of).collect::<Result<_, _>>()?;
        Ok(Self { material, readers })
    }
}

#[async_trait]
impl Scorer for JudgeScorer {
    async fn score(&self, answered: Answered<'_>) -> Scored {
        let place = usize::try_from(answered.cell.variant).unwrap_or(usize::MAX);
        let Some(reader) = self.readers.get(place) else {
            return Scored { status: Status::Skipped, scores: Vec::new() };
        };
        let reply = &answered.answer.reply;
        let mut scores = Vec::new();
        for spec in &reader.specs {
            let plain = reader.read_plain(spec, reply);
            let mut judged = reader.read(spec, reply);
            // What is unreadable here is asked again. A verdict without the probability that its
            // threshold needs would come back as it is.
            if judged.outcome == Outcome::Unreadable && plain.outcome != Outcome::Unreadable {
                judged = plain;
            }
            let version = version_of(reader.version, spec);
            scores.extend(cell_score(&self.material.set, &spec.name, version, judged));
        }
        let statuses: Vec<_> =
            scores.iter().map(|one| (&*one.criterion, one.score.outcome.status())).collect();
        Scored { status: score::cell_status(false, None, &statuses), scores }
    }
}

/// Returns what a judge or a jury said as the score of a cell; `None` if the set has no such one.
pub(crate) fn cell_score(
    set: &EvalSet,
    name: &str,
    version: ContentHash,
    judged: Judged,
) -> Option<CellScore> {
    let judge = set.judges.iter().find(|spec| spec.name == name).map(|spec| &spec.criterion);
    let jury = || set.juries.iter().find(|jury| jury.name == name).map(|jury| &jury.criterion);
    let criterion = judge.or_else(jury)?.name.clone();
    let Judged { outcome, reason, .. } = judged;
    Some(CellScore {
        criterion,
        name: name.to_owned(),
        scored_by: version,
        score: Score { outcome, reason, source: ScoreSource::Judge, unfinished: None },
    })
}
