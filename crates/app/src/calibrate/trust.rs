//! How far the judges of a set can be trusted today: their certificates against today's files.

use std::collections::{BTreeMap, BTreeSet};

use analysis::{JudgeTrust, Scorer, VariantResults};
use evalset::{Criterion, EvalSet, JudgeSpec, ScoreSource, TrustHashes};
use project::Project;
use serde_json::json;
use values::ContentHash;

use crate::AppError;
use crate::material::stated_model;

/// A judge as today's files have it.
pub(crate) struct JudgeToday {
    /// The version that its judgements carry: prompt, model and config.
    pub(crate) version: ContentHash,
    /// What a certificate names.
    pub(crate) hashes: TrustHashes,
}

/// Returns a judge as today's files have it; `None` if no such prompt is in `judges/`, or it has
/// errors.
///
/// # Errors
/// [`crate::ErrorKind::Input`] if neither the set nor the prompt names a model.
pub(crate) fn judge_today(
    project: &Project,
    spec: &JudgeSpec,
    criterion: &Criterion,
) -> Result<Option<JudgeToday>, AppError> {
    let linked = project.judges.get(&spec.judge.name).and_then(|file| file.linked.as_ref());
    let Some(linked) = linked else { return Ok(None) };
    let model = match &spec.model {
        Some(model) => model.clone(),
        None => stated_model(&spec.judge.name, linked)?,
    };
    let prompt = linked.version();
    // As of a variant without config of its own, since a judge has none in the set.
    let document = json!({"prompt": prompt, "model": model, "config": {}});
    let version = ContentHash::of_document("trysquare-variant-v1", &document);
    let threshold = json!({"config": {}, "threshold": spec.threshold});
    let hashes = TrustHashes {
        prompt,
        model: model.to_string(),
        config: ContentHash::of_document("trysquare-judge-config-v1", &threshold),
        rubric: criterion.rubric_hash(),
        criterion: criterion.content_hash(),
    };
    Ok(Some(JudgeToday { version, hashes }))
}

/// Returns how far the judges of each criterion that judges decide can be trusted for some results.
///
/// A certificate says nothing of another version of a judge: where one gave the scores that is not
/// today's, the judge counts as stale.
///
/// # Errors
/// [`crate::ErrorKind::Input`] if a certificate cannot be read.
pub(crate) fn judges_of(
    project: &Project,
    set: &EvalSet,
    results: &[&VariantResults],
) -> Result<BTreeMap<String, Vec<JudgeTrust>>, AppError> {
    let name = results.first().map_or("", |one| one.eval_set.as_str());
    let mut found = BTreeMap::new();
    for criterion in set.criteria.iter().filter(|one| one.source == ScoreSource::Judge) {
        let mut judges = Vec::new();
        for spec in set.judges.iter().filter(|spec| spec.criterion.name == criterion.name) {
            let (file, error) = project.certificate(&spec.judge.name)?;
            if let Some(error) = error {
                return Err(AppError::input(error.to_string())
                    .with_hint("remove it and calibrate the judge again"));
            }
            let entry = file.content.as_ref().and_then(|found| found.entry(name, &criterion.name));
            let today = judge_today(project, spec, criterion)?;
            let is_another = |scorer: &Scorer| {
                let today = today.as_ref().map(|today| today.version);
                scorer.name == spec.name && Some(scorer.hash) != today
            };
            let scored = results.iter().flat_map(|one| &one.criteria);
            let mut scorers =
                scored.filter(|one| one.name == criterion.name).flat_map(|one| &one.scorers);
            let was_another = scorers.any(is_another);
            let state = match (entry, &today) {
                (Some(entry), Some(today)) if !was_another => Some(entry.state_of(&today.hashes)),
                (Some(_), _) => Some(evalset::JudgeState::Stale),
                (None, _) => None,
            };
            judges.push(JudgeTrust { judge: spec.name.clone(), state });
        }
        found.insert(criterion.name.clone(), judges);
    }
    Ok(found)
}

/// Returns the criteria whose judges are all trusted.
pub(crate) fn trusted(judges: &BTreeMap<String, Vec<JudgeTrust>>) -> BTreeSet<String> {
    let all =
        |judges: &Vec<JudgeTrust>| !judges.is_empty() && judges.iter().all(JudgeTrust::is_trusted);
    judges.iter().filter(|(_, found)| all(found)).map(|(name, _)| name.clone()).collect()
}
