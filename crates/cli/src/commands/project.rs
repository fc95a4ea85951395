//! `trysquare init`, `validate` and `fmt`.

use std::path::{Path, PathBuf};

use app::AppError;
use document::{Diagnostic, Severity};
use serde::Serialize;

use super::Context;
use crate::args::{Fmt, Init, Validate};
use crate::diagnostics::{self, counted, printable};
use crate::exit::Exit;
use crate::output::BOLD;

/// Starts a project and says what to do next.
pub(crate) fn init(context: &Context<'_>, args: &Init) -> Result<Exit, AppError> {
    let folder = args.folder.as_deref().or(context.folder()).unwrap_or(Path::new("."));
    let written = context.app.init(folder, args.sample)?;
    context.output.many(&written, |written| {
        let mut out = format!("wrote {}\n", counted(written.len(), "file"));
        for file in written {
            out += &format!("  {}\n", shown(file));
        }
        out + &next(folder, args.sample)
    });
    Ok(Exit::Complete)
}

fn next(folder: &Path, sample: bool) -> String {
    let mut steps = Vec::new();
    if folder != Path::new(".") {
        steps.push((format!("cd {}", shown(folder)), ""));
    }
    if sample {
        let replay = "trysquare run order-number --replay".to_owned();
        steps.push((replay, "score the recorded answers, no model needed"));
    }
    steps.push((
        "trysquare run order-number".to_owned(),
        "ask the model inside this program, no key needed",
    ));
    steps.push(("trysquare show latest --failures".to_owned(), "see what failed"));
    let width = steps.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    let mut out = format!("\n{BOLD}Next{BOLD:#}\n");
    for (command, why) in steps {
        out += format!("  {command:width$}   {why}").trim_end();
        out.push('\n');
    }
    out
}

/// Prints everything that is wrong in the project.
pub(crate) fn validate(context: &Context<'_>, args: &Validate) -> Result<Exit, AppError> {
    let found = context.app.validate(context.folder())?;
    context.output.many(&found, diagnostics::render_all);
    let is_bad = |one: &Diagnostic| args.strict || one.severity == Severity::Error;
    Ok(if found.iter().any(is_bad) { Exit::Unusable } else { Exit::Complete })
}

/// What formatting did, or would do.
#[derive(Debug, Serialize)]
struct Formatted {
    /// The files that were not canonical, as paths inside the project.
    files: Vec<PathBuf>,
    /// Whether they are now.
    is_written: bool,
    /// The lines that cannot be read and stay as they are.
    unreadable: Vec<Diagnostic>,
}

/// Makes the files of rows canonical, or tells which are not.
pub(crate) fn fmt(context: &Context<'_>, args: &Fmt) -> Result<Exit, AppError> {
    let (files, unreadable) = context.app.format(context.folder(), args.check)?;
    let formatted = Formatted { files, is_written: !args.check, unreadable };
    context.output.one(&formatted, formatted_text);
    let is_refused = args.check && !formatted.files.is_empty();
    let is_good = formatted.unreadable.is_empty() && !is_refused;
    Ok(if is_good { Exit::Complete } else { Exit::Unusable })
}

fn formatted_text(formatted: &Formatted) -> String {
    let mut out = String::new();
    for file in &formatted.files {
        let what = if formatted.is_written { "formatted" } else { "not canonical:" };
        out += &format!("{what} {}\n", shown(file));
    }
    if !formatted.unreadable.is_empty() {
        out += &diagnostics::render_all(&formatted.unreadable);
        out += "lines that cannot be read stay as they are\n";
    } else if formatted.files.is_empty() {
        out += "every file of rows is canonical\n";
    } else if !formatted.is_written {
        out += "`trysquare fmt` makes them canonical\n";
    }
    out
}

fn shown(path: &Path) -> String {
    printable(&path.display().to_string())
}
