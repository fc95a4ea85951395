//! `trysquare run`

use ::run::StopGoal;
use app::{AppError, PlanSummary, RunRequest, UntilDecidedRequest, VariantPlan};

use super::{Context, judging, permission, session};
use crate::args::{Goal, Run};
use crate::diagnostics::{counted, printable};
use crate::exit::Exit;
use crate::output::{BOLD, FAINT};
use crate::table::{self, Align};

pub(super) fn run(context: &Context<'_>, args: &Run) -> Result<Exit, AppError> {
    let request = RunRequest {
        set: args.set.clone(),
        variants: args.variants.clone(),
        cases: args.cases.clone(),
        tags: args.tags.clone(),
        samples: args.samples,
        seed: args.seed,
        until_decided: args.until_decided.then(|| UntilDecidedRequest {
            goal: match args.goal {
                Goal::Better => StopGoal::Better,
                Goal::NoWorse => StopGoal::NoWorse,
            },
            against: args.against.clone(),
        }),
        replay: args.replay,
        record: args.record,
        no_judges: args.no_judges,
        sending: session::sending(&args.sending)?,
    };
    let mut plan = context.app.plan(context.folder(), request.clone())?;
    if args.dry_run {
        context.output.one(&plan.summary, described);
        return Ok(Exit::Complete);
    }
    if context.output.is_human() {
        context.output.note(&described(&plan.summary));
    }
    if !plan.missing.is_empty() {
        permission::ask(context, &plan.missing)?;
        plan = context.app.plan(context.folder(), request)?;
    }
    let judging = judging::Asked {
        replay: Some(args.replay),
        record: Some(args.record),
        retry_errors: false,
        sending: session::sending(&args.sending)?,
    };
    let running = context.app.start(plan)?;
    session::work(context, running, context.folder(), Some(judging), args.fail_on_failures)
}

/// The plan as people read it: what is run, by whom, and what it may cost.
fn described(plan: &PlanSummary) -> String {
    let samples = if plan.samples == 1 {
        String::new()
    } else {
        format!(" × {}", counted(usize::try_from(plan.samples).unwrap_or(usize::MAX), "sample"))
    };
    let mut out = format!(
        "{BOLD}{}{BOLD:#}  {} × {}{samples} = {}\n",
        printable(&plan.set),
        counted(plan.cases, "case"),
        counted(plan.variants.len(), "variant"),
        counted(plan.cells, "cell"),
    );
    out += &variants(&plan.variants, "variant", plan.replay);
    if !plan.judges.is_empty() {
        out += &judges(&plan.judges);
    }
    if let Some(cap) = plan.caps.run {
        out += &format!("{FAINT}stops before {cap} is spent{FAINT:#}\n");
    }
    out.push('\n');
    out
}

/// The table of what is run, or of what judges it.
pub(super) fn variants(variants: &[VariantPlan], name: &str, replay: bool) -> String {
    let rows: Vec<_> = variants.iter().map(|variant| row(variant, replay)).collect();
    let known = if replay { "recorded" } else { "cached" };
    let head = [
        (name, Align::Left),
        ("answers", Align::Left),
        ("version", Align::Left),
        ("cells", Align::Right),
        (known, Align::Right),
        ("at most", Align::Right),
    ];
    table::render(&head, &rows)
}

/// The table of the judges that are asked once the outputs are there.
fn judges(judges: &[VariantPlan]) -> String {
    let rows: Vec<_> = judges
        .iter()
        .map(|judge| {
            let cost = if judge.is_free { "$0.00" } else { "known after the run" };
            vec![
                printable(&judge.name),
                printable(&judge.answers),
                judge.version.clone().unwrap_or_default(),
                format!("up to {}", judge.cells),
                cost.to_owned(),
            ]
        })
        .collect();
    let head = [
        ("judge", Align::Left),
        ("answers", Align::Left),
        ("version", Align::Left),
        ("calls", Align::Right),
        ("at most", Align::Right),
    ];
    format!("\n{}", table::render(&head, &rows))
}

fn row(variant: &VariantPlan, replay: bool) -> Vec<String> {
    let cost = match (variant.is_free || replay, variant.worst_case) {
        (true, _) => "$0.00".to_owned(),
        (false, Some(cost)) => cost.to_string(),
        (false, None) => "unknown".to_owned(),
    };
    vec![
        printable(&variant.name),
        printable(&variant.answers),
        variant.version.clone().unwrap_or_default(),
        variant.cells.to_string(),
        variant.known.to_string(),
        cost,
    ]
}
