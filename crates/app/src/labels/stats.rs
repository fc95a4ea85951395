//! Who labelled what, and how far people agree.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use evalset::{Act, Drawn, LabelSubject, LabelValue, Reference};
use serde::Serialize;
use stats::{InvalidInput, Level, Weights};
use values::Interval;

use super::{LabelWorld, labelled_set, open_world};
use crate::{App, AppError};

/// The most pairs of people that are compared.
const MOST_PAIRS: usize = 20;

/// The labels of an eval set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelStats {
    /// The eval set.
    pub eval_set: String,
    /// By criterion, in the order of their names.
    pub criteria: Vec<CriterionLabels>,
}

/// The labels on one criterion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CriterionLabels {
    /// The criterion.
    pub criterion: String,
    /// Outputs, or pairs, with a decision that counts.
    pub decided: usize,
    /// Of these, how many somebody adjudicated.
    pub adjudicated: usize,
    /// Outputs on which people disagree and nobody adjudicated.
    pub conflicts: usize,
    /// Labels whose case or rubric has changed since. They count in no number here but this one.
    pub outdated: usize,
    /// Labels on cases that chance drew, which may enter rates.
    pub drawn_at_random: usize,
    /// Labels on cases that were hunted, or that came with no word of how they were drawn.
    pub drawn_otherwise: usize,
    /// By labeller.
    pub labellers: Vec<LabellerCounts>,
    /// How many pairs of people labelled the same.
    pub pairs: usize,
    /// Pairs of them, those with the most in common first, at most twenty.
    pub overlaps: Vec<Overlap>,
}

/// What one person labelled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabellerCounts {
    /// The person.
    pub labeller: String,
    /// Current labels.
    pub labels: usize,
    /// How often they gave each value.
    pub values: BTreeMap<String, usize>,
    /// What they put off and have not labelled.
    pub deferred: usize,
    /// The share that they passed, of what they passed or failed.
    pub pass_rate: Option<f64>,
    /// Its 95 % Wilson interval.
    pub pass_interval: Option<Interval>,
}

/// How far two people agree on what both labelled.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overlap {
    /// One of them.
    pub a: String,
    /// The other.
    pub b: String,
    /// What both labelled.
    pub items: usize,
    /// The share on which they said the same.
    pub agreement: Option<f64>,
    /// Cohen's kappa; quadratic weights for numbers.
    pub kappa: Option<f64>,
    /// Its 95 % interval.
    pub kappa_interval: Option<Interval>,
    /// Gwet's AC1; AC2 with quadratic weights for numbers.
    pub ac1: Option<f64>,
    /// Its 95 % interval.
    pub ac1_interval: Option<Interval>,
}

impl App {
    /// Returns who labelled what, and how far people agree. Blocking.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Input`] if there is no such set, or a file of it has errors.
    pub fn label_stats(
        &self,
        folder: Option<&Path>,
        set: Option<&str>,
    ) -> Result<LabelStats, AppError> {
        let (project, _) = self.open(folder)?;
        let store = self.store(&project)?;
        let set = labelled_set(&store, &project, set)?;
        let world = open_world(&project, store, &set)?;
        let criteria: BTreeSet<&str> =
            world.labels.subjects().map(|subject| subject.criterion.as_str()).collect();
        let criteria = criteria.into_iter().map(|criterion| of_criterion(&world, criterion));
        let criteria = criteria
            .collect::<Result<_, _>>()
            .map_err(|error| AppError::input(format!("no agreement can be computed: {error}")))?;
        Ok(LabelStats { eval_set: set, criteria })
    }
}

fn of_criterion(world: &LabelWorld, criterion: &str) -> Result<CriterionLabels, InvalidInput> {
    let mut found = CriterionLabels {
        criterion: criterion.to_owned(),
        decided: 0,
        adjudicated: 0,
        conflicts: 0,
        outdated: 0,
        drawn_at_random: 0,
        drawn_otherwise: 0,
        labellers: Vec::new(),
        pairs: 0,
        overlaps: Vec::new(),
    };
    let mut common: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut by_person = ByPerson::new();
    let mut deferred: BTreeMap<&str, BTreeSet<&LabelSubject>> = BTreeMap::new();
    for on in world.labels.by_subject() {
        let Some(subject) = on.subject().filter(|one| one.criterion == criterion) else { continue };
        let valid = world.valid(&on);
        found.outdated += on.current().len() - valid.len();
        match world.reference(&on) {
            Reference::Adjudicated(_) => {
                found.decided += 1;
                found.adjudicated += 1;
            }
            Reference::Shared(_) | Reference::Majority(_) => found.decided += 1,
            Reference::Conflict => found.conflicts += 1,
            Reference::Unlabelled => {}
        }
        let people: Vec<&str> = valid.iter().map(|(who, ..)| *who).collect();
        for (place, first) in people.iter().enumerate() {
            for second in &people[place + 1..] {
                *common.entry((*first, *second)).or_default() += 1;
            }
        }
        for (who, event, value) in valid {
            match event.drawn {
                Some(Drawn::Random { .. } | Drawn::Stratum { .. }) => found.drawn_at_random += 1,
                Some(Drawn::Hunt) | None => found.drawn_otherwise += 1,
            }
            by_person.entry(who).or_default().insert(subject, value);
        }
        for event in on.standing().filter(|event| event.act == Act::Defer) {
            deferred.entry(&event.labeller).or_default().insert(subject);
        }
    }
    let people: BTreeSet<&str> = by_person.keys().chain(deferred.keys()).copied().collect();
    let nothing = BTreeMap::new();
    for who in people {
        let labels = by_person.get(who).unwrap_or(&nothing);
        let put_off = deferred.get(who).into_iter().flatten();
        let left = put_off.filter(|subject| !labels.contains_key(*subject)).count();
        found.labellers.push(counts(who, labels, left)?);
    }
    found.pairs = common.len();
    found.overlaps = overlaps(common, &by_person)?;
    Ok(found)
}

/// What each person said of which subject.
type ByPerson<'a> = BTreeMap<&'a str, BTreeMap<&'a LabelSubject, &'a LabelValue>>;

/// Compares the pairs of people that have the most in common.
fn overlaps(
    common: BTreeMap<(&str, &str), usize>,
    by_person: &ByPerson<'_>,
) -> Result<Vec<Overlap>, InvalidInput> {
    let mut common: Vec<_> = common.into_iter().collect();
    // Stable, so that pairs with as much in common stay in the order of their names.
    common.sort_by_key(|(_, count)| Reverse(*count));
    let mut found = Vec::new();
    for ((a, b), _) in common.into_iter().take(MOST_PAIRS) {
        found.extend(overlap(a, &by_person[a], b, &by_person[b])?);
    }
    Ok(found)
}

fn counts(
    who: &str,
    labels: &BTreeMap<&LabelSubject, &LabelValue>,
    deferred: usize,
) -> Result<LabellerCounts, InvalidInput> {
    let mut values: BTreeMap<String, usize> = BTreeMap::new();
    for value in labels.values() {
        *values.entry(value.word().into_owned()).or_default() += 1;
    }
    let count =
        |wanted: &LabelValue| labels.values().filter(|value| **value == wanted).count() as u64;
    let (passes, fails) = (count(&LabelValue::Pass), count(&LabelValue::Fail));
    let rate = stats::wilson_interval(passes, passes + fails, Level::P95)?;
    let is_known = passes + fails > 0;
    Ok(LabellerCounts {
        labeller: who.to_owned(),
        labels: labels.len(),
        values,
        deferred,
        pass_rate: rate.estimate.ok(),
        pass_interval: is_known.then_some(rate.interval),
    })
}

fn overlap(
    a: &str,
    first: &BTreeMap<&LabelSubject, &LabelValue>,
    b: &str,
    second: &BTreeMap<&LabelSubject, &LabelValue>,
) -> Result<Option<Overlap>, InvalidInput> {
    let shared: Vec<(&LabelValue, &LabelValue)> = first
        .iter()
        .filter_map(|(subject, value)| Some((*value, *second.get(*subject)?)))
        .collect();
    if shared.is_empty() {
        return Ok(None);
    }
    let mut seen: Vec<&LabelValue> = Vec::new();
    for value in shared.iter().flat_map(|(a, b)| [*a, *b]) {
        if !seen.iter().any(|known| known.agrees_with(value)) {
            seen.push(value);
        }
    }
    let share = |value: &LabelValue| match value {
        LabelValue::Number(share) => Some(*share),
        _ => None,
    };
    let is_graded = seen.iter().all(|value| share(value).is_some());
    seen.sort_by(|a, b| match (share(a), share(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.word().cmp(&b.word()),
    });
    let place = |value: &LabelValue| {
        seen.iter().position(|known| known.agrees_with(value)).unwrap_or_default()
    };
    let rated: (Vec<usize>, Vec<usize>) = shared.iter().map(|(a, b)| (place(a), place(b))).unzip();
    let weights = if is_graded { Weights::Quadratic } else { Weights::Identity };
    let places: Vec<f64> = if is_graded {
        seen.iter().filter_map(|value| share(value)).collect()
    } else {
        (0u32..).take(seen.len()).map(f64::from).collect()
    };
    let kappa = stats::cohen_kappa(&rated.0, &rated.1, seen.len(), weights, Level::P95)?;
    let ratings = [rated.0, rated.1].map(|rater| rater.into_iter().map(Some).collect());
    let ac1 = stats::gwet_coefficient(&ratings, &places, weights, Level::P95)?;
    Ok(Some(Overlap {
        a: a.to_owned(),
        b: b.to_owned(),
        items: shared.len(),
        agreement: kappa.percent_agreement.ok(),
        kappa: kappa.kappa.ok(),
        kappa_interval: kappa.interval.ok(),
        ac1: ac1.coefficient.ok(),
        ac1_interval: ac1.interval.ok(),
    }))
}
