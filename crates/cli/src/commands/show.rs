//! `trysquare show`: results, failures, one case in full.

mod judges;

use std::path::Path;

use anstyle::{AnsiColor, Style};
use app::{AppError, CellFilter, CellRow, CellView, JudgedRates, RunView, VariantView};
use run::{Outcome, RunState, VariantSource};
use score::Status;
use serde::Serialize;
use serde_json::{Value, json};
use values::Id;

use super::{Context, judged_rates, rate, runs::state_word};
use crate::args::Show;
use crate::diagnostics::printable;
use crate::exit::Exit;
use crate::output::{BOLD, FAINT};
use crate::table::{self, Align};

const PASS: Style = AnsiColor::Green.on_default();
const FAIL: Style = AnsiColor::Red.on_default();
const UNREADABLE: Style = AnsiColor::Yellow.on_default();

/// Failures that a run lists when it ends; `show` lists more.
const SHOWN_AT_END: usize = 8;
/// Characters of an output that a list shows.
const EXCERPT: usize = 72;

pub(super) fn show(context: &Context<'_>, args: &Show) -> Result<Exit, AppError> {
    let folder = context.folder();
    let run = context.app.find_run(folder, &args.run)?;
    if let Some(case) = &args.case {
        let cells = context.app.case_cells(folder, run, case, args.variant.as_deref())?;
        let values: Vec<_> = cells.iter().map(cell_json).collect();
        let undecided = judges::undecided(&context.app.run_view(folder, run)?);
        context.output.many(&values, |_| case_in_full(case, &cells, undecided, args.raw));
        return Ok(Exit::Complete);
    }
    let mut statuses = Vec::new();
    if args.failures {
        statuses.extend([Status::Fail, Status::Unreadable]);
    }
    if args.errors {
        statuses.push(Status::Error);
    }
    if statuses.is_empty() && args.variant.is_none() {
        results(context, folder, run)?;
        return Ok(Exit::Complete);
    }
    let filter = CellFilter { variant: args.variant.clone(), statuses };
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    list(context, folder, run, &filter, limit)?;
    Ok(Exit::Complete)
}

/// Prints what a run's variants add up to, its first failures, and what to do next.
pub(super) fn results(
    context: &Context<'_>,
    folder: Option<&Path>,
    run: Id,
) -> Result<(), AppError> {
    let view = context.app.run_view(folder, run)?;
    // What the run found is shown all the same.
    let rates = context.app.judged_rates(folder, run).unwrap_or_else(|error| {
        let why = printable(&error.to_string());
        context.output.note(&format!("the rates of judges are not corrected: {why}\n"));
        Vec::new()
    });
    if !context.output.is_human() {
        context.output.one(&run_json(&view, &rates), |_| String::new());
        return Ok(());
    }
    context.output.text(&summary(&view));
    context.output.text(&judged_rates::text(&rates));
    let filter = CellFilter {
        variant: None,
        statuses: vec![Status::Fail, Status::Error, Status::Unreadable],
    };
    let cells = context.app.cells(folder, run, &filter, SHOWN_AT_END)?;
    if !cells.is_empty() {
        let text = failures(context, folder, &view, &cells)?;
        context.output.text(&format!("\n{BOLD}First failures{BOLD:#}\n{text}"));
    }
    context.output.text(&next_steps(&view));
    Ok(())
}

fn list(
    context: &Context<'_>,
    folder: Option<&Path>,
    run: Id,
    filter: &CellFilter,
    limit: usize,
) -> Result<(), AppError> {
    let view = context.app.run_view(folder, run)?;
    let cells = context.app.cells(folder, run, filter, limit)?;
    if !context.output.is_human() {
        let rows: Vec<_> = cells.iter().map(|cell| row_json(&view, cell)).collect();
        context.output.many(&rows, |_| String::new());
    } else if cells.is_empty() {
        context.output.text("No such cells.\n");
    } else {
        let text = failures(context, folder, &view, &cells)?;
        context.output.text(&text);
    }
    Ok(())
}

/// The table of variants.
fn summary(view: &RunView) -> String {
    let mut out = format!(
        "{BOLD}{}{BOLD:#}  run {}  {}\n",
        printable(&view.header.eval_set),
        view.header.id,
        state_word(view.summary.state),
    );
    let mut head = vec![
        ("variant", Align::Left),
        ("pass rate · 95 % · n", Align::Right),
        ("pass", Align::Right),
        ("fail", Align::Right),
    ];
    let others = [Status::Error, Status::Unreadable, Status::Skipped, Status::NoChecks];
    let present: Vec<Status> = others
        .into_iter()
        .filter(|status| view.variants.iter().any(|one| one.totals.tally.counts.of(*status) > 0))
        .collect();
    head.extend(present.iter().map(|status| {
        let undecided = *status == Status::NoChecks;
        (if undecided { judges::undecided(view) } else { status.word() }, Align::Right)
    }));
    head.extend([
        ("cost", Align::Right),
        ("tokens in", Align::Right),
        ("out", Align::Right),
        ("p50", Align::Right),
        ("p95", Align::Right),
    ]);
    let rows: Vec<_> = view
        .variants
        .iter()
        .zip(&view.header.variants)
        .map(|(variant, of)| {
            row(variant, &present, matches!(of.source, VariantSource::Outputs { .. }))
        })
        .collect();
    out += &table::render(&head, &rows);
    out += &judges::bill(&view.judges);
    let left = view.summary.tally.pending + view.summary.tally.unscored;
    if left > 0 {
        let cells = crate::progress::cells(left);
        let said = match view.summary.state {
            RunState::Complete => format!("decided before {cells} were needed"),
            _ => format!("interim: {cells} not finished"),
        };
        out += &format!("{FAINT}{said}{FAINT:#}\n");
    }
    out += &rate::remarks(view.variants.iter().map(|variant| &variant.rate));
    out
}

/// Stands for a figure that nobody knows.
const NOT_KNOWN: &str = "–";

/// The row of a variant. Of outputs that were made elsewhere nobody knows what they took.
fn row(variant: &VariantView, present: &[Status], made_elsewhere: bool) -> Vec<String> {
    let totals = &variant.totals;
    let counts = &totals.tally.counts;
    let mut cells = vec![
        printable(&variant.name),
        rate::text(&variant.rate),
        counts.pass.to_string(),
        counts.fail.to_string(),
    ];
    cells.extend(present.iter().map(|status| counts.of(*status).to_string()));
    if made_elsewhere {
        cells.extend([NOT_KNOWN; 5].map(str::to_owned));
        return cells;
    }
    let cost = match totals.cost_unknown {
        0 => totals.cost.to_string(),
        unknown if unknown == totals.live => "unknown".to_owned(),
        unknown => format!("{} + {unknown} unknown", totals.cost),
    };
    let latency = |ms: Option<u64>| ms.map_or_else(|| NOT_KNOWN.to_owned(), milliseconds);
    // An answer with usage has input.
    let tokens = |count: u64| match totals.input_tokens {
        0 => NOT_KNOWN.to_owned(),
        _ => count.to_string(),
    };
    cells.extend([
        cost,
        tokens(totals.input_tokens),
        tokens(totals.output_tokens),
        latency(totals.latency_p50_ms),
        latency(totals.latency_p95_ms),
    ]);
    cells
}

fn milliseconds(ms: u64) -> String {
    if ms < 10_000 { format!("{ms} ms") } else { format!("{:.1} s", ms as f64 / 1_000.0) }
}

fn failures(
    context: &Context<'_>,
    folder: Option<&Path>,
    view: &RunView,
    cells: &[CellRow],
) -> Result<String, AppError> {
    let places: Vec<u32> = cells.iter().map(|cell| cell.cell.index).collect();
    let reasons = context.app.reasons(folder, view.header.id, &places)?;
    let mut out = String::new();
    for (cell, reasons) in cells.iter().zip(reasons) {
        let mark = cell.status.map_or_else(|| "…".to_owned(), mark);
        let sample = match view.header.samples {
            1 => String::new(),
            _ => format!(" · sample {}", cell.cell.sample + 1),
        };
        out += &format!(
            "{mark} {BOLD}{}{BOLD:#} · {}{sample}  {FAINT}{}{FAINT:#}\n",
            printable(&cell.cell.case_id),
            printable(variant_name(view, cell.cell.variant)),
            said(cell),
        );
        for reason in reasons {
            out += &format!("    {}\n", printable(&reason));
        }
    }
    Ok(out)
}

fn said(cell: &CellRow) -> String {
    match (&cell.answer, &cell.failure) {
        (Some(answer), _) if answer.excerpt.is_empty() => "(empty output)".to_owned(),
        (Some(answer), _) => shortened(&answer.excerpt, EXCERPT),
        (None, Some(failure)) => shortened(&failure.message, EXCERPT),
        (None, None) => "not sent yet".to_owned(),
    }
}

fn shortened(text: &str, most: usize) -> String {
    let mut short: String = printable(text).chars().take(most + 1).collect();
    if short.chars().count() > most {
        short = short.chars().take(most - 1).collect();
        short.push('…');
    }
    short
}

/// The sign of a status; never colour alone.
fn mark(status: Status) -> String {
    let (style, sign) = match status {
        Status::Pass => (PASS, "✓"),
        Status::Fail => (FAIL, "✕"),
        Status::Error => (FAIL.bold(), "!"),
        Status::Unreadable => (UNREADABLE, "?"),
        Status::Skipped => (FAINT, "–"),
        Status::NoChecks => (FAINT, "·"),
    };
    format!("{style}{sign}{style:#}")
}

fn variant_name(view: &RunView, index: u32) -> &str {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    view.header.variants.get(index).map_or("?", |variant| variant.name.as_str())
}

fn next_steps(view: &RunView) -> String {
    let counts = &view.summary.tally.counts;
    let run = if view.is_latest { "latest".to_owned() } else { view.header.id.to_string() };
    let mut steps = judges::steps(view, &run);
    let mut step = |command: String, why: &str| steps.push((command, why.to_owned()));
    if view.summary.state != RunState::Complete {
        step(format!("trysquare resume {run}"), "go on where it stopped");
    }
    if counts.error > 0 {
        step(format!("trysquare retry {run}"), "send the errors again");
    }
    if counts.fail + counts.unreadable > 0 {
        step(format!("trysquare show {run} --failures"), "every failure with its reason");
        step(format!("trysquare show {run} --case ID"), "one case in full");
    }
    table::steps(&steps)
}

fn case_in_full(case: &str, cells: &[CellView], undecided: &str, raw: bool) -> String {
    let mut out = String::new();
    for view in cells {
        let record = &view.record;
        let status = match record.status {
            None => "not finished",
            Some(Status::NoChecks) => undecided,
            Some(status) => status.word(),
        };
        out += &format!(
            "{BOLD}{} · {} · sample {}{BOLD:#}  {status}\n",
            printable(case),
            printable(&view.variant),
            record.cell.sample + 1
        );
        for recorded in &record.attempts {
            out += &attempt_in_full(&recorded.attempt, raw);
        }
        let newest = record.scores.first().map(|score| score.generation);
        for score in record.scores.iter().filter(|score| Some(score.generation) == newest) {
            let score = &score.score;
            let mark = mark(score.score.outcome.status());
            out += &format!("  {mark} {}: {}\n", score.name, printable(&score.score.reason));
        }
        out.push('\n');
    }
    out
}

fn attempt_in_full(attempt: &run::Attempt, raw: bool) -> String {
    let mut out = String::new();
    match &attempt.outcome {
        Outcome::Answered(answer) => {
            let source = match answer.source {
                run::AnswerSource::Live => "live",
                run::AnswerSource::Cache => "from the cache",
                run::AnswerSource::Replay => "recorded",
            };
            out += &format!(
                "  {FAINT}attempt {}, {source}, {}, {:?}{FAINT:#}\n",
                attempt.number + 1,
                milliseconds(answer.latency_ms),
                answer.reply.finish,
            );
            for line in answer.reply.text.lines() {
                out += &format!("  │ {}\n", printable(line));
            }
            if let Some(refusal) = &answer.reply.refusal {
                out += &format!("  refused: {}\n", printable(refusal));
            }
            if raw {
                let text = serde_json::to_string_pretty(&answer.reply).unwrap_or_default();
                for line in text.lines() {
                    out += &format!("  {}\n", printable(line));
                }
            }
        }
        Outcome::Failed(failure) => {
            out += &format!(
                "  {FAINT}attempt {}{FAINT:#} failed: {}\n",
                attempt.number + 1,
                printable(&failure.message)
            );
            if let Some(hint) = &failure.hint {
                out += &format!("  hint: {}\n", printable(hint));
            }
        }
    }
    out
}

fn run_json(view: &RunView, rates: &[JudgedRates]) -> Value {
    let variants: Vec<Value> = view
        .variants
        .iter()
        .map(|variant| {
            let totals = &variant.totals;
            json!({
                "name": variant.name,
                "answers": variant.answers,
                "version": variant.version,
                "counts": totals.tally.counts,
                "pass_rate": variant.rate,
                "cost_nano_dollars": totals.cost,
                "cost_unknown": totals.cost_unknown,
                "live": totals.live,
                "cache_hits": totals.cache_hits,
                "replays": totals.replays,
                "input_tokens": totals.input_tokens,
                "output_tokens": totals.output_tokens,
                "latency_p50_ms": totals.latency_p50_ms,
                "latency_p95_ms": totals.latency_p95_ms,
            })
        })
        .collect();
    let (judges, waits_for) = judges::as_json(view);
    json!({
        "run": view.header.id,
        "eval_set": view.header.eval_set,
        "state": view.summary.state,
        "samples": view.header.samples,
        "cells": view.header.cells,
        "counts": view.summary.tally.counts,
        "pending": view.summary.tally.pending + view.summary.tally.unscored,
        "spend": view.summary.spend,
        "variants": variants,
        "judges": judges,
        "waits_for": waits_for,
        "judged_rates": rates,
    })
}

fn row_json(view: &RunView, cell: &CellRow) -> Value {
    json!({
        "cell": cell.cell.index,
        "case": cell.cell.case_id,
        "variant": variant_name(view, cell.cell.variant),
        "sample": cell.cell.sample,
        "status": cell.status,
        "output": cell.answer.as_ref().map(|answer| &answer.excerpt),
        "failure": cell.failure.as_ref().map(|failure| &failure.message),
    })
}

#[derive(Serialize)]
struct CellJson<'a> {
    case: &'a str,
    variant: &'a str,
    sample: u32,
    status: Option<Status>,
    attempts: Vec<&'a run::Attempt>,
    ledger: &'a [run::LedgerEntry],
    scores: &'a [run::RecordedScore],
}

fn cell_json(view: &CellView) -> Value {
    let record = &view.record;
    let cell = CellJson {
        case: &record.cell.case_id,
        variant: &view.variant,
        sample: record.cell.sample,
        status: record.status,
        attempts: record.attempts.iter().map(|recorded| &recorded.attempt).collect(),
        ledger: &record.ledger,
        scores: &record.scores,
    };
    serde_json::to_value(cell).unwrap_or(Value::Null)
}
