use serde::Serialize;
use values::Interval;

use super::canvas::{Anchor, Canvas, FAINT, LINE, Scale, TEXT, WIDTH, draw, fitted, width_of};
use crate::number::{dollars, dollars_to, fixed, percent};

/// A variant between what it costs and how good it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VariantPoint {
    /// Its name.
    pub name: String,
    /// Its rate on the primary criterion, a share.
    pub rate: f64,
    /// The interval of the rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_interval: Option<Interval>,
    /// The cases that the rate rests on.
    pub cases: usize,
    /// Its mean cost of a case, in dollars.
    pub cost: f64,
    /// The interval of the mean cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_interval: Option<Interval>,
}

const LEFT: i32 = 52;
/// Leaves room for a name beside the dearest variant.
const RIGHT: i32 = WIDTH - 116;
const TOP: i32 = 12;
const BOTTOM: i32 = 240;

pub(crate) fn tradeoff(points: &[VariantPoint]) -> String {
    let ends = |interval: Option<Interval>, value: f64| {
        let [low, high] = interval.map_or([value, value], |one| [one.low(), one.high()]);
        [low, value, high]
    };
    let costs = points.iter().flat_map(|one| ends(one.cost_interval, one.cost));
    let rates = points.iter().flat_map(|one| ends(one.rate_interval, one.rate));
    let most = costs.fold(0.0, f64::max);
    // Where everything is free there is one cost, and a scale of any length has room for it.
    let most = if most > 0.0 { most } else { 1.0 };
    let is_free = points.iter().all(|one| one.cost <= 0.0);
    let across = Scale::new(0.0, most * 1.05, (LEFT, RIGHT));
    let up = Scale::around(rates, (BOTTOM, TOP));
    let described: Vec<String> = points
        .iter()
        .map(|one| format!("{}: {} at {} a case", one.name, percent(one.rate), dollars(one.cost)))
        .collect();
    draw(BOTTOM + 44, "Cost against quality", &described.join("; "), |canvas| {
        let lines = axes(canvas, &across, &up, is_free);
        for one in points {
            let (x, y) = (across.at(one.cost), up.at(one.rate));
            if let Some(interval) = one.rate_interval {
                let (from, to) = (up.at(interval.high()), up.at(interval.low()));
                canvas.rectangle((x, from), (1, to - from), TEXT);
            }
            if let Some(interval) = one.cost_interval {
                canvas.level(y, across.at(interval.low()), across.at(interval.high()), TEXT);
            }
            canvas.disc((x, y), 5, TEXT);
        }
        let mut taken: Vec<Label> = Vec::new();
        for one in points {
            let (x, y) = (across.at(one.cost), up.at(one.rate));
            let ends =
                one.rate_interval.map_or((y, y), |one| (up.at(one.high()), up.at(one.low())));
            taken.push((x - 6, x + 6, y));
            taken.extend((ends.0..=ends.1).step_by(8).map(|y| (x - 2, x + 2, y)));
        }
        for one in points {
            let at = (across.at(one.cost), up.at(one.rate));
            let name = fitted(&one.name, 170);
            let (label, anchor) = place(at, width_of(&name), &taken, &lines);
            let x = if anchor == Anchor::End { label.1 } else { label.0 };
            canvas.text(&name, (x, label.2), anchor, TEXT);
            taken.push(label);
        }
    })
}

/// Draws both axes; returns where the level lines are.
fn axes(canvas: &Canvas<'_>, across: &Scale, up: &Scale, is_free: bool) -> Vec<i32> {
    let marks = up.labelled(5, |mark| format!("{} %", fixed(mark * 100.0, 0)));
    for (y, label) in &marks {
        canvas.level(*y, LEFT, RIGHT, LINE);
        canvas.text(label, (LEFT - 8, *y), Anchor::End, FAINT);
    }
    let mut costs = across.marks(5);
    let step = costs.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    // As many decimals as tell two marks apart, and at least cents.
    let decimals = (2..9).find(|decimals| step * 10f64.powi(*decimals) > 0.99).unwrap_or(9);
    if is_free {
        costs.truncate(1);
    }
    for mark in costs {
        let x = across.at(mark);
        canvas.upright(x, BOTTOM, BOTTOM + 4, FAINT);
        let label = dollars_to(mark, usize::try_from(decimals).unwrap_or(9));
        canvas.text(&label, (x, BOTTOM + 14), Anchor::Middle, FAINT);
    }
    canvas.level(BOTTOM, LEFT, RIGHT, FAINT);
    let middle = i32::midpoint(LEFT, RIGHT);
    canvas.text("mean cost of a case", (middle, BOTTOM + 34), Anchor::Middle, FAINT);
    marks.into_iter().map(|(y, _)| y).collect()
}

/// Where a text stands: its left end, its right end, and its middle line.
type Label = (i32, i32, i32);

/// Returns the place nearest to a point where a label touches nothing, left or right of it.
fn place((x, y): (i32, i32), width: i32, taken: &[Label], lines: &[i32]) -> (Label, Anchor) {
    let is_inside =
        |(from, to, at): &Label| *from >= LEFT && *to <= WIDTH && (8..BOTTOM - 8).contains(at);
    let is_free = |label: &Label| {
        let (from, to, at) = label;
        let touches =
            |(start, end, other): &Label| start < to && from < end && (other - at).abs() < 14;
        is_inside(label) && !taken.iter().any(touches)
    };
    let is_clear =
        |label: &Label| is_free(label) && !lines.iter().any(|line| (line - label.2).abs() < 8);
    let right = |at: i32| ((x + 9, x + 9 + width, at), Anchor::Start);
    let left = |at: i32| ((x - 9 - width, x - 9, at), Anchor::End);
    let heights = (0..20).flat_map(|step| [y - 10 - step * 3, y + 10 + step * 3]);
    let places: Vec<_> = heights.flat_map(|at| [right(at), left(at)]).collect();
    let found = places.iter().find(|(label, _)| is_clear(label));
    let found = found.or_else(|| places.iter().find(|(label, _)| is_free(label)));
    let found = found.or_else(|| places.iter().find(|(label, _)| is_inside(label)));
    found.copied().unwrap_or_else(|| right(y - 10))
}
