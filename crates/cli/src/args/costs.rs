//! What can be typed about money.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
    trysquare prices                                          the models of this project\n  \
    trysquare prices --all                                    every model that a list prices\n  \
    trysquare prices import prices.json --from litellm        take over LiteLLM's price file\n  \
    trysquare prices import models.json --from openrouter     take over OpenRouter's list\n\n\
    What trysquare.yaml states goes before prices.jsonl, and that before the list that comes with the\n\
    program. A model that none of them prices costs \"unknown\", never 0."
)]
pub(crate) struct Prices {
    #[command(subcommand)]
    pub(crate) command: Option<PricesCommand>,
    /// Also models that the project does not use
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PricesCommand {
    /// Write prices from another program's list into prices.jsonl
    Import(ImportPrices),
}

#[derive(Debug, Args)]
pub(crate) struct ImportPrices {
    /// The list, as a file
    pub(crate) file: PathBuf,
    /// Whose list it is
    #[arg(long, value_enum)]
    pub(crate) from: PricesFrom,
    /// Take over every model, not only those that the project uses
    #[arg(long)]
    pub(crate) all: bool,
}

/// Whose list of prices is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PricesFrom {
    /// `model_prices_and_context_window.json`
    Litellm,
    /// The answer of its list of models
    Openrouter,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trysquare costs                  by run\n  \
    trysquare costs --by model       which model is dear\n  \
    trysquare costs --by day         what each day cost, in UTC as the cap counts it\n\n\
    Answers from the cache cost nothing; what they would have cost is shown as saved.")]
pub(crate) struct Costs {
    /// What to add up by
    #[arg(long, value_enum, default_value_t = CostsGroup::Run)]
    pub(crate) by: CostsGroup,
}

/// What costs are added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CostsGroup {
    /// Each run
    Run,
    /// Each model or target
    Model,
    /// Each day, in UTC
    Day,
    /// Each prompt
    Prompt,
}
