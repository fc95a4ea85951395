//! `trysquare pin`: which version of a prompt an environment uses.

use app::{AppError, PinRequest, PinView};

use super::Context;
use crate::args::Pin;
use crate::diagnostics::printable;
use crate::exit::Exit;
use crate::output::BOLD;
use crate::table::{self, Align};

/// Pins a version, or lists the pins.
pub(crate) fn pin(context: &Context<'_>, args: Pin) -> Result<Exit, AppError> {
    let (app, folder, output) = (&context.app, context.folder(), context.output);
    let Some(pin) = args.pin else {
        output.many(&app.pins(folder, args.env.as_deref())?, listed);
        return Ok(Exit::Complete);
    };
    let (prompt, version) = pin.rsplit_once('@').ok_or_else(|| {
        AppError::input(format!("found `{pin}`, expected NAME@VERSION"))
            .with_hint("`trysquare prompt list` prints names and versions")
    })?;
    let request = PinRequest {
        prompt: prompt.to_owned(),
        version: version.to_owned(),
        environment: args.env.unwrap_or_default(),
        override_reason: args.override_reason,
    };
    output.one(&app.pin(folder, &request)?, pinned);
    Ok(Exit::Complete)
}

fn pinned(view: &PinView) -> String {
    let mut out = format!(
        "pinned {BOLD}{}{BOLD:#} {} in {}\n",
        printable(&view.prompt),
        short(&view.version),
        printable(&view.environment)
    );
    for approval in &view.approved_by {
        let (set, variant) = (printable(&approval.eval_set), printable(&approval.variant));
        out += &format!("approved by the baseline of {set}, variant {variant}\n");
    }
    if let Some(reason) = &view.override_reason {
        out += &format!("overridden: no committed baseline names it; {}\n", printable(reason));
    }
    out + "\nReview trysquare.yaml with `git diff`, and commit it.\n"
}

fn short(version: &str) -> String {
    version.chars().take(12).collect()
}

fn listed(pins: &[PinView]) -> String {
    if pins.is_empty() {
        return "No pins yet: trysquare pin NAME@VERSION --env ENVIRONMENT\n".to_owned();
    }
    let head = ["environment", "prompt", "version", "in the files", "approved by"]
        .map(|title| (title, Align::Left));
    let rows: Vec<Vec<String>> = pins
        .iter()
        .map(|pin| {
            let sets: Vec<String> =
                pin.approved_by.iter().map(|one| printable(&one.eval_set)).collect();
            let approved = match (&pin.override_reason, sets.is_empty()) {
                (Some(reason), _) => format!("nobody: {}", printable(reason)),
                (None, true) => "no committed baseline of today".to_owned(),
                (None, false) => sets.join(", "),
            };
            vec![
                printable(&pin.environment),
                printable(&pin.prompt),
                short(&pin.version),
                if pin.is_current { "yes" } else { "no" }.to_owned(),
                approved,
            ]
        })
        .collect();
    table::render(&head, &rows)
}
