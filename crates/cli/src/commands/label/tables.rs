//! Labels as tables.

use app::{CriterionLabels, LabelItem, LabelStats, Overlap};
use values::Interval;

use crate::diagnostics::{counted, printable};
use crate::output::BOLD;
use crate::table::{self, Align};

/// Shows what is to be labelled.
pub(super) fn queue(items: &[LabelItem]) -> String {
    if items.is_empty() {
        return "Nothing is left to label here.\n".to_owned();
    }
    let head = [
        ("case", Align::Left),
        ("outputs", Align::Right),
        ("probability", Align::Right),
        ("deferred", Align::Left),
    ];
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            vec![
                printable(&item.case),
                item.shown.len().to_string(),
                item.probability.map_or_else(|| "hunt".to_owned(), |share| format!("{share:.3}")),
                if item.deferred { "yes" } else { "" }.to_owned(),
            ]
        })
        .collect();
    table::render(&head, &rows)
}

/// Shows who labelled what, and who agrees.
pub(super) fn stats(stats: &LabelStats) -> String {
    let name = printable(&stats.eval_set);
    if stats.criteria.is_empty() {
        return format!("{name} has no labels yet. Start with: trysquare label {name}\n");
    }
    let parts: Vec<_> = stats.criteria.iter().map(criterion).collect();
    format!("{BOLD}{name}{BOLD:#}\n{}", parts.join("\n"))
}

fn criterion(found: &CriterionLabels) -> String {
    let mut out = format!(
        "{BOLD}{}{BOLD:#}: {} decided, {} adjudicated, {}, {}\n{} drawn at random, {} otherwise\n\n",
        printable(&found.criterion),
        found.decided,
        found.adjudicated,
        counted(found.conflicts, "conflict"),
        counted(found.outdated, "outdated label"),
        counted(found.drawn_at_random, "label"),
        found.drawn_otherwise,
    );
    let head = [
        ("labeller", Align::Left),
        ("labels", Align::Right),
        ("values", Align::Left),
        ("deferred", Align::Right),
        ("pass rate", Align::Left),
    ];
    let rows: Vec<Vec<String>> = found
        .labellers
        .iter()
        .map(|one| {
            let values: Vec<_> =
                one.values.iter().map(|(value, n)| format!("{n} {}", printable(value))).collect();
            let rate = one.pass_rate.zip(one.pass_interval);
            vec![
                printable(&one.labeller),
                one.labels.to_string(),
                values.join(", "),
                one.deferred.to_string(),
                rate.map_or_else(String::new, |(rate, interval)| percent(rate, interval)),
            ]
        })
        .collect();
    out += &table::render(&head, &rows);
    if !found.overlaps.is_empty() {
        out.push('\n');
        out += &overlaps(&found.overlaps);
        if found.pairs > found.overlaps.len() {
            let (shown, all) = (found.overlaps.len(), found.pairs);
            out += &format!("{shown} of {all} pairs of people, those with the most in common\n");
        }
    }
    out
}

fn overlaps(overlaps: &[Overlap]) -> String {
    let head = [
        ("both labelled", Align::Left),
        ("n", Align::Right),
        ("agree", Align::Right),
        ("kappa", Align::Left),
        ("AC1", Align::Left),
    ];
    let rows: Vec<Vec<String>> = overlaps
        .iter()
        .map(|one| {
            vec![
                format!("{} and {}", printable(&one.a), printable(&one.b)),
                one.items.to_string(),
                one.agreement.map_or_else(undefined, |share| format!("{:.1} %", share * 100.0)),
                coefficient(one.kappa, one.kappa_interval),
                coefficient(one.ac1, one.ac1_interval),
            ]
        })
        .collect();
    table::render(&head, &rows)
}

fn percent(share: f64, interval: Interval) -> String {
    let (low, high) = (interval.low() * 100.0, interval.high() * 100.0);
    format!("{:.1} % · {low:.0}–{high:.0}", share * 100.0)
}

fn coefficient(value: Option<f64>, interval: Option<Interval>) -> String {
    match (value, interval) {
        (Some(value), Some(interval)) => {
            // Neither coefficient can be above 1 or below -1, though an interval around it may reach.
            let (low, high) = (interval.low().max(-1.0), interval.high().min(1.0));
            format!("{value:.2} ({low:.2} to {high:.2})")
        }
        (Some(value), None) => format!("{value:.2}"),
        (None, _) => undefined(),
    }
}

fn undefined() -> String {
    "undefined".to_owned()
}
