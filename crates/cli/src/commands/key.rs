//! `trysquare key`: where keys are and where they may go. Never what they are.

use std::io::{self, Read};

use anstyle::{AnsiColor, Style};
use app::{AppError, KeyTest, KeyView};
use serde::Serialize;
use values::{Origin, Secret};

use super::Context;
use crate::args::Key;
use crate::diagnostics::printable;
use crate::exit::Exit;
use crate::output::{BOLD, Output};
use crate::table::{self, Align};

const WELL: Style = AnsiColor::Green.on_default();
const WRONG: Style = AnsiColor::Red.on_default().bold();

/// No key is longer; more than this on standard input is a mistake.
const MAX_SECRET_BYTES: u64 = 64 << 10;

/// Stores, lists, tests or removes keys.
pub(crate) fn key(context: &Context<'_>, command: Key) -> Result<Exit, AppError> {
    match command {
        Key::Set { name, origin, env } => set(context, &name, origin.as_deref(), env.as_deref()),
        Key::List => {
            context.output.many(&context.app.keys()?, list);
            Ok(Exit::Complete)
        }
        Key::Test { name } => test(context, &name),
        Key::Remove { name } => remove(context, &name),
    }
}

fn set(
    context: &Context<'_>,
    name: &str,
    origin: Option<&str>,
    variable: Option<&str>,
) -> Result<Exit, AppError> {
    // Whoever typed a secret must not learn only then that its place is unknown.
    let place = app::key_origin(name, origin)?;
    let secret = match variable {
        Some(_) => None,
        None => Some(read_secret(context, name, &place)?),
    };
    let view = context.app.set_key(name, origin, variable, secret.as_ref())?;
    context.output.one(&view, stored);
    Ok(Exit::Complete)
}

fn stored(view: &KeyView) -> String {
    let (name, source) = (printable(&view.name), printable(&view.source));
    let place = if view.source == "keyring" {
        "is in the keyring".to_owned()
    } else if view.is_present == Some(true) {
        format!("is read from the variable {source}")
    } else {
        format!("will be read from the variable {source}, which is not set now")
    };
    format!("the key `{name}` {place}; it is sent only to {}\n", view.origin)
}

/// Reads a secret without showing it.
fn read_secret(context: &Context<'_>, name: &str, place: &Origin) -> Result<Secret, AppError> {
    let unread = |error: io::Error| AppError::input("the key cannot be read").caused_by(error);
    let text = if Output::can_ask() {
        let name = printable(name);
        context.output.note(&format!(
            "Paste the key {BOLD}{name}{BOLD:#}, which is sent only to {place} (it is not shown): "
        ));
        Secret::new(rpassword::read_password().map_err(unread)?)
    } else {
        let mut text = String::new();
        io::stdin().take(MAX_SECRET_BYTES + 1).read_to_string(&mut text).map_err(unread)?;
        Secret::new(text)
    };
    let key = text.expose().trim();
    if key.is_empty() {
        return Err(AppError::input("no key was given")
            .with_hint("type it at the question, or give it on standard input"));
    }
    let is_too_long = u64::try_from(key.len()).is_ok_and(|length| length > MAX_SECRET_BYTES);
    if is_too_long || key.chars().any(char::is_control) {
        return Err(AppError::input("what was given is not one key: it has several lines")
            .with_hint("give the key alone, on one line"));
    }
    Ok(Secret::new(key))
}

fn list(keys: &[KeyView]) -> String {
    if keys.is_empty() {
        return "No keys yet: `trysquare key set openai` keeps one in the system's keyring, for \
                one origin.\n"
            .to_owned();
    }
    let head = ["key", "sent only to", "kept in", "state"].map(|title| (title, Align::Left));
    let rows: Vec<Vec<String>> = keys
        .iter()
        .map(|key| {
            let state = match key.is_present {
                Some(true) => "there",
                Some(false) => "missing",
                None => "the keyring does not answer",
            };
            vec![
                printable(&key.name),
                key.origin.to_string(),
                printable(&key.source),
                state.to_owned(),
            ]
        })
        .collect();
    table::render(&head, &rows)
}

fn test(context: &Context<'_>, name: &str) -> Result<Exit, AppError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| AppError::input("the system gives no timer or socket").caused_by(error))?;
    let test = runtime.block_on(context.app.test_key(context.folder(), name))?;
    context.output.one(&test, tested);
    Ok(if test.is_accepted { Exit::Complete } else { Exit::Unusable })
}

fn tested(test: &KeyTest) -> String {
    let (style, mark) = if test.is_accepted { (WELL, "✓") } else { (WRONG, "✕") };
    let (name, message) = (printable(&test.name), printable(&test.message));
    let mut out = format!("{style}{mark}{style:#} `{name}` at {}: {message}\n", test.origin);
    if !test.is_accepted {
        out += &format!("  {BOLD}hint{BOLD:#}: store another with `trysquare key set {name}`\n");
    }
    out
}

/// The key that was removed.
#[derive(Debug, Serialize)]
struct Removed {
    removed: String,
}

fn remove(context: &Context<'_>, name: &str) -> Result<Exit, AppError> {
    if !context.app.remove_key(name)? {
        return Err(AppError::input(format!("there is no key `{name}`"))
            .with_hint("`trysquare key list` shows those that there are"));
    }
    let removed = Removed { removed: name.to_owned() };
    context.output.one(&removed, |one| format!("removed the key `{}`\n", printable(&one.removed)));
    Ok(Exit::Complete)
}
