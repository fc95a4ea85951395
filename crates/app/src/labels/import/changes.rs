use std::collections::{BTreeMap, HashMap};

use document::Diagnostic;
use evalset::{Act, Case, CaseRow, Dealt, LabelEvent, LabelValue, LabelledOutput};
use interchange::{ImportedVerdict, LabelMap, Shown};
use score::Outcome;
use serde_json::json;
use store::Judgement;
use values::{ContentHash, Id};

use super::gather::Gathered;
use super::{
    Brought, ImportedCriterion, ImportedExample, ImportedJudge, LabelsImported, SHOWN, criteria,
};
use crate::AppError;
use crate::labels::LabelWorld;

/// What an import adds to an eval set.
pub(super) struct Changes {
    pub(super) cases: Vec<CaseRow>,
    pub(super) texts: BTreeMap<ContentHash, String>,
    pub(super) labels: Vec<LabelEvent>,
    pub(super) verdicts: Vec<Judgement>,
    rows: u64,
    cases_known: usize,
    texts_known: usize,
    labels_known: usize,
    labels_purged: usize,
    labels_not_drawn: usize,
    criteria: Vec<ImportedCriterion>,
    judges: Vec<ImportedJudge>,
    bad: Vec<Diagnostic>,
    examples: Vec<ImportedExample>,
}

/// What tells one verdict of a judge from another. The content of the case is not in it: what was
/// said elsewhere is not said again when a case changes here.
type VerdictKey = (String, String, String, LabelledOutput, ContentHash, bool);

impl Changes {
    /// Compares what the files say with what is here.
    pub(super) fn of(
        gathered: Gathered,
        map: &LabelMap,
        world: &LabelWorld,
        set: &str,
    ) -> Result<Self, AppError> {
        let criteria = criteria(gathered.labels.iter());
        let labels_not_drawn = gathered
            .labels
            .iter()
            .filter(|label| label.drawn.as_ref().and_then(evalset::Drawn::probability).is_none())
            .count();
        let all = gathered.labels.len();
        let purged = world.store.purged_labels(set)?;
        let (gone, here): (Vec<_>, Vec<_>) =
            gathered.labels.into_iter().partition(|label| purged.contains(&label.id));
        let mut labels = new_labels(here, world);
        deal(&mut labels, &gathered.cases, world);
        let (verdicts, judges) = new_verdicts(gathered.verdicts, map, world, set)?;
        let mut texts = gathered.texts;
        let all_texts = texts.len();
        texts.retain(|hash, _| world.outputs.get(hash).is_none());
        Ok(Self {
            texts_known: all_texts - texts.len(),
            labels_known: all - gone.len() - labels.len(),
            labels_purged: gone.len(),
            labels_not_drawn,
            cases: gathered.case_rows,
            cases_known: gathered.cases_known,
            rows: gathered.rows,
            bad: gathered.bad,
            examples: gathered.examples,
            texts,
            labels,
            verdicts,
            criteria,
            judges,
        })
    }

    /// Says what is new, before or after it is written.
    pub(super) fn summary(
        &self,
        eval_set: &str,
        preview: bool,
        warnings: Vec<Diagnostic>,
    ) -> LabelsImported {
        let brought = |new: usize, known: usize| Brought { new, known };
        let changed = self.labels.iter().filter(|label| !label.replaces.is_empty()).count();
        LabelsImported {
            eval_set: eval_set.to_owned(),
            preview,
            rows: self.rows,
            cases: brought(self.cases.len(), self.cases_known),
            outputs: brought(self.texts.len(), self.texts_known),
            labels: brought(self.labels.len(), self.labels_known),
            labels_changed: changed,
            labels_purged: self.labels_purged,
            labels_not_drawn: self.labels_not_drawn,
            criteria: self.criteria.clone(),
            judges: self.judges.clone(),
            warnings,
            skipped: self.bad.iter().take(SHOWN).cloned().collect(),
            problems: self.bad.len(),
            examples: if preview { self.examples.clone() } else { Vec::new() },
        }
    }
}

/// Notes with each label where its case stands.
fn deal(labels: &mut [LabelEvent], new: &[Case], world: &LabelWorld) {
    let policy = &world.set.split;
    let new: HashMap<&str, &Case> = new.iter().map(|case| (case.id.as_str(), case)).collect();
    for label in labels {
        let id = label.subject.case.as_str();
        label.dealt = match (world.cases.get(id), new.get(id)) {
            (Some(case), _) => Some(case.dealt()),
            (None, Some(case)) => {
                Some(Dealt { split: policy.split_of(case), cluster: case.cluster.clone() })
            }
            (None, None) => None,
        };
    }
}

/// Returns the labels that are not here. One that says something else than an earlier import did
/// takes its place; what a person said since stays above both.
fn new_labels(labels: Vec<LabelEvent>, world: &LabelWorld) -> Vec<LabelEvent> {
    if world.labels.events().next().is_none() {
        return labels;
    }
    let mut new = Vec::new();
    for mut label in labels {
        let current = world.labels.current(&label.subject);
        let current = current.get(label.labeller.as_str());
        let earlier = current.filter(|now| {
            now.event.time == label.time && Act::Label(now.value.clone()) != label.act
        });
        let is_known = world.labels.event(label.id).is_some();
        if let Some(earlier) = earlier {
            label.replaces = vec![earlier.event.id];
            if is_known {
                // The file says again what it once said.
                label.id = again(&label, earlier.event.id);
            }
        } else if is_known {
            continue;
        }
        new.push(label);
    }
    new
}

/// Returns the id of a label that takes the place of the one that took its own.
fn again(label: &LabelEvent, replaced: Id) -> Id {
    let document = json!({"label": label.id.to_string(), "replaces": replaced.to_string()});
    let hash = ContentHash::of_document("trysquare-import-v1", &document);
    let mut random = [0; 10];
    random.copy_from_slice(&hash.as_bytes()[..10]);
    Id::new(label.time, random)
}

/// Returns the verdicts that are not here, and counts all of them by criterion and judge.
fn new_verdicts(
    verdicts: Vec<ImportedVerdict>,
    map: &LabelMap,
    world: &LabelWorld,
    set: &str,
) -> Result<(Vec<Judgement>, Vec<ImportedJudge>), AppError> {
    if verdicts.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let known = world.store.judgements(set)?;
    let known: HashMap<VerdictKey, &Judgement> = known.iter().map(|row| (key(row), row)).collect();
    let mut new = Vec::new();
    let mut judges: BTreeMap<(String, String), (Brought, usize)> = BTreeMap::new();
    for verdict in verdicts {
        let row = judgement(verdict, &map.source);
        let standing = known.get(&key(&row));
        let is_known = standing.is_some_and(|standing| {
            standing.outcome == row.outcome
                && standing.probability == row.probability
                && standing.reason == row.reason
        });
        let (brought, unreadable) =
            judges.entry((row.criterion.clone(), row.judge.clone())).or_default();
        *unreadable += usize::from(row.outcome == Outcome::Unreadable);
        if is_known {
            brought.known += 1;
        } else {
            brought.new += 1;
            new.push(row);
        }
    }
    let judges = judges.into_iter().map(|((criterion, judge), (verdicts, unreadable))| {
        ImportedJudge { judge, criterion, verdicts, unreadable }
    });
    Ok((new, judges.collect()))
}

fn key(row: &Judgement) -> VerdictKey {
    (
        row.case.clone(),
        row.criterion.clone(),
        row.judge.clone(),
        row.output,
        row.version,
        row.swapped,
    )
}

/// Returns what stands in the place of a judge's version where another program judged: its prompt
/// is not known, but what the mapping calls its version is, else the data set.
fn external_version(source: &str, judge: &str, version: Option<&str>) -> ContentHash {
    let document = match version {
        Some(version) => json!({"judge": judge, "version": version}),
        None => json!({"judge": judge, "source": source}),
    };
    ContentHash::of_document("trysquare-external-judge-v1", &document)
}

fn judgement(verdict: ImportedVerdict, source: &str) -> Judgement {
    let outcome = match verdict.value {
        None => Outcome::Unreadable,
        Some(LabelValue::Pass) => Outcome::Pass,
        Some(LabelValue::Fail) => Outcome::Fail,
        Some(LabelValue::Number(value)) => Outcome::Number { value },
        Some(LabelValue::Category(name)) => Outcome::Category { name },
        Some(LabelValue::Prefers(preference)) => {
            Outcome::Category { name: preference.name().to_owned() }
        }
    };
    Judgement {
        case: verdict.subject.case,
        case_hash: verdict.subject.case_hash,
        output: verdict.subject.output,
        criterion: verdict.subject.criterion,
        version: external_version(source, &verdict.judge, verdict.version.as_deref()),
        judge: verdict.judge,
        swapped: verdict.shown == Shown::BFirst,
        sample: 0,
        outcome,
        probability: verdict.probability,
        reason: verdict.reason.unwrap_or_default(),
        raw: None,
        judged: verdict.time,
    }
}
