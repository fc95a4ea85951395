use analysis::calibration::ReliabilityBin;

use super::canvas::{Anchor, FAINT, IMPROVED, LINE, Scale, TEXT, draw};
use crate::number::{counted, percent};

const SIDE: i32 = 240;
const LEFT: i32 = 60;
const TOP: i32 = 8;

/// Draws the share that people pass against the probability that the judge gives, bin by bin; the
/// diagonal is a judge whose probabilities come true.
pub(crate) fn reliability(bins: &[ReliabilityBin]) -> String {
    let told: Vec<String> = bins
        .iter()
        .map(|bin| {
            let items = counted(bin.items, "output");
            format!("{items} at {}: {}", percent(bin.probability), percent(bin.passes))
        })
        .collect();
    let description =
        format!("Share that people pass, by the judge's probability. {}.", told.join("; "));
    draw(SIDE + TOP + 44, "Reliability", &description, |canvas| {
        let across = Scale::new(0.0, 1.0, (LEFT, LEFT + SIDE));
        let up = Scale::new(0.0, 1.0, (TOP + SIDE, TOP));
        for mark in [0.0, 0.5, 1.0] {
            canvas.level(up.at(mark), LEFT, LEFT + SIDE, LINE);
            canvas.upright(across.at(mark), TOP, TOP + SIDE, LINE);
            let label = percent(mark);
            canvas.text(&label, (LEFT - 6, up.at(mark)), Anchor::End, FAINT);
            canvas.text(&label, (across.at(mark), TOP + SIDE + 12), Anchor::Middle, FAINT);
        }
        canvas.path(vec![(LEFT, TOP + SIDE), (LEFT + SIDE, TOP)], 1, FAINT);
        let points: Vec<(i32, i32)> =
            bins.iter().map(|bin| (across.at(bin.probability), up.at(bin.passes))).collect();
        if points.len() > 1 {
            canvas.path(points.clone(), 2, IMPROVED);
        }
        for point in points {
            canvas.disc(point, 4, IMPROVED);
        }
        let below = (LEFT + SIDE / 2, TOP + SIDE + 32);
        canvas.text("probability that the judge gives", below, Anchor::Middle, TEXT);
    })
}
