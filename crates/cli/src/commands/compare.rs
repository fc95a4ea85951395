//! `trysquare compare`

use app::{AppError, CompareRequest};

use super::{Context, reports, reports::ReportFiles};
use crate::args::Compare;
use crate::exit::Exit;

pub(super) fn compare(context: &Context<'_>, args: &Compare) -> Result<Exit, AppError> {
    let files = ReportFiles::parse(&args.reports)?;
    let mut sides = vec![args.baseline.clone()];
    sides.extend(args.candidates.iter().cloned());
    let request = CompareRequest { sides, set: args.set.clone() };
    let compared = context.app.compare(context.folder(), &request)?;
    // A verdict that is shown is a look, also if a file or the terminal fails meanwhile.
    context.app.note_looks(context.folder(), &compared)?;
    files.write(&compared.report)?;
    reports::print(context, &compared.report, args.cases);
    Ok(Exit::Complete)
}
