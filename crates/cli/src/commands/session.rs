//! Working on a run until it ends, and telling how it ended.

use std::convert::Infallible;
use std::path::Path;

use app::{AppError, CacheUse, Grants, ResumeRequest, RunningRun, Sending, Stopper};
use run::{Caps, RunState, StopCause, Summary};
use values::{Id, NanoDollars};

use super::{Context, judging, show};
use crate::args::{Resume, Sending as Args};
use crate::exit::Exit;
use crate::output::BOLD;
use crate::progress::{self, cells, duration};

/// Reads what may be sent from the options.
pub(super) fn sending(args: &Args) -> Result<Sending, AppError> {
    let cap = |text: &Option<String>, name: &str| match text {
        None => Ok(None),
        Some(text) => match NanoDollars::parse_dollars(text) {
            Some(amount) => Ok(Some(amount)),
            None => Err(AppError::input(format!("`{text}` is not an amount for {name}"))
                .with_hint("dollars as a plain decimal, for example 0.50")),
        },
    };
    let concurrency = match args.concurrency {
        None => None,
        Some(number) => {
            let number = u32::try_from(number).ok().and_then(std::num::NonZeroU32::new);
            Some(number.ok_or_else(|| AppError::input("`--concurrency` must be at least 1"))?)
        }
    };
    Ok(Sending {
        cache: match (args.no_cache, args.refresh) {
            (true, _) => CacheUse::Off,
            (_, true) => CacheUse::Refresh,
            _ => CacheUse::On,
        },
        concurrency,
        caps: Caps {
            request: cap(&args.cap_request, "--cap-request")?,
            run: cap(&args.cap, "--cap")?,
            day: cap(&args.cap_day, "--cap-day")?,
            project: cap(&args.cap_project, "--cap-project")?,
        },
        allow_unpriced: args.allow_unpriced,
        grants: Grants::parse(&args.allow_origin, &args.allow_key, args.trust.as_deref())?,
    })
}

/// `trysquare resume` and `trysquare retry`.
pub(super) fn resume(
    context: &Context<'_>,
    args: &Resume,
    retry_errors: bool,
) -> Result<Exit, AppError> {
    let run = context.app.find_run(context.folder(), &args.run)?;
    let request = ResumeRequest { run, retry_errors, sending: sending(&args.sending)? };
    let sending = request.sending.clone();
    let running = context.app.resume(context.folder(), &request)?;
    let judging = judging::Asked { replay: None, record: None, retry_errors, sending };
    work(context, running, context.folder(), Some(judging), false)
}

/// Works until the run ends, has it judged, then shows its results.
pub(super) fn work(
    context: &Context<'_>,
    running: RunningRun,
    folder: Option<&Path>,
    judging: Option<judging::Asked>,
    fail_on_failures: bool,
) -> Result<Exit, AppError> {
    let run = running.run;
    let summary = execute(context, running)?;
    if matches!(summary.cause, Some(StopCause::Decided { .. })) {
        // The verdict is shown next, which is a look.
        context.app.note_decision(folder, run)?;
    }
    if context.output.is_human() {
        context.output.note(&ending(&summary, run));
    }
    let judged = match judging {
        Some(asked) if summary.state == RunState::Complete => {
            judging::work(context, folder, run, &asked)?
        }
        _ => judging::Judged::default(),
    };
    show::results(context, folder, run)?;
    let is_over = summary.state == RunState::Complete && !judged.is_stopped;
    let counts = context.app.run_view(folder, run)?.summary.tally.counts;
    if !is_over || counts.error + judged.errors > 0 {
        return Ok(Exit::Incomplete);
    }
    let failed = counts.fail + counts.unreadable;
    Ok(if fail_on_failures && failed > 0 { Exit::Failed } else { Exit::Complete })
}

/// Works until the run ends, showing how far it is.
pub(super) fn execute(context: &Context<'_>, running: RunningRun) -> Result<Summary, AppError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        AppError::new(app::ErrorKind::Record, format!("no threads can be started: {error}"))
    })?;
    let (events, stopper) = (running.events(), running.stopper());
    let variants = running.variants.clone();
    runtime.block_on(async {
        let shown = progress::follow(events, &variants, context.output);
        let finished = async {
            tokio::select! {
                finished = running.finish() => finished,
                never = stop_on_signal(&stopper, context) => match never {},
            }
        };
        let (finished, ()) = tokio::join!(finished, shown);
        finished
    })
}

/// Ctrl-C once lets the calls that are on their way finish, twice breaks them off.
/// Never returns.
async fn stop_on_signal(stopper: &Stopper, context: &Context<'_>) -> Infallible {
    // One listener for all of them: what is pressed while the first is answered must not be lost.
    if let Ok(mut interrupts) = interrupts() {
        let mut pressed = 0u32;
        while interrupts.recv().await.is_some() {
            pressed += 1;
            if pressed == 1 {
                stopper.finish();
                context.output.note(
                    "\nStopping: calls that are on their way finish. Press Ctrl-C again to break them off.\n",
                );
            } else {
                stopper.now();
            }
        }
    }
    std::future::pending().await
}

#[cfg(unix)]
fn interrupts() -> std::io::Result<tokio::signal::unix::Signal> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
}

#[cfg(windows)]
fn interrupts() -> std::io::Result<tokio::signal::windows::CtrlC> {
    tokio::signal::windows::ctrl_c()
}

/// Says how a session ended and what can be done about it; `run` is what goes on then.
pub(super) fn ending(summary: &Summary, run: Id) -> String {
    let progress = &summary.progress;
    let left = progress.planned.saturating_sub(progress.done());
    let took = duration(summary.elapsed_ms);
    let mut out = match summary.state {
        RunState::Complete => format!("{BOLD}Complete{BOLD:#} in {took}"),
        RunState::Running => format!("{BOLD}Still running{BOLD:#}"),
        RunState::Stopped => format!("{BOLD}Stopped{BOLD:#} after {took}, {} left", cells(left)),
        RunState::StoppedAtCap => {
            format!("{BOLD}Stopped at the cap{BOLD:#} after {took}, {} left", cells(left))
        }
        RunState::StoppedAtOverrun => {
            format!("{BOLD}Stopped: a provider billed more than was reserved{BOLD:#}")
        }
    };
    let spend = &progress.spend;
    if spend.billed.get() > 0 {
        out += &format!(" · billed {}", spend.billed);
    }
    if spend.presumed.get() > 0 {
        out += &format!(" · presumed spent {}", spend.presumed);
    }
    if spend.saved.get() > 0 {
        out += &format!(" · saved {}", spend.saved);
    }
    if spend.unpriced > 0 {
        out += &format!(" · {} without a known price", progress::calls(spend.unpriced));
    }
    if progress.hits > 0 {
        out += &format!(" · {} from the cache", cells(progress.hits));
    }
    out.push('\n');
    if let Some(cause) = &summary.cause {
        out += &explain(cause);
    }
    if summary.state != RunState::Complete {
        out += &format!("  Go on with: trysquare resume {run}\n");
    }
    out
}

fn explain(cause: &StopCause) -> String {
    let hinted = |text: String, hint: &Option<String>| match hint {
        Some(hint) => format!("  {text}\n  hint: {hint}\n"),
        None => format!("  {text}\n"),
    };
    match cause {
        StopCause::Requested => String::new(),
        StopCause::ProviderUnusable { provider, message, hint, .. } => {
            hinted(format!("nothing more is sent to {provider}: {message}"), hint)
        }
        StopCause::Decided { verdict, cases, of } => {
            format!(
                "  stopped after {cases} of {of} cases: {verdict}, valid at any stopping time\n"
            )
        }
        StopCause::Cap { scope } => {
            let scope = match scope {
                run::CapScope::Request => "a request (--cap-request)",
                run::CapScope::Run => "this run (--cap)",
                run::CapScope::Day => "this day (--cap-day)",
                run::CapScope::Project => "this project (--cap-project)",
            };
            format!("  the next call may go over the cap of {scope}; resume with a higher one\n")
        }
        StopCause::Overrun { reserved, billed, .. } => format!(
            "  a call was billed {billed}, and {reserved} was its worst case; check the provider's prices\n"
        ),
        StopCause::RecordFailed { message, hint } => hinted(message.clone(), hint),
        StopCause::Panicked { message } => format!("  {message}\n"),
    }
}
