use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  \
    trysquare label                                  label the newest run, drawn at random\n  \
    trysquare label replies --criterion polite       one criterion of one set\n  \
    trysquare label replies --queue hunt             the most suspicious outputs first\n  \
    trysquare label replies --queue overlap          what somebody else labelled\n  \
    trysquare label replies --for A B --pairs        which of two outputs is better\n  \
    trysquare label stats replies                    who labelled what, and who agrees\n  \
    trysquare label import --map map.yaml rows.csv   what was said elsewhere\n  \
    trysquare label replies --resplit                after a change of seed, shares or clusters\n\n\
    Keys: 1 pass, 2 fail (then a note, Enter), d defer, n note, f flag, u undo, q quit. Of a pair: 1 the\n\
    first, 2 the second, 3 neither. Categories by number; a graded criterion takes a number and Enter.\n\
    Without a terminal the same keys are read from standard input."
)]
pub(crate) struct Label {
    #[command(subcommand)]
    pub(crate) command: Option<LabelCommand>,
    #[command(flatten)]
    pub(crate) what: LabelQueue,
    /// Take seed, shares and clusters as they are now, though labelled cases change their split; takes
    /// back the certificates of the set's judges
    #[arg(long)]
    pub(crate) resplit: bool,
}

/// What is labelled, by whom.
#[derive(Debug, Args)]
pub(crate) struct LabelQueue {
    /// The eval set: a folder in evalsets/ [default: the newest run's]
    pub(crate) set: Option<String>,
    /// The run whose outputs are labelled [default: the set's newest]
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// The criterion [default: the primary one]
    #[arg(long, value_name = "NAME")]
    pub(crate) criterion: Option<String>,
    /// Who labels [default: git's user.name, else you are asked]
    #[arg(long, value_name = "NAME")]
    pub(crate) labeller: Option<String>,
    /// How cases are chosen
    #[arg(long, value_enum, default_value_t = Queue::Measure)]
    pub(crate) queue: Queue,
    /// How many cases a draw for measuring expects; decide it before you start
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) count: u32,
    /// Label the outputs of both of these variants for each case
    #[arg(long = "for", num_args = 2, value_names = ["A", "B"])]
    pub(crate) variants: Vec<String>,
    /// Label which output of the two is better
    #[arg(long, requires = "variants")]
    pub(crate) pairs: bool,
    /// Hide model, variant and judge; the default
    #[arg(long, overrides_with = "no_blind")]
    pub(crate) blind: bool,
    /// Show variant and scores; the labels say so
    #[arg(long, overrides_with = "blind")]
    pub(crate) no_blind: bool,
}

/// How cases are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Queue {
    /// Drawn at random with known probabilities, so that the labels may enter rates
    Measure,
    /// The most suspicious first; these labels enter no rate
    Hunt,
    /// What another person labelled and you did not
    Overlap,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabelCommand {
    /// Print what is to be labelled next, with the probability of each draw
    #[command(after_help = "Examples:\n  \
        trysquare label next replies --count 60     about sixty cases, drawn at random\n  \
        trysquare label next replies --for A B      the outputs of both variants, for a comparison\n  \
        trysquare label next replies --queue hunt   the most suspicious first; enters no rate")]
    Next(LabelQueue),
    /// Say who labelled what, and how far people agree
    #[command(after_help = "Examples:\n  \
        trysquare label stats replies\n  \
        trysquare label stats replies --format json")]
    Stats {
        /// The eval set [default: the newest run's]
        set: Option<String>,
    },
    /// Print what people disagree on
    #[command(after_help = "Examples:\n  \
        trysquare label conflicts replies    who said what is hidden; decide with `label adjudicate`")]
    Conflicts {
        /// The eval set [default: the newest run's]
        set: Option<String>,
    },
    /// Decide what people disagree on; who said what is hidden
    #[command(after_help = "Examples:\n  \
        trysquare label adjudicate replies --labeller eve\n\n\
        Keys: 1 take A, 2 take B (and so on), e decide otherwise (then the \
        value and a reason, each with Enter), d leave it, q quit.")]
    Adjudicate {
        /// The eval set [default: the newest run's]
        set: Option<String>,
        /// Who decides [default: git's user.name, else you are asked]
        #[arg(long, value_name = "NAME")]
        labeller: Option<String>,
    },
    /// Bring in what people and judges said elsewhere
    Import(LabelImport),
    /// Bring what was labelled here into labels.jsonl
    #[command(after_help = "Examples:\n  \
        trysquare label export replies\n  \
        trysquare label export replies --all   also what another branch's file has")]
    Export {
        /// The eval set [default: the newest run's]
        set: Option<String>,
        /// Also what the file once had and holds no longer, as after a switch of branches
        #[arg(long)]
        all: bool,
    },
    /// Remove labels for ever, as personal data must be; no other copy of the file brings them back
    Purge(LabelPurge),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trysquare label import --map map.yaml rows.csv --preview   what it would bring, and the first rows\n  \
    trysquare label import --map map.yaml --set replies a.jsonl b.jsonl\n\n\
    A mapping says where in a row the case, its outputs and the values stand: docs/formats/label-map.md.\n\
    Nothing is written unless every row is sound. The same file again brings nothing.")]
pub(crate) struct LabelImport {
    /// Files of rows: a JSON list, JSONL or CSV [default: standard input]
    pub(crate) data: Vec<PathBuf>,
    /// The mapping
    #[arg(long, value_name = "FILE")]
    pub(crate) map: PathBuf,
    /// The eval set [default: the newest run's]
    #[arg(long, value_name = "NAME")]
    pub(crate) set: Option<String>,
    /// Say what would be imported, and write nothing
    #[arg(long)]
    pub(crate) preview: bool,
    /// Leave out rows that cannot be read
    #[arg(long)]
    pub(crate) skip_bad: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trysquare label purge replies --case m-017        a case: its labels, and what models said of it\n  \
    trysquare label purge replies --by \"Ana Lima\"    all that a person did, and kinds of failures that name her\n  \
    trysquare label purge replies --event 0197c2f0-7c1a-7000-8000-000000000000 --yes\n\n\
    With a note goes how it was sorted, and a kind of failure that nothing else was sorted into.")]
pub(crate) struct LabelPurge {
    /// The eval set [default: the newest run's]
    pub(crate) set: Option<String>,
    /// An event (may be repeated)
    #[arg(long = "event", value_name = "ID")]
    pub(crate) events: Vec<String>,
    /// Everything about a case, its outputs too (may be repeated)
    #[arg(long = "case", value_name = "ID")]
    pub(crate) cases: Vec<String>,
    /// Everything about an output, its text too (may be repeated)
    #[arg(long = "output", value_name = "HASH")]
    pub(crate) outputs: Vec<String>,
    /// Everything that a person did, and kinds of failures that name them (may be repeated)
    #[arg(long = "by", value_name = "NAME")]
    pub(crate) by: Vec<String>,
    /// Who purges [default: git's user.name, else you are asked]
    #[arg(long, value_name = "NAME")]
    pub(crate) labeller: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}
