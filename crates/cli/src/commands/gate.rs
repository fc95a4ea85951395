//! `trysquare gate`

use app::{AppError, GateRequest, GateStatus, Gated, PlannedGate, Sending, Verified};
use run::RunState;
use values::Id;

use super::{Context, judging, permission, reports, reports::ReportFiles, session};
use crate::args::Gate;
use crate::exit::Exit;

pub(super) fn gate(context: &Context<'_>, args: &Gate) -> Result<Exit, AppError> {
    let files = ReportFiles::parse(&args.reports)?;
    let answer = gated(context, args, &files);
    if let Err(error) = &answer {
        // Whoever reads the files learns why there is no answer; the error itself is printed last.
        if let Err(unwritten) = files.write(&context.app.unusable(&args.set, error)) {
            context.output.note(&format!("the report could not be written: {unwritten}\n"));
        }
    }
    answer
}

fn gated(context: &Context<'_>, args: &Gate, files: &ReportFiles) -> Result<Exit, AppError> {
    let sending = session::sending(&args.sending)?;
    let request =
        GateRequest { set: args.set.clone(), replay: args.replay, sending: sending.clone() };
    let folder = context.folder();
    let mut planned = context.app.plan_gate(folder, request.clone())?;
    if !planned.plan.missing.is_empty() {
        permission::ask(context, &planned.plan.missing)?;
        planned = context.app.plan_gate(folder, request)?;
    }
    let PlannedGate { plan, approved } = planned;
    let running = context.app.start(plan)?;
    let run = running.run;
    let summary = session::execute(context, running)?;
    if summary.state == RunState::Complete {
        let asked = judging::Asked {
            replay: Some(args.replay),
            record: Some(false),
            retry_errors: false,
            sending: sending.clone(),
        };
        judging::work(context, folder, run, &asked)?;
    }
    let verified = args.verify.map(|requests| verify(context, run, requests, &sending));
    let gated = context.app.gate(folder, &approved, run, verified)?;
    // A verdict that is shown is a look, also if a file or the terminal fails meanwhile.
    context.app.note_looks(folder, &gated.compared)?;
    files.write(&gated.compared.report)?;
    reports::print(context, &gated.compared.report, args.cases);
    context.output.note(&next_steps(args, &gated));
    Ok(match gated.status {
        GateStatus::Passed => Exit::Complete,
        GateStatus::Failed => Exit::Failed,
        GateStatus::Incomplete => Exit::Incomplete,
    })
}

/// Sends recorded requests again. Without a key or consent the gate goes on, and says so.
fn verify(context: &Context<'_>, recorded: Id, requests: u32, sending: &Sending) -> Verified {
    let sent = || {
        let folder = context.folder();
        let plan = context.app.plan_verification(folder, recorded, requests, sending)?;
        let running = context.app.start(plan)?;
        let today = running.run;
        session::execute(context, running)?;
        context.app.verified(folder, recorded, today)
    };
    sent().unwrap_or_else(|error: AppError| Verified::NotSent { reason: error.to_string() })
}

fn next_steps(args: &Gate, gated: &Gated) -> String {
    let (set, candidate) = (&args.set, &gated.candidate);
    if gated.not_recorded > 0 {
        let requests = if gated.not_recorded == 1 { "request is" } else { "requests are" };
        return format!(
            "{} {requests} not recorded. Record what is new, and look again:\n  \
             trysquare run {set} --variant {candidate} --record\n  trysquare gate {set} --replay\n",
            gated.not_recorded
        );
    }
    match gated.status {
        GateStatus::Passed => format!(
            "Approve these results as the new baseline:  trysquare baseline accept {}\n",
            gated.run
        ),
        GateStatus::Failed | GateStatus::Incomplete => {
            format!("See each cell that did not pass:  trysquare show {} --failures\n", gated.run)
        }
    }
}
