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
    trysquare estimate order-number                     tokens and dollars, as a range\n  \
    trysquare estimate order-number --variant examples --samples 5\n\n\
    Input is counted by the model's tokenizer where there is one. Output is predicted from earlier\n\
    answers of the same prompt on the same model. What the cache answers costs nothing. Nothing is sent.")]
pub(crate) struct Estimate {
    /// The eval set: a folder in evalsets/
    pub(crate) set: String,
    /// Only these variants (may be repeated)
    #[arg(long = "variant", value_name = "NAME")]
    pub(crate) variants: Vec<String>,
    /// Only these cases (may be repeated)
    #[arg(long = "case", value_name = "ID")]
    pub(crate) cases: Vec<String>,
    /// Only cases with this tag (may be repeated)
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// How often each case is sampled [default: the eval set's]
    #[arg(long, value_name = "N")]
    pub(crate) samples: Option<u32>,
    /// As if the cache were empty
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Without the eval set's judges
    #[arg(long)]
    pub(crate) no_judges: bool,
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
