//! `trysquare completions`

use app::AppError;
use clap::CommandFactory;
use clap_complete::Shell;

use super::Context;
use crate::args::Cli;
use crate::exit::Exit;

/// Prints the completion script of a shell.
#[expect(clippy::unnecessary_wraps, reason = "every command can be refused; this one never is")]
pub(crate) fn completions(context: &Context<'_>, shell: Shell) -> Result<Exit, AppError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "trysquare", &mut script);
    context.output.text(&String::from_utf8_lossy(&script));
    Ok(Exit::Complete)
}
