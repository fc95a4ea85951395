use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  \
    trysquare failures                               the kinds, and what is not sorted yet\n  \
    trysquare failures group late 3f09ac 77b1e0 --sentence \"It names a day that is past.\"\n  \
    trysquare failures group rude 3f09ac --from late      move a note, as in splitting a kind\n  \
    trysquare failures rename late \"past day\"\n  \
    trysquare failures merge late \"past day\" --into late\n\n\
    A note is what somebody wrote beside a label (`trysquare label`). It is named by the end of its id.\n\
    Notes count while their output fails by what people decided."
)]
pub(crate) struct Failures {
    #[command(subcommand)]
    pub(crate) command: Option<FailuresCommand>,
    #[command(flatten)]
    pub(crate) list: FailuresList,
    /// The eval set [default: the only one, or the newest run's]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) set: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct FailuresList {
    /// List the notes of this category
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub(crate) category: Option<String>,
    /// List all notes, also sorted ones and those that do not count
    #[arg(long)]
    pub(crate) all: bool,
    /// Only notes on this criterion
    #[arg(long, value_name = "NAME")]
    pub(crate) criterion: Option<String>,
    /// List at most so many notes
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: usize,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FailuresCommand {
    /// Print the kinds of failures with their shares, and the notes that nobody has sorted
    List(FailuresList),
    /// Suggest groups among the notes, by the words that they share; nothing is kept
    #[command(after_help = "After 30 notes. Each group is printed with the command that takes it.")]
    Suggest,
    /// Put notes into a category, and make it if it is new
    #[command(after_help = "Examples:\n  \
        trysquare failures group late 3f09ac 77b1e0 --sentence \"It names a day that is past.\"\n  \
        trysquare failures group rude 3f09ac --from late     out of one, into another")]
    Group {
        /// The category
        category: String,
        /// The notes: their ids, or the ends of them
        #[arg(value_name = "NOTE")]
        notes: Vec<String>,
        /// What it is, in one sentence; needed for a new category
        #[arg(long, value_name = "TEXT")]
        sentence: Option<String>,
        /// Take the notes out of this category
        #[arg(long, value_name = "NAME")]
        from: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Take notes out of categories; what is in none is of no kind
    Ungroup {
        /// The notes: their ids, or the ends of them
        #[arg(required = true, value_name = "NOTE")]
        notes: Vec<String>,
        /// Out of this category only
        #[arg(long, value_name = "NAME")]
        from: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Call or explain a category otherwise; what is in it stays
    #[command(after_help = "Examples:\n  \
        trysquare failures rename late \"past day\"\n  \
        trysquare failures rename late --sentence \"It names a day before the mail's.\"")]
    Rename {
        /// The category
        category: String,
        /// Its new name
        #[arg(value_name = "NEW NAME", required_unless_present = "sentence")]
        name: Option<String>,
        /// What it is, in one sentence
        #[arg(long, value_name = "TEXT")]
        sentence: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Make one category of several
    Merge {
        /// The categories; one name is enough if several have it
        #[arg(required = true, value_name = "CATEGORY")]
        categories: Vec<String>,
        /// What the one is called [default: as the first]
        #[arg(long, value_name = "NAME")]
        into: Option<String>,
        /// What it is, in one sentence [default: as before]
        #[arg(long, value_name = "TEXT")]
        sentence: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Add a check for a category to the eval set, and tell how it decides what people have decided
    #[command(
        group = clap::ArgGroup::new("finds").required(true).args(FINDS),
        after_help = "Examples:\n  \
        trysquare failures check late --not-contains yesterday --ignore-case --try\n  \
        trysquare failures check \"no number\" --regex '[A-Z]-\\d{5}'\n\n\
        Outputs that the check fails are of this kind. With --try nothing is written."
    )]
    Check {
        /// The category
        category: String,
        /// An output fails if it contains this text; may be repeated
        #[arg(long, value_name = "TEXT")]
        not_contains: Vec<String>,
        /// An output fails if it lacks this text; may be repeated
        #[arg(long, value_name = "TEXT")]
        contains: Vec<String>,
        /// An output fails if this regular expression matches in it
        #[arg(long, value_name = "PATTERN")]
        not_regex: Option<String>,
        /// An output fails if this regular expression matches nowhere in it
        #[arg(long, value_name = "PATTERN")]
        regex: Option<String>,
        /// Capital letters are as small ones
        #[arg(long)]
        ignore_case: bool,
        /// What the check is called [default: as the category]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Only tell what it finds
        #[arg(long = "try")]
        only_try: bool,
    },
    /// Write a judge for a category, and the criterion that it decides; nothing is sent
    #[command(after_help = "Examples:\n  \
        trysquare failures judge rude\n  \
        trysquare failures judge rude --model openai/gpt-5-mini")]
    Judge {
        /// The category
        category: String,
        /// What the judge and its criterion are called [default: as the category]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// The model [default: that of the set's first judge, else of its first prompt]
        #[arg(long, value_name = "PROVIDER/MODEL")]
        model: Option<String>,
    },
    /// Write all notes with their categories for a spreadsheet, or the kinds for a page
    #[command(after_help = "Examples:\n  \
        trysquare failures export -o notes.csv\n  \
        trysquare failures export --as md -o failures.md")]
    Export {
        /// What is written
        #[arg(long = "as", value_enum, default_value_t = FailuresFile::Csv)]
        kind: FailuresFile,
        /// The file [default: standard output]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// The ways to say what tells a failure.
const FINDS: [&str; 4] = ["not_contains", "contains", "not_regex", "regex"];

/// Who sorts.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// Who sorts [default: git's user.name, else you are asked]
    #[arg(long, value_name = "NAME")]
    pub(crate) labeller: Option<String>,
}

/// What is written of the failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailuresFile {
    /// A row a note
    Csv,
    /// The kinds with their shares and notes
    Md,
}
