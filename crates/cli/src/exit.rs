//! The documented exit codes. They are an interface: scripts branch on them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Complete, whatever passed.
    Complete,
    /// Complete, and `--fail-on-failures` found a failure. The gate uses the same code.
    Failed,
    /// Wrong usage, configuration or input.
    Unusable,
    /// Incomplete, or a provider gave trouble.
    Incomplete,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Complete => 0,
            Exit::Failed => 1,
            Exit::Unusable => 2,
            Exit::Incomplete => 3,
        })
    }
}

/// Returns how a command ended that was not done.
pub(crate) fn of_error(error: &app::AppError) -> Exit {
    match error.kind {
        app::ErrorKind::Input | app::ErrorKind::Permission => Exit::Unusable,
        app::ErrorKind::Provider | app::ErrorKind::Record => Exit::Incomplete,
    }
}
