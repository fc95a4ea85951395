//! The `trysquare` program: reads arguments, calls `app`, prints.
//!
//! Results go to standard output, everything else to standard error. Thin on purpose: what a person
//! can do is in `app`; here is how it is asked for and how it reads.

mod args;
mod commands;
mod diagnostics;
mod exit;
mod host;
mod output;
mod progress;
mod table;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::exit::Exit;
use crate::output::Output;

/// A run is thousands of small allocations a call, made by one thread and freed by another, which the
/// system's allocator is slow at. SQLite uses it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the program and returns its documented exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; clap knows which stream they belong to.
            let code = if error.use_stderr() { Exit::Unusable } else { Exit::Complete };
            // A closed pipe is no reason to fail.
            drop(error.print());
            return code.into();
        }
    };
    let output = Output::new(&cli.global);
    match commands::run(cli, &output) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output.error(&error);
            exit::of_error(&error).into()
        }
    }
}
