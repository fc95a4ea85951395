//! `trysquare failures`: what went wrong, sorted into kinds.

mod made;
mod suggested;

use app::{
    AppError, CategoryChange, FailureRequest, GroupRequest, JudgeRequest, MergeRequest, NotesAsked,
    RenameRequest, UngroupRequest,
};
use report::FailureReport;

use super::Context;
use super::label::labeller_of;
use crate::args::{Failures, FailuresCommand, FailuresFile, FailuresList, Who};
use crate::diagnostics::{counted, printable};
use crate::exit::Exit;

/// Lists failures, sorts them, or changes their kinds.
pub(crate) fn failures(context: &Context<'_>, args: Failures) -> Result<Exit, AppError> {
    let (app, folder, output, set) = (&context.app, context.folder(), context.output, args.set);
    let who = |who: &Who| labeller_of(context, who.labeller.as_deref());
    let changed = match args.command {
        None => return list(context, set, args.list),
        Some(FailuresCommand::List(what)) => return list(context, set, what),
        Some(FailuresCommand::Suggest) => {
            output.one(&app.suggest_failures(folder, set.as_deref())?, suggested::suggestions);
            return Ok(Exit::Complete);
        }
        Some(command @ FailuresCommand::Check { .. }) => {
            if let Some(request) = made::check_request(set, command) {
                output.one(&app.make_check(folder, &request)?, made::check);
            }
            return Ok(Exit::Complete);
        }
        Some(FailuresCommand::Judge { category, name, model }) => {
            let request = JudgeRequest { set, category, name, model };
            output.one(&app.make_judge(folder, &request)?, made::judge);
            return Ok(Exit::Complete);
        }
        Some(FailuresCommand::Export { kind, output: file }) => {
            let listed = NotesAsked::All;
            let found = app.failures(folder, &FailureRequest { set, criterion: None, listed })?;
            let text = match kind {
                FailuresFile::Csv => report::failures_csv(&found),
                FailuresFile::Md => report::failures_markdown(&found),
            };
            match file {
                Some(path) => app::write_file(&path, &text)?,
                None => output.text(&text),
            }
            return Ok(Exit::Complete);
        }
        Some(FailuresCommand::Group { category, notes, sentence, from, who: by }) => {
            let labeller = who(&by)?;
            let request = GroupRequest { set, category, sentence, notes, from, labeller };
            app.group_failures(folder, &request)?
        }
        Some(FailuresCommand::Ungroup { notes, from, who: by }) => {
            let labeller = who(&by)?;
            app.ungroup_failures(folder, &UngroupRequest { set, notes, from, labeller })?
        }
        Some(FailuresCommand::Rename { category, name, sentence, who: by }) => {
            let labeller = who(&by)?;
            let request = RenameRequest { set, category, name, sentence, labeller };
            app.rename_failures(folder, &request)?
        }
        Some(FailuresCommand::Merge { categories, into, sentence, who: by }) => {
            let labeller = who(&by)?;
            let request = MergeRequest { set, categories, into, sentence, labeller };
            app.merge_failures(folder, &request)?
        }
    };
    output.one(&changed, change);
    Ok(Exit::Complete)
}

fn list(context: &Context<'_>, set: Option<String>, what: FailuresList) -> Result<Exit, AppError> {
    let listed = match what.category {
        Some(name) => NotesAsked::Of(name),
        None if what.all => NotesAsked::All,
        None => NotesAsked::NotSorted,
    };
    let request = FailureRequest { set, criterion: what.criterion, listed };
    let found = context.app.failures(context.folder(), &request)?;
    context.output.one(&found, |found| human(found, what.limit));
    Ok(Exit::Complete)
}

fn human(found: &FailureReport, limit: usize) -> String {
    let mut out = report::failures_text(found, limit);
    let aside = found.aside.passing + found.aside.undecided + found.aside.outdated;
    if found.notes + aside == 0 {
        out += "\nWrite what went wrong first, in your words: trysquare label, 2 for a fail, then \
                the note.\n";
    }
    out
}

fn change(change: &CategoryChange) -> String {
    let notes = counted(change.notes, "note");
    match (&change.category, change.is_new) {
        (Some(name), true) => format!("new category {}, with {notes}\n", printable(name)),
        (Some(name), false) => format!("{}: {notes} changed\n", printable(name)),
        (None, _) => format!("{notes} changed\n"),
    }
}
