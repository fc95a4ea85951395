//! `trysquare baseline`: what is approved, and approving the results of a run.

use app::{AcceptRequest, Accepted, AppError, BaselineView, CriterionCounts};

use super::Context;
use crate::args::Baseline;
use crate::diagnostics::{counted, printable};
use crate::exit::Exit;
use crate::output::{BOLD, FAINT};
use crate::table::{self, Align};

/// Accepts results, or shows what is approved.
pub(crate) fn baseline(context: &Context<'_>, command: Baseline) -> Result<Exit, AppError> {
    let (app, folder, output) = (&context.app, context.folder(), context.output);
    match command {
        Baseline::Accept { run, variant, override_reason } => {
            let run = app.find_run(folder, &run)?;
            let request = AcceptRequest { run, variant, override_reason };
            output.one(&app.accept_baseline(folder, &request)?, accepted);
        }
        Baseline::Show { set } => output.many(&app.baselines(folder, set.as_deref())?, shown),
    }
    Ok(Exit::Complete)
}

fn accepted(accepted: &Accepted) -> String {
    let first = if accepted.is_first { ", the first baseline of this set" } else { "" };
    let mut out = format!(
        "accepted {BOLD}{}{BOLD:#} on {}{first}\nwrote {}\n",
        printable(&accepted.variant),
        counted(accepted.cases, "case"),
        printable(&accepted.file.to_string_lossy()),
    );
    if accepted.outputs_added > 0 {
        let file = accepted.file.with_file_name("outputs.jsonl");
        let added = counted(accepted.outputs_added, "output");
        out += &format!("wrote {} ({added} added)\n", printable(&file.to_string_lossy()));
    }
    for overrode in &accepted.overrode {
        out += &format!("overridden: {}\n", printable(overrode));
    }
    out + "\nReview it with `git diff`, and commit it: a gate compares with it, and a pin needs it committed.\n"
}

fn shown(baselines: &[BaselineView]) -> String {
    if baselines.is_empty() {
        return "No baseline yet. Accept a run with: trysquare baseline accept RUN\n".to_owned();
    }
    baselines.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn one(view: &BaselineView) -> String {
    let name = printable(&view.eval_set);
    let mut out = format!("{BOLD}{name}{BOLD:#}\n");
    let prompt = view
        .prompt
        .as_ref()
        .zip(view.version)
        .map(|(prompt, version)| format!("{} {}", printable(prompt), version.short()));
    let replayed = view.replayed.then(|| match &view.recorded_at {
        Some(date) => format!("yes, recorded until {date}"),
        None => "yes".to_owned(),
    });
    let samples = if view.samples == 1 {
        view.cases.to_string()
    } else {
        format!("{} × {} samples", view.cases, view.samples)
    };
    let facts = [
        ("variant", Some(printable(&view.variant))),
        ("prompt", prompt),
        ("answers by", Some(printable(&view.answers))),
        ("accepted", Some(view.accepted.to_string())),
        ("run", Some(view.run.to_string())),
        ("replayed", replayed),
        ("cases", Some(samples)),
        ("overridden", view.override_reason.as_deref().map(printable)),
    ];
    for (fact, value) in facts {
        if let Some(value) = value {
            out += &format!("{FAINT}{fact:<11}{FAINT:#}  {value}\n");
        }
    }
    for overrode in &view.overrode {
        out += &format!("{:<11}  although {}\n", "", printable(overrode));
    }
    for change in &view.changes {
        let was = change.was.as_deref().unwrap_or("not set");
        let is = change.is.as_deref().unwrap_or("gone");
        out +=
            &format!("the gate changed since: {} was {was} and is {is}\n", printable(&change.key));
    }
    out += "\n";
    out + &criteria(&view.criteria)
}

fn criteria(criteria: &[CriterionCounts]) -> String {
    let head = [
        ("criterion", Align::Left),
        ("pass", Align::Right),
        ("fail", Align::Right),
        ("between", Align::Right),
        ("undecided", Align::Right),
        ("looks before", Align::Right),
    ];
    let rows: Vec<Vec<String>> = criteria
        .iter()
        .map(|one| {
            let mark = if one.is_primary { " (primary)" } else { "" };
            vec![
                format!("{}{mark}", printable(&one.name)),
                one.passed.to_string(),
                one.failed.to_string(),
                one.between.to_string(),
                one.undecided.to_string(),
                one.looks.to_string(),
            ]
        })
        .collect();
    table::render(&head, &rows)
}
