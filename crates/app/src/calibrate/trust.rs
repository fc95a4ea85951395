//! How far the judges of a set can be trusted today: their certificates against today's files.

use std::collections::{BTreeMap, BTreeSet};

use analysis::{JudgeTrust, VariantResults};
use evalset::{
    Criterion, EvalSet, JudgeSpec, JudgeState, JurySpec, ScoreSource, TrustEntry, TrustHashes,
};
use project::Project;
use score::jury_version;
use serde_json::json;
use values::{ContentHash, Timestamp};

use crate::AppError;
use crate::judging::{member_version, version_of};
use crate::material::stated_model;

/// A judge as today's files have it.
pub(crate) struct JudgeToday {
    /// The version of what is asked, whichever way the set reads the answer; of a jury its own.
    asked: ContentHash,
    /// The version that its judgements carry: prompt, model and config, and how the set reads its answers.
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
    let asked = ContentHash::of_document("trysquare-variant-v1", &document);
    let mut read = json!({"config": {}, "threshold": spec.threshold});
    if let Some(reads) = &spec.reads {
        read["reads"] = json!(reads.name);
    }
    let hashes = TrustHashes {
        prompt,
        model: model.to_string(),
        config: ContentHash::of_document("trysquare-judge-config-v1", &read),
        rubric: criterion.rubric_hash(),
        criterion: criterion.content_hash(),
    };
    Ok(Some(JudgeToday { asked, version: version_of(asked, spec), hashes }))
}

/// Returns a judge or a jury as today's files have it, by its name in the set; `None` if the set has no
/// such one, or as for [`judge_today`].
///
/// # Errors
/// As [`judge_today`].
pub(crate) fn named_today(
    project: &Project,
    set: &EvalSet,
    name: &str,
    criterion: &Criterion,
) -> Result<Option<JudgeToday>, AppError> {
    if let Some(spec) = set.judges.iter().find(|spec| spec.name == name) {
        return judge_today(project, spec, criterion);
    }
    let jury = set.juries.iter().find(|jury| jury.name == name);
    Ok(jury.map(|jury| jury_today(project, set, jury, criterion)).transpose()?.flatten())
}

/// Returns a jury as today's files have it: what its members are, and how they decide.
fn jury_today(
    project: &Project,
    set: &EvalSet,
    jury: &JurySpec,
    criterion: &Criterion,
) -> Result<Option<JudgeToday>, AppError> {
    let mut members = Vec::new();
    for member in &jury.members {
        let spec = set.judges.iter().find(|spec| spec.name == member.name);
        let today = spec.map(|spec| judge_today(project, spec, criterion)).transpose()?.flatten();
        let Some((spec, today)) = spec.zip(today) else { return Ok(None) };
        members.push((today, spec));
    }
    members.sort_by_key(|(today, _)| today.asked.to_string());
    let versions: Vec<_> =
        members.iter().map(|(today, spec)| member_version(today.asked, spec)).collect();
    let prompts: Vec<_> = members.iter().map(|(today, _)| today.hashes.prompt).collect();
    let models: Vec<&str> = members.iter().map(|(today, _)| &*today.hashes.model).collect();
    let thresholds: Vec<_> = members.iter().map(|(_, spec)| spec.threshold).collect();
    let rule =
        json!({"rule": jury.rule.name(), "threshold": jury.threshold, "members": thresholds});
    let hashes = TrustHashes {
        prompt: ContentHash::of_document("trysquare-jury-prompts-v1", &json!(prompts)),
        model: models.join(", "),
        config: ContentHash::of_document("trysquare-jury-config-v1", &rule),
        rubric: criterion.rubric_hash(),
        criterion: criterion.content_hash(),
    };
    let version = jury_version(jury, &versions);
    Ok(Some(JudgeToday { asked: version, version, hashes }))
}

/// Tells whether what a version of a judge or a jury says on a criterion can be trusted today.
///
/// # Errors
/// [`crate::ErrorKind::Input`] if its certificate cannot be read.
pub(crate) fn is_trusted(
    project: &Project,
    (set_name, set): (&str, &EvalSet),
    (judge, criterion): (&str, &str),
    version: ContentHash,
) -> Result<bool, AppError> {
    let Some(criterion) = set.criterion(criterion) else { return Ok(false) };
    let found = state_of(project, (set_name, set), judge, criterion, |scored| *scored != version)?;
    Ok(JudgeTrust { judge: judge.to_owned(), state: found }.is_trusted())
}

/// Returns the state of a judge or a jury on a criterion; `was_another` tells whether a version other than
/// the given one gave the scores.
fn state_of(
    project: &Project,
    (set_name, set): (&str, &EvalSet),
    judge: &str,
    criterion: &Criterion,
    was_another: impl Fn(&ContentHash) -> bool,
) -> Result<Option<JudgeState>, AppError> {
    let today = named_today(project, set, judge, criterion)?;
    let spec = set.judges.iter().find(|spec| spec.name == judge);
    let name = spec.map_or(judge, |spec| &spec.judge.name);
    let (file, error) = project.certificate(name)?;
    if let Some(error) = error {
        return Err(
            AppError::input(error.to_string()).with_hint("remove it and calibrate the judge again")
        );
    }
    let entry = file.content.as_ref().and_then(|found| found.entry(set_name, &criterion.name));
    // A certificate says nothing of another version than today's.
    let today = today.filter(|today| !was_another(&today.version));
    Ok(standing(entry, today.as_ref()))
}

/// Reads a state off a certificate: stale if today's judge is another than the certified, or is not there.
pub(crate) fn standing(
    entry: Option<&TrustEntry>,
    today: Option<&JudgeToday>,
) -> Option<JudgeState> {
    let entry = entry?;
    Some(today.map_or(JudgeState::Stale, |today| entry.state_of(&today.hashes)))
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
        // Of a jury and its members, the jury's verdict counts.
        let own = set.judges.iter().filter(|spec| set.jury_of(&spec.name).is_none());
        let own = own.map(|spec| (&spec.name, &spec.criterion));
        let juries = set.juries.iter().map(|jury| (&jury.name, &jury.criterion));
        let mut judges = Vec::new();
        for (judge, _) in own.chain(juries).filter(|(_, serves)| serves.name == criterion.name) {
            let was_another = |today: &ContentHash| {
                let scored = results.iter().flat_map(|one| &one.criteria);
                let mut scorers =
                    scored.filter(|one| one.name == criterion.name).flat_map(|one| &one.scorers);
                scorers.any(|scorer| scorer.name == *judge && scorer.hash != *today)
            };
            let state = state_of(project, (name, set), judge, criterion, was_another)?;
            judges.push(JudgeTrust { judge: judge.clone(), state });
        }
        found.insert(criterion.name.clone(), judges);
    }
    Ok(found)
}

/// Returns until when labels on a criterion have been seen by earlier versions of its judges, if they
/// were tried on any.
///
/// # Errors
/// [`crate::ErrorKind::Input`] if a certificate cannot be read.
pub(crate) fn seen_until(
    project: &Project,
    set: &EvalSet,
    name: &str,
    criterion: &Criterion,
) -> Result<Option<Timestamp>, AppError> {
    let judges = set.judges.iter().map(|spec| (&spec.name, &spec.judge.name, &spec.criterion));
    let juries = set.juries.iter().map(|jury| (&jury.name, &jury.name, &jury.criterion));
    let mut until = None;
    for (judge, file, _) in judges.chain(juries).filter(|(.., of)| of.name == criterion.name) {
        let (file, error) = project.certificate(file)?;
        if let Some(error) = error {
            return Err(AppError::input(error.to_string())
                .with_hint("remove it and calibrate the judge again"));
        }
        let entry = file.content.as_ref().and_then(|found| found.entry(name, &criterion.name));
        let today = named_today(project, set, judge, criterion)?;
        if let Some((entry, today)) = entry.zip(today) {
            until = until.max(entry.seen_until(today.hashes.version()));
        }
    }
    Ok(until)
}

/// Returns the criteria whose judges are all trusted.
pub(crate) fn trusted(judges: &BTreeMap<String, Vec<JudgeTrust>>) -> BTreeSet<String> {
    let all =
        |judges: &Vec<JudgeTrust>| !judges.is_empty() && judges.iter().all(JudgeTrust::is_trusted);
    judges.iter().filter(|(_, found)| all(found)).map(|(name, _)| name.clone()).collect()
}
