//! What a judge and what people say of the same outputs, from the record and the files.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use analysis::calibration::{Draw, JudgeAnswer, JudgedItem, Scale};
use evalset::{
    Criterion, LabelEvent, LabelSubject, LabelValue, LabelledOutput, Preference, Reference,
};
use score::Outcome;
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

/// An output of a case, or a pair.
type Key = (String, ContentHash, LabelledOutput);

impl Gathering<'_> {
    /// Returns the outputs that the judge saw or people labelled, in the order of cases and hashes.
    pub(crate) fn items(&self) -> Result<Vec<JudgedItem>, AppError> {
        let labels = &self.world.labels;
        let mut judged: BTreeMap<Key, Vec<&Judgement>> = BTreeMap::new();
        for row in &self.judgements {
            let key = (row.case.clone(), row.case_hash, row.output);
            judged.entry(key).or_default().push(row);
        }
        let mut keys: BTreeSet<Key> = judged.keys().cloned().collect();
        keys.extend(
            labels
                .subjects()
                .filter(|subject| subject.criterion == self.criterion.name)
                .map(|subject| (subject.case.clone(), subject.case_hash, subject.output)),
        );
        let lengths = self.lengths(&keys)?;
        let cases: HashMap<String, evalset::Case> =
            self.world.folder.cases.iter().map(|case| (case.id.clone(), case)).collect();
        Ok(keys
            .into_iter()
            .map(|key| {
                let rows = judged.get(&key).map(Vec::as_slice).unwrap_or_default();
                self.item(key, rows, &cases, &lengths)
            })
            .collect())
    }

    fn item(
        &self,
        (case, case_hash, output): Key,
        rows: &[&Judgement],
        cases: &HashMap<String, evalset::Case>,
        lengths: &HashMap<ContentHash, u64>,
    ) -> JudgedItem {
        let known = cases.get(&case);
        let criterion = self.criterion.name.clone();
        let subject = LabelSubject { case: case.clone(), case_hash, output, criterion };
        let (world, labels) = (self.world, &self.world.labels);
        let is_valid = |event: &LabelEvent| !world.is_outdated(event);
        let reference = labels.reference_where(&subject, is_valid);
        let people = world.valid(&subject);
        let ever = labels.reference(&subject);
        let outdated = ever != Reference::Unlabelled && reference == Reference::Unlabelled;
        let valid = labels.standing(&subject).filter(|event| is_valid(event));
        let newest = valid.map(|event| event.time).max();
        let seen = self.seen_until.zip(newest).is_some_and(|(until, newest)| newest <= until);
        let first = rows.iter().find(|row| !row.swapped);
        let second = rows.iter().find(|row| row.swapped);
        let (judge, orders) = answer(first.copied(), second.copied());
        let split = match known {
            Some(case) => world.set.split.split_of(case),
            None => world.set.split.derive(&case, None),
        };
        let one = match output {
            LabelledOutput::One(hash) => lengths.get(&hash).copied(),
            LabelledOutput::Pair(..) => None,
        };
        JudgedItem {
            cluster: known.and_then(|case| case.cluster.clone()),
            split,
            tags: known.map(|case| case.tags.clone()).unwrap_or_default(),
            variant: String::new(),
            output,
            judge,
            probability: first.and_then(|row| row.probability),
            reason: first.map(|row| row.reason.clone()).filter(|reason| !reason.is_empty()),
            orders,
            draw: Draw::of(people.iter().map(|(_, event, _)| event.drawn.as_ref())),
            labels: people
                .into_iter()
                .map(|(who, _, value)| (who.to_owned(), value.clone()))
                .collect(),
            reference: if outdated { ever } else { reference },
            outdated,
            seen,
            length: one,
            own_family: None,
            case,
        }
    }

    /// Returns the lengths of outputs whose text is here or whose length was imported.
    fn lengths(&self, keys: &BTreeSet<Key>) -> Result<HashMap<ContentHash, u64>, AppError> {
        let wanted: BTreeSet<ContentHash> = keys
            .iter()
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
