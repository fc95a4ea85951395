use clap::{Args, Subcommand};

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
}
