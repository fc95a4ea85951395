use analysis::Verdict;
use values::Interval;

use super::canvas::{Anchor, FAINT, IMPROVED, LINE, REGRESSED, Scale, TEXT, draw, fitted};
use crate::number::{fixed, plain_points, point_range, points, signed};

/// A line of a forest plot.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestRow {
    /// The criterion or slice.
    pub label: String,
    /// Whether it is part of the row before it that is not indented: a slice of a criterion.
    pub is_slice: bool,
    /// Candidate minus baseline, in shares; `None` if it is not known.
    pub difference: Option<f64>,
    /// Its interval; `None` if there is none.
    pub interval: Option<Interval>,
    /// The number of pairs.
    pub cases: usize,
    /// The verdict; `None` where there is none.
    pub verdict: Option<Verdict>,
    /// Whether it is the opinion of a judge that nobody has calibrated; it then has no colour.
    pub is_opinion: bool,
}

const LEFT: i32 = 132;
const RIGHT: i32 = 296;
const ROW: i32 = 42;
const TOP: i32 = 12;

pub(crate) fn forest(rows: &[ForestRow], margin: Option<f64>) -> String {
    let count = i32::try_from(rows.len()).unwrap_or(i32::MAX / ROW - 4);
    let bottom = TOP + count * ROW;
    let ends = rows.iter().filter_map(|row| row.interval).flat_map(|one| [one.low(), one.high()]);
    let estimates = rows.iter().filter_map(|row| row.difference);
    let values = ends.chain(estimates).chain([0.0]).chain(margin.map(|margin| -margin));
    let scale = Scale::around(values, (LEFT, RIGHT));
    draw(bottom + 44, "Difference by criterion", &description(rows, margin), |canvas| {
        for (x, label) in scale.labelled(6, |mark| signed(mark * 100.0, 0)) {
            canvas.upright(x, TOP, bottom, LINE);
            canvas.text(&label, (x, bottom + 12), Anchor::Middle, FAINT);
        }
        if let Some(margin) = margin {
            canvas.dashed(scale.at(-margin), TOP - 6, bottom, FAINT);
        }
        canvas.upright(scale.at(0.0), TOP - 6, bottom, TEXT);
        canvas.level(bottom, LEFT, RIGHT, LINE);
        let axis = margin.map_or("points".to_owned(), |margin| {
            format!("points; dashed: margin of {}", plain_points(margin))
        });
        canvas.text(&axis, (i32::midpoint(LEFT, RIGHT), bottom + 32), Anchor::Middle, FAINT);
        for (row, place) in rows.iter().zip(0..) {
            let y = TOP + place * ROW + ROW / 2;
            let indent = if row.is_slice { 12 } else { 0 };
            let label = fitted(&row.label, LEFT - 12 - indent);
            canvas.text(&label, (indent, y - 8), Anchor::Start, TEXT);
            let opinion = if row.is_opinion { " · not trusted" } else { "" };
            let cases = format!("n {}{opinion}", crate::number::count(row.cases));
            canvas.text(&cases, (indent, y + 8), Anchor::Start, FAINT);
            let colour = match row.verdict.filter(|_| !row.is_opinion) {
                Some(Verdict::Better) => IMPROVED,
                Some(Verdict::Worse | Verdict::WorseWithinMargin) => REGRESSED,
                Some(Verdict::NoWorse | Verdict::NotEnough) | None => TEXT,
            };
            if let Some(interval) = row.interval {
                let (from, to) = (scale.at(interval.low()), scale.at(interval.high()));
                canvas.rectangle((from, y - 1), ((to - from).max(1), 2), colour);
                canvas.rectangle((from, y - 4), (1, 8), colour);
                canvas.rectangle((to - 1, y - 4), (1, 8), colour);
            }
            if let Some(difference) = row.difference {
                canvas.rectangle((scale.at(difference) - 4, y - 4), (8, 8), colour);
            }
            let (first, second) = words(row);
            canvas.text(&first, (RIGHT + 10, y - 8), Anchor::Start, colour);
            canvas.text(&second, (RIGHT + 10, y + 8), Anchor::Start, FAINT);
        }
    })
}

/// What stands beside a row.
fn words(row: &ForestRow) -> (String, String) {
    let Some(difference) = row.difference else {
        return ("no verdict".to_owned(), String::new());
    };
    let range = row.interval.map_or("no interval".to_owned(), point_range);
    (points(difference), range)
}

fn description(rows: &[ForestRow], margin: Option<f64>) -> String {
    let row = |row: &ForestRow| match (row.difference, row.interval) {
        (Some(difference), Some(interval)) => {
            format!("{}: {} points ({})", row.label, points(difference), point_range(interval))
        }
        (Some(difference), None) => format!("{}: {} points", row.label, points(difference)),
        (None, _) => format!("{}: no verdict", row.label),
    };
    let margin = margin.map_or(String::new(), |margin| {
        format!(" The margin is a loss of {} points.", fixed(margin * 100.0, 1))
    });
    format!("{}.{margin}", rows.iter().map(row).collect::<Vec<_>>().join("; "))
}
