//! What a run owes to judges, and what it waits for.

use app::{JudgesBill, RunView, ScoreSource};
use serde_json::{Value, json};

use crate::diagnostics::{counted, printable};
use crate::output::FAINT;

/// One line for each version of a judge: who judged, and what that took apart from the table above.
pub(super) fn bill(bills: &[JudgesBill]) -> String {
    let mut out = String::new();
    for bill in bills.iter().filter(|bill| bill.replies > 0) {
        let live = bill.replies.saturating_sub(bill.not_live);
        let cost = match bill.cost_unknown {
            0 => bill.cost.to_string(),
            unknown if unknown == live => "unknown".to_owned(),
            unknown => format!("{} + {unknown} unknown", bill.cost),
        };
        let version = bill.version.as_deref().map_or(String::new(), |text| format!(" {text}"));
        let replies = usize::try_from(bill.replies).unwrap_or(usize::MAX);
        let replies =
            if replies == 1 { "1 reply".to_owned() } else { format!("{replies} replies") };
        out += &format!(
            "{FAINT}judge{FAINT:#} {}{version} on {}: {replies}, {cost} on top\n",
            printable(&bill.judge),
            printable(&bill.answers),
        );
    }
    out
}

/// The head of the column of cells that nothing decided.
pub(super) fn undecided(view: &RunView) -> &'static str {
    match view.waiting.as_ref().map(|waiting| waiting.by) {
        Some(ScoreSource::Judge) => "not judged yet",
        Some(ScoreSource::Human) => "not labelled",
        Some(ScoreSource::Code) | None => score::Status::NoChecks.word(),
    }
}

/// The commands that decide what nothing has decided, each with what it does.
pub(super) fn steps(view: &RunView, run: &str) -> Vec<(String, String)> {
    let Some(waiting) = &view.waiting else { return Vec::new() };
    let set = printable(&view.header.eval_set);
    let cells = usize::try_from(view.summary.tally.counts.no_checks).unwrap_or(usize::MAX);
    match waiting.by {
        ScoreSource::Judge => waiting
            .judges
            .iter()
            .map(|judge| {
                let judge = printable(judge);
                let why = format!("have {judge} judge {}", counted(cells, "cell"));
                (format!("trysquare score {run} --judge {judge}"), why)
            })
            .collect(),
        ScoreSource::Human => {
            let why = format!("decide {} by hand", printable(&waiting.criterion));
            vec![(format!("trysquare label {set}"), why)]
        }
        ScoreSource::Code => Vec::new(),
    }
}

/// The same for programs.
pub(super) fn as_json(view: &RunView) -> (Value, Value) {
    let bills = view.judges.iter().map(|bill| {
        json!({
            "judge": bill.judge,
            "answers": bill.answers,
            "version": bill.version,
            "replies": bill.replies,
            "replies_not_live": bill.not_live,
            "cost_nano_dollars": bill.cost,
            "cost_unknown": bill.cost_unknown,
        })
    });
    (bills.collect(), json!(view.waiting))
}
