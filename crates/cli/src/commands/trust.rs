//! `trysquare trust`: the programs and model files that a project declares.

use anstyle::{AnsiColor, Style};
use app::{AppError, ErrorKind, TrustView};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::Context;
use super::permission::is_confirmed;
use crate::args::Trust;
use crate::diagnostics::printable;
use crate::exit::Exit;
use crate::output::{BOLD, FAINT, Output};

const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();

/// Shows, asks for, gives or takes back trust.
pub(crate) fn trust(context: &Context<'_>, args: &Trust) -> Result<Exit, AppError> {
    let (app, folder, output) = (&context.app, context.folder(), context.output);
    if args.revoke {
        let was_trusted = app.revoke_trust(folder)?;
        output.one(&app.trust_view(folder)?, |_| {
            let what = if was_trusted {
                "what this project declares is no longer trusted"
            } else {
                "nothing of this project was trusted"
            };
            format!("{what}\n")
        });
        return Ok(Exit::Complete);
    }
    if let Some(hash) = &args.hash {
        let hash = hash.parse().map_err(|error: values::ParseHashError| {
            AppError::input(error.to_string())
                .with_hint("`trysquare trust --show` prints the hash of what would be trusted")
        })?;
        app.trust(folder, hash)?;
        output.one(&app.trust_view(folder)?, |view| {
            format!("trusted on this machine: {}\n", view.hash)
        });
        return Ok(Exit::Complete);
    }
    let view = app.trust_view(folder)?;
    if args.show || view.is_empty || view.is_trusted {
        output.one(&view, shown);
        return Ok(Exit::Complete);
    }
    if !Output::can_ask() {
        output.note(&shown(&view));
        return Err(refused("nobody can be asked here whether to trust this", &view));
    }
    if ask(context, &view)? {
        Ok(Exit::Complete)
    } else {
        Err(refused("nothing was trusted", &view))
    }
}

fn refused(message: &str, view: &TrustView) -> AppError {
    AppError::new(ErrorKind::Permission, message)
        .with_hint(format!("to trust exactly this: trysquare trust --hash {}", view.hash))
}

/// Shows a block on the terminal and asks whether to trust it; tells whether it is trusted now.
///
/// # Errors
/// If it changed meanwhile, or the answer cannot be kept.
pub(crate) fn ask(context: &Context<'_>, view: &TrustView) -> Result<bool, AppError> {
    context.output.note(&shown(view));
    if !is_confirmed(context, "Trust this on this machine?")? {
        return Ok(false);
    }
    context.app.trust(context.folder(), view.hash)?;
    context.output.note("trusted; `trysquare trust --revoke` takes it back\n");
    Ok(true)
}

fn shown(view: &TrustView) -> String {
    if view.is_empty {
        return "This project declares no programs and no model files, so there is nothing to \
                trust; `trysquare validate` checks the rest of it.\n"
            .to_owned();
    }
    let mut out = format!("{BOLD}This project wants to run or load{BOLD:#}\n");
    for line in pretty(&view.shown).lines() {
        out += &format!("{}\n", printable(line));
    }
    if let Some(before) = &view.before {
        out += &format!("\n{BOLD}Since it was trusted last, this changed{BOLD:#}\n");
        out += &changes(before, &view.shown);
    }
    out += &format!("\n{FAINT}hash{FAINT:#} {}\n", view.hash);
    out + if view.is_trusted {
        "It is trusted on this machine; `trysquare trust --revoke` takes that back.\n"
    } else {
        "It is not trusted on this machine.\n"
    }
}

/// Writes the lines that differ, with two lines around each.
fn changes(before: &Value, now: &Value) -> String {
    let (before, now) = (pretty(before), pretty(now));
    let diff = TextDiff::from_lines(before.as_str(), now.as_str());
    let mut out = String::new();
    for (number, group) in diff.grouped_ops(2).iter().enumerate() {
        if number > 0 {
            out += "  …\n";
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let (style, sign) = match change.tag() {
                ChangeTag::Delete => (REMOVED, '-'),
                ChangeTag::Insert => (ADDED, '+'),
                ChangeTag::Equal => (Style::new(), ' '),
            };
            let line = printable(change.value().trim_end_matches('\n'));
            out += &format!("{style}{sign} {line}{style:#}\n");
        }
    }
    out
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_changed_since_the_last_trust_is_shown_by_line() {
        let before =
            json!({"programs": {"lint": {"command": ["python3", "lint.py"], "files": {}}}});
        let now = json!({"programs": {"lint": {"command": ["sh", "lint\u{1b}.py"], "files": {}}}});
        let text = anstream::adapter::strip_str(&changes(&before, &now)).to_string();
        insta::assert_snapshot!(text, @r#"
              "lint": {
                "command": [
        -         "python3",
        -         "lint.py"
        +         "sh",
        +         "lint\u001b.py"
                ],
                "files": {}
        "#);
    }
}
