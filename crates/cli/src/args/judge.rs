use clap::{Args, Subcommand};

use super::Sending;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Judge {
    #[command(subcommand)]
    pub(crate) command: Option<JudgeCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JudgeCommand {
    /// List the judges: what each decides, and how far it can be trusted
    List,
    /// Show a judge: what it sees and answers, how it was calibrated, what to do next
    #[command(after_help = "Examples:\n  \
        trysquare judge show helpful\n  \
        trysquare judge show helpful --format json   every hash and figure")]
    Show {
        /// The judge: its file's name in judges/, or its name in an eval set
        judge: String,
    },
    /// Measure what sways a judge: pleas for a pass, repetition, length, format, order
    Probe(Box<Probe>),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trysquare judge probe polite --dry-run           how many calls that is, and what they may cost\n  \
    trysquare judge probe polite --cases 10 --times 5\n  \
    trysquare judge probe polite --run latest --report md=probe.md\n\n\
    It shows the judge outputs of a run of its eval set, as they are and changed, and texts that ask\n\
    for a good verdict. It needs no labels and says nothing of whether the judge is right: see\n\
    `trysquare calibrate`.")]
pub(crate) struct Probe {
    /// The judge, as evalset.yaml names it
    pub(crate) judge: String,
    /// The eval set [default: the only one that has this judge]
    #[arg(long, value_name = "NAME")]
    pub(crate) set: Option<String>,
    /// Use outputs of this run [default: the newest of the set]
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// Use outputs of so many cases
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) cases: u32,
    /// Judge each output so often, to see whether it says the same again
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub(crate) times: u32,
    /// Print how many calls that is and what they may cost, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write the findings into a file as well (md or json; may be repeated, or separated by commas)
    #[arg(long = "report", value_name = "KIND=FILE", value_delimiter = ',')]
    pub(crate) reports: Vec<String>,
    /// Answer from the eval set's recorded.jsonl only
    #[arg(long, conflicts_with = "record")]
    pub(crate) replay: bool,
    /// Write the replies into the eval set's recorded.jsonl
    #[arg(long)]
    pub(crate) record: bool,
    #[command(flatten)]
    pub(crate) sending: Sending,
}
