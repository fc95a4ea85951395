use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trysquare calibrate polite --set replies          measure on the test split\n  \
    trysquare calibrate polite --split dev            while you work on the judge's prompt\n  \
    trysquare calibrate polite --report md=judge.md\n\n\
    The test split gives the certificate judges/NAME.trust.json. Every version of a judge that is\n\
    tried on the same test labels makes them less worth; use dev until the prompt is done.")]
pub(crate) struct Calibrate {
    /// The judge, as evalset.yaml names it
    pub(crate) judge: String,
    /// The eval set [default: the only one that has this judge]
    #[arg(long, value_name = "NAME")]
    pub(crate) set: Option<String>,
    /// The criterion [default: the judge's own]
    #[arg(long, value_name = "NAME")]
    pub(crate) criterion: Option<String>,
    /// Correct the pass rates of this run [default: the newest of the set]
    #[arg(long, value_name = "RUN")]
    pub(crate) run: Option<String>,
    /// The part of the set to measure on
    #[arg(long, value_enum, default_value_t = CalibrateSplit::Test)]
    pub(crate) split: CalibrateSplit,
    /// How much dearer a person is, in the test whether the judge can stand in for one: 0.2 where experts
    /// label, 0.15 skilled people, 0.1 a crowd
    #[arg(long, value_name = "SHARE", default_value_t = 0.15, value_parser = epsilon)]
    pub(crate) epsilon: f64,
    /// Write the report into a file as well (md, html or json; may be repeated, or separated by commas)
    #[arg(long = "report", value_name = "KIND=FILE", value_delimiter = ',')]
    pub(crate) reports: Vec<String>,
    /// Take seed, shares and clusters as they are now, though labelled cases change their split; takes
    /// back the certificates of the set's judges
    #[arg(long)]
    pub(crate) resplit: bool,
}

/// A part of an eval set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CalibrateSplit {
    /// May be shown to a judge as examples
    Train,
    /// For trying prompts and judges
    Dev,
    /// For the numbers that are reported
    Test,
}

fn epsilon(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| "expected a share from 0 to below 1".to_owned())
}
