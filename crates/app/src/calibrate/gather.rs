//! What a judge and what people say of the same outputs, from the record and the files.

use std::collections::{HashMap, HashSet};

use analysis::calibration::{Draw, JudgeAnswer, JudgedItem, Scale};
use evalset::{
    Criterion, LabelValue, LabelledOutput, Labels, Preference, Reference, SubjectLabels,
};
use score::{Outcome, in_own_order};
use store::Judgement;
use values::{ContentHash, Timestamp};

use crate::AppError;
use crate::labels::LabelWorld;

/// Everything that calibration reads of one set and criterion.
pub(crate) struct Gathering<'a> {
    pub(crate) world: &'a LabelWorld,
    pub(crate) criterion: &'a Criterion,
    /// The judgements of one version of the judge on the criterion.
    pub(crate) judgements: Vec<Judgement>,
    /// Labels that were made by then have been seen by an earlier version.
    pub(crate) seen_until: Option<Timestamp>,
}

/// Names pairs in the order in which people's labels name them: what is said of (a, b) is said of (b, a).
pub(crate) fn align(rows: &mut [Judgement], labels: &Labels, criterion: &str) {
    if rows.iter().all(|row| matches!(row.output, LabelledOutput::One(_))) {
        return;
    }
    let subjects = labels.subjects().filter(|subject| subject.criterion == criterion);
    let labelled: HashSet<Key<'_>> =
        subjects.map(|one| (one.case.as_str(), one.case_hash, one.output)).collect();
    for row in rows {
        let LabelledOutput::Pair(a, b) = row.output else { continue };
        let turned = LabelledOutput::Pair(b, a);
        let is_labelled = |output| labelled.contains(&(row.case.as_str(), row.case_hash, output));
        if is_labelled(turned) && !is_labelled(row.output) {
            row.output = turned;
            row.swapped = !row.swapped;
            row.outcome = in_own_order(row.outcome.clone(), true);
        }
    }
}

/// An output of a case, or a pair.
type Key<'a> = (&'a str, ContentHash, LabelledOutput);

/// What a judge said of an output, and what people did about it.
#[derive(Default)]
struct Said<'a> {
    judged: Vec<&'a Judgement>,
    labelled: Option<SubjectLabels<'a>>,
}

impl Gathering<'_> {
    /// Returns the outputs that the judge saw or people labelled, in the order of cases and hashes.
    pub(crate) fn items(&self) -> Result<Vec<JudgedItem>, AppError> {
        let mut said: HashMap<Key<'_>, Said<'_>> = HashMap::with_capacity(self.judgements.len());
        for row in &self.judgements {
            said.entry((&row.case, row.case_hash, row.output)).or_default().judged.push(row);
        }
        for on in self.world.labels.by_subject() {
            let Some(subject) = on.subject().filter(|one| one.criterion == self.criterion.name)
            else {
                continue;
            };
            let key = (subject.case.as_str(), subject.case_hash, subject.output);
            said.entry(key).or_default().labelled = Some(on);
        }
        let lengths = self.lengths(said.keys())?;
        let mut said: Vec<(Key<'_>, Said<'_>)> = said.into_iter().collect();
        said.sort_unstable_by_key(|(key, _)| *key);
        Ok(said.into_iter().map(|(key, said)| self.item(key, &said, &lengths)).collect())
    }

    fn item(
        &self,
        (case, _, output): Key<'_>,
        said: &Said<'_>,
        lengths: &HashMap<ContentHash, u64>,
    ) -> JudgedItem {
        let world = self.world;
        let known = world.cases.get(case);
        let People { labels, reference, draw, outdated, newest } =
            said.labelled.map(|on| People::of(world, &on)).unwrap_or_default();
        let seen = self.seen_until.zip(newest).is_some_and(|(until, newest)| newest <= until);
        let first = said.judged.iter().find(|row| !row.swapped).copied();
        let second = said.judged.iter().find(|row| row.swapped).copied();
        let (judge, orders) = answer(first, second);
        JudgedItem {
            cluster: known.and_then(|case| case.cluster.clone()),
            split: known.map_or_else(|| world.set.split.derive(case, None), |known| known.split),
            tags: known.map(|case| case.tags.clone()).unwrap_or_default(),
            variant: String::new(),
            output,
            judge,
            probability: first.and_then(|row| row.probability),
            reason: first.map(|row| row.reason.clone()).filter(|reason| !reason.is_empty()),
            orders,
            draw,
            labels,
            reference,
            outdated,
            seen,
            length: match output {
                LabelledOutput::One(hash) => lengths.get(&hash).copied(),
                LabelledOutput::Pair(..) => None,
            },
            own_family: None,
            case: case.to_owned(),
        }
    }

    /// Returns the lengths of outputs whose text is here or whose length was imported.
    fn lengths<'k>(
        &self,
        keys: impl Iterator<Item = &'k Key<'k>>,
    ) -> Result<HashMap<ContentHash, u64>, AppError> {
        let wanted: HashSet<ContentHash> = keys
            .filter_map(|(_, _, output)| match output {
                LabelledOutput::One(hash) => Some(*hash),
                LabelledOutput::Pair(..) => None,
            })
            .collect();
        let length = |text: &str| text.chars().count() as u64;
        let mut lengths = HashMap::new();
        for external in self.world.labels.events().flat_map(|event| &event.external) {
            lengths.extend(external.length.map(|length| (external.hash(), length)));
        }
        for hash in &wanted {
            lengths.extend(self.world.outputs.text(hash).map(|text| (*hash, length(text))));
        }
        let missing: Vec<_> =
            wanted.into_iter().filter(|hash| !lengths.contains_key(hash)).collect();
        let texts = self.world.store.output_texts(missing)?;
        lengths.extend(texts.iter().map(|(hash, text)| (*hash, length(text))));
        Ok(lengths)
    }
}

/// What people did about an output.
struct People {
    labels: Vec<(String, LabelValue)>,
    reference: Reference,
    draw: Draw,
    outdated: bool,
    /// When the newest event was made that counts.
    newest: Option<Timestamp>,
}

impl Default for People {
    fn default() -> Self {
        Self {
            labels: Vec::new(),
            reference: Reference::Unlabelled,
            draw: Draw::Unknown,
            outdated: false,
            newest: None,
        }
    }
}

impl People {
    fn of(world: &LabelWorld, on: &SubjectLabels<'_>) -> Self {
        let mut reference = world.reference(on);
        let valid = world.valid(on);
        let ever = on.reference();
        let outdated = ever != Reference::Unlabelled && reference == Reference::Unlabelled;
        if outdated {
            reference = ever;
        }
        let counting = on.standing().filter(|event| !world.is_outdated(event));
        Self {
            newest: counting.map(|event| event.time).max(),
            draw: Draw::of(valid.iter().map(|(_, event, _)| event.drawn.as_ref())),
            labels: valid
                .iter()
                .map(|(who, _, value)| ((*who).to_owned(), (*value).clone()))
                .collect(),
            reference,
            outdated,
        }
    }
}

/// What the judge says: of a pair that was judged in both orders, a win that depends on the order is
/// a tie.
fn answer(
    first: Option<&Judgement>,
    second: Option<&Judgement>,
) -> (JudgeAnswer, Option<(Preference, Preference)>) {
    let said = |row: &Judgement| said(&row.outcome, matches!(row.output, LabelledOutput::Pair(..)));
    let prefers = |answer: &JudgeAnswer| match answer {
        JudgeAnswer::Decided(LabelValue::Prefers(preference)) => Some(*preference),
        _ => None,
    };
    let answers = (first.map(said), second.map(said));
    let orders = match &answers {
        (Some(first), Some(second)) => prefers(first).zip(prefers(second)),
        _ => None,
    };
    let judge = match (answers, orders) {
        (_, Some((a_first, b_first))) if a_first != b_first => {
            JudgeAnswer::Decided(LabelValue::Prefers(Preference::Tie))
        }
        ((Some(first), _), _) => first,
        ((None, Some(second)), _) => second,
        ((None, None), _) => JudgeAnswer::NotAsked,
    };
    (judge, orders)
}

fn said(outcome: &Outcome, is_pair: bool) -> JudgeAnswer {
    JudgeAnswer::Decided(match outcome {
        Outcome::Pass => LabelValue::Pass,
        Outcome::Fail => LabelValue::Fail,
        Outcome::Number { value } => LabelValue::Number(*value),
        Outcome::Category { name } => {
            let preference = Preference::ALL.into_iter().find(|one| one.name() == name);
            match preference.filter(|_| is_pair) {
                Some(preference) => LabelValue::Prefers(preference),
                None => LabelValue::Category(name.clone()),
            }
        }
        Outcome::Error => return JudgeAnswer::Error,
        Outcome::Unreadable => return JudgeAnswer::Unreadable,
        Outcome::Skipped => return JudgeAnswer::NotAsked,
    })
}

/// Keeps the outputs of one kind, and says by which scale they are measured: pairs if there are any.
pub(crate) fn scale_of(
    items: &mut Vec<JudgedItem>,
    criterion: &Criterion,
    threshold: Option<f64>,
) -> Scale {
    let is_pair = |item: &JudgedItem| matches!(item.output, LabelledOutput::Pair(..));
    if items.iter().any(is_pair) {
        items.retain(is_pair);
        return Scale::Pair;
    }
    Scale::of(&criterion.kind, threshold.or(criterion.threshold))
}
