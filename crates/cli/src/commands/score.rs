//! `trysquare score`

use app::{AppError, Grants, Sending};

use super::{Context, session};
use crate::args::Score;
use crate::exit::Exit;

pub(super) fn score(context: &Context<'_>, args: &Score) -> Result<Exit, AppError> {
    let grants = Grants::parse(&[], &[], args.trust.as_deref())?;
    let sending = Sending { grants, ..Sending::default() };
    let folder = context.folder();
    let running = match (&args.run, &args.outputs, &args.set) {
        (Some(name), None, _) => {
            let run = context.app.find_run(folder, name)?;
            context.app.rescore(folder, run, &sending)?
        }
        (None, Some(file), Some(set)) => context.app.score_outputs(folder, set, file, &sending)?,
        _ => return Err(AppError::input("name a run, or say --set and --outputs")),
    };
    session::work(context, running, folder, false)
}
