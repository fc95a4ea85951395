use super::canvas::{Anchor, FAINT, LINE, NEUTRAL, Scale, TEXT, WIDTH, draw, fitted};
use crate::number::{count, counted};

/// How many cases have a mean score in each tenth of the scale.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ScoreHistogram {
    /// The cases in 0 to 0.1, 0.1 to 0.2 and so on; 1 is in the last.
    pub bins: [usize; 10],
}

impl ScoreHistogram {
    /// Counts mean scores, shares in 0..=1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the nearest bin of ten is meant"
    )]
    pub fn of(means: impl Iterator<Item = f64>) -> Self {
        let mut bins = [0; 10];
        for mean in means {
            // Sums of doubles differ in their last digits; 3 tenths belong to the bin that they begin.
            bins[((mean * 10.0 + 1e-9) as usize).min(9)] += 1;
        }
        Self { bins }
    }
}

const LEFT: i32 = 8;
const PANEL: i32 = 84;
const HEAD: i32 = 30;

pub(crate) fn scores(
    criterion: &str,
    baseline: (&str, &ScoreHistogram),
    candidate: (&str, &ScoreHistogram),
) -> String {
    let panels = [(baseline, NEUTRAL), (candidate, TEXT)];
    let bottom = 2 * (HEAD + PANEL);
    let tallest = panels.iter().flat_map(|((_, one), _)| one.bins).max().unwrap_or(0).max(1);
    let across = Scale::new(0.0, 1.0, (LEFT, WIDTH - LEFT));
    let title = format!("Case scores on {criterion}");
    let described = panels.map(|((name, one), _)| {
        let bins: Vec<String> = one.bins.iter().map(ToString::to_string).collect();
        format!("{name}, cases by tenths of the score: {}", bins.join(", "))
    });
    draw(bottom + 44, &title, &described.join(". "), |canvas| {
        let mut top = 0;
        for ((name, one), colour) in panels {
            let base = top + HEAD + PANEL;
            let cases: usize = one.bins.iter().sum();
            let head = format!("{} · {}", fitted(name, WIDTH - 120), counted(cases, "case"));
            canvas.text(&head, (LEFT, top + 14), Anchor::Start, TEXT);
            let up = Scale::new(0.0, tallest as f64, (base, top + HEAD + 16));
            for (bin, cases) in one.bins.iter().enumerate().filter(|(_, cases)| **cases > 0) {
                let edge = |tenth: usize| across.at(tenth as f64 / 10.0);
                let (from, to) = (edge(bin) + 1, edge(bin + 1) - 1);
                let y = up.at(*cases as f64);
                canvas.rectangle((from, y), (to - from, base - y), colour);
                let middle = i32::midpoint(from, to);
                canvas.text(&count(*cases), (middle, y - 8), Anchor::Middle, FAINT);
            }
            canvas.level(base, LEFT, WIDTH - LEFT, LINE);
            top = base;
        }
        for (x, label) in across.labelled(6, |mark| format!("{mark:.1}")) {
            let anchor = if x < 30 { Anchor::Start } else { Anchor::Middle };
            let x = x.min(WIDTH - 12);
            canvas.text(&label, (x, bottom + 12), anchor, FAINT);
        }
        canvas.text("mean score of a case", (WIDTH / 2, bottom + 32), Anchor::Middle, FAINT);
    })
}
