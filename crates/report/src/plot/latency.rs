use serde::Serialize;

use super::canvas::{Anchor, FAINT, LINE, NEUTRAL, Scale, TEXT, WIDTH, draw, fitted};
use crate::number::{counted, duration, short_duration};

/// The distribution of latencies: every percentile from 0 to 100.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LatencyShape {
    /// 101 latencies in milliseconds, ascending: the least, the 1st percentile, … the greatest.
    pub percentiles_ms: Vec<f64>,
    /// How many latencies they sum up.
    pub outputs: usize,
}

impl LatencyShape {
    /// Sums up latencies; `None` without any.
    pub fn of(latencies_ms: &[f64]) -> Option<Self> {
        let probabilities: Vec<f64> = (0..=100).map(|percent| f64::from(percent) / 100.0).collect();
        let found = stats::quantiles(latencies_ms, &probabilities).ok()?.ok()?;
        Some(Self { percentiles_ms: found.linear, outputs: latencies_ms.len() })
    }

    fn percentile(&self, percent: usize) -> f64 {
        self.percentiles_ms.get(percent).copied().unwrap_or_default()
    }
}

const LEFT: i32 = 44;
const TOP: i32 = 40;
const BOTTOM: i32 = 200;
/// Above this ratio of the slowest to the fastest, equal steps are equal factors.
const WIDE: f64 = 20.0;

pub(crate) fn latency(baseline: (&str, &LatencyShape), candidate: (&str, &LatencyShape)) -> String {
    let sides = [(baseline, NEUTRAL), (candidate, TEXT)];
    let ends = || sides.iter().flat_map(|((_, one), _)| [one.percentile(0), one.percentile(100)]);
    let least = ends().fold(f64::INFINITY, f64::min).max(1.0);
    let most = ends().fold(1.0, f64::max);
    let is_wide = most / least > WIDE;
    let on = |ms: f64| if is_wide { ms.max(1.0).log10() } else { ms };
    let from = if is_wide { on(least) } else { 0.0 };
    let across = Scale::new(from, on(most).max(from + 1e-6) * 1.02, (LEFT, WIDTH - 12));
    let up = Scale::new(0.0, 100.0, (BOTTOM, TOP));
    let described = sides.map(|((name, one), _)| {
        let (p50, p95) = (duration(one.percentile(50)), duration(one.percentile(95)));
        format!("{name}: p50 {p50}, p95 {p95}, {}", counted(one.outputs, "output"))
    });
    draw(BOTTOM + 44, "Latency", &described.join("; "), |canvas| {
        for percent in [0, 50, 95] {
            let y = up.at(f64::from(percent));
            canvas.level(y, LEFT, WIDTH - 12, if percent == 0 { FAINT } else { LINE });
            canvas.text(&format!("{percent} %"), (LEFT - 8, y), Anchor::End, FAINT);
        }
        let marks = if is_wide { decades(least, most) } else { across.marks(7) };
        for mark in marks {
            let x = across.at(on(mark));
            canvas.upright(x, BOTTOM, BOTTOM + 4, FAINT);
            canvas.text(&short_duration(mark), (x, BOTTOM + 14), Anchor::Middle, FAINT);
        }
        let scale = if is_wide { "answered within (steps are factors)" } else { "answered within" };
        canvas.text(scale, (i32::midpoint(LEFT, WIDTH), BOTTOM + 34), Anchor::Middle, FAINT);
        for (((name, one), colour), line) in sides.into_iter().zip(0..) {
            let points: Vec<(i32, i32)> = one
                .percentiles_ms
                .iter()
                .zip(0u32..)
                .map(|(ms, percent)| (across.at(on(*ms)), up.at(f64::from(percent))))
                .collect();
            canvas.path(points, 2, colour);
            for percent in [50, 95] {
                let x = across.at(on(one.percentile(percent)));
                canvas.disc((x, up.at(percent as f64)), 4, colour);
            }
            let (p50, p95) = (duration(one.percentile(50)), duration(one.percentile(95)));
            let y = 8 + line * 18;
            canvas.rectangle((LEFT, y - 1), (16, 3), colour);
            let label = format!("{} · p50 {p50} · p95 {p95}", fitted(name, 150));
            canvas.text(&label, (LEFT + 24, y), Anchor::Start, TEXT);
        }
    })
}

/// Round marks on a scale of factors: 1, 2 and 5 of each power of ten, fewer of a wide range.
fn decades(least: f64, most: f64) -> Vec<f64> {
    let steps: &[f64] = if most / least > 1_000.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let powers = (0..10).map(|power| 10f64.powi(power));
    powers
        .flat_map(|power| steps.iter().map(move |step| step * power))
        .filter(|mark| (least..=most).contains(mark))
        .collect()
}
