//! `trysquare runs` and `trysquare cancel`

use std::io::Write;

use app::{AppError, RunSummary};
use run::RunState;
use serde::Serialize;
use values::{Id, NanoDollars, Timestamp};

use super::Context;
use crate::args::{RunName, Runs, RunsCommand};
use crate::diagnostics::printable;
use crate::exit::Exit;
use crate::table::{self, Align};

/// A run in a list, for programs.
#[derive(Serialize)]
struct Row {
    run: Id,
    created: Timestamp,
    eval_set: String,
    state: RunState,
    counts: run::StatusCounts,
    pending: u32,
    billed: NanoDollars,
    presumed: NanoDollars,
}

impl Row {
    fn of(summary: RunSummary) -> Self {
        Self {
            run: summary.id,
            created: summary.created,
            eval_set: summary.eval_set,
            state: summary.state,
            counts: summary.tally.counts,
            pending: summary.tally.pending + summary.tally.unscored,
            billed: summary.spend.billed,
            presumed: summary.spend.presumed,
        }
    }
}

pub(super) fn runs(context: &Context<'_>, args: &Runs) -> Result<Exit, AppError> {
    if let Some(RunsCommand::Export { run, output }) = &args.command {
        return export(context, run, output.as_deref());
    }
    let rows: Vec<_> =
        context.app.runs(context.folder(), args.limit)?.into_iter().map(Row::of).collect();
    context.output.many(&rows, listed);
    Ok(Exit::Complete)
}

fn listed(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "No runs yet. Start one with: trysquare run EVALSET\n".to_owned();
    }
    let head = [
        ("run", Align::Left),
        ("started", Align::Left),
        ("eval set", Align::Left),
        ("state", Align::Left),
        ("pass", Align::Right),
        ("fail", Align::Right),
        ("error", Align::Right),
        ("left", Align::Right),
        ("billed", Align::Right),
    ];
    let cells: Vec<_> = rows
        .iter()
        .map(|row| {
            vec![
                row.run.to_string(),
                row.created.to_string().chars().take(16).collect::<String>().replace('T', " "),
                printable(&row.eval_set),
                state_word(row.state).to_owned(),
                row.counts.pass.to_string(),
                row.counts.fail.to_string(),
                row.counts.error.to_string(),
                row.pending.to_string(),
                row.billed.to_string(),
            ]
        })
        .collect();
    table::render(&head, &cells)
}

/// Returns the words for where a run stands.
pub(super) fn state_word(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Complete => "complete",
        RunState::Stopped => "stopped",
        RunState::StoppedAtCap => "stopped at cap",
        RunState::StoppedAtOverrun => "stopped at overrun",
    }
}

fn export(
    context: &Context<'_>,
    name: &str,
    output: Option<&std::path::Path>,
) -> Result<Exit, AppError> {
    let run = context.app.find_run(context.folder(), name)?;
    if let Some(path) = output {
        context.app.export_run_to(context.folder(), run, path)?;
        return Ok(Exit::Complete);
    }
    let mut stdout = std::io::BufWriter::new(std::io::stdout().lock());
    context.app.export_run(context.folder(), run, &mut stdout)?;
    stdout
        .flush()
        .map_err(|error| AppError::input(format!("the export cannot be written: {error}")))?;
    Ok(Exit::Complete)
}

pub(super) fn cancel(context: &Context<'_>, args: &RunName) -> Result<Exit, AppError> {
    let run = context.app.find_run(context.folder(), &args.run)?;
    if context.app.cancel(context.folder(), run)? {
        context.output.note("The run was asked to stop; it sends nothing new within seconds.\n");
    } else {
        context.output.note("Nobody is working on this run.\n");
    }
    Ok(Exit::Complete)
}
