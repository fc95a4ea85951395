//! Judges: asked after a run, one judging run after the other, until nothing is left to ask.

use std::path::Path;

use ::run::RunState;
use app::{AppError, JudgingPlan, JudgingRequest, JudgingRound, Sending};
use values::Id;

use super::{Context, permission, run, session};
use crate::diagnostics::{counted, printable};
use crate::output::BOLD;

/// How judges are asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Whether recordings answer; as for the run itself if `None`.
    pub(super) replay: Option<bool>,
    /// Whether replies are recorded; as of the run itself if `None`.
    pub(super) record: Option<bool>,
    /// Whether judges that gave no answer are asked once more.
    pub(super) retry_errors: bool,
    /// What may be sent.
    pub(super) sending: Sending,
}

/// How the judging of a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// Whether a judging run was stopped before its end.
    pub(super) is_stopped: bool,
    /// Outputs for which a judge gave no answer, in these sessions.
    pub(super) errors: u32,
}

/// Asks the judges of a run until nothing is left to ask, or a session is stopped.
pub(super) fn work(
    context: &Context<'_>,
    folder: Option<&Path>,
    of: Id,
    asked: &Asked,
) -> Result<Judged, AppError> {
    let mut judged = Judged::default();
    let mut request = JudgingRequest {
        run: of,
        replay: asked.replay,
        record: asked.record,
        retry_errors: asked.retry_errors,
        retried: Vec::new(),
        sending: asked.sending.clone(),
    };
    while let Some(mut plan) = context.app.plan_judging(folder, &request)? {
        if context.output.is_human() {
            context.output.note(&described(&plan));
        }
        if !plan.missing.is_empty() {
            permission::ask(context, &plan.missing)?;
            let Some(again) = context.app.plan_judging(folder, &request)? else { break };
            plan = again;
        }
        let judging = plan.run;
        // Another process was quicker: what is left to ask is another matter now.
        let Some(running) = context.app.start_judging(plan)? else { continue };
        request.retried.push(judging);
        let summary = session::execute(context, running)?;
        if context.output.is_human() {
            context.output.note(&session::ending(&summary, of));
        }
        judged.errors = summary.progress.counts.error;
        if summary.state != RunState::Complete {
            judged.is_stopped = true;
            break;
        }
    }
    Ok(judged)
}

/// Says who judges what before it is asked.
fn described(plan: &JudgingPlan) -> String {
    let outputs = match (plan.summary.cells - plan.pairs, plan.pairs) {
        (outputs, 0) => counted(outputs, "output"),
        (0, pairs) => counted(pairs, "ordered pair"),
        (outputs, pairs) => {
            format!("{} and {}", counted(outputs, "output"), counted(pairs, "ordered pair"))
        }
    };
    let why = match plan.round {
        JudgingRound::First => format!("judging {outputs}"),
        JudgingRound::Again => {
            format!("asking again: {} cannot be read", counted(plan.summary.cells, "verdict"))
        }
        JudgingRound::Resumed => format!("going on with judging {outputs}"),
        JudgingRound::Retried => "asking judges again that gave no answer".to_owned(),
    };
    let table = run::variants(&plan.summary.variants, "judge", plan.summary.replay);
    format!("\n{BOLD}{}{BOLD:#}  {why}\n{table}\n", printable(&plan.summary.set))
}
