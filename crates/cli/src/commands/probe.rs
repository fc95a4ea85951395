//! `trysquare judge probe`: what sways a judge that should not.

use std::path::Path;

use ::run::RunState;
use app::{AppError, ProbePlan, ProbeRequest};
use report::ProbeReport;

use super::{Context, permission, run, session};
use crate::args::Probe;
use crate::diagnostics::{counted, printable};
use crate::exit::Exit;
use crate::output::BOLD;

pub(super) fn probe(context: &Context<'_>, args: &Probe) -> Result<Exit, AppError> {
    let files = args.reports.iter().map(|item| parse(item)).collect::<Result<Vec<_>, _>>()?;
    let folder = context.folder();
    let request = ProbeRequest {
        judge: args.judge.clone(),
        set: args.set.clone(),
        run: args.run.as_deref().map(|name| context.app.find_run(folder, name)).transpose()?,
        cases: usize::try_from(args.cases).unwrap_or(usize::MAX),
        times: args.times,
        replay: args.replay,
        record: args.record,
        sending: session::sending(&args.sending)?,
    };
    let mut plan = context.app.plan_probe(folder, &request)?;
    if args.dry_run {
        context.output.one(&plan.summary, |_| described(&plan));
        return Ok(Exit::Complete);
    }
    if context.output.is_human() {
        context.output.note(&described(&plan));
    }
    if !plan.missing.is_empty() {
        permission::ask(context, &plan.missing)?;
        plan = context.app.plan_probe(folder, &request)?;
    }
    let (running, started) = context.app.start_probe(plan)?;
    let probe = running.run;
    let summary = session::execute(context, running)?;
    let found = context.app.probe_report(probe, &started)?;
    for (write, path) in files {
        app::write_file(path, &write(&found))?;
    }
    context.output.one(&found, report::probe_text);
    let is_over = summary.state == RunState::Complete;
    if !is_over {
        let note = "\nThe probe was stopped, and these are the answers that came. Started again, it \
                    finds them in the cache, all but repetitions.\n";
        context.output.note(note);
    }
    let is_whole = is_over && summary.progress.counts.error == 0;
    Ok(if is_whole { Exit::Complete } else { Exit::Incomplete })
}

/// Says what will be asked before it is.
fn described(plan: &ProbePlan) -> String {
    let calls: usize = plan.parts.iter().map(|(_, count)| count).sum();
    let (set, of) = (printable(&plan.summary.set), plan.of);
    let mut out = format!(
        "{BOLD}{set}{BOLD:#}  probing a judge: {} on outputs of run {of}\n",
        counted(calls, "call")
    );
    for (what, count) in &plan.parts {
        out += &format!("{count:>6}  {what}\n");
    }
    out += &run::variants(&plan.summary.variants, "judge", plan.summary.replay);
    out.push('\n');
    out
}

type Write = fn(&ProbeReport) -> String;

fn parse(item: &str) -> Result<(Write, &Path), AppError> {
    let found =
        item.split_once('=').filter(|(_, path)| !path.is_empty()).and_then(|(kind, path)| {
            let write: Write = match kind {
                "md" => report::probe_markdown,
                "json" => report::probe_json,
                _ => return None,
            };
            Some((write, Path::new(path)))
        });
    found.ok_or_else(|| {
        AppError::input(format!("`--report {item}` names no report"))
            .with_hint("say KIND=FILE with md or json, as in md=probe.md")
    })
}
