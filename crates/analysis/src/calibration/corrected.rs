use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use evalset::{Reference, Split};
use serde::Serialize;
use stats::{CalibratedCounts, InvalidInput, Level, Power, Undefined};
use values::Interval;

use super::item::{Draw, JudgedItem, Scale};
use super::measured::{answer, numbered};
use crate::estimate::Estimate;

/// A judge's pass rate of one variant, and what people would find.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CorrectedRate {
    /// The variant.
    pub variant: String,
    /// The outputs that the judge decided.
    pub judged: usize,
    /// The share of them that it passes, uncorrected: never the pass rate.
    pub judge_says: Estimate<f64>,
    /// What people would find.
    pub correction: Correction,
}

/// The difference of two variants by a judge, and what people would find.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CorrectedDifference {
    /// The cases that the judge decided on both sides.
    pub judged: usize,
    /// Candidate minus baseline by the judge, uncorrected.
    pub judge_says: Estimate<f64>,
    /// What people would find.
    pub correction: Correction,
}

/// What people would find where only a judge has looked.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Correction {
    /// A number with its interval.
    Corrected {
        /// How it was made.
        method: CorrectionMethod,
        /// The rate or the difference.
        estimate: Estimate<f64>,
        /// Its two-sided 95 % interval.
        interval: Estimate<Interval>,
        /// The standard error of the estimate for independent outputs, without what the interval adds
        /// for few labels and for clusters; none where there is none.
        standard_error: Option<Estimate<f64>>,
        /// The human labels that it rests on; of a difference, the cases with both.
        labels: usize,
        /// The outputs of which the judge's share is corrected.
        judged: usize,
        /// The judge's own share of those.
        judge_says: Estimate<f64>,
        /// How many labels alone would be as good; none where that is not known.
        effective_labels: Option<Estimate<f64>>,
    },
    /// There is none.
    Not {
        /// Why.
        reason: NotCorrected,
    },
}

/// How a corrected rate was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionMethod {
    /// Prediction-powered, the labels being a random part of the test split of the same run.
    PredictionPowered,
    /// The same with labels that were drawn with unequal probabilities.
    Weighted,
    /// Rogan and Gladen's, with labels from elsewhere: right only if the judge errs as often here as
    /// there.
    RoganGladen,
}

/// Why there is no corrected number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum NotCorrected {
    /// The judge decided nothing, or its values neither pass nor fail.
    NothingJudged,
    /// No label of the test split may enter.
    NoLabels {
        /// Labels that an earlier version of the judge was tried on.
        seen: usize,
        /// Labels that were not drawn by chance, or nobody knows how.
        not_drawn: usize,
    },
    /// The labels do not tell what the rate is: one class is missing, or the judge says nothing.
    NotIdentifiable,
    /// No case has labels of the outputs of both variants.
    NoPairs,
}

/// An output that the judge passes or fails, with people's decision where it may enter.
struct Unit<'a> {
    item: &'a JudgedItem,
    judge: f64,
    human: Option<f64>,
    probability: f64,
    cluster: usize,
}

/// Returns what people would find of the outputs of one variant.
///
/// `run` holds the outputs of the variant, `others` outputs from elsewhere that the same version of
/// the judge decided; only labels of the test split that chance drew, that are not outdated and that
/// no earlier version of the judge was tried on enter. Where two or more of them are of `run`, the
/// rate is prediction-powered over its test split; otherwise the judge's share of all of `run` is
/// corrected by its two rates over `others`. Where cases belong together, the interval is widened by
/// the ratio of the clustered to the plain standard error, and counts become effective ones.
///
/// # Errors
/// [`InvalidInput`] if there are more outputs than the statistics allow.
///
/// # Source
/// [`stats::prediction_powered_rate`], Särndal, Swensson and Wretman (1992) 5.5, [`stats::rogan_gladen`].
pub fn corrected_rate<J: Borrow<JudgedItem>>(
    scale: &Scale,
    variant: &str,
    run: &[J],
    others: &[J],
) -> Result<CorrectedRate, InvalidInput> {
    let all = units(scale, run);
    let judge: Vec<f64> = all.iter().map(|unit| unit.judge).collect();
    let made = |correction| CorrectedRate {
        variant: variant.to_owned(),
        judged: all.len(),
        judge_says: mean(&judge),
        correction,
    };
    let not = |reason| made(Correction::Not { reason });
    if all.is_empty() {
        return Ok(not(NotCorrected::NothingJudged));
    }
    let test: Vec<&Unit<'_>> = all.iter().filter(|unit| unit.item.split == Split::Test).collect();
    if test.iter().filter(|unit| unit.human.is_some()).count() >= 2 {
        return Ok(made(powered(&test)?));
    }
    let elsewhere = units(scale, others);
    let labelled: Vec<&Unit<'_>> =
        elsewhere.iter().chain(&all).filter(|unit| unit.human.is_some()).collect();
    if labelled.is_empty() {
        let (seen, not_drawn) = refused(run.iter().chain(others).map(Borrow::borrow));
        return Ok(not(NotCorrected::NoLabels { seen, not_drawn }));
    }
    Ok(made(rogan_gladen(&all, &labelled)?))
}

/// Returns what people would find of candidate minus baseline, over the cases of the test split.
///
/// Prediction-powered on the differences of cases whose outputs of both variants are labelled.
/// The differences are put on a scale of 0 to 1 for the adjusted interval that
/// [`stats::prediction_powered_rate`] makes, which is wide with few labels, and back.
///
/// # Errors
/// [`InvalidInput`] if there are more outputs than the statistics allow.
pub fn corrected_difference<J: Borrow<JudgedItem>>(
    scale: &Scale,
    baseline: &[J],
    candidate: &[J],
) -> Result<CorrectedDifference, InvalidInput> {
    let (a, b) = (units(scale, baseline), units(scale, candidate));
    let (a, b) = (by_case(&a), by_case(&b));
    let mut pairs: Vec<Pair> = Vec::new();
    let mut clusters = BTreeMap::new();
    for (case, ours) in &a {
        let Some(theirs) = b.get(case) else { continue };
        let item = ours[0].item;
        if item.split != Split::Test {
            continue;
        }
        let key = item.cluster.as_deref().map_or((false, *case), |name| (true, name));
        let next = clusters.len();
        let cluster = *clusters.entry(key).or_insert(next);
        pairs.push(Pair::of(ours, theirs, cluster));
    }
    let judge: Vec<f64> = pairs.iter().map(|pair| pair.judge).collect();
    let made = |correction| CorrectedDifference {
        judged: pairs.len(),
        judge_says: mean(&judge),
        correction,
    };
    if pairs.is_empty() {
        return Ok(made(Correction::Not { reason: NotCorrected::NothingJudged }));
    }
    let labelled: Vec<(f64, f64, usize)> =
        pairs.iter().filter_map(|pair| Some((pair.human?, pair.judge, pair.cluster))).collect();
    if labelled.len() < 2 {
        return Ok(made(Correction::Not { reason: NotCorrected::NoPairs }));
    }
    let unlabelled: Vec<f64> =
        pairs.iter().filter(|pair| pair.human.is_none()).map(|pair| pair.judge).collect();
    let onto = |difference: f64| f64::midpoint(difference, 1.0);
    let found = power(
        &labelled.iter().map(|(y, f, g)| (onto(*y), onto(*f), *g)).collect::<Vec<_>>(),
        &unlabelled.iter().map(|f| onto(*f)).collect::<Vec<_>>(),
    )?;
    let back = |share: f64| 2.0f64.mul_add(share, -1.0);
    let interval = Interval::new(back(found.interval.low()), back(found.interval.high()))
        .expect("a line that rises keeps the order");
    Ok(made(Correction::Corrected {
        method: CorrectionMethod::PredictionPowered,
        estimate: found.estimate.map(back).into(),
        interval: Estimate::Value { value: interval },
        standard_error: Some(found.standard_error.map(|error| 2.0 * error).into()),
        labels: labelled.len(),
        judged: pairs.len(),
        judge_says: mean(&judge),
        effective_labels: Some(found.effective_labels.into()),
    }))
}

/// One case of two variants.
struct Pair {
    human: Option<f64>,
    judge: f64,
    cluster: usize,
}

impl Pair {
    /// Of a case with labels on both sides, the labelled outputs; of another, the means.
    fn of(baseline: &[&Unit<'_>], candidate: &[&Unit<'_>], cluster: usize) -> Self {
        let labelled = |units: &[&Unit<'_>]| {
            units.iter().find_map(|unit| unit.human.map(|human| (human, unit.judge)))
        };
        if let (Some((y_a, f_a)), Some((y_b, f_b))) = (labelled(baseline), labelled(candidate)) {
            return Self { human: Some(y_b - y_a), judge: f_b - f_a, cluster };
        }
        let mean = |units: &[&Unit<'_>]| {
            units.iter().map(|unit| unit.judge).sum::<f64>() / units.len() as f64
        };
        Self { human: None, judge: mean(candidate) - mean(baseline), cluster }
    }
}

fn by_case<'a, 'b>(units: &'b [Unit<'a>]) -> BTreeMap<&'a str, Vec<&'b Unit<'a>>> {
    let mut cases: BTreeMap<&str, Vec<&Unit<'_>>> = BTreeMap::new();
    for unit in units {
        cases.entry(unit.item.case.as_str()).or_default().push(unit);
    }
    cases
}

fn units<'a, J: Borrow<JudgedItem>>(scale: &Scale, items: &'a [J]) -> Vec<Unit<'a>> {
    let all: Vec<&JudgedItem> = items.iter().map(Borrow::borrow).collect();
    let clusters = numbered(&all);
    let decided = all.into_iter().zip(clusters).filter_map(|(item, cluster)| {
        let judge = scale.passes(answer(&item.judge)?)?;
        let may_enter = item.split == Split::Test && !item.outdated && !item.seen;
        let human = item.reference.value().and_then(|value| scale.passes(value));
        let (human, probability) = match (item.draw, item.weight(), human) {
            (Draw::Random(probability), Some(_), Some(human)) if may_enter => {
                (Some(number(human)), probability)
            }
            _ => (None, 1.0),
        };
        Some(Unit { item, judge: number(judge), human, probability, cluster })
    });
    decided.collect()
}

fn number(passes: bool) -> f64 {
    f64::from(u8::from(passes))
}

fn mean(values: &[f64]) -> Estimate<f64> {
    if values.is_empty() {
        return Undefined::TooFew { needed: 1, found: 0 }.into();
    }
    Estimate::Value { value: values.iter().sum::<f64>() / values.len() as f64 }
}

fn refused<'a>(items: impl Iterator<Item = &'a JudgedItem>) -> (usize, usize) {
    let (mut seen, mut not_drawn) = (0, 0);
    let is_labelled = |item: &&JudgedItem| item.reference != Reference::Unlabelled;
    for item in items.filter(is_labelled).filter(|item| item.split == Split::Test) {
        if item.weight().is_none() {
            not_drawn += 1;
        } else if item.seen {
            seen += 1;
        }
    }
    (seen, not_drawn)
}

fn powered(test: &[&Unit<'_>]) -> Result<Correction, InvalidInput> {
    let judge: Vec<f64> = test.iter().map(|unit| unit.judge).collect();
    let labelled: Vec<(f64, f64, usize)> =
        test.iter().filter_map(|unit| Some((unit.human?, unit.judge, unit.cluster))).collect();
    let drawn: Vec<f64> =
        test.iter().filter(|unit| unit.human.is_some()).map(|unit| unit.probability).collect();
    if drawn.iter().any(|probability| (probability - drawn[0]).abs() > 1e-9) {
        return weighted(test, &judge, labelled.len());
    }
    let unlabelled: Vec<f64> =
        test.iter().filter(|unit| unit.human.is_none()).map(|unit| unit.judge).collect();
    let found = power(&labelled, &unlabelled)?;
    Ok(Correction::Corrected {
        method: CorrectionMethod::PredictionPowered,
        estimate: found.estimate.into(),
        interval: Estimate::Value { value: found.interval },
        standard_error: Some(found.standard_error.into()),
        labels: labelled.len(),
        judged: test.len(),
        judge_says: mean(&judge),
        effective_labels: Some(found.effective_labels.into()),
    })
}

/// θ = mean(f) + R with R = Σ w (y − f) / Σ w over the labelled and w = 1/π; the interval is that
/// of the mean of f + R + w (y − f − R) n / Σ w, by which a ratio is linearised (Särndal 1992, 5.5).
///
/// Weights that are divided by their sum, where [`stats::active_mean`] divides by n: then only the
/// proportions of the probabilities count, and labels that were drawn for a smaller and later for a
/// larger count, or of which a person made a random part, still give the rate.
fn weighted(test: &[&Unit<'_>], judge: &[f64], labels: usize) -> Result<Correction, InvalidInput> {
    let gap = |unit: &Unit<'_>| Some((unit.human? - unit.judge, 1.0 / unit.probability));
    let gaps: Vec<Option<(f64, f64)>> = test.iter().map(|unit| gap(unit)).collect();
    let labelled = || gaps.iter().flatten();
    let total: f64 = labelled().map(|(_, weight)| weight).sum();
    let correction = labelled().map(|(gap, weight)| gap * weight).sum::<f64>() / total;
    let count = test.len() as f64;
    let term = |(unit, gap): (&&Unit<'_>, &Option<(f64, f64)>)| {
        let own = gap.map_or(0.0, |(gap, weight)| weight * (gap - correction) * count / total);
        (unit.judge + correction + own, unit.cluster)
    };
    let terms: Vec<(f64, usize)> = test.iter().zip(&gaps).map(term).collect();
    let numbers: Vec<f64> = terms.iter().map(|one| one.0).collect();
    let ratio = widening(&terms)?;
    let found = stats::mean_interval(&numbers, Level::P95)?;
    let estimate = found.mean.map(|estimate| estimate.clamp(0.0, 1.0));
    let interval = found.interval.map(|interval| cut(widened(interval, ratio)));
    Ok(Correction::Corrected {
        method: CorrectionMethod::Weighted,
        estimate: estimate.into(),
        interval: interval.into(),
        standard_error: Some(found.standard_error.into()),
        labels,
        judged: test.len(),
        judge_says: mean(judge),
        effective_labels: None,
    })
}

struct Powered {
    estimate: stats::Defined<f64>,
    interval: Interval,
    standard_error: stats::Defined<f64>,
    effective_labels: stats::Defined<f64>,
}

/// The adjusted interval and the plain estimate of labelled (label, prediction, cluster) and
/// unlabelled predictions in `[0, 1]`.
fn power(labelled: &[(f64, f64, usize)], unlabelled: &[f64]) -> Result<Powered, InvalidInput> {
    let level = Level::P95;
    let labels: Vec<f64> = labelled.iter().map(|one| one.0).collect();
    let predictions: Vec<f64> = labelled.iter().map(|one| one.1).collect();
    let plain =
        stats::prediction_powered_mean(&labels, &predictions, unlabelled, Power::Tuned, level)?;
    let adjusted = stats::prediction_powered_rate(&labels, &predictions, unlabelled, level)?;
    let lambda = plain.lambda.unwrap_or(0.0);
    let rest: Vec<(f64, usize)> = labelled.iter().map(|(y, f, g)| (y - lambda * f, *g)).collect();
    let interval = cut(widened(adjusted.interval, widening(&rest)?));
    Ok(Powered {
        estimate: adjusted.estimate,
        interval,
        standard_error: plain.standard_error,
        effective_labels: plain.effective_labels,
    })
}

/// How much wider an interval of these values is when clusters are taken into account; 1 without
/// clusters, and never less.
fn widening(values: &[(f64, usize)]) -> Result<f64, InvalidInput> {
    let clusters: BTreeSet<usize> = values.iter().map(|one| one.1).collect();
    if clusters.len() == values.len() {
        return Ok(1.0);
    }
    let numbers: Vec<f64> = values.iter().map(|one| one.0).collect();
    let groups: Vec<usize> = values.iter().map(|one| one.1).collect();
    let half = |interval: stats::Defined<Interval>| {
        interval.ok().map(|interval| (interval.high() - interval.low()) / 2.0)
    };
    let plain = half(stats::mean_interval(&numbers, Level::P95)?.interval);
    let clustered = half(stats::clustered_mean_interval(&numbers, &groups, Level::P95)?.interval);
    Ok(match (plain, clustered) {
        (Some(plain), Some(clustered)) if plain > 0.0 && clustered > 0.0 => {
            (clustered / plain).max(1.0)
        }
        // Equal values or one cluster: each cluster counts as one.
        _ => (values.len() as f64 / clusters.len().max(1) as f64).sqrt(),
    })
}

fn widened(interval: Interval, ratio: f64) -> Interval {
    let middle = interval.low().midpoint(interval.high());
    let half = (interval.high() - interval.low()) / 2.0 * ratio;
    Interval::new(middle - half, middle + half).expect("half a width is not negative")
}

fn cut(interval: Interval) -> Interval {
    Interval::new(interval.low().clamp(0.0, 1.0), interval.high().clamp(0.0, 1.0))
        .expect("clamping keeps the order of finite numbers")
}

fn rogan_gladen(all: &[Unit<'_>], labelled: &[&Unit<'_>]) -> Result<Correction, InvalidInput> {
    let population = effective(all.iter().map(|unit| (unit.judge > 0.5, 1.0, unit.cluster)));
    let side = |human: bool| {
        let ours = labelled.iter().filter(|unit| (unit.human == Some(1.0)) == human);
        effective(
            ours.map(|unit| ((unit.judge > 0.5) == human, 1.0 / unit.probability, unit.cluster)),
        )
    };
    let (passes, fails) = (side(true), side(false));
    let counts = CalibratedCounts {
        positives: population.0,
        total: population.1,
        true_positives: passes.0,
        calibration_positives: passes.1,
        true_negatives: fails.0,
        calibration_negatives: fails.1,
    };
    let found = stats::rogan_gladen(counts, Level::P95)?;
    if found.estimate.is_err() || found.interval.is_err() {
        return Ok(Correction::Not { reason: NotCorrected::NotIdentifiable });
    }
    Ok(Correction::Corrected {
        method: CorrectionMethod::RoganGladen,
        estimate: found.estimate.into(),
        interval: found.interval.into(),
        standard_error: None,
        labels: labelled.len(),
        judged: all.len(),
        judge_says: mean(&all.iter().map(|unit| unit.judge).collect::<Vec<_>>()),
        effective_labels: None,
    })
}

/// Returns how many of how many outputs, as if they were independent and drawn alike: exact where
/// they are, otherwise the effective number (Σw)²/ΣW² with W the weight of a cluster.
fn effective(units: impl Iterator<Item = (bool, f64, usize)>) -> (u64, u64) {
    let (mut right, mut all) = (0.0, 0.0);
    let mut clusters: BTreeMap<usize, f64> = BTreeMap::new();
    for (is_right, weight, cluster) in units {
        all += weight;
        right += if is_right { weight } else { 0.0 };
        *clusters.entry(cluster).or_insert(0.0) += weight;
    }
    let squares: f64 = clusters.values().map(|weight| weight * weight).sum();
    if squares <= 0.0 {
        return (0, 0);
    }
    let of = (all * all / squares + 1e-9).floor();
    (super::share::whole((right / all * of + 0.5).floor().min(of)), super::share::whole(of))
}
