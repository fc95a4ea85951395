//! `trysquare compare`

use app::{AppError, CompareRequest};
use report::{Limits, Report};

use super::{Context, reports::ReportFiles};
use crate::args::Compare;
use crate::exit::Exit;

/// Columns of a report on a terminal; longer lines are hard to read.
const WIDTH: usize = 100;

pub(super) fn compare(context: &Context<'_>, args: &Compare) -> Result<Exit, AppError> {
    let files = ReportFiles::parse(&args.reports)?;
    let mut sides = vec![args.baseline.clone()];
    sides.extend(args.candidates.iter().cloned());
    let request = CompareRequest { sides, set: args.set.clone() };
    let compared = context.app.compare(context.folder(), &request)?;
    // A verdict that is shown is a look, also if a file or the terminal fails meanwhile.
    context.app.note_looks(context.folder(), &compared)?;
    files.write(&compared.report)?;
    let shown = Limits { cases: args.cases, ..compared.report.limits };
    context.output.one(&compared.report, |report| {
        report::text(&Report { limits: shown, ..report.clone() }, WIDTH, true)
    });
    Ok(Exit::Complete)
}
