//! One module for each group of commands.

mod baseline;
mod cache;
mod calibrate;
mod compare;
mod completions;
mod costs;
mod doctor;
mod estimate;
mod failures;
mod gate;
mod judge;
mod judged_rates;
mod judging;
mod key;
mod label;
mod models;
mod permission;
mod pin;
mod plan_size;
mod prices;
mod probe;
mod project;
mod prompt;
mod rate;
mod reports;
mod run;
mod runs;
mod score;
mod session;
mod show;
mod trust;

use app::{App, AppError};

use crate::args::{Cli, Command, Global};
use crate::exit::Exit;
use crate::host;
use crate::output::Output;

/// What every command gets.
pub(crate) struct Context<'a> {
    pub(crate) app: App,
    pub(crate) global: &'a Global,
    pub(crate) output: &'a Output,
}

impl Context<'_> {
    /// Returns the project's folder as it was named, or the current one.
    pub(crate) fn folder(&self) -> Option<&std::path::Path> {
        self.global.project.as_deref()
    }
}

/// Runs the command that was typed.
pub(crate) fn run(cli: Cli, output: &Output) -> Result<Exit, AppError> {
    let Cli { global, command } = cli;
    let context = Context { app: host::app(), global: &global, output };
    match command {
        Command::Run(args) => run::run(&context, &args),
        Command::Runs(args) => runs::runs(&context, &args),
        Command::Show(args) => show::show(&context, &args),
        Command::Compare(args) => compare::compare(&context, &args),
        Command::Score(args) => score::score(&context, &args),
        Command::Calibrate(args) => calibrate::calibrate(&context, &args),
        Command::Judge(args) => judge::judge(&context, args),
        Command::Resume(args) => session::resume(&context, &args, false),
        Command::Retry(args) => session::resume(&context, &args, true),
        Command::Cancel(args) => runs::cancel(&context, &args),
        Command::Models => models::models(&context),
        Command::Estimate(args) => estimate::estimate(&context, args),
        Command::Costs(args) => costs::costs(&context, &args),
        Command::Prices(args) => prices::prices(&context, &args),
        Command::Key(args) => key::key(&context, args),
        Command::Trust(args) => trust::trust(&context, &args),
        Command::Cache(args) => cache::cache(&context, &args),
        Command::Doctor => doctor::doctor(&context),
        Command::Init(args) => project::init(&context, &args),
        Command::Validate(args) => project::validate(&context, &args),
        Command::Fmt(args) => project::fmt(&context, &args),
        Command::PlanSize(args) => plan_size::plan_size(&context, &args),
        Command::Gate(args) => gate::gate(&context, &args),
        Command::Failures(args) => failures::failures(&context, args),
        Command::Label(args) => label::label(&context, args),
        Command::Baseline(args) => baseline::baseline(&context, args),
        Command::Pin(args) => pin::pin(&context, args),
        Command::Prompt(args) => prompt::prompt(&context, &args),
        Command::Completions { shell } => completions::completions(&context, shell),
    }
}
