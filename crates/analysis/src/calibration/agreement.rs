use std::collections::BTreeMap;

use evalset::LabelValue;
use serde::Serialize;
use stats::{
    AltTestRules, AnnotationScore, InvalidInput, Level, Measurement, Resampling, Undefined, Weights,
};
use values::Interval;

use super::item::{Classes, JudgedItem, Scale};
use crate::estimate::Estimate;

/// Below this number of outputs the interval of kappa is bootstrapped.
const BOOTSTRAP_BELOW: usize = 50;

/// The most pairs of people that are compared: those with the most outputs in common.
const MOST_PAIRS: usize = 20;

/// How far two raters agree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Agreement {
    /// The outputs that both rated.
    pub items: usize,
    /// The share on which they say the same.
    pub share: Estimate<f64>,
    /// Cohen's kappa, with quadratic weights where classes have an order.
    pub kappa: Estimate<f64>,
    /// Its two-sided 95 % interval, cut to -1..=1; bootstrapped below 50 outputs.
    pub kappa_interval: Estimate<Interval>,
    /// Gwet's AC1, or AC2 with quadratic weights where classes have an order.
    pub gwet: Estimate<f64>,
    /// Its two-sided 95 % interval.
    pub gwet_interval: Estimate<Interval>,
}

/// How far two people agree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PeoplePair {
    /// One, by name.
    pub first: String,
    /// The other.
    pub second: String,
    /// How far.
    pub agreement: Agreement,
}

/// How far people agree with each other, and whether the judge could stand in for one of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct People {
    /// Everybody who labelled what is measured, by name.
    pub labellers: Vec<String>,
    /// Pairs of them, those with the most outputs in common first, at most 20.
    pub pairs: Vec<PeoplePair>,
    /// Krippendorff's alpha of people, of more than two labellers.
    pub alpha: Option<Estimate<f64>>,
    /// Fleiss' kappa over the outputs that everybody labelled, of more than two labellers.
    pub fleiss: Option<Estimate<f64>>,
    /// The alternative annotator test, of more than two labellers.
    pub alternative: Option<Alternative>,
}

/// Whether the judge could stand in for a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alternative {
    /// What a person's higher price is worth; decides a lot.
    pub epsilon: f64,
    /// ω, the share of people that the judge is at least as good as.
    pub winning_rate: Estimate<f64>,
    /// ρ, the mean share of outputs on which it is at least as good; ties count for both.
    pub advantage: Estimate<f64>,
    /// Whether ω is at least ½.
    pub passes: bool,
    /// How many people labelled the 30 outputs that the test needs.
    pub tested: usize,
    /// The judge against each of them.
    pub people: Vec<StandIn>,
}

/// The judge in the place of one person: who of the two is nearer to the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StandIn {
    /// The person.
    pub labeller: String,
    /// The outputs that the person, the judge and another person labelled.
    pub items: usize,
    /// The share on which the judge is at least as near to the others.
    pub judge_wins: f64,
    /// The share on which the person is; ties count for both.
    pub person_wins: f64,
    /// The one-sided p-value of "the person wins by ε or more".
    pub p_value: f64,
    /// Whether that is rejected, corrected for the number of people (Benjamini–Yekutieli).
    pub rejected: bool,
}

/// Returns the agreement of two raters by class.
///
/// # Errors
/// [`InvalidInput`] if there are more outputs or classes than the statistics allow.
pub(crate) fn agreement(
    classes: &Classes,
    a: &[usize],
    b: &[usize],
    seed: u64,
) -> Result<Agreement, InvalidInput> {
    let count = classes.names.len();
    let weights = if classes.is_ordered { Weights::Quadratic } else { Weights::Identity };
    let level = Level::P95;
    if count < 2 {
        let none: Estimate<f64> = Undefined::OneCategory.into();
        return Ok(Agreement {
            items: a.len(),
            share: same(a, b),
            kappa: none,
            kappa_interval: Undefined::OneCategory.into(),
            gwet: none,
            gwet_interval: Undefined::OneCategory.into(),
        });
    }
    let kappa = stats::cohen_kappa(a, b, count, weights, level)?;
    let ratings: Vec<Vec<Option<usize>>> =
        [a, b].map(|rater| rater.iter().copied().map(Some).collect()).into();
    let gwet = stats::gwet_coefficient(&ratings, &classes.places, weights, level)?;
    let mut interval = kappa.interval;
    if a.len() < BOOTSTRAP_BELOW && interval.is_ok() {
        let of = |drawn: &[usize]| {
            let pick = |rater: &[usize]| drawn.iter().map(|&at| rater[at]).collect::<Vec<_>>();
            stats::cohen_kappa(&pick(a), &pick(b), count, weights, level)
                .map_or(Err(Undefined::NothingToCompare), |found| found.kappa)
        };
        let resampling = Resampling { resamples: 2_000, ..Resampling::seeded(seed) };
        interval = stats::bootstrap_statistic(a.len(), of, resampling, level)?.percentile;
    }
    let cut = |found: Interval| {
        Interval::new(found.low().clamp(-1.0, 1.0), found.high().clamp(-1.0, 1.0))
            .expect("clamping keeps the order of finite numbers")
    };
    Ok(Agreement {
        items: a.len(),
        share: same(a, b),
        kappa: kappa.kappa.into(),
        kappa_interval: interval.map(cut).into(),
        gwet: gwet.coefficient.into(),
        gwet_interval: gwet.interval.into(),
    })
}

/// The share of equal classes, without the weights by which kappa counts near ones.
fn same(a: &[usize], b: &[usize]) -> Estimate<f64> {
    if a.is_empty() {
        return Undefined::TooFew { needed: 1, found: 0 }.into();
    }
    let same = a.iter().zip(b).filter(|(a, b)| a == b).count();
    Estimate::Value { value: same as f64 / a.len() as f64 }
}

/// Compares people with each other, and the judge with them.
///
/// # Errors
/// [`InvalidInput`] if there are more outputs than the statistics allow.
pub(crate) fn people(
    scale: &Scale,
    classes: &Classes,
    items: &[&JudgedItem],
    epsilon: f64,
    seed: u64,
) -> Result<People, InvalidInput> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for (labeller, _) in items.iter().flat_map(|item| &item.labels) {
        numbers.insert(labeller, 0);
    }
    for (number, place) in numbers.values_mut().enumerate() {
        *place = number;
    }
    let labellers: Vec<String> = numbers.keys().map(|name| (*name).to_owned()).collect();
    // What one person alone labelled says nothing of how people agree.
    let items: Vec<&JudgedItem> =
        items.iter().copied().filter(|item| item.labels.len() > 1).collect();
    let mut ratings: Vec<Vec<Option<usize>>> = vec![vec![None; items.len()]; labellers.len()];
    for (place, item) in items.iter().enumerate() {
        for (labeller, value) in &item.labels {
            ratings[numbers[labeller.as_str()]][place] = classes.class(value);
        }
    }
    let several = labellers.len() > 2;
    let placed = |class: &Option<usize>| class.map(|class| classes.places[class]);
    let rows = || -> Vec<Vec<Option<f64>>> {
        ratings.iter().map(|row| row.iter().map(placed).collect()).collect()
    };
    let measurement = if classes.is_ordered { Measurement::Interval } else { Measurement::Nominal };
    let alpha =
        if several { Some(stats::krippendorff_alpha(&rows(), measurement)?.into()) } else { None };
    let (fleiss, alternative) = if several {
        let judge: Vec<Option<f64>> = items
            .iter()
            .map(|item| placed(&decided(&item.judge).and_then(|value| classes.class(value))))
            .collect();
        (
            Some(fleiss(classes, &ratings)?),
            Some(against_people(scale, &judge, &rows(), &labellers, epsilon)?),
        )
    } else {
        (None, None)
    };
    let pairs = pairs(classes, &labellers, &ratings, seed)?;
    Ok(People { labellers, pairs, alpha, fleiss, alternative })
}

fn decided(answer: &super::JudgeAnswer) -> Option<&LabelValue> {
    match answer {
        super::JudgeAnswer::Decided(value) => Some(value),
        _ => None,
    }
}

fn pairs(
    classes: &Classes,
    labellers: &[String],
    ratings: &[Vec<Option<usize>>],
    seed: u64,
) -> Result<Vec<PeoplePair>, InvalidInput> {
    let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let raters = |item: usize| -> Vec<usize> {
        (0..labellers.len()).filter(|&person| ratings[person][item].is_some()).collect()
    };
    for rated in (0..ratings.first().map_or(0, Vec::len)).map(raters) {
        for (place, first) in rated.iter().enumerate() {
            for second in &rated[place + 1..] {
                *counts.entry((*first, *second)).or_default() += 1;
            }
        }
    }
    let mut common: Vec<_> = counts
        .into_iter()
        .map(|((first, second), count)| (std::cmp::Reverse(count), first, second))
        .collect();
    common.sort_unstable();
    common.truncate(MOST_PAIRS);
    let mut pairs = Vec::with_capacity(common.len());
    for (_, first, second) in common {
        let both = ratings[first].iter().zip(&ratings[second]);
        let (a, b): (Vec<usize>, Vec<usize>) =
            both.filter_map(|(a, b)| Some(((*a)?, (*b)?))).unzip();
        pairs.push(PeoplePair {
            first: labellers[first].clone(),
            second: labellers[second].clone(),
            agreement: agreement(classes, &a, &b, seed)?,
        });
    }
    Ok(pairs)
}

fn fleiss(
    classes: &Classes,
    ratings: &[Vec<Option<usize>>],
) -> Result<Estimate<f64>, InvalidInput> {
    let items = ratings.first().map_or(0, Vec::len);
    let counts: Vec<Vec<u64>> = (0..items)
        .filter(|&item| ratings.iter().all(|row| row[item].is_some()))
        .map(|item| {
            let mut counts = vec![0; classes.names.len()];
            for class in ratings.iter().filter_map(|row| row[item]) {
                counts[class] += 1;
            }
            counts
        })
        .collect();
    Ok(stats::fleiss_kappa(&counts)?.into())
}

fn against_people(
    scale: &Scale,
    judge: &[Option<f64>],
    people: &[Vec<Option<f64>>],
    labellers: &[String],
    epsilon: f64,
) -> Result<Alternative, InvalidInput> {
    let score = match scale {
        Scale::Graded { .. } => AnnotationScore::NegativeRmse,
        Scale::Binary | Scale::Categorical { .. } | Scale::Pair => AnnotationScore::Accuracy,
    };
    let rules = AltTestRules {
        score,
        epsilon,
        false_discovery: Level::P95,
        annotators_per_item: 2,
        items_per_annotator: 30,
    };
    let test = stats::alt_test(judge, people, rules)?;
    // Without an annotator of 30 items there is nothing to say.
    let or_reason = |found: Option<f64>| match found {
        Some(value) => Estimate::Value { value },
        None => Undefined::TooFew { needed: 30, found: 0 }.into(),
    };
    Ok(Alternative {
        epsilon,
        winning_rate: or_reason(test.winning_rate),
        advantage: or_reason(test.advantage_probability),
        passes: test.passes,
        tested: test.annotators.len(),
        people: test
            .annotators
            .into_iter()
            .map(|one| StandIn {
                labeller: labellers[one.annotator].clone(),
                items: one.items,
                judge_wins: one.model_wins,
                person_wins: one.annotator_wins,
                p_value: one.p_value,
                rejected: one.rejected,
            })
            .collect(),
    })
}
