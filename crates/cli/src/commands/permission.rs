//! Asking the person for what is not allowed yet.

use std::io;

use app::{AppError, Missing};

use super::{Context, trust};
use crate::diagnostics::printable;
use crate::output::{BOLD, Output};

/// Asks for everything that is missing; what is granted is remembered.
///
/// # Errors
/// What is missing, if nobody can be asked or the person says no.
pub(crate) fn ask(context: &Context<'_>, missing: &[Missing]) -> Result<(), AppError> {
    for one in missing {
        if !Output::can_ask() {
            return Err(one.error());
        }
        match one {
            Missing::Origin { origin, provider, key } => {
                let question = origin_question(&origin.to_string(), provider, key.as_deref());
                if !is_confirmed(context, &question)? {
                    return Err(one.error());
                }
                context.app.allow_origin(context.folder(), origin.clone())?;
            }
            Missing::Trust { .. } => {
                let view = context.app.trust_view(context.folder())?;
                if !trust::ask(context, &view)? {
                    return Err(one.error());
                }
            }
        }
    }
    Ok(())
}

fn origin_question(origin: &str, provider: &str, key: Option<&str>) -> String {
    let provider = printable(provider);
    let with = match key {
        Some(key) => format!("{provider}, with the key `{}`", printable(key)),
        None => format!("{provider}, without a key"),
    };
    format!("Allow this project to send to {BOLD}{}{BOLD:#} ({with})?", printable(origin))
}

/// Asks a question on the terminal; only a clear yes is one.
///
/// # Errors
/// If the terminal cannot be read.
pub(crate) fn is_confirmed(context: &Context<'_>, question: &str) -> Result<bool, AppError> {
    context.output.note(&format!("{question} [y/N] "));
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| AppError::input("the answer cannot be read").caused_by(error))?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_allows() {
        assert!(is_yes("y\n") && is_yes(" YES \r\n"));
        for no in ["", "\n", "n\n", "no\n", "yep\n", "j\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }

    #[test]
    fn the_question_names_origin_provider_and_key_and_cannot_be_forged() {
        let text = origin_question("https://a.example", "desk\u{1b}[2J", Some("openai"));
        let text = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(
            text,
            "Allow this project to send to https://a.example (desk\u{fffd}[2J, with the key `openai`)?"
        );
    }
}
