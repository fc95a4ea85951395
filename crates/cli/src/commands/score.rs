//! `trysquare score`

use app::AppError;

use super::{Context, judging, session};
use crate::args::Score;
use crate::exit::Exit;

pub(super) fn score(context: &Context<'_>, args: &Score) -> Result<Exit, AppError> {
    let sending = session::sending(&args.sending)?;
    let folder = context.folder();
    let judges = &args.judges;
    let running = match (&args.run, &args.outputs, &args.set) {
        (Some(name), None, _) => {
            let run = context.app.find_run(folder, name)?;
            context.app.rescore(folder, run, judges, &sending)?
        }
        (None, Some(file), Some(set)) => {
            context.app.score_outputs(folder, set, file, judges, &sending)?
        }
        _ => return Err(AppError::input("name a run, or say --set and --outputs")),
    };
    let judging = judging::Asked {
        replay: Some(args.replay),
        record: Some(args.record),
        retry_errors: true,
        sending,
    };
    // Without a judge that is named nothing is sent, whatever an earlier command left undone.
    let judging = (!judges.is_empty()).then_some(judging);
    session::work(context, running, folder, judging, false)
}
