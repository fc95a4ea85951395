//! `trysquare calibrate`

use std::path::Path;

use app::{AppError, CalibrateRequest, Split};
use report::CalibrationReport;

use super::Context;
use crate::args::{Calibrate, CalibrateSplit};
use crate::exit::Exit;

pub(super) fn calibrate(context: &Context<'_>, args: &Calibrate) -> Result<Exit, AppError> {
    let files = args.reports.iter().map(|item| parse(item)).collect::<Result<Vec<_>, _>>()?;
    let folder = context.folder();
    let run = args.run.as_deref().map(|name| context.app.find_run(folder, name)).transpose()?;
    let request = CalibrateRequest {
        judge: args.judge.clone(),
        set: args.set.clone(),
        criterion: args.criterion.clone(),
        run,
        split: match args.split {
            CalibrateSplit::Train => Split::Train,
            CalibrateSplit::Dev => Split::Dev,
            CalibrateSplit::Test => Split::Test,
        },
        epsilon: args.epsilon,
    };
    if args.resplit {
        let set = context.app.calibrated_set(folder, &request)?;
        super::label::resplit(context, Some(&set))?;
    }
    let found = context.app.calibrate(folder, &request)?;
    for (write, path) in files {
        app::write_file(path, &write(&found))?;
    }
    context.output.one(&found, report::calibration_text);
    Ok(Exit::Complete)
}

type Write = fn(&CalibrationReport) -> String;

fn parse(item: &str) -> Result<(Write, &Path), AppError> {
    let found =
        item.split_once('=').filter(|(_, path)| !path.is_empty()).and_then(|(kind, path)| {
            let write: Write = match kind {
                "md" => report::calibration_markdown,
                "html" => report::calibration_html,
                "json" => report::calibration_json,
                _ => return None,
            };
            Some((write, Path::new(path)))
        });
    found.ok_or_else(|| {
        AppError::input(format!("`--report {item}` names no report"))
            .with_hint("say KIND=FILE with md, html or json, as in md=judge.md")
    })
}
