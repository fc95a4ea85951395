use std::collections::HashMap;

use evalset::{LabelValue, Reference, Split};
use serde::Serialize;

use super::item::{Classes, Draw, JudgeAnswer, JudgedItem, Scale, number};

/// The labelled outputs that no figure counts, each under the first reason that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LeftOut {
    /// They belong to another split.
    pub other_split: usize,
    /// The case or the rubric has changed since.
    pub outdated: usize,
    /// They were chosen, not drawn.
    pub hunt: usize,
    /// Nobody knows how they were drawn.
    pub unknown_draw: usize,
    /// People disagree, and nobody decided between them.
    pub conflict: usize,
    /// The judge was not asked.
    pub not_asked: usize,
    /// The judge's reply could not be parsed.
    pub unreadable: usize,
    /// The judge's call failed.
    pub errors: usize,
    /// What the judge or a person said is no value of the criterion.
    pub no_value: usize,
}

/// An output that people and the judge decided.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured<'a> {
    pub(super) item: &'a JudgedItem,
    /// People's class and the judge's.
    pub(super) human: usize,
    pub(super) judge: usize,
    /// Whether people pass it and whether the judge does, where the scale says so of both.
    pub(super) passes: Option<(bool, bool)>,
    /// Both as numbers, where classes have an order.
    pub(super) numbers: Option<(f64, f64)>,
    pub(super) weight: f64,
    pub(super) cluster: usize,
}

/// What takes part, and what does not.
pub(super) struct Gathered<'a> {
    pub(super) classes: Classes,
    pub(super) measured: Vec<Measured<'a>>,
    /// Everything of the split that chance drew and that is not outdated, whatever people and the
    /// judge made of it: agreement between people needs no reference and no judge.
    pub(super) labelled: Vec<&'a JudgedItem>,
    pub(super) left_out: LeftOut,
}

pub(super) fn gather<'a>(scale: &Scale, split: Split, items: &'a [JudgedItem]) -> Gathered<'a> {
    let mut left_out = LeftOut::default();
    let mut labelled = Vec::new();
    let mut weights = Vec::new();
    for item in items.iter().filter(|item| is_labelled(item)) {
        let weight = item.weight();
        let count = match (item.split == split, item.outdated, item.draw, weight) {
            (false, ..) => &mut left_out.other_split,
            (_, true, ..) => &mut left_out.outdated,
            (_, _, Draw::Hunt, _) => &mut left_out.hunt,
            (.., Some(weight)) => {
                labelled.push(item);
                weights.push(weight);
                continue;
            }
            (.., None) => &mut left_out.unknown_draw,
        };
        *count += 1;
    }
    let decided = labelled.iter().flat_map(|item| {
        let people = item.labels.iter().map(|(_, value)| value);
        people.chain(item.reference.value()).chain(answer(&item.judge))
    });
    let classes = Classes::of(scale, decided);
    let clusters = numbered(&labelled);
    let mut measured = Vec::with_capacity(labelled.len());
    for ((item, weight), cluster) in labelled.iter().zip(weights).zip(clusters) {
        match measure(scale, &classes, item) {
            Ok(found) => measured.push(Measured { weight, cluster, ..found }),
            Err(why) => *why.of(&mut left_out) += 1,
        }
    }
    Gathered { classes, measured, labelled, left_out }
}

fn is_labelled(item: &JudgedItem) -> bool {
    item.reference != Reference::Unlabelled
}

pub(super) fn answer(answer: &JudgeAnswer) -> Option<&LabelValue> {
    match answer {
        JudgeAnswer::Decided(value) => Some(value),
        JudgeAnswer::Unreadable | JudgeAnswer::Error | JudgeAnswer::NotAsked => None,
    }
}

enum Why {
    Conflict,
    NotAsked,
    Unreadable,
    Error,
    NoValue,
}

impl Why {
    fn of(self, left_out: &mut LeftOut) -> &mut usize {
        match self {
            Self::Conflict => &mut left_out.conflict,
            Self::NotAsked => &mut left_out.not_asked,
            Self::Unreadable => &mut left_out.unreadable,
            Self::Error => &mut left_out.errors,
            Self::NoValue => &mut left_out.no_value,
        }
    }
}

fn measure<'a>(
    scale: &Scale,
    classes: &Classes,
    item: &'a JudgedItem,
) -> Result<Measured<'a>, Why> {
    let human = item.reference.value().ok_or(Why::Conflict)?;
    let judge = match &item.judge {
        JudgeAnswer::Decided(value) => value,
        JudgeAnswer::Unreadable => return Err(Why::Unreadable),
        JudgeAnswer::Error => return Err(Why::Error),
        JudgeAnswer::NotAsked => return Err(Why::NotAsked),
    };
    Ok(Measured {
        item,
        human: classes.class(human).ok_or(Why::NoValue)?,
        judge: classes.class(judge).ok_or(Why::NoValue)?,
        passes: scale.passes(human).zip(scale.passes(judge)),
        numbers: number(human).zip(number(judge)),
        weight: 1.0,
        cluster: 0,
    })
}

/// Numbers the clusters of outputs. Outputs of one case belong together, whatever else they share.
pub(super) fn numbered(items: &[&JudgedItem]) -> Vec<usize> {
    let mut numbers: HashMap<(bool, &str), usize> = HashMap::new();
    items
        .iter()
        .map(|item| {
            let own = (false, item.case.as_str());
            let key = item.cluster.as_deref().map_or(own, |name| (true, name));
            let next = numbers.len();
            *numbers.entry(key).or_insert(next)
        })
        .collect()
}
