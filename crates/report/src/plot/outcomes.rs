use analysis::Square;
use plotters::prelude::RGBColor;

use super::canvas::{Anchor, IMPROVED, NEUTRAL, REGRESSED, SOFT, TEXT, WIDTH, draw, width_of};
use crate::number::{count, counted};

const BAR_TOP: i32 = 4;
const BAR: i32 = 36;
const LINE: i32 = 22;
/// The gap between two parts, so that they differ without their colour.
const GAP: i32 = 2;

pub(crate) fn outcomes(square: &Square) -> String {
    let parts: Vec<(String, usize, RGBColor)> = [
        ("both pass", square.both_pass, NEUTRAL),
        ("▲ fixed", square.fixed, IMPROVED),
        ("same in between", square.mixed, SOFT),
        ("▼ broke", square.broke, REGRESSED),
        ("both fail", square.both_fail, SOFT),
    ]
    .into_iter()
    .filter(|(_, cases, _)| *cases > 0)
    .map(|(word, cases, colour)| (format!("{word} {}", count(cases)), cases, colour))
    .collect();
    let labels = placed(&parts);
    let lines = labels.iter().map(|(_, line)| line + 1).max().unwrap_or(0);
    let height = BAR_TOP + BAR + 12 + lines * LINE;
    let described: Vec<&str> = parts.iter().map(|(label, ..)| label.as_str()).collect();
    let description = format!("Of {}: {}.", counted(square.total(), "case"), described.join(", "));
    draw(height, "What became of the cases", &description, |canvas| {
        let widths = widths(&parts);
        let mut x = 0;
        for ((_, _, colour), width) in parts.iter().zip(&widths) {
            canvas.rectangle((x, BAR_TOP), (*width, BAR), *colour);
            x += width + GAP;
        }
        for ((label, _, colour), (x, line)) in parts.iter().zip(&labels) {
            let y = BAR_TOP + BAR + 12 + line * LINE + LINE / 2 - 4;
            canvas.rectangle((*x, y - 5), (10, 10), *colour);
            canvas.text(label, (x + 16, y), Anchor::Start, TEXT);
        }
    })
}

/// The widths of the parts: in proportion, but no part is too thin to be seen.
#[expect(clippy::cast_possible_truncation, reason = "a width of at most the plot's")]
fn widths(parts: &[(String, usize, RGBColor)]) -> Vec<i32> {
    let gaps = GAP * i32::try_from(parts.len().saturating_sub(1)).unwrap_or(0);
    let room = f64::from(WIDTH - gaps);
    let all: usize = parts.iter().map(|(_, cases, _)| cases).sum();
    let share = |cases: usize| (cases as f64 / all.max(1) as f64 * room).round() as i32;
    let mut widths: Vec<i32> = parts.iter().map(|(_, cases, _)| share(*cases).max(3)).collect();
    let excess = widths.iter().sum::<i32>() - (WIDTH - gaps);
    if let Some(widest) = widths.iter_mut().max() {
        *widest -= excess;
    }
    widths
}

/// Where each label stands: its left end, and its line.
fn placed(parts: &[(String, usize, RGBColor)]) -> Vec<(i32, i32)> {
    let (mut x, mut line) = (0, 0);
    let mut placed = Vec::new();
    for (label, ..) in parts {
        let width = 16 + width_of(label);
        if x > 0 && x + width > WIDTH {
            (x, line) = (0, line + 1);
        }
        placed.push((x, line));
        x += width + 16;
    }
    placed
}
