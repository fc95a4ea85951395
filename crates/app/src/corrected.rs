//! What people would find of the difference that a judge sees: the paired correction of a comparison by
//! the cases whose outputs people labelled on both sides.

use std::collections::HashMap;

use analysis::calibration::{Draw, JudgeAnswer, JudgedItem, Scale, corrected_difference};
use analysis::{Comparison, VariantResults};
use evalset::{
    Case, Criterion, CriterionKind, LabelSubject, LabelValue, LabelledOutput, Reference,
    ScoreSource,
};
use project::Project;
use report::CorrectedVerdict;
use store::Store;
use values::Timestamp;

use crate::AppError;
use crate::calibrate::seen_until;
use crate::compare::Loaded;
use crate::labels::{LabelWorld, open_world};

/// Returns the corrected difference on each criterion that judges decide and on which both sides are
/// compared.
///
/// # Errors
/// [`crate::ErrorKind::Input`] if a file of the eval set has errors.
pub(crate) fn corrected(
    project: &Project,
    store: &Store,
    comparison: &Comparison,
    baseline: &Loaded,
    candidate: &Loaded,
) -> Result<Vec<CorrectedVerdict>, AppError> {
    let judged = |criterion: &&Criterion| {
        let compared = comparison.criteria.iter().find(|one| one.criterion == criterion.name);
        criterion.source == ScoreSource::Judge && compared.is_some_and(|one| one.decision.is_some())
    };
    let criteria: Vec<&Criterion> = candidate.set.criteria.iter().filter(judged).collect();
    if criteria.is_empty() {
        return Ok(Vec::new());
    }
    let world = open_world(project, store.clone(), &comparison.eval_set)?;
    let mut found = Vec::new();
    for criterion in criteria {
        let seen_until = seen_until(project, &candidate.set, &comparison.eval_set, criterion)?;
        let side = Side { world: &world, criterion, seen_until };
        let (a, b) = (side.items(&baseline.results), side.items(&candidate.results));
        let scale = Scale::of(&criterion.kind, criterion.threshold);
        let difference = corrected_difference(&scale, &a, &b)
            .map_err(|error| AppError::input(error.to_string()))?;
        found.push(CorrectedVerdict::of(&criterion.name, difference, comparison.margin));
    }
    Ok(found)
}

/// How the outputs of a side become what calibration reads.
struct Side<'a> {
    world: &'a LabelWorld,
    criterion: &'a Criterion,
    /// Labels that were made by then have been seen by an earlier version of a judge.
    seen_until: Option<Timestamp>,
}

impl Side<'_> {
    fn items(&self, results: &VariantResults) -> Vec<JudgedItem> {
        let Some(place) = results.criterion(&self.criterion.name) else { return Vec::new() };
        let cases: HashMap<String, Case> =
            self.world.folder.cases.iter().map(|case| (case.id.clone(), case)).collect();
        let mut items = Vec::new();
        for case in &results.cases {
            let known = cases.get(&case.id);
            let split = match known {
                Some(case) => self.world.set.split.split_of(case),
                None => self.world.set.split.derive(&case.id, case.cluster.as_deref()),
            };
            for sample in &case.samples {
                let value = sample.values.get(place).and_then(|value| value.number());
                let (Some(output), Some(share)) = (sample.output, value) else { continue };
                let subject = LabelSubject {
                    case: case.id.clone(),
                    case_hash: case.hash,
                    output: LabelledOutput::One(output),
                    criterion: self.criterion.name.clone(),
                };
                let mut item = self.item(subject, share);
                item.split = split;
                item.cluster.clone_from(&case.cluster);
                item.variant.clone_from(&results.variant.name);
                items.push(item);
            }
        }
        items
    }

    fn item(&self, subject: LabelSubject, share: f64) -> JudgedItem {
        let world = self.world;
        let on = world.labels.on(&subject);
        let reference = world.reference(&on);
        let outdated =
            reference == Reference::Unlabelled && on.reference() != Reference::Unlabelled;
        let valid = on.standing().filter(|event| !world.is_outdated(event));
        let newest = valid.map(|event| event.time).max();
        let people = world.valid(&on);
        JudgedItem {
            judge: JudgeAnswer::Decided(self.answer(share)),
            reference,
            draw: Draw::of(people.iter().map(|(_, event, _)| event.drawn.as_ref())),
            outdated,
            seen: self.seen_until.zip(newest).is_some_and(|(until, newest)| newest <= until),
            labels: people
                .into_iter()
                .map(|(who, _, value)| (who.to_owned(), value.clone()))
                .collect(),
            case: subject.case,
            output: subject.output,
            cluster: None,
            split: evalset::Split::Test,
            tags: Vec::new(),
            variant: String::new(),
            probability: None,
            reason: None,
            orders: None,
            length: None,
            own_family: None,
        }
    }

    /// Returns what the judges of the criterion decided together.
    fn answer(&self, share: f64) -> LabelValue {
        match self.criterion.kind {
            CriterionKind::Graded if self.criterion.threshold.is_none() => {
                LabelValue::Number(share)
            }
            _ if share >= 1.0 => LabelValue::Pass,
            _ => LabelValue::Fail,
        }
    }
}
