//! What can be typed: commands, options and their help.

#![expect(
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "a field here is an option that is typed: each flag is a bool, named as it is typed"
)]

mod calibrate;
mod costs;
mod failures;
mod judge;
mod label;

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use calibrate::{Calibrate, CalibrateSplit};
pub(crate) use costs::{
    Costs, CostsGroup, Estimate, ImportPrices, Prices, PricesCommand, PricesFrom,
};
pub(crate) use failures::{Failures, FailuresCommand, FailuresFile, FailuresList, Who};
pub(crate) use judge::{Judge, JudgeCommand, Probe};
pub(crate) use label::{Label, LabelCommand, LabelImport, LabelPurge, LabelQueue, Queue};

/// Is the new prompt better, and how do we know?
#[derive(Debug, Parser)]
#[command(
    name = "trysquare",
    bin_name = "trysquare",
    version,
    max_term_width = 100,
    after_help = "Examples:\n  \
        trysquare init my-project          start a project\n  \
        trysquare validate                 check every file of it\n  \
        trysquare run order-number         run an eval set\n  \
        trysquare show latest --failures   see what failed\n\n\
        Exit codes: 0 complete, 1 a gate or --fail-on-failures, 2 wrong usage or input, 3 incomplete."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The project's folder [default: this one or the nearest above with trysquare.yaml]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// When to colour; NO_COLOR is honoured
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// One JSON document
    Json,
    /// One JSON object a line
    Jsonl,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an eval set: every case with every variant
    Run(Run),
    /// List runs, or export the record of one
    Runs(Runs),
    /// Show the results of a run, or one cell of it
    Show(Show),
    /// Say whether one variant is better than another, and how sure that is
    Compare(Compare),
    /// Score a run again with today's checks, or score outputs made elsewhere
    Score(Score),
    /// Measure a judge against people's labels, and write its certificate
    Calibrate(Calibrate),
    /// List judges and how far each can be trusted, or show one
    Judge(Judge),
    /// Go on with a run that was stopped or whose process died
    Resume(Resume),
    /// Send only the cells of a run again that ended in an error
    Retry(Resume),
    /// Ask a run in another process to stop; it can be resumed
    Cancel(RunName),
    /// List providers and models, and what is known of them
    Models,
    /// Say what a run will take, before it starts: tokens and dollars, as a range
    Estimate(Estimate),
    /// Show what the runs of this project cost, judges apart, and what is left of its budgets
    Costs(Costs),
    /// Show what the models of this project cost, and since when that is known
    Prices(Prices),
    /// Keep keys in the system's keyring, bound to one origin each
    #[command(subcommand)]
    Key(Key),
    /// Review and trust the programs that this project declares
    Trust(Trust),
    /// Show or clear the cache of responses
    Cache(Cache),
    /// Check this installation and project; list every host that was contacted
    Doctor,
    /// Start a project
    Init(Init),
    /// Check every file of the project and print everything that is wrong
    Validate(Validate),
    /// Make JSONL files canonical: key order, numbers, line ends
    Fmt(Fmt),
    /// Say how many cases a change needs to be seen
    PlanSize(PlanSize),
    /// Decide whether the candidate may ship: run it, compare it with the baseline, apply the rules
    Gate(Gate),
    /// Label outputs in the terminal, and look at the labels that there are
    Label(Label),
    /// Sort what went wrong into kinds, and see how often each occurs
    Failures(Failures),
    /// Approve the results of a run, and show what is approved
    #[command(subcommand)]
    Baseline(Baseline),
    /// Pin the version of a prompt that an environment uses, or list the pins
    Pin(Pin),
    /// Look at prompts: list, render, compare, history, export
    #[command(subcommand)]
    Prompt(Prompt),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trysquare run order-number --dry-run             print the plan, send nothing\n  \
    trysquare run order-number --variant examples    one variant only\n  \
    trysquare run order-number --replay              answer from recorded.jsonl, no key needed\n  \
    trysquare run order-number --cap 0.50            stop before 50 cents are spent\n  \
    trysquare run order-number --until-decided       stop as soon as the verdict is clear")]
pub(crate) struct Run {
    /// The eval set: a folder in evalsets/
    pub(crate) set: String,
    /// Run only these variants (may be repeated)
    #[arg(long = "variant", value_name = "NAME")]
    pub(crate) variants: Vec<String>,
    /// Run only these cases (may be repeated)
    #[arg(long = "case", value_name = "ID")]
    pub(crate) cases: Vec<String>,
    /// Run only cases with this tag (may be repeated)
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// How often each case is sampled [default: the eval set's]
    #[arg(long, value_name = "N")]
    pub(crate) samples: Option<u32>,
    /// The seed that shuffles the plan [default: the eval set's]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Print the plan and what it may cost, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Answer from the eval set's recorded.jsonl only
    #[arg(long, conflicts_with = "record")]
    pub(crate) replay: bool,
    /// Write the responses into the eval set's recorded.jsonl
    #[arg(long)]
    pub(crate) record: bool,
    /// Do not call the eval set's judges
    #[arg(long)]
    pub(crate) no_judges: bool,
    /// Exit with 1 if a cell fails
    #[arg(long)]
    pub(crate) fail_on_failures: bool,
    /// End as soon as it is decided whether the candidate is better, or no worse
    #[arg(long, conflicts_with = "record")]
    pub(crate) until_decided: bool,
    /// What is to be decided
    #[arg(long, value_enum, default_value_t = Goal::Better, requires = "until_decided")]
    pub(crate) goal: Goal,
    /// What the candidate is compared with [default: the first other variant]
    #[arg(long, value_name = "VARIANT", requires = "until_decided")]
    pub(crate) against: Option<String>,
    #[command(flatten)]
    pub(crate) sending: Sending,
}

/// What a run that ends early is to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Goal {
    /// Whether it is better; at "no worse" once a gain of the margin is out of reach
    Better,
    /// Whether it is no worse by more than the margin
    NoWorse,
}

/// What may be sent, to whom, and for how much.
#[derive(Debug, Clone, Args)]
pub(crate) struct Sending {
    /// Do not read or write the cache
    #[arg(long, conflicts_with = "refresh", help_heading = "Sending")]
    pub(crate) no_cache: bool,
    /// Do not read the cache, but write it
    #[arg(long, help_heading = "Sending")]
    pub(crate) refresh: bool,
    /// At most so many calls at once to one provider
    #[arg(long, value_name = "N", help_heading = "Sending")]
    pub(crate) concurrency: Option<usize>,
    /// Stop before this run has spent so many dollars
    #[arg(long, value_name = "USD", help_heading = "Spending")]
    pub(crate) cap: Option<String>,
    /// Refuse a request that may cost more dollars
    #[arg(long, value_name = "USD", help_heading = "Spending")]
    pub(crate) cap_request: Option<String>,
    /// Stop before this project has spent so many dollars today (UTC)
    #[arg(long, value_name = "USD", help_heading = "Spending")]
    pub(crate) cap_day: Option<String>,
    /// Stop before this project has ever spent so many dollars
    #[arg(long, value_name = "USD", help_heading = "Spending")]
    pub(crate) cap_project: Option<String>,
    /// Allow models without a price although a cap is set
    #[arg(long, help_heading = "Spending")]
    pub(crate) allow_unpriced: bool,
    /// Allow this project to send to an origin, for this command (may be repeated)
    #[arg(long, value_name = "ORIGIN", help_heading = "Permissions")]
    pub(crate) allow_origin: Vec<String>,
    /// Allow a key for an origin, for this command: NAME=ORIGIN[,env=VARIABLE]
    #[arg(long, value_name = "BINDING", help_heading = "Permissions")]
    pub(crate) allow_key: Vec<String>,
    /// Trust the project's programs if they still have this hash
    #[arg(long, value_name = "HASH", help_heading = "Permissions")]
    pub(crate) trust: Option<String>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Runs {
    #[command(subcommand)]
    pub(crate) command: Option<RunsCommand>,
    /// At most so many, newest first
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// Write the whole record of a run as JSONL
    Export {
        /// The run: its id, the beginning of it, or `latest`
        run: String,
        /// The file [default: standard output]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RunName {
    /// The run: its id, the beginning of it, or `latest`
    pub(crate) run: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trysquare show latest --failures\n  \
    trysquare show latest --case m-042\n  \
    trysquare show latest --case m-042 --variant examples --raw")]
pub(crate) struct Show {
    /// The run: its id, the beginning of it, or `latest`
    pub(crate) run: String,
    /// Show every cell of this case in full
    #[arg(long, value_name = "ID")]
    pub(crate) case: Option<String>,
    /// Only this variant
    #[arg(long, value_name = "NAME")]
    pub(crate) variant: Option<String>,
    /// List the cells that failed, with the reason
    #[arg(long)]
    pub(crate) failures: bool,
    /// List the cells that ended in an error
    #[arg(long)]
    pub(crate) errors: bool,
    /// List at most so many cells
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: u32,
    /// With --case: print the requests and replies as they went over the wire
    #[arg(long)]
    pub(crate) raw: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trysquare compare instruction examples           two variants of the latest run\n  \
    trysquare compare 019f2a 019f3b                  the candidates of two runs\n  \
    trysquare compare 019f2a/examples latest/terse   a variant of each\n  \
    trysquare compare old new1 new2 --report md=comparison.md,html=comparison.html\n\n\
    A side is a run (its id, the beginning of it, or `latest`), RUN/VARIANT, or a variant of the\n\
    latest run; the first may be `baseline`, what was approved. The exit code is 0 whatever the\n\
    verdict.")]
pub(crate) struct Compare {
    /// What to compare with
    pub(crate) baseline: String,
    /// What may be better; several share the level of one claim
    #[arg(required = true, value_name = "CANDIDATE")]
    pub(crate) candidates: Vec<String>,
    /// The eval set whose latest run is meant [default: any]
    #[arg(long, value_name = "NAME")]
    pub(crate) set: Option<String>,
    /// Write the report into a file: KIND=FILE with md, html, junit, csv or json (may be repeated)
    #[arg(long = "report", value_name = "KIND=FILE", value_delimiter = ',')]
    pub(crate) reports: Vec<String>,
    /// Print at most so many cases of each list; files hold more
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(crate) cases: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trysquare plan-size instruction examples --change 5   at what two variants show\n  \
    trysquare plan-size instruction examples --samples 3  with three samples of each case\n  \
    trysquare plan-size --discordant 20 --change 5        if one case in five differs\n  \
    trysquare plan-size --discordant 20 --cases 200       what 200 cases can show")]
pub(crate) struct PlanSize {
    /// Two sides, as `compare` names them, whose results say how much cases differ
    #[arg(value_name = "SIDE", num_args = 0..=2)]
    pub(crate) sides: Vec<String>,
    /// The eval set whose latest run is meant [default: any]
    #[arg(long, value_name = "NAME")]
    pub(crate) set: Option<String>,
    /// The change to be seen, in points
    #[arg(long, value_name = "POINTS", default_value_t = 5.0)]
    pub(crate) change: f64,
    /// Assume that so many percent of the cases differ
    #[arg(long, value_name = "PERCENT", conflicts_with = "sides")]
    pub(crate) discordant: Option<f64>,
    /// The chance of seeing the change, in percent [default: 80]
    #[arg(long, value_name = "PERCENT")]
    pub(crate) power: Option<f64>,
    /// Say what this number of cases can show [default: those that are there]
    #[arg(long, value_name = "N")]
    pub(crate) cases: Option<u64>,
    /// Plan with K samples of each case [default: as many as the sides have]
    #[arg(long, value_name = "K", conflicts_with = "discordant")]
    pub(crate) samples: Option<NonZeroU32>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trysquare gate order-number --replay                         in CI: no key, no network\n  \
    trysquare gate order-number --report md=gate.md,junit=gate.xml\n  \
    trysquare gate order-number --replay --verify 5              ask the model five of them again\n\n\
    Exit codes: 0 it may ship; 1 a rule failed, or evidence is short and that blocks; 2 wrong usage or\n\
    input; 3 a cell is missing, failed, unreadable or was not recorded.")]
pub(crate) struct Gate {
    /// The eval set: a folder in evalsets/ with a baseline.json
    pub(crate) set: String,
    /// Answer from recorded.jsonl only; what was not recorded is an error
    #[arg(long)]
    pub(crate) replay: bool,
    /// Send N of the recorded requests again, chosen by chance, and tell which answers differ
    #[arg(long, value_name = "N", requires = "replay")]
    pub(crate) verify: Option<u32>,
    /// Write the report into a file: KIND=FILE with md, html, junit, csv or json (may be repeated)
    #[arg(long = "report", value_name = "KIND=FILE", value_delimiter = ',')]
    pub(crate) reports: Vec<String>,
    /// Print at most so many cases of each list; files hold more
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(crate) cases: usize,
    #[command(flatten)]
    pub(crate) sending: Sending,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trysquare score latest                    by today's checks; nothing is sent\n  \
    trysquare score latest --judge helpful    and by a judge as it is today\n  \
    trysquare score --set order-number --outputs answers.jsonl\n\n\
    A line of --outputs: {\"case\": \"m-042\", \"output\": \"A-48213\", \"variant\": \"ours\"}")]
pub(crate) struct Score {
    /// The run to score again: its id, the beginning of it, or `latest`
    #[arg(required_unless_present = "outputs", conflicts_with = "outputs")]
    pub(crate) run: Option<String>,
    /// Score these outputs instead: JSONL with case, output, and optionally variant and sample
    #[arg(long, value_name = "FILE", requires = "set")]
    pub(crate) outputs: Option<PathBuf>,
    /// The eval set of --outputs
    #[arg(long, value_name = "NAME")]
    pub(crate) set: Option<String>,
    /// Have this judge of the eval set judge the outputs (may be repeated)
    #[arg(long = "judge", value_name = "NAME")]
    pub(crate) judges: Vec<String>,
    /// Answer for the judges from the eval set's recorded.jsonl only
    #[arg(long, requires = "judges", conflicts_with = "record")]
    pub(crate) replay: bool,
    /// Write the replies of the judges into the eval set's recorded.jsonl
    #[arg(long, requires = "judges")]
    pub(crate) record: bool,
    #[command(flatten)]
    pub(crate) sending: Sending,
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The run: its id, the beginning of it, or `latest`
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) sending: Sending,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Store a key for one origin; the secret is read from the terminal or standard input
    #[command(after_help = "Examples:\n  \
        trysquare key set openai\n  \
        trysquare key set router --origin https://openrouter.ai\n  \
        trysquare key set openai --env OPENAI_API_KEY   nothing is stored, the variable is read")]
    Set {
        /// The name by which projects ask for it
        name: String,
        /// The only origin that it may be sent to [default: known for well-known names]
        #[arg(long, value_name = "ORIGIN")]
        origin: Option<String>,
        /// Read the secret from this environment variable instead of the keyring
        #[arg(long, value_name = "VARIABLE")]
        env: Option<String>,
    },
    /// List keys, where they are and where they may go; never the keys
    List,
    /// Send the smallest request that shows whether a key works
    Test {
        /// The key's name
        name: String,
    },
    /// Remove a key
    Remove {
        /// The key's name
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// Print what would be trusted, and its hash
    #[arg(long, conflicts_with = "revoke")]
    pub(crate) show: bool,
    /// Take trust in this project back
    #[arg(long)]
    pub(crate) revoke: bool,
    /// Trust without asking, if the hash is still this one
    #[arg(long, value_name = "HASH", conflicts_with_all = ["show", "revoke"])]
    pub(crate) hash: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Cache {
    /// Remove every cached response
    #[arg(long)]
    pub(crate) clear: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The folder [default: this one]
    pub(crate) folder: Option<PathBuf>,
    /// Write the sample: 137 customer messages, three prompts, recorded answers
    #[arg(long)]
    pub(crate) sample: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Treat warnings as errors
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Change nothing; exit with 2 if a file is not canonical
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Baseline {
    /// Write the results of a run as what the gate compares with
    #[command(after_help = "Examples:\n  \
        trysquare baseline accept latest\n  \
        trysquare baseline accept latest --variant examples\n  \
        trysquare baseline accept latest --override \"the broken case was wrong\"\n\n\
        A run is refused that is not finished, covers the set only in part, has errors or unreadable\n\
        scores, or does not pass the gate against the baseline that it would replace.")]
    Accept {
        /// The run: its id, the beginning of it, or `latest`
        run: String,
        /// The variant [default: the eval set's candidate]
        #[arg(long, value_name = "NAME")]
        variant: Option<String>,
        /// Accept it although something speaks against it; the reason is kept in the file
        #[arg(long = "override", value_name = "REASON")]
        override_reason: Option<String>,
    },
    /// Print what is approved
    Show {
        /// The eval set [default: all that have a baseline]
        set: Option<String>,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trysquare pin triage@9c6146d58873 --env production\n  \
    trysquare pin triage@9c6146d58873 --env production --override \"hotfix, see the incident\"\n  \
    trysquare pin --env production          list its pins\n\n\
    A version is refused that no committed baseline.json names.")]
pub(crate) struct Pin {
    /// The prompt and its version, 12 to 64 hex digits [default: list the pins]
    #[arg(value_name = "NAME@VERSION", requires = "env")]
    pub(crate) pin: Option<String>,
    /// The environment [default, to list: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Pin it although no committed baseline names it; the reason is kept in trysquare.yaml
    #[arg(long = "override", value_name = "REASON", requires = "pin")]
    pub(crate) override_reason: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Prompt {
    /// List the prompts with their versions
    List,
    /// Print a prompt's model, config, schemas, variables and template
    Show {
        /// The prompt's name, or NAME@GITREF
        name: String,
    },
    /// Print the messages that a case would send
    Render {
        /// The prompt's name, or NAME@GITREF
        name: String,
        /// The case
        #[arg(long, value_name = "ID")]
        case: String,
        /// The eval set of the case [default: the one that has it]
        #[arg(long, value_name = "NAME")]
        set: Option<String>,
    },
    /// List the variables that a prompt uses, and where
    Vars {
        /// The prompt's name
        name: String,
    },
    /// Show what differs between two prompts: files, NAME@GITREF, or version hashes
    Diff {
        /// The first
        a: String,
        /// The second
        b: String,
    },
    /// Write what a service loads: every pinned prompt with model, config, schemas and hashes
    #[command(after_help = "Examples:\n  \
        trysquare prompt export --env production --out build/prompts   one JSON file a prompt\n  \
        trysquare prompt export --env production                       print them\n\n\
        A version is looked up in the files, then in git's history, then in the record of runs.")]
    Export {
        /// The environment
        #[arg(long, value_name = "NAME")]
        env: String,
        /// The folder to write into [default: standard output]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// List every version of a prompt in git with commit, author, date and message
    Log {
        /// The prompt's name
        name: String,
    },
}
