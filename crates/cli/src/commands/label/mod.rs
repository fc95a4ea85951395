//! `trysquare label`: labelling by keyboard, and looking at labels.

mod import;
mod keys;
mod screen;
mod sitting;
mod tables;

use app::{AppError, LabelPurge as Which, LabelRequest, LabelsPurged, QueueKind};

use super::Context;
use super::permission::is_confirmed;
use crate::args::{Label, LabelCommand, LabelPurge, LabelQueue, Queue};
use crate::diagnostics::{counted, printable};
use crate::exit::Exit;
use crate::output::Output;

/// Labels, or shows and keeps labels.
pub(crate) fn label(context: &Context<'_>, args: Label) -> Result<Exit, AppError> {
    let (app, folder, output) = (&context.app, context.folder(), context.output);
    match args.command {
        None => {
            if args.resplit {
                resplit(context, args.what.set.as_deref())?;
            }
            return sitting::label(context, &request(context, &args.what)?);
        }
        Some(LabelCommand::Next(what)) => {
            output.many(&app.label_queue(folder, &request(context, &what)?)?, tables::queue);
        }
        Some(LabelCommand::Stats { set }) => {
            output.one(&app.label_stats(folder, set.as_deref())?, tables::stats);
        }
        Some(LabelCommand::Conflicts { set }) => {
            output.many(&app.label_conflicts(folder, set.as_deref())?, screen::conflicts);
        }
        Some(LabelCommand::Adjudicate { set, labeller }) => {
            let labeller = labeller_of(context, labeller.as_deref())?;
            return sitting::adjudicate(context, set.as_deref(), &labeller);
        }
        Some(LabelCommand::Import(args)) => return import::import(context, args),
        Some(LabelCommand::Export { set, all }) => {
            output.one(&app.export_labels(folder, set.as_deref(), all)?, |written| {
                let file = printable(&written.file.to_string_lossy());
                format!("{file}: {} added\n", counted(written.added, "row"))
            });
        }
        Some(LabelCommand::Purge(args)) => return purge(context, &args),
    }
    Ok(Exit::Complete)
}

/// Takes the splits as they are now, and says what that took back.
pub(super) fn resplit(context: &Context<'_>, set: Option<&str>) -> Result<(), AppError> {
    let done = context.app.resplit(context.folder(), set)?;
    let set = printable(&done.eval_set);
    if done.changes.is_empty() {
        context
            .output
            .note(&format!("the splits of {set} are those in which its cases were labelled\n"));
        return Ok(());
    }
    let mut out = format!("{set}: splits drawn anew\n");
    for change in &done.changes {
        out += &format!("  {}\n", printable(change));
    }
    for certificate in &done.certificates {
        out +=
            &format!("  taken back from {}: calibrate the judge again\n", printable(certificate));
    }
    context.output.note(&out);
    Ok(())
}

fn request(context: &Context<'_>, args: &LabelQueue) -> Result<LabelRequest, AppError> {
    let run = args.run.as_deref().map(|run| context.app.find_run(context.folder(), run));
    Ok(LabelRequest {
        set: args.set.clone(),
        run: run.transpose()?,
        criterion: args.criterion.clone(),
        labeller: labeller_of(context, args.labeller.as_deref())?,
        queue: match args.queue {
            Queue::Measure => QueueKind::Measure,
            Queue::Hunt => QueueKind::Hunt,
            Queue::Overlap => QueueKind::Overlap,
        },
        count: args.count,
        variants: args.variants.clone(),
        pairs: args.pairs,
        blind: args.blind || !args.no_blind,
    })
}

/// Returns who labels: as it was said, else git's name, else the person is asked.
pub(super) fn labeller_of(context: &Context<'_>, named: Option<&str>) -> Result<String, AppError> {
    let known = match named {
        Some(name) => Some(name.to_owned()),
        None => context.app.default_labeller(context.folder())?,
    };
    let known = known.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    if let Some(name) = known {
        return Ok(name);
    }
    let unknown = || {
        AppError::input("nobody says who labels")
            .with_hint("name yourself with --labeller, or set git's user.name")
    };
    if !Output::can_ask() {
        return Err(unknown());
    }
    context.output.note("Your name, as it stands with your labels: ");
    let mut name = String::new();
    let read = std::io::stdin().read_line(&mut name);
    read.map_err(|error| AppError::input("the answer cannot be read").caused_by(error))?;
    let name = name.trim().to_owned();
    if name.is_empty() { Err(unknown()) } else { Ok(name) }
}

fn purge(context: &Context<'_>, args: &LabelPurge) -> Result<Exit, AppError> {
    let (app, folder, set) = (&context.app, context.folder(), args.set.as_deref());
    let events = args.events.iter().map(|id| id.parse().map_err(unreadable));
    let outputs = args.outputs.iter().map(|hash| hash.parse().map_err(unreadable));
    let which = Which {
        events: events.collect::<Result<_, _>>()?,
        cases: args.cases.clone(),
        outputs: outputs.collect::<Result<_, _>>()?,
        labellers: args.by.clone(),
    };
    let found = app.labels_to_purge(folder, set, &which)?;
    let (events, outputs) = (purged_events(&found), counted(found.outputs, "output"));
    if !args.yes {
        if !Output::can_ask() {
            return Err(AppError::input(format!(
                "this would remove {events} and {outputs} for ever"
            ))
            .with_hint("say --yes to do it"));
        }
        let question = format!("Remove {events} and {outputs} for ever?");
        if !is_confirmed(context, &question)? {
            return Err(AppError::input("nothing was removed"));
        }
    }
    let labeller = labeller_of(context, args.labeller.as_deref())?;
    let purged = app.purge_labels(folder, set, &which, &labeller)?;
    context.output.one(&purged, |purged| {
        let (events, outputs) = (purged_events(purged), counted(purged.outputs, "output"));
        format!("removed {events} and the text of {outputs}; git keeps what was committed\n")
    });
    Ok(Exit::Complete)
}

fn purged_events(purged: &LabelsPurged) -> String {
    let events = counted(purged.events, "event");
    match purged.categories {
        0 => events,
        1 => format!("{events} (1 defines a kind of failure)"),
        more => format!("{events} ({more} define kinds of failures)"),
    }
}

fn unreadable(error: impl std::error::Error) -> AppError {
    AppError::input(error.to_string())
}
