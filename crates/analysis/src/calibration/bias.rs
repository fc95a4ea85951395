use evalset::{LabelValue, Preference};
use serde::Serialize;
use stats::{InvalidInput, Level};
use values::Interval;

use super::agreement::{Agreement, agreement};
use super::item::{Classes, JudgedItem};
use super::measured::Measured;
use super::share::{Counted, Share, share};
use crate::estimate::Estimate;
use crate::pairs::{self, BothOrders, SwapFinding};

/// What sways a judge besides quality.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Biases {
    /// Whether it follows length, where lengths are known.
    pub length: Option<LengthFinding>,
    /// Whether the order of a pair decides, where both orders were asked.
    pub position: Option<PositionFinding>,
    /// Whether it favours its own family, where outputs of it and of others are labelled.
    pub own_family: Option<FamilyFinding>,
}

/// Whether a judge follows length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LengthFinding {
    /// The outputs of known length.
    pub items: usize,
    /// The rank correlation of the judge's values and length.
    pub judge: Estimate<f64>,
    /// That of people's values and length: longer may be better.
    pub human: Estimate<f64>,
    /// The judge's given people's; only this is a sign of bias.
    pub partial: Estimate<f64>,
    /// Its two-sided p-value.
    pub p_value: Estimate<f64>,
}

/// Whether the order of a pair decides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PositionFinding {
    /// What both orders show without people.
    #[serde(flatten)]
    pub swap: SwapFinding,
    /// The judge with a shown first, against people.
    pub a_first: OrderFinding,
    /// The judge with b shown first, against people.
    pub b_first: OrderFinding,
    /// The two orders against each other, over the pairs that people decided.
    pub between: Agreement,
}

/// What a judge says of pairs in one order, against what people decided.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OrderFinding {
    /// How often it says what people decided.
    pub right: Share,
    /// How far they agree.
    pub agreement: Agreement,
}

/// Whether a judge favours its own family.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FamilyFinding {
    /// The outputs of its own family.
    pub own: usize,
    /// Those of others.
    pub others: usize,
    /// The mean of judge − human over its own, minus that over the others.
    pub difference: Estimate<f64>,
    /// Its two-sided 95 % interval.
    pub interval: Estimate<Interval>,
    /// Its two-sided p-value.
    pub p_value: Estimate<f64>,
}

pub(super) fn biases(
    classes: &Classes,
    measured: &[Measured<'_>],
    labelled: &[&JudgedItem],
    seed: u64,
) -> Result<Biases, InvalidInput> {
    Ok(Biases {
        length: length(measured)?,
        position: position(classes, measured, labelled, seed)?,
        own_family: own_family(measured)?,
    })
}

fn length(measured: &[Measured<'_>]) -> Result<Option<LengthFinding>, InvalidInput> {
    let (mut judge, mut human, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    for one in measured {
        if let (Some(length), Some((by_people, by_judge))) = (one.item.length, one.numbers) {
            judge.push(by_judge);
            human.push(by_people);
            lengths.push(length as f64);
        }
    }
    if lengths.is_empty() {
        return Ok(None);
    }
    let found = stats::length_bias(&judge, &human, &lengths)?;
    Ok(Some(LengthFinding {
        items: lengths.len(),
        judge: found.rater_length.into(),
        human: found.human_length.into(),
        partial: found.partial.into(),
        p_value: found.partial_p.into(),
    }))
}

fn position(
    classes: &Classes,
    measured: &[Measured<'_>],
    labelled: &[&JudgedItem],
    seed: u64,
) -> Result<Option<PositionFinding>, InvalidInput> {
    let orders = labelled.iter().filter_map(|item| item.orders);
    let both = |(a_first, b_first)| BothOrders { a_first: Some(a_first), b_first: Some(b_first) };
    let Some(swap) = pairs::position(&orders.map(both).collect::<Vec<_>>())? else {
        return Ok(None);
    };
    Ok(Some(PositionFinding {
        swap,
        a_first: order(classes, measured, seed, |orders| orders.0)?,
        b_first: order(classes, measured, seed, |orders| orders.1)?,
        between: between(classes, measured, seed)?,
    }))
}

fn order(
    classes: &Classes,
    measured: &[Measured<'_>],
    seed: u64,
    shown: impl Fn((Preference, Preference)) -> Preference,
) -> Result<OrderFinding, InvalidInput> {
    let (mut counted, mut people, mut judge) = (Vec::new(), Vec::new(), Vec::new());
    for one in measured {
        let said = one.item.orders.and_then(|orders| class(classes, shown(orders)));
        let Some(said) = said else { continue };
        let (weight, cluster) = (one.weight, one.cluster);
        counted.push(Counted { right: said == one.human, weight, cluster });
        people.push(one.human);
        judge.push(said);
    }
    Ok(OrderFinding {
        right: share(&counted)?,
        agreement: agreement(classes, &people, &judge, seed)?,
    })
}

fn between(
    classes: &Classes,
    measured: &[Measured<'_>],
    seed: u64,
) -> Result<Agreement, InvalidInput> {
    let both = measured.iter().filter_map(|one| {
        let (a_first, b_first) = one.item.orders?;
        class(classes, a_first).zip(class(classes, b_first))
    });
    let (a_first, b_first): (Vec<usize>, Vec<usize>) = both.unzip();
    agreement(classes, &a_first, &b_first, seed)
}

fn class(classes: &Classes, preference: Preference) -> Option<usize> {
    classes.class(&LabelValue::Prefers(preference))
}

fn own_family(measured: &[Measured<'_>]) -> Result<Option<FamilyFinding>, InvalidInput> {
    let of = |own: bool| -> (Vec<f64>, Vec<f64>) {
        let ours = measured.iter().filter(|one| one.item.own_family == Some(own));
        ours.filter_map(|one| one.numbers).unzip()
    };
    let (human_own, judge_own) = of(true);
    let (human_other, judge_other) = of(false);
    if human_own.is_empty() || human_other.is_empty() {
        return Ok(None);
    }
    let level = Level::P95;
    let found = stats::self_preference(&judge_own, &human_own, &judge_other, &human_other, level)?;
    Ok(Some(FamilyFinding {
        own: human_own.len(),
        others: human_other.len(),
        difference: found.test.difference.into(),
        interval: found.test.interval.into(),
        p_value: found.test.p_value.into(),
    }))
}
